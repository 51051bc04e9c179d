//! The one error type of the crate.

use chain::{BlockHash, Height, LedgerError, MemoryLedgerError, Txid};
use source::SourceError;

/// What the crate gives, or why it cannot.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no case, or no bundle of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A case file that says something that it cannot.
    #[error("line {line}, column {column}: {detail}")]
    CaseFile {
        /// The line, from 1 on.
        line: usize,
        /// The column in it, from 1 on.
        column: usize,
        /// What is wrong.
        detail: String,
    },
    /// A case that cannot be asked on this chain.
    #[error("{0}")]
    Question(String),
    /// A trace that leads to more than a bundle holds.
    #[error(
        "the trace under {policy} needs more than {most} {what}: end it earlier, with [stops] in the case \
         file (at, max_hops, min_tainted_sat, until_height or max_transactions)"
    )]
    TooMuch {
        /// The policy.
        policy: &'static str,
        /// Of what there is too much.
        what: &'static str,
        /// How much of it a bundle holds.
        most: usize,
    },
    /// A trace that gave no answer.
    #[error(transparent)]
    Analyze(#[from] analyze::Error),
    /// The ledger could not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The transactions do not form a chain.
    #[error(transparent)]
    Transactions(#[from] MemoryLedgerError),
    /// Blocks could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source of proofs lacks a block.
    #[error(
        "block {height} ({hash}) is not among the blocks: a bundle needs the raw blocks of every \
         transaction in it; name a node that keeps all of them"
    )]
    NoBlock {
        /// Its height.
        height: Height,
        /// Its hash.
        hash: BlockHash,
    },
    /// The source of proofs lacks a header.
    #[error(
        "the header of block {0} is not there: a bundle needs every header from a checkpoint on"
    )]
    NoHeader(Height),
    /// What was given as proof proves nothing.
    #[error("{what}: {detail}")]
    Proof {
        /// Of what.
        what: String,
        /// What is wrong.
        detail: String,
    },
    /// The transaction is in no block that is known, so nothing proves it.
    #[error("transaction {0} is in no block that is known here: only confirmed ones can be proven")]
    Unconfirmed(Txid),
    /// A key or signature that cannot be used.
    #[error("{0}")]
    Key(String),
    /// The case book cannot be used, or is not what was written.
    #[error("{}: {detail}", path.display())]
    Book {
        /// Its file.
        path: std::path::PathBuf,
        /// What is wrong, and with which entry.
        detail: String,
    },
    /// The bundle is larger than its format allows.
    #[error("{what} has {bytes} bytes, and a bundle holds at most {most}")]
    TooLarge {
        /// What.
        what: String,
        /// How large it is.
        bytes: u64,
        /// How large it may be.
        most: u64,
    },
    /// The bundle's own transactions give another result than the chain.
    #[error(
        "the trace under {policy} on the bundle's transactions differs from the one on the chain: {detail}"
    )]
    Differs {
        /// The policy.
        policy: &'static str,
        /// In what.
        detail: String,
    },
}

impl Error {
    /// A proof that is none.
    pub(crate) fn proof(what: impl ToString, detail: impl ToString) -> Self {
        Self::Proof { what: what.to_string(), detail: detail.to_string() }
    }
}
