//! Following satoshis through the transaction graph.

mod model;

pub use model::{
    Booking, BookingShare, Direction, Fees, Flow, Leaf, Limits, Node, Place, Policy, Query, Reach,
    Root, RootShare, RootSpec, Status, StopReason, Stops, Summary, Taint, Totals, Trace,
    UnknownName,
};

/// Rules of the caller's that end a trace at an output or before a transaction: a service's
/// address, a CoinJoin. They see what taint reaches, in chain order (backward: reversed).
///
/// An answer is a index into [`StopAt::names`].
pub trait StopAt {
    /// Whether [`StopAt::transaction`] is to be asked at all.
    const TRANSACTIONS: bool = true;

    /// Asked at every output that taint reaches, except at roots; `tx` made it (backward: spends
    /// it). `Some` ends the trace at the output.
    fn output(&mut self, tx: chain::TxNum, output: &chain::Output) -> Option<u32>;

    /// Asked at every transaction before taint passes it. `Some` ends the trace at the outputs
    /// that it spends (backward: that it made).
    fn transaction(
        &mut self,
        tx: chain::TxNum,
        inputs: &[chain::Input],
        outputs: &[chain::Output],
    ) -> Option<u32>;

    /// The names of all answers, index by index: snake_case words, as in bookings.
    fn names(&self) -> Vec<String>;
}

/// No rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStops;

impl StopAt for NoStops {
    const TRANSACTIONS: bool = false;

    fn output(&mut self, _: chain::TxNum, _: &chain::Output) -> Option<u32> {
        None
    }

    fn transaction(
        &mut self,
        _: chain::TxNum,
        _: &[chain::Input],
        _: &[chain::Output],
    ) -> Option<u32> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
