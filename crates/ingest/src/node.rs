//! A store beside a running node: brought up to the node's best chain, as often as one likes.

use chain::{BlockHash, Height, Ledger};
use source::{DecodedBlock, Node, NodeError, SourceError, decode};
use store::{Store, Writer};

use crate::{
    IngestError, Options, Progress, Summary,
    headers::{self, Stretch, Verdict},
    pipeline::{self, Plan},
    recognise,
    supply::{Read, Supply},
};

/// Threads that fetch blocks, at least: most of their time they wait for the node.
const FETCHING: usize = 4;
/// So often the node's chain may change while we look at it, without a block in between.
const ATTEMPTS: usize = 10;

/// What a run beside a node did, and how it stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    /// What was done.
    pub summary: Summary,
    /// How the store stands to the node.
    pub standing: Standing,
}

/// How the store stands to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They have the same last block; or the store has all that was asked for.
    AtTip,
    /// The same, and the node is still downloading: it knows headers up to here.
    Downloading {
        /// Height of the best header.
        headers: Height,
    },
    /// The node has only the first of our blocks: it is downloading again, or was set back.
    /// Nothing was taken back.
    NodeBehind {
        /// Height of the node's last block.
        node: Height,
    },
    /// The node's blocks after the fork have less work than ours: it may be on a branch that lost,
    /// or set back. Nothing was taken back.
    LessWork {
        /// The last block that both have.
        fork: Height,
        /// Height of the node's last block.
        node: Height,
    },
    /// Told to stop before the end.
    Stopped,
}

/// Brings a store up to the best chain of a node: rolls back what is not in it, once headers with
/// at least as much work have been seen; fetches what is missing; recognises CoinJoins; commits.
///
/// Headers come first: each must have proof of work and build on the one before. Every block is
/// then asked for by its hash and must have that hash, and the transactions that it commits to.
///
/// # Errors
/// [`IngestError`]; with a [`NodeError`] inside where the node is at fault. What came before the
/// block in question is kept.
pub fn sync(
    node: &Node,
    writer: &mut Writer,
    options: &Options<'_>,
    mut observe: impl FnMut(Progress),
) -> Result<Synced, IngestError> {
    let info = node.check_network().map_err(SourceError::from)?;
    let mut summary = Summary { rolled_back: 0, appended: 0, tip: writer.tip(), stopped: false };
    let mut attempts = 0;
    // Of a run that was killed between a commit and what comes behind it.
    recognise(writer, options.threads())?;
    writer.commit()?;
    let standing = loop {
        summary.tip = writer.tip();
        let until = options.until.unwrap_or(Height(u32::MAX));
        if summary.tip.is_some_and(|tip| tip.height >= until) {
            break Standing::AtTip;
        }
        if options.is_stopped() {
            break Standing::Stopped;
        }
        let mut next = match next(node, writer, options)? {
            Next::Blocks(next) => next,
            Next::Nothing(standing) => break standing,
            Next::Again if attempts == ATTEMPTS => {
                let detail = "its chain does not build on itself".to_owned();
                let (url, request) = (node.url().to_owned(), "headers".to_owned());
                let error = NodeError::Nonsense { url, request, detail };
                return Err(SourceError::from(error).into());
            }
            Next::Again => {
                attempts += 1;
                continue;
            }
        };
        if let Some(tip) = summary.tip
            && let Some(fork) = next.fork.filter(|fork| *fork < tip.height)
        {
            writer.rollback(Some(fork))?;
            summary.rolled_back += tip.height.0 - fork.0;
        }
        let first = next.stretch.first;
        let wanted = (until.0 - first.0).saturating_add(1);
        next.stretch.hashes.truncate(wanted as usize);
        let last = first.0.saturating_add(next.stretch.hashes.len() as u32 - 1);
        let target = until.min(Height(info.blocks.max(last)));
        let stopped = append(node, next.stretch, writer, options, target, &mut observe)?;
        summary.appended += writer.tip().map_or(0, |tip| tip.height.0 + 1).saturating_sub(first.0);
        attempts = 0;
        if stopped {
            break Standing::Stopped;
        }
    };
    summary.tip = writer.tip();
    summary.stopped = standing == Standing::Stopped;
    let standing = match standing {
        Standing::AtTip if info.initialblockdownload && info.headers > info.blocks => {
            Standing::Downloading { headers: Height(info.headers) }
        }
        other => other,
    };
    Ok(Synced { summary, standing })
}

