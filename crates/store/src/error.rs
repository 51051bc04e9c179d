//! Everything that can go wrong with a store.

use std::{io, path::PathBuf, sync::Arc};

use chain::{BlockHash, Height, LedgerError, Network, OutPoint, Txid};

/// Why a store could not be opened, read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: Arc<io::Error>,
    },
    /// Bytes are not what was written.
    #[error("{}: damaged at byte {offset}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        detail: String,
    },
    /// There is nothing here yet.
    #[error("{}: no store here; make one with `chainhound index`", path.display())]
    Missing {
        /// Where a store was expected.
        path: PathBuf,
    },
    /// A later release wrote this store.
    #[error(
        "{}: written in format {found}, and this release reads up to {known}: use a newer release",
        path.display()
    )]
    NewerFormat {
        /// The store's meta file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format we know.
        known: u32,
    },
    /// The store holds another network's chain.
    #[error("{}: holds {found}, not {expected}: choose another --datadir or --network", path.display())]
    OtherNetwork {
        /// The store.
        path: PathBuf,
        /// Its network.
        found: Network,
        /// The one asked for.
        expected: Network,
    },
    /// Another process writes to this store.
    #[error("{}: another process is writing to this store", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A block does not follow the tip.
    #[error("block {hash} does not follow the tip at height {height}: its parent is {parent}")]
    NotNext {
        /// The block.
        hash: BlockHash,
        /// The parent that it names.
        parent: BlockHash,
        /// Height that it was to have.
        height: Height,
    },
    /// An input spends an output that no earlier block made.
    #[error(
        "height {height}: {txid} spends {outpoint}, which does not exist: a block is missing or damaged"
    )]
    UnknownPrevout {
        /// Height of the spending block.
        height: Height,
        /// The spending transaction.
        txid: Txid,
        /// What it claims to spend.
        outpoint: OutPoint,
    },
    /// An input spends an output a second time.
    #[error("height {height}: {txid} spends {outpoint}, which {spender} already spent")]
    DoubleSpend {
        /// Height of the spending block.
        height: Height,
        /// The spending transaction.
        txid: Txid,
        /// The output.
        outpoint: OutPoint,
        /// Who spent it before.
        spender: Txid,
    },
    /// The chain has outgrown a number.
    #[error("the chain has more {what} than format {FORMAT_VERSION} can number")]
    Full {
        /// What there is too much of.
        what: &'static str,
    },
    /// A reorganisation replaced blocks while they were being read.
    #[error("the chain was reorganised while it was being read: repeat the command")]
    Reorganised,
}

use crate::layout::FORMAT_VERSION;

impl StoreError {
    pub(crate) fn io(path: &std::path::Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error: Arc::new(error) }
    }

    pub(crate) fn damaged(path: &std::path::Path, offset: u64, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), offset, detail: detail.into() }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { path, error } => Self::Io { path, error },
            StoreError::Damaged { path, offset, detail } => Self::Damaged { path, offset, detail },
            StoreError::Reorganised => Self::Reorganised,
            other => Self::Damaged { path: PathBuf::new(), offset: 0, detail: other.to_string() },
        }
    }
}
