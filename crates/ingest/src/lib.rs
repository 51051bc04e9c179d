//! Floor 3: blocks into the store. Resumes where the last run stopped, follows reorganisations,
//! decodes on several threads while one appends.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::path::Path;
//!
//! let blocks = source::BlockDir::open("blocks", None)?;
//! let mut writer = store::Writer::open(Path::new("graph"), blocks.network(), Default::default())?;
//! let done = ingest::index(&blocks, &mut writer, &ingest::Options::default(), |_| ())?;
//! println!("{} blocks", done.appended);
//! # Ok(())
//! # }
//! ```

mod classes;
mod headers;
pub mod node;
mod pipeline;
mod supply;

pub use classes::recognise;

use std::sync::atomic::{AtomicBool, Ordering};

use chain::{BlockHash, Height, LedgerError, Tip};
use source::{BestChain, BlockDir, SourceError};
use store::{StoreError, Writer};

use crate::{pipeline::Plan, supply::Files};

/// How to index.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Stop after this block.
    pub until: Option<Height>,
    /// Threads that read and decode; 0 for as many as the machine has processors.
    pub threads: usize,
    /// Resident memory to stay below, in bytes; see [`store::Options::memory`].
    pub memory: Option<u64>,
    /// Commit after this many bytes of blocks. What is not committed is done again after a crash.
    pub commit_bytes: u64,
    /// Set to true from elsewhere, indexing commits what it has and returns.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { until: None, threads: 0, memory: None, commit_bytes: 1 << 30, stop: None }
    }
}

impl Options<'_> {
    fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// How far indexing has got; handed out after each batch and each commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Height of the last block appended.
    pub height: Height,
    /// Height to be reached.
    pub target: Height,
    /// Transactions in the store.
    pub transactions: u32,
    /// Bytes of blocks read in this run.
    pub bytes: u64,
    /// Bytes of blocks to read in this run; `None` where nobody knows before they are read.
    pub bytes_total: Option<u64>,
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Blocks removed because the best chain does not contain them.
    pub rolled_back: u32,
    /// Blocks appended.
    pub appended: u32,
    /// The store's tip now.
    pub tip: Option<Tip>,
    /// Whether it was told to stop before the end.
    pub stopped: bool,
}

/// Why indexing ended early. The store holds everything up to the block in question.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The source of blocks.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading back what was stored.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store's last block is not among the blocks.
    #[error(
        "the store's tip, block {height} ({hash}), is in none of the block files: they are older \
         than the store, or another chain's; index them into another --datadir"
    )]
    ForeignTip {
        /// Height of the store's tip.
        height: Height,
        /// Its hash.
        hash: BlockHash,
    },
}

/// Brings a store up to the best chain of a directory of block files: rolls back what is not in
/// it, appends what is missing, recognises CoinJoins among it, commits.
///
/// # Errors
/// [`IngestError`]; a damaged block is named with its file and place. Blocks before it are kept.
pub fn index(
    blocks: &BlockDir,
    writer: &mut Writer,
    options: &Options<'_>,
    mut observe: impl FnMut(Progress),
) -> Result<Summary, IngestError> {
    let chain = blocks.best_chain()?;
    let rolled_back = leave_lost_branch(&chain, writer)?;
    let start = writer.tip().map_or(0, |tip| tip.height.0 + 1);
    let target = options.until.unwrap_or(chain.tip().height).min(chain.tip().height);
    let run = if start <= target.0 {
        let places = chain.blocks_from(Height(start)).take((target.0 + 1 - start) as usize);
        let supply = Files { dir: blocks, places: places.collect() };
        let plan = Plan { options, threads: options.threads(), target };
        pipeline::run(&supply, writer, plan, &mut observe)
    } else {
        Ok(false)
    };
    // Of the last commit, also where a bad block ended the run, and of a run that was killed.
    let recognised = recognise(writer, options.threads()).and_then(|()| Ok(writer.commit()?));
    let stopped = run?;
    recognised?;
    let appended = writer.tip().map_or(0, |tip| tip.height.0 + 1).saturating_sub(start);
    Ok(Summary { rolled_back, appended, tip: writer.tip(), stopped })
}

/// Rolls the store back to the last block that the best chain has too.
fn leave_lost_branch(chain: &BestChain<'_>, writer: &mut Writer) -> Result<u32, IngestError> {
    let Some(tip) = writer.tip() else { return Ok(0) };
    let foreign = IngestError::ForeignTip { height: tip.height, hash: tip.hash };
    let fork = chain.fork_point(&tip.hash).ok_or(foreign)?;
    if fork < tip.height {
        writer.rollback(Some(fork))?;
    }
    Ok(tip.height.0 - fork.0)
}
