//! What was fetched for a question: transactions, what proves them, and what the server claims.

use std::collections::BTreeMap;

use chain::{
    BlockHash, Flags, Header, Height, MemoryLedger, MemoryLedgerError, MerklePath, Network,
    OutPoint, Sats, SparseInput, SparseOutput, SparseSpend, SparseTx, Tip, Transaction, Txid,
};

/// Transactions that a question needs, each proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The network.
    pub network: Network,
    /// The server's tip. Everything is told as of this block.
    pub tip: Tip,
    /// The transactions, by id.
    pub transactions: BTreeMap<Txid, Proven>,
    /// Transactions that made what those spend: values and scripts of inputs are read from them. Their
    /// ids are what proves them.
    pub parents: BTreeMap<Txid, Transaction>,
    /// The headers of the blocks that the transactions are in.
    pub headers: BTreeMap<BlockHash, Header>,
    /// What became of outputs, as the server claims: one per output of the transactions that were
    /// asked about.
    pub fates: BTreeMap<Txid, Vec<Fate>>,
    /// Whether everything that the question wanted is here: nothing was left out to stay within the
    /// number of transactions allowed.
    pub complete: bool,
}

/// A transaction, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// What its id is the hash of.
    pub tx: Transaction,
    /// Its block; nothing where it was in none at the tip.
    pub block: Option<InBlock>,
}

/// A place in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InBlock {
    /// The block's height: the server's claim, like the block's being in the best chain.
    pub height: Height,
    /// The hash of its header, which has proof of work.
    pub hash: BlockHash,
    /// Proves that the transaction is in it.
    pub path: MerklePath,
}

/// What became of an output, as a server claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has spent it. There is no proof of that.
    Unspent,
    /// Spent in a block up to the tip. True if that transaction spends it.
    SpentBy {
        /// The transaction.
        txid: Txid,
        /// Its block's height.
        height: Height,
        /// Its block.
        hash: BlockHash,
    },
    /// Not spent at the tip; spent by a transaction that is unconfirmed, or in a later block.
    SpentLater {
        /// The transaction.
        txid: Txid,
    },
}

impl Gathered {
    pub(super) fn new(network: Network, tip: Tip) -> Self {
        Self {
            network,
            tip,
            transactions: BTreeMap::new(),
            parents: BTreeMap::new(),
            headers: BTreeMap::new(),
            fates: BTreeMap::new(),
            complete: true,
        }
    }

    /// A ledger of all of it, that ends at the server's tip.
    ///
    /// # Errors
    /// Claims that cannot all be true: see [`MemoryLedgerError`].
    pub fn ledger(&self) -> Result<MemoryLedger, MemoryLedgerError> {
        Ok(MemoryLedger::from_sparse(self.network, self.sparse())?.as_of(self.tip))
    }

    /// The transactions with what they spend and what became of them, in the order of their ids. One
    /// whose parents are not all here is left out.
    pub fn sparse(&self) -> Vec<SparseTx> {
        let one = |(txid, proven): (&Txid, &Proven)| self.sparse_tx(txid, proven);
        self.transactions.iter().filter_map(one).collect()
    }

    /// Outputs that were not spent at the tip, and have been spent since or are about to be.
    pub fn spent_later(&self) -> impl Iterator<Item = (OutPoint, Txid)> {
        self.fates.iter().flat_map(|(txid, fates)| {
            (0..).zip(fates).filter_map(|(vout, fate)| match fate {
                Fate::SpentLater { txid: by } => Some((OutPoint::new(*txid, vout), *by)),
                _ => None,
            })
        })
    }

    /// The transaction with this id, itself asked for or not.
    pub(super) fn known(&self, txid: &Txid) -> Option<&Transaction> {
        let asked = self.transactions.get(txid).map(|proven| &proven.tx);
        asked.or_else(|| self.parents.get(txid))
    }

    fn sparse_tx(&self, txid: &Txid, proven: &Proven) -> Option<SparseTx> {
        let Proven { tx, block } = proven;
        let coinbase = tx.is_coinbase();
        let mut inputs = Vec::new();
        for input in tx.input.iter().filter(|_| !coinbase) {
            let outpoint = input.previous_output;
            let output = self.known(&outpoint.txid)?.output.get(outpoint.vout as usize)?;
            let (value, script) = (Sats(output.value.to_sat()), output.script_pubkey.clone());
            inputs.push(SparseInput { outpoint, value, script });
        }
        let fates = self.fates.get(txid);
        let outputs = tx.output.iter().enumerate().map(|(vout, output)| SparseOutput {
            value: Sats(output.value.to_sat()),
            script: output.script_pubkey.clone(),
            spend: match fates.and_then(|fates| fates.get(vout)) {
                None => SparseSpend::Unknown,
                Some(Fate::SpentBy { txid, .. }) => SparseSpend::By(*txid),
                Some(Fate::Unspent | Fate::SpentLater { .. }) => SparseSpend::Unspent,
            },
        });
        let height = block.as_ref().map(|block| block.height);
        let header = block.as_ref().and_then(|block| self.headers.get(&block.hash));
        Some(SparseTx {
            txid: *txid,
            flags: Flags::of(tx, height),
            height,
            time: header.map(|header| header.time),
            block_hash: block.as_ref().map(|block| block.hash),
            position: block.as_ref().map(|block| block.path.position()),
            coinbase,
            inputs,
            outputs: outputs.collect(),
        })
    }
}
