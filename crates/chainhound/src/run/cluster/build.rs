//! `chainhound cluster build`.

use std::{num::NonZeroUsize, sync::Mutex, thread};

use analyze::{
    cluster::{Clustering, Finding, Guard, Live, Options, Rule, build},
    coinjoin::RULES_VERSION,
};
use chain::Ledger;
use serde::Serialize;
use store::Store;

use super::{field, parts, whole};
use crate::{
    args::BuildArgs,
    clusters::{self, FAR_BEHIND, Shelf, Watched, Which, by_rule},
    failure::{Exit, Failure},
    ledger,
    output::{BuildDocument, ClusteringField, GuardField, GuardFinding, Provenance},
    place::Place,
    run::{Counter, Session},
    say::Say,
};

/// Clusters that are named.
const LARGEST: usize = 5;

#[derive(Serialize)]
struct Parameters {
    rule: &'static str,
    guard_large: u32,
    guard_thin: u32,
    hold_back: bool,
    rebuild: bool,
}

/// What was done, and why it was not less.
#[derive(Clone, Copy)]
struct Done {
    how: &'static str,
    because: Option<&'static str>,
    new_blocks: u32,
    /// Whether the clustering in force is worth keeping beside the new one.
    keep_before: bool,
}

/// Builds, keeps and prints.
pub(super) fn run(args: &BuildArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let (which, guard) = (args.which.which(), args.guard());
    let shelf = Shelf::of(&place);
    let mut lock = None;
    let say = session.say;
    let (provenance, body) = ledger::ask(&place, None, say, |chain| {
        let store = whole(chain)?;
        if lock.is_none() {
            lock = Some(shelf.lock()?);
        }
        let total = Some(u64::from(store.tx_count()));
        let counter = Mutex::new(Counter::new(say, "transactions", total));
        let job = Job { store, shelf: &shelf, which, rebuild: args.rebuild };
        let options = Options { threads: threads(), guard: Some(guard) };
        let made = by_rule!(which, rule => job.run(Watched::new(rule, &counter), &options));
        if let Ok(counter) = counter.into_inner() {
            counter.finish();
        }
        let (clustering, done) = made?;
        store.ensure_current()?;
        let digest = match done.how {
            "unchanged" => clustering.digest(),
            _ => shelf.put(which, &clustering, done.keep_before)?,
        };
        let parameters = Parameters {
            rule: which.name(),
            guard_large: guard.large,
            guard_thin: guard.thin,
            hold_back: guard.hold_back,
            rebuild: args.rebuild,
        };
        let largest = clustering.largest(LARGEST).into_iter();
        let body = BuildDocument {
            clustering: ClusteringField::new(
                clustering.basis(),
                clusters::blocks_behind(store, clustering.basis()),
            ),
            how: done.how,
            because: done.because,
            new_blocks: done.new_blocks,
            addresses: clustering.addresses(),
            clusters: clustering.clusters(),
            largest: largest
                .map(|(cluster, size)| field(store, cluster, size))
                .collect::<chain::Result<_>>()?,
            guard: GuardField::new(guard, findings(store, clustering.findings())?),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            path: shelf.path(which).display().to_string(),
        };
        Ok((Provenance::new(chain, parameters), body))
    })?;
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}

/// Builds the clustering that needs no flags, whatever is kept, and puts it in force.
pub(in crate::run) fn build_anew(
    store: &Store,
    place: &Place,
    say: &Say,
) -> Result<Clustering, Failure> {
    let (which, shelf) = (Which::MultiInput, Shelf::of(place));
    let _lock = shelf.lock()?;
    let counter = Mutex::new(Counter::new(say, "transactions", Some(u64::from(store.tx_count()))));
    let options = Options { threads: threads(), guard: Some(Guard::default()) };
    let clustering =
        by_rule!(which, rule => build(store, &Watched::new(rule, &counter), &options))?;
    if let Ok(counter) = counter.into_inner() {
        counter.finish();
    }
    shelf.put(which, &clustering, false)?;
    Ok(clustering)
}

struct Job<'a> {
    store: &'a Store,
    shelf: &'a Shelf,
    which: Which,
    rebuild: bool,
}

impl Job<'_> {
    /// The clustering of the store's tip, from what is kept where that is possible.
    fn run<R: Rule<Store> + Clone>(
        &self,
        rule: R,
        options: &Options,
    ) -> Result<(Clustering, Done), Failure> {
        let store = self.store;
        let batch = |how, because, keep_before, from: u32| {
            let clustering = build(store, &rule, options)?;
            let new_blocks = blocks(&clustering).saturating_sub(from);
            Ok((clustering, Done { how, because, new_blocks, keep_before }))
        };
        if self.rebuild {
            return batch("built", Some("asked"), false, 0);
        }
        let Some(kept) = self.shelf.read(self.which)? else {
            return batch("built", None, false, 0);
        };
        let known = blocks(&kept);
        let on_chain = clusters::is_on(store, kept.basis())?;
        if kept.basis().guard != options.guard {
            return batch("rebuilt", Some("other_guard"), on_chain, 0);
        }
        if kept.basis().coinjoin_rules != RULES_VERSION {
            return batch("rebuilt", Some("other_rules"), on_chain, 0);
        }
        if on_chain {
            if kept.basis().tip == store.tip() {
                let done =
                    Done { how: "unchanged", because: None, new_blocks: 0, keep_before: false };
                return Ok((kept, done));
            }
            let missing = store.tx_count().saturating_sub(kept.basis().txs);
            if missing > store.tx_count() / FAR_BEHIND {
                return batch("rebuilt", Some("far_behind"), true, known);
            }
            let clustering = extend(store, kept, rule, options)?;
            let new_blocks = blocks(&clustering).saturating_sub(known);
            return Ok((
                clustering,
                Done { how: "extended", because: None, new_blocks, keep_before: true },
            ));
        }
        // The fork may lie behind the clustering of before; then that one is still true.
        let before = self.shelf.read_before(self.which).ok().flatten();
        let before = before.filter(|before| {
            let basis = before.basis();
            basis.guard == options.guard && basis.coinjoin_rules == RULES_VERSION
        });
        if let Some(before) = before
            && clusters::is_on(store, before.basis())?
        {
            let known = blocks(&before);
            let clustering = extend(store, before, rule, options)?;
            let new_blocks = blocks(&clustering).saturating_sub(known);
            let because = Some("reorganised");
            return Ok((
                clustering,
                Done { how: "extended", because, new_blocks, keep_before: false },
            ));
        }
        batch("rebuilt", Some("reorganised"), false, 0)
    }
}

/// Takes in the blocks after a clustering, one by one. None of them will have to be taken back: the
/// next build starts from a file again.
fn extend<R: Rule<Store> + Clone>(
    store: &Store,
    clustering: Clustering,
    rule: R,
    options: &Options,
) -> Result<Clustering, Failure> {
    let mut live = Live::resume::<Store>(clustering, rule, *options, 0)?;
    live.sync(store)?;
    Ok(live.clustering::<Store>())
}

/// How many blocks a clustering knows.
fn blocks(clustering: &Clustering) -> u32 {
    clustering.basis().tip.map_or(0, |tip| tip.height.0.saturating_add(1))
}

fn threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn findings(store: &Store, found: &[Finding]) -> chain::Result<Vec<GuardFinding>> {
    let row = |finding: &Finding| {
        Ok(GuardFinding {
            txid: store.txid(finding.tx)?.to_string(),
            held_back: finding.held_back,
            parts: parts(store, &finding.parts)?,
        })
    };
    found.iter().map(row).collect()
}