enum Next {
    Blocks(Blocks),
    Nothing(Standing),
    /// The node's chain changed while it was looked at.
    Again,
}

struct Blocks {
    fork: Option<Height>,
    stretch: Stretch,
}

/// What to append next, and behind which block.
fn next(node: &Node, writer: &Writer, options: &Options<'_>) -> Result<Next, IngestError> {
    let stopped = || options.is_stopped();
    let none = bitcoin::Work::from_le_bytes([0; 32]);
    let Some(tip) = writer.tip() else {
        let stretch = headers::stretch(node, None, none, &stopped)?;
        return Ok(judge(None, stretch, Standing::AtTip));
    };
    let theirs = node.block_hash(tip.height).map_err(SourceError::from)?;
    if theirs == Some(tip.hash) {
        let stretch = headers::stretch(node, Some((tip.height, tip.hash)), none, &stopped)?;
        return Ok(judge(Some(tip.height), stretch, Standing::AtTip));
    }
    // Closed at the end of this function: a writer cuts its files only while nobody reads.
    let store = Store::open(writer.dir())?;
    let Some(fork) = headers::fork(&store, node)? else { return Ok(Next::Again) };
    let Some(block) = store.block(fork)? else { return Ok(Next::Again) };
    let ours = headers::work_after(&store, fork)?;
    let stretch = headers::stretch(node, Some((fork, block.hash)), ours, &stopped)?;
    if fork == tip.height {
        // The node came back to our branch meanwhile.
        return Ok(Next::Again);
    }
    let node = Height(fork.0.saturating_add(stretch.hashes.len() as u32));
    let less = match stretch.hashes.is_empty() {
        true => Standing::NodeBehind { node: fork },
        false => Standing::LessWork { fork, node },
    };
    if stopped() && stretch.verdict == Verdict::Less {
        return Ok(Next::Nothing(Standing::Stopped));
    }
    Ok(judge(Some(fork), stretch, less))
}

fn judge(fork: Option<Height>, stretch: Stretch, otherwise: Standing) -> Next {
    match stretch.verdict {
        Verdict::Changed => Next::Again,
        Verdict::AtLeastAsMuch if !stretch.hashes.is_empty() => {
            Next::Blocks(Blocks { fork, stretch })
        }
        _ => Next::Nothing(otherwise),
    }
}

/// Fetches and appends the blocks of a stretch. True when stopped before the end.
fn append(
    node: &Node,
    stretch: Stretch,
    writer: &mut Writer,
    options: &Options<'_>,
    target: Height,
    observe: &mut dyn FnMut(Progress),
) -> Result<bool, IngestError> {
    let threads = match options.threads {
        0 => options.threads().max(FETCHING),
        threads => threads,
    };
    let supply = Fetched { node, stretch };
    let run = pipeline::run(&supply, writer, Plan { options, threads, target }, observe);
    // Of the last commit, also where the node went away in the middle.
    let recognised = recognise(writer, options.threads()).and_then(|()| Ok(writer.commit()?));
    let stopped = run?;
    recognised?;
    Ok(stopped)
}

/// Blocks that a node has.
struct Fetched<'a> {
    node: &'a Node,
    stretch: Stretch,
}

impl Supply for Fetched<'_> {
    type Reader<'a>
        = &'a Self
    where
        Self: 'a;

    fn count(&self) -> usize {
        self.stretch.hashes.len()
    }

    fn bytes(&self, _at: usize) -> Option<u64> {
        None
    }

    fn reader(&self) -> &Self {
        self
    }
}

impl Read for &Fetched<'_> {
    fn read(
        &mut self,
        at: usize,
        raw: &mut Vec<u8>,
        into: &mut DecodedBlock,
    ) -> Result<(), SourceError> {
        let hash: BlockHash = self.stretch.hashes[at];
        let height = Height(self.stretch.first.0.saturating_add(at as u32));
        *raw = self.node.block(&hash)?.ok_or(NodeError::NoBlock { hash })?;
        Ok(decode::block(raw, height, into)?)
    }
}
