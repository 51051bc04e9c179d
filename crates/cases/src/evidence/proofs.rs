//! Where transactions, paths and headers come from when a bundle is made.

use bitcoin::{Transaction, block::Header, consensus::encode};
use chain::{BlockHash, Height, MerklePath, Txid};
use source::{DecodedBlock, SourceError, decode};

use crate::{Error, Result};

/// A transaction as a source shows it: to be checked, not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// With or without its witnesses, which are left out of a bundle.
    pub tx: Transaction,
    /// Its path in the block that was asked about.
    pub path: MerklePath,
}

/// Something that can prove transactions.
pub trait Proofs {
    /// Transactions of one block, in the order in which they are named.
    ///
    /// # Errors
    /// What is not there or cannot be read.
    fn in_block(&mut self, height: Height, hash: BlockHash, wanted: &[Txid]) -> Result<Vec<Shown>>;

    /// A transaction of which no block is known.
    ///
    /// # Errors
    /// What is not there or cannot be read.
    fn alone(&mut self, txid: Txid) -> Result<Transaction> {
        Err(Error::Unconfirmed(txid))
    }

    /// The header of the best chain at a height.
    ///
    /// # Errors
    /// What is not there or cannot be read.
    fn header(&mut self, height: Height) -> Result<Header>;
}

/// Reads a block's bytes by its hash; `None` where it is not there.
pub type ReadBlock<'a> = dyn FnMut(Height, &BlockHash) -> Result<Option<Vec<u8>>, SourceError> + 'a;
/// Reads a header of the best chain; `None` where it is not there.
pub type ReadHeader<'a> = dyn FnMut(Height) -> Result<Option<[u8; 80]>> + 'a;

/// Proofs out of whole blocks: of block files, or of a node.
pub struct FromBlocks<'a> {
    block: &'a mut ReadBlock<'a>,
    header: &'a mut ReadHeader<'a>,
    decoded: DecodedBlock,
}

impl<'a> FromBlocks<'a> {
    /// With these two ways to read.
    pub fn new(block: &'a mut ReadBlock<'a>, header: &'a mut ReadHeader<'a>) -> Self {
        Self { block, header, decoded: DecodedBlock::new() }
    }
}

impl Proofs for FromBlocks<'_> {
    fn in_block(&mut self, height: Height, hash: BlockHash, wanted: &[Txid]) -> Result<Vec<Shown>> {
        let raw = (self.block)(height, &hash)?.ok_or(Error::NoBlock { height, hash })?;
        decode::block(&raw, height, &mut self.decoded).map_err(SourceError::Block)?;
        if self.decoded.hash != hash {
            return Err(Error::NoBlock { height, hash });
        }
        let ids: Vec<Txid> = (0..self.decoded.tx_count()).map(|at| self.decoded.txid(at)).collect();
        let show = |txid: &Txid| {
            let missing = || Error::proof(format!("transaction {txid}"), "is not in its block");
            let at = ids.iter().position(|id| id == txid).ok_or_else(missing)?;
            let starts = &self.decoded.tx_starts;
            let bytes = match (starts.get(at), starts.get(at + 1)) {
                (Some(start), Some(end)) => raw.get(*start as usize..*end as usize),
                _ => None,
            };
            let tx = encode::deserialize(bytes.ok_or_else(missing)?)
                .map_err(|error| Error::proof(format!("transaction {txid}"), error))?;
            let path = MerklePath::of(&ids, at as u32)
                .map_err(|error| Error::proof(format!("block {height}"), error))?;
            Ok(Shown { tx, path })
        };
        wanted.iter().map(show).collect()
    }

    fn header(&mut self, height: Height) -> Result<Header> {
        let bytes = (self.header)(height)?.ok_or(Error::NoHeader(height))?;
        chain::header::parse(&bytes).map_err(|error| Error::proof(format!("block {height}"), error))
    }
}

/// What the txid is the hash of.
pub(crate) fn without_witnesses(mut tx: Transaction) -> Transaction {
    for input in &mut tx.input {
        input.witness.clear();
    }
    tx
}
