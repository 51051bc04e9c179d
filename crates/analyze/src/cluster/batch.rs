//! A whole ledger at once, on several threads.

use std::{
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use chain::{InputAddresses, Ledger, Tip, TxNum};

use super::{
    clustering::{Basis, Clustering},
    forest::Forest,
    guard::{self, Finding, Guard},
    rule::{Joined, Rule},
    union::SharedForest,
};
use crate::{Error, Result, coinjoin::RULES_VERSION};

/// How to build.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// On so many threads. The result does not depend on it.
    pub threads: NonZeroUsize,
    /// The supercluster guard; `None` for none.
    pub guard: Option<Guard>,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: NonZeroUsize::MIN, guard: Some(Guard::default()) }
    }
}

/// Clusters all addresses of a ledger.
///
/// # Errors
/// Whatever the ledger reports; [`Error::Inconsistent`] where it knows more addresses than it says.
pub fn build<L: Ledger + Sync, R: Rule<L>>(
    ledger: &L,
    rule: &R,
    options: &Options,
) -> Result<Clustering> {
    build_observed(ledger, rule, options, &mut |_| ())
}

/// How far a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All transactions have joined what they join.
    Joined,
    /// Every address knows its cluster. The guard comes next.
    Named,
}

/// [`build`], and tells what is done.
///
/// # Errors
/// As [`build`].
pub fn build_observed<L: Ledger + Sync, R: Rule<L>>(
    ledger: &L,
    rule: &R,
    options: &Options,
    observe: &mut dyn FnMut(Stage),
) -> Result<Clustering> {
    let (txs, addresses) = (ledger.tx_count(), ledger.address_count());
    build_until(ledger, rule, options, Until { tip: ledger.tip(), txs, addresses }, observe)
}

/// Where a build ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    pub(super) tip: Option<Tip>,
    /// Transactions up to there.
    pub(super) txs: u32,
    /// Addresses that appear in them.
    pub(super) addresses: u32,
}

/// Clusters the addresses of the first blocks of a ledger.
pub(super) fn build_until<L: Ledger + Sync, R: Rule<L>>(
    ledger: &L,
    rule: &R,
    options: &Options,
    until: Until,
    observe: &mut dyn FnMut(Stage),
) -> Result<Clustering> {
    let forest = SharedForest::new(until.addresses);
    let next = AtomicU64::new(0);
    let work = || join_chunks((ledger, rule), &forest, &next, until.txs);
    thread::scope(|scope| {
        let others: Vec<_> = (1..options.threads.get()).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            let other = other.join().unwrap_or_else(|panic| resume_unwind(panic));
            result = result.and(other);
        }
        result
    })?;
    observe(Stage::Joined);
    let basis = Basis {
        rule: rule.name().to_owned(),
        coinjoin_rules: RULES_VERSION,
        guard: options.guard,
        tip: until.tip,
        txs: until.txs,
    };
    let mut clustering =
        Clustering { ids: forest.into_ids(options.threads), basis, findings: Vec::new() };
    observe(Stage::Named);
    if let Some(guard) = &options.guard {
        clustering.findings = review((ledger, rule), guard, &mut clustering.ids, until.txs)?;
    }
    Ok(clustering)
}

/// Transactions that a thread takes at a time: their inputs fit in its fastest memory.
const CHUNK: u32 = 1 << 12;

/// One thread's work: takes chunks of the chain until there are no more.
fn join_chunks<L: Ledger, R: Rule<L>>(
    (ledger, rule): (&L, &R),
    forest: &SharedForest,
    next: &AtomicU64,
    txs: u32,
) -> Result<()> {
    let with_change = rule.joins_change();
    let mut memory = rule.memory();
    let least = if with_change { 1 } else { 2 };
    let mut inputs = InputAddresses::default();
    while let Ok(start) = u32::try_from(next.fetch_add(CHUNK.into(), Relaxed))
        && start < txs
    {
        let chunk = start..start.saturating_add(CHUNK).min(txs);
        ledger.input_addresses(chunk.clone(), &mut inputs)?;
        rule.look_ahead(ledger, chunk, &mut memory)?;
        for (tx, inputs) in (start..).map(TxNum).zip(inputs.iter()) {
            if inputs.len() < least || rule.excludes(ledger, tx, &mut memory)? {
                continue;
            }
            let change = if with_change { rule.change(ledger, tx, &mut memory)? } else { None };
            let [first, rest @ ..] = inputs else { continue };
            let mut near = forest.root(first.0);
            for other in rest.iter().chain(&change) {
                near = near.and_then(|near| forest.unite(near, other.0));
            }
            near.ok_or_else(|| unknown_address(ledger, tx))?;
        }
    }
    Ok(())
}

#[cold]
pub(super) fn unknown_address(ledger: &impl Ledger, tx: TxNum) -> Error {
    match ledger.txid(tx) {
        Ok(txid) => Error::Inconsistent { txid, detail: "joins an address that does not exist" },
        Err(error) => error.into(),
    }
}

/// Looks for what the guard reports, and corrects `ids` where merges are held back.
///
/// Only what became twice as large as a large cluster can have been joined from two of them. The
/// transactions of these clusters are joined once more, in chain order and with sizes.
fn review<L: Ledger, R: Rule<L>>(
    (ledger, rule): (&L, &R),
    guard: &Guard,
    ids: &mut [u32],
    txs: u32,
) -> Result<Vec<Finding>> {
    let mut sizes = vec![0_u32; ids.len()];
    for &id in ids.iter() {
        sizes[id as usize] += 1;
    }
    let large = guard.large.max(1).saturating_mul(2);
    if sizes.iter().all(|size| *size < large) {
        return Ok(Vec::new());
    }
    // A bit an address: the processor has all of them at hand, and asks once a transaction.
    let mut bits = vec![0_u64; ids.len().div_ceil(64)];
    for (bits, ids) in bits.iter_mut().zip(ids.chunks(64)) {
        let set = |sum, (i, id): (usize, &u32)| sum | u64::from(sizes[*id as usize] >= large) << i;
        *bits = ids.iter().enumerate().fold(0, set);
    }
    drop(sizes);
    let is_large = |address: u32| {
        bits.get(address as usize / 64).is_some_and(|bits| bits >> (address % 64) & 1 == 1)
    };
    let mut forest = Forest::singletons(ids.len() as u32);
    let (mut joined, mut findings) = (Joined::default(), Vec::new());
    let (mut memory, mut inputs) = (rule.memory(), InputAddresses::default());
    for start in (0..txs).step_by(CHUNK as usize) {
        let chunk = start..start.saturating_add(CHUNK).min(txs);
        ledger.input_addresses(chunk.clone(), &mut inputs)?;
        rule.look_ahead(ledger, chunk, &mut memory)?;
        for (tx, inputs) in (start..).map(TxNum).zip(inputs.iter()) {
            let large = inputs.first().is_some_and(|first| is_large(first.0));
            if !large || !joined.fill((ledger, rule), tx, inputs, &mut memory)? {
                continue;
            }
            let found = guard::join(&mut forest, Some(guard), tx, &joined);
            findings.extend(found.ok_or_else(|| unknown_address(ledger, tx))?);
        }
        forest.settle(forest.links());
    }
    if guard.hold_back && !findings.is_empty() {
        for address in 0..forest.addresses() {
            if is_large(address) {
                let Some(root) = forest.root(address) else { continue };
                ids[address as usize] = forest.lowest(root);
            }
        }
    }
    Ok(findings)
}
