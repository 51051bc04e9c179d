//! Headers before blocks: where a node's chain leaves ours, and which blocks come from there on.

use bitcoin::{Work, hashes::Hash};
use chain::{BlockHash, Height, Network, header};
use source::{Node, NodeError, SourceError};
use store::Store;

use crate::IngestError;

/// Headers fetched before their blocks: 640 kB. A chain is done in stretches of so many.
const STRETCH: usize = 20_000;

/// Blocks that follow one another in a node's chain.
#[derive(Debug)]
pub(crate) struct Stretch {
    /// The first block's height.
    pub(crate) first: Height,
    /// Their hashes, each with the proof of work that its header names.
    pub(crate) hashes: Vec<BlockHash>,
    /// Whether there are more, or enough have been seen to know that they outweigh ours.
    pub(crate) verdict: Verdict,
}

/// A node's branch against ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has at least as much work from the fork on.
    AtLeastAsMuch,
    /// All of it has less.
    Less,
    /// The first header does not build on our block: the node's chain changed meanwhile.
    Changed,
}

/// The height of the last block that the store and the node's best chain share. `None` where they
/// share none, not even block 0.
///
/// Where they agree on a height they agree on all below, so it is found by bisection: twenty
/// questions for a million blocks.
pub(crate) fn fork(store: &Store, node: &Node) -> Result<Option<Height>, IngestError> {
    let Some(blocks) = chain::Ledger::tip(store).map(|tip| tip.height.0.saturating_add(1)) else {
        return Ok(None);
    };
    let agrees = |height: u32| -> Result<bool, IngestError> {
        let Some(theirs) = node.block_hash(Height(height)).map_err(SourceError::from)? else {
            return Ok(false);
        };
        let ours = chain::Ledger::block(store, Height(height))?;
        Ok(ours.is_some_and(|block| block.hash == theirs))
    };
    // Most forks are shallow: steps of doubling length back from the end, then bisection.
    let (mut high, mut step) = (blocks, 1);
    let mut low = loop {
        let height = high.saturating_sub(step);
        if agrees(height)? {
            break height + 1;
        }
        if height == 0 {
            return Ok(None);
        }
        (high, step) = (height, step * 2);
    };
    // Agreed below `low`, not at `high`.
    while low < high {
        let middle = low + (high - low) / 2;
        match agrees(middle)? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low.checked_sub(1).map(Height))
}

/// The expected number of hashes behind the store's blocks after a height.
pub(crate) fn work_after(store: &Store, height: Height) -> Result<Work, IngestError> {
    let mut work = none();
    let mut next = height.checked_add(1);
    while let Some(height) = next
        && let Some(bytes) = store.header(height)?
    {
        let bits = bytes.last_chunk::<8>().and_then(|end| end.first_chunk::<4>());
        let target = bits.and_then(|bits| header::target(u32::from_le_bytes(*bits)));
        work = work + target.map_or(none(), |target| target.to_work());
        next = height.checked_add(1);
    }
    Ok(work)
}

/// The node's blocks after the one at `fork`, as far as a stretch goes, and whether all that follow
/// have at least the work of `ours`. Headers are looked at until that is known, and kept up to the
/// length of a stretch.
pub(crate) fn stretch(
    node: &Node,
    fork: Option<(Height, BlockHash)>,
    ours: Work,
    stopped: &dyn Fn() -> bool,
) -> Result<Stretch, IngestError> {
    let first = fork.map_or(Some(Height(0)), |(height, _)| height.checked_add(1));
    let first = first.unwrap_or(Height(u32::MAX));
    let mut before = fork.map_or_else(BlockHash::all_zeros, |(_, hash)| hash);
    let mut found = Stretch { first, hashes: Vec::new(), verdict: Verdict::Less };
    let (mut work, mut next) = (none(), first);
    loop {
        let headers = node.headers(next).map_err(SourceError::from)?;
        let came = headers.len();
        for bytes in headers {
            let header = header::parse(&bytes).map_err(|error| nonsense(node, next, &error))?;
            if header.prev_blockhash != before {
                // Beyond the first one, what came before the change is good.
                found.verdict = match next > first && work >= ours {
                    true => Verdict::AtLeastAsMuch,
                    false => Verdict::Changed,
                };
                return Ok(found);
            }
            before = check(node, &header, next)?;
            work = work + header.work();
            if found.hashes.len() < STRETCH {
                found.hashes.push(before);
            }
            next = next.checked_add(1).unwrap_or(next);
        }
        if work >= ours {
            found.verdict = Verdict::AtLeastAsMuch;
        }
        let enough = found.hashes.len() >= STRETCH && work >= ours;
        if came == 0 || enough || stopped() {
            return Ok(found);
        }
    }
}

fn none() -> Work {
    Work::from_le_bytes([0; 32])
}

fn check(node: &Node, header: &chain::Header, height: Height) -> Result<BlockHash, IngestError> {
    let network: Network = node.network();
    let hash = header::check_work(header, network);
    let hash = hash.map_err(|error| nonsense(node, height, &error))?;
    if height == Height(0) && hash != network.genesis_hash() {
        return Err(nonsense(node, height, &"another block 0"));
    }
    Ok(hash)
}

fn nonsense(node: &Node, height: Height, detail: &dyn std::fmt::Display) -> IngestError {
    let (url, request) = (node.url().to_owned(), format!("headers from height {height}"));
    let error = NodeError::Nonsense { url, request, detail: detail.to_string() };
    IngestError::Source(error.into())
}
