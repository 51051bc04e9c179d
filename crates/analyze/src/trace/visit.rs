//! What the walk shows of itself.

use chain::{Output, TxNum};

use super::model::{Place, Status, StopReason, Taint};

/// An output that taint reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The output.
    pub(super) output: Output,
    /// The transaction that made it.
    pub(super) tx: TxNum,
    /// Transactions between it and the nearest root.
    pub(super) hops: u32,
    /// Index of the root that it is.
    pub(super) root: Option<usize>,
}

/// Where and why the trace ends at an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// What became of the output.
    pub(super) status: Status,
    /// Why the trace ends.
    pub(super) reason: StopReason,
    /// How sure the way there is.
    pub(super) confidence: u8,
}

/// Sees the walk go by. Amounts and reasons come as closures, so that who does not ask does not pay.
pub(super) trait Visitor {
    /// Whether to call [`Visitor::step`] and [`Visitor::flow`].
    const STEPS: bool;

    /// A transaction is being passed; its flows follow, then its arrivals.
    fn step(&mut self);
    /// What passes through `tx` from a source to a destination, in the direction of the money.
    fn flow(&mut self, tx: TxNum, from: Place, to: Place, taint: Taint);
    /// Taint reaches an output.
    fn arrive(&mut self, arrival: &Arrival, taint: impl FnOnce() -> Taint);
    /// The trace ends at an output.
    fn leaf(&mut self, arrival: &Arrival, end: impl FnOnce() -> End, taint: impl FnOnce() -> Taint);
}
