//! What can go wrong with a source of blocks, and where.

use std::{fmt, io, path::PathBuf};

use bitcoin::{BlockHash, Txid};
use chain::{Height, Network};

use crate::esplora::explorer::ServerError;

/// Why a source cannot give what it was asked for. Every message names the place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// There are no block files.
    #[error(
        "{}: no blk*.dat files here, nor in its folder 'blocks': name a node's blocks directory or \
         its datadir", path.display()
    )]
    NoBlockFiles {
        /// The directory.
        path: PathBuf,
    },
    /// There are block files, and no block of a known network in them.
    #[error(
        "{}: {files} block files and no block in them{}", path.display(),
        if *obfuscated { ": does xor.dat belong to these files?" } else { ": is their xor.dat missing?" }
    )]
    NoBlocks {
        /// The directory.
        path: PathBuf,
        /// How many files were searched.
        files: usize,
        /// Whether a key in `xor.dat` was applied.
        obfuscated: bool,
    },
    /// `xor.dat` is not eight bytes (Core PR 28052).
    #[error("{}: the key must have 8 bytes and has {len}: copy the file from the node again", path.display())]
    XorKey {
        /// The key file.
        path: PathBuf,
        /// Its length.
        len: u64,
    },
    /// Two files carry the same number.
    #[error("{} and {} have the same number: remove the one that is not the node's", path.display(), other.display())]
    SameNumber {
        /// One.
        path: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// A block of another network than the one asked for, or than the other files'.
    #[error(
        "{}: the block at byte {offset} is of {found}, not of {expected}: choose the network with \
         --network, and keep one network's files in a directory", path.display()
    )]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// Where its record starts.
        offset: u64,
        /// The network of the block.
        found: Network,
        /// The network asked for, or recognised in the first file.
        expected: Network,
    },
    /// Block 0 is not in the files, so no chain starts.
    #[error(
        "{}: block 0 of {network} is in none of the files: a pruned node, or the first block file is \
         missing; a node that keeps all blocks is needed", path.display()
    )]
    NoGenesis {
        /// The directory.
        path: PathBuf,
        /// The network.
        network: Network,
    },
    /// Blocks that cannot be connected, because one before them is not in the files.
    #[error(
        "{}: the chain ends at height {height} and {unconnected} more blocks (in {files}) cannot be \
         connected: block {missing} is in none of the files; a block file is missing or damaged",
        path.display()
    )]
    MissingBlock {
        /// The directory.
        path: PathBuf,
        /// Height of the last block that can be connected.
        height: Height,
        /// The block that their first one builds on.
        missing: BlockHash,
        /// How many blocks wait for it.
        unconnected: u64,
        /// The files with those blocks: `blk00003.dat` or `blk00003.dat to blk00007.dat`.
        files: String,
    },
    /// The bytes of a block are no longer those that were found when the file was scanned.
    #[error(
        "{}: byte {offset}: block {hash} at height {height} is no longer there: the file was \
         changed or damaged; start again", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Where the block's header was.
        offset: u64,
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// A text with transactions that cannot be read.
    #[error("{}: line {line}: {detail}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: u64,
        /// What is wrong, and with which field.
        detail: String,
    },
    /// A transaction in such a text that contradicts itself or the others.
    #[error("{}: line {line}: transaction {txid}: {detail}", path.display())]
    Transaction {
        /// The file.
        path: PathBuf,
        /// The line that the transaction starts in, from 1 on.
        line: u64,
        /// Its id, as the file says.
        txid: Txid,
        /// What does not fit.
        detail: String,
    },
    /// A block's bytes are no valid block.
    #[error(transparent)]
    Block(#[from] Box<BadBlock>),
    /// A question to a server that has no answer, or none that can be believed.
    #[error(transparent)]
    Server(#[from] Box<ServerError>),
    /// A running node does not give it.
    #[error(transparent)]
    Node(#[from] Box<crate::NodeError>),
}

impl From<crate::NodeError> for SourceError {
    fn from(error: crate::NodeError) -> Self {
        Self::Node(Box::new(error))
    }
}

/// A block that cannot be used, and where it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBlock {
    /// Height it was decoded for.
    pub height: Height,
    /// Hash of its header; of nothing, when there is not even a header.
    pub hash: BlockHash,
    /// Byte in the block where the fault was noticed.
    pub offset: usize,
    /// The transaction at fault, where it could be read to its end.
    pub txid: Option<Txid>,
    /// The fault.
    pub fault: BlockFault,
    /// The file with the block and the position of its header there, where it came from a file.
    pub file: Option<(PathBuf, u64)>,
}

impl std::error::Error for BadBlock {}

impl fmt::Display for BadBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, hash, offset, txid, fault, file } = self;
        if let Some((path, start)) = file {
            write!(f, "{}: byte {}: ", path.display(), start + *offset as u64)?;
        }
        write!(f, "block {height} ({hash}), byte {offset}: ")?;
        if let Some(txid) = txid {
            write!(f, "transaction {txid}: ")?;
        }
        write!(f, "{fault}")
    }
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// It ends inside of a transaction or of the header.
    #[error("the block ends too early")]
    Truncated,
    /// Bytes follow after the last transaction.
    #[error("{0} bytes follow after the last transaction")]
    TrailingBytes(usize),
    /// Larger than any block can be: nothing of it was read.
    #[error("{0} bytes are more than a block can have")]
    TooLarge(usize),
    /// The marker of a segwit transaction with an unknown flag (BIP-0144).
    #[error("unknown segwit flag {0}")]
    SegwitFlag(u8),
    /// The marker of a segwit transaction, and no witness (BIP-0144).
    #[error("marked as segwit, but no input has a witness")]
    NoWitness,
    /// A length in a longer form than it needs.
    #[error("a length is not in its shortest form")]
    LongLength,
    /// A block has at least its coinbase.
    #[error("no transactions")]
    Empty,
    /// The first transaction is no coinbase.
    #[error("the first transaction is not a coinbase")]
    NoCoinbase,
    /// A coinbase input after the first transaction, or beside another input.
    #[error("input {0} has no prevout, as only the first transaction's single input may")]
    NullPrevout(usize),
    /// Consensus wants at least one (`bad-txns-vin-empty`).
    #[error("no inputs")]
    NoInputs,
    /// Consensus wants at least one (`bad-txns-vout-empty`).
    #[error("no outputs")]
    NoOutputs,
    /// An output, or the sum of the outputs up to it, above 21 million bitcoin.
    #[error("output {0} takes the outputs above 21 million bitcoin")]
    Value(usize),
    /// The transactions are not those that the header commits to.
    #[error("the merkle root is not the one in the header: the block is damaged")]
    MerkleRoot,
    /// The last transactions are repeated without changing the root (CVE-2012-2459).
    #[error("transactions are repeated under the same merkle root (CVE-2012-2459)")]
    RepeatedTransactions,
}
