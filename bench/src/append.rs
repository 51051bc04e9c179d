//! One block at a time onto stores of different sizes: the cost must be the block's, not the store's.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use chain::{Height, Ledger as _};
use source::BlockDir;
use store::{Store, Writer};

use crate::{
    clock::{Clock, Passed, median},
    figures::{Figures, Target},
    find_store,
};

/// Blocks that are taken off and put back, one by one.
const BLOCKS: u32 = 20;
/// Fewer transactions than this do not make a block worth timing.
const FULL: usize = 100;

/// What one more block costs a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Transactions in the store.
    transactions: u32,
    /// Median time to append a block until all is on disk, in milliseconds.
    append_ms: f64,
    /// The same on the processor.
    append_cpu_ms: f64,
    /// Transactions of those blocks, on average.
    block_transactions: f64,
    /// Time to take all of them off again, per block, in milliseconds.
    rollback_ms: f64,
}

/// Takes the last full blocks off a store and puts them back one by one. The store ends as it was.
pub(crate) fn measure(blocks: &Path, store: &Path) -> anyhow::Result<Cost> {
    let folder = find_store(store)?;
    let opened = Store::open(&folder)?;
    let transactions = opened.tx_count();
    let tip = opened.tip().context("the store is empty")?.height;
    let last = last_full(&opened, tip)?;
    let first = Height(last.0.saturating_sub(BLOCKS - 1).max(1));
    let (from, to) = (opened.block(first)?, opened.block(last)?);
    let (from, to) = from.zip(to).context("the store lacks blocks below its tip")?;
    drop(opened);

    let blocks = BlockDir::open(blocks, None)?;
    let mut writer = Writer::open(&folder, blocks.network(), store::Options::default())?;
    // Nothing to do, but everything is warm then.
    index(&blocks, &mut writer, None)?;
    let clock = Clock::start();
    writer.rollback(Some(Height(first.0 - 1)))?;
    let rollback_ms = milliseconds(clock.passed().wall) / f64::from(tip.0 - first.0 + 1);
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for height in first.0..=last.0 {
        let passed = index(&blocks, &mut writer, Some(Height(height)))?;
        walls.push(passed.wall);
        cpus.push(passed.cpu);
    }
    index(&blocks, &mut writer, None)?;
    Ok(Cost {
        transactions,
        block_transactions: f64::from(to.txs.end - from.txs.start) / walls.len() as f64,
        append_ms: milliseconds(median(walls)),
        append_cpu_ms: milliseconds(median(cpus)),
        rollback_ms,
    })
}

/// Brings the store up to a height, durably, and tells how long that took.
fn index(blocks: &BlockDir, writer: &mut Writer, until: Option<Height>) -> anyhow::Result<Passed> {
    let options = ingest::Options { until, ..Default::default() };
    let clock = Clock::start();
    ingest::index(blocks, writer, &options, |_| ())?;
    Ok(clock.passed())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The highest block with a good number of transactions.
fn last_full(store: &Store, tip: Height) -> anyhow::Result<Height> {
    for height in (1..=tip.0).rev().map(Height) {
        if store.block(height)?.is_some_and(|block| block.txs.len() >= FULL) {
            return Ok(height);
        }
    }
    Ok(tip)
}

/// The costs of stores of rising size, side by side.
pub(crate) fn figures(costs: &[Cost]) -> Figures {
    let mut figures = Figures::default();
    figures.group("Appending one block");
    for cost in costs {
        let Cost { transactions, append_ms, append_cpu_ms, block_transactions, rollback_ms } = cost;
        let what = format!("to {transactions} transactions, {block_transactions:.0} more");
        figures.add(what, *append_ms, "ms", Target::None);
        figures.add("… on the processor", *append_cpu_ms, "CPU ms", Target::None);
        figures.add("… taking one off again", *rollback_ms, "ms", Target::None);
    }
    // The two largest: blocks of the smaller chains are small, and a commit costs something by itself.
    if let [.., first, last] = costs {
        // Proportional to the block would be 1; the rest is caches that no longer hold everything.
        let each = |cost: &Cost| cost.append_cpu_ms / cost.block_transactions;
        let growth = f64::from(last.transactions) / f64::from(first.transactions);
        let what = format!("processor time per transaction, store {growth:.0}× as large");
        figures.add(what, each(last) / each(first), "×", Target::AtMost(3.0));
    }
    figures
}
