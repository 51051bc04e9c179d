//! What a trace is asked and what it answers: plain data. Amounts are satoshis.

mod answer;
mod question;

pub use answer::{
    Booking, BookingShare, Flow, Leaf, Node, Place, Reach, Root, RootShare, Status, StopReason,
    Summary, Taint, Totals, Trace,
};
pub use question::{Direction, Fees, Limits, Policy, Query, RootSpec, Stops, UnknownName};
