//! Following satoshis through the transaction graph.
//!
//! [`trace`] answers with the whole flow graph, [`sweep`] with the sums, showing the leaves as
//! they come. Both walk the tainted transactions once each, in chain order (backward: against
//! it), so that all that reaches a transaction is known when it is passed; cost is linear in the
//! tainted transactions and memory in the taint that waits to be spent.
//!
//! Definitions, formulas and examples by hand: `docs/methods/tracing.md`.

mod backward;
mod books;
mod fees;
mod forward;
mod inbox;
mod missing;
mod model;
mod policy;
mod record;
mod roots;
mod rules;
mod visit;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

use chain::{Ledger, Output, TxNum};

use policy::{Bounds, PoisonMany, PoisonOne, PooledMany, PooledOne, Queue, QueueOrder, Rule};
use record::{Leaves, Recorder};
use rules::Rules;
use visit::Visitor;
use walk::Walk;

use crate::{Error, Result};

pub use missing::{Missing, missing};
pub use model::{
    Booking, BookingShare, Direction, Fees, Flow, Leaf, Limits, Node, Place, Policy, Query, Reach,
    Root, RootShare, RootSpec, Status, StopReason, Stops, Summary, Taint, Totals, Trace,
    UnknownName,
};

/// Follows the query's roots and records all that is passed, up to the query's limits.
///
/// # Errors
/// A root that is not there or cannot be followed, a ledger that cannot answer or contradicts
/// itself; each names its txid.
pub fn trace(ledger: &dyn Ledger, query: &Query, stops: &mut dyn StopAt) -> Result<Trace> {
    let recorder = Recorder::new(query.limits);
    let (summary, roots, recorder) = run(ledger, query, stops, recorder)?;
    recorder.finish(ledger, query.clone(), roots, summary)
}

/// Follows the query's roots and keeps only the sums; `each_leaf` sees every output where the
/// trace ends, in the order in which it gets there. For reach over millions of transactions.
///
/// # Errors
/// As [`trace`].
pub fn sweep(
    ledger: &dyn Ledger,
    query: &Query,
    stops: &mut dyn StopAt,
    mut each_leaf: impl FnMut(Ended),
) -> Result<Summary> {
    Ok(run(ledger, query, stops, Leaves(Some(&mut each_leaf)))?.0)
}

/// As [`sweep`], for who does not look at the leaves: nothing is made ready to be seen.
///
/// # Errors
/// As [`trace`].
pub fn totals(ledger: &dyn Ledger, query: &Query, stops: &mut dyn StopAt) -> Result<Summary> {
    Ok(run(ledger, query, stops, Leaves(None))?.0)
}

/// A leaf as [`sweep`] shows it: without what would have to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The output.
    pub output: Output,
    /// The transaction that made it.
    pub tx: TxNum,
    /// Transactions between it and the nearest root.
    pub hops: u32,
    /// What became of the output.
    pub status: Status,
    /// Why the trace ended.
    pub reason: StopReason,
    /// How much of it is tainted.
    pub taint: Taint,
    /// [`StopAt::confidence`] of the way there.
    pub confidence: u8,
}

type Outcome<V> = Result<(Summary, Vec<Root>, V)>;

/// Ledger and rules are not known by type here: the walk is compiled for every policy already, and
/// a virtual call costs nothing beside the reads that it stands for (measured).
fn run<V: Visitor>(
    ledger: &dyn Ledger,
    query: &Query,
    stops: &mut dyn StopAt,
    visitor: V,
) -> Outcome<V> {
    if query.roots.is_empty() {
        return Err(Error::NoRoots);
    }
    let rules = Rules::new(ledger, query)?;
    let roots = roots::resolve(ledger, query, rules.end)?;
    let stops: Option<&mut dyn StopAt> = if stops.is_empty() { None } else { Some(stops) };
    let start = Start { ledger, rules, stops, visitor, roots };
    // The policies for one root, or for many taken as one, carry less.
    match (query.policy, query.keep_roots_apart) {
        (Policy::Haircut, false) => start.walk(PooledOne::new(Rule::Haircut)),
        (Policy::Haircut, true) => start.walk(PooledMany::new(Rule::Haircut)),
        (Policy::Tiho, false) => start.walk(PooledOne::new(Rule::Tiho)),
        (Policy::Tiho, true) => start.walk(PooledMany::new(Rule::Tiho)),
        (Policy::Fifo, apart) => start.walk(Queue::new(QueueOrder::Fifo, apart)),
        (Policy::Lifo, apart) => start.walk(Queue::new(QueueOrder::Lifo, apart)),
        (Policy::Poison, false) => start.walk(PoisonOne),
        (Policy::Poison, true) => start.walk(PoisonMany::default()),
        (Policy::Bounds, apart) => {
            let mut caps = vec![0u64; query.roots.len()];
            for root in &start.roots {
                if let Some(cap) = caps.get_mut(root.root as usize) {
                    *cap = cap.saturating_add(root.value.0);
                }
            }
            start.walk(Bounds::new(caps, apart))
        }
    }
}

struct Start<'a, V> {
    ledger: &'a dyn Ledger,
    rules: Rules,
    stops: Option<&'a mut dyn StopAt>,
    visitor: V,
    roots: Vec<Root>,
}

impl<V: Visitor> Start<'_, V> {
    fn walk<P: policy::Policy>(self, policy: P) -> Outcome<V> {
        let Self { ledger, rules, stops, visitor, roots } = self;
        Walk::new(ledger, rules, policy, stops, visitor, roots)?.run()
    }
}

/// Rules of the caller's that end a trace at an output or before a transaction: a service's
/// address, a CoinJoin. They see what taint reaches, in chain order (backward: reversed).
///
/// An answer is a index into [`StopAt::names`].
pub trait StopAt {
    /// Whether there are no rules at all, so that nothing need be asked.
    fn is_empty(&self) -> bool {
        false
    }

    /// Whether [`StopAt::transaction`] is to be asked.
    fn asks_about_transactions(&self) -> bool {
        true
    }

    /// Asked at every output that taint reaches, except at roots; `tx` made it (backward: spends
    /// it). `Some` ends the trace at the output.
    fn output(&mut self, tx: TxNum, output: &Output) -> Option<u32>;

    /// Asked at every transaction before taint passes it. `Some` ends the trace at the outputs
    /// that it spends (backward: that it made).
    fn transaction(
        &mut self,
        tx: TxNum,
        inputs: &[chain::Input],
        outputs: &[Output],
    ) -> Option<u32>;

    /// The names of all answers, index by index: snake_case words, as in bookings. Asked when the
    /// walk is over, so that answers may be numbered as they come up.
    fn names(&self) -> Vec<String>;

    /// How sure the weakest step is by which taint reached this output, 0 to 100. Asked at most once, when
    /// the trace ends there. Who lets taint pass where that is no fact has to keep count.
    fn confidence(&mut self, _: chain::OutNum) -> u8 {
        CERTAIN
    }
}

/// [`StopAt::confidence`] where every step is a fact of the chain and of the policy.
pub const CERTAIN: u8 = 100;

/// No rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStops;

impl StopAt for NoStops {
    fn is_empty(&self) -> bool {
        true
    }

    fn output(&mut self, _: TxNum, _: &Output) -> Option<u32> {
        None
    }

    fn transaction(&mut self, _: TxNum, _: &[chain::Input], _: &[Output]) -> Option<u32> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
