//! Addresses made to resemble another one at its beginning and end, in the hope that somebody
//! copies the wrong one.
//!
//! Resemblance is scored in *bits*: how improbable it is that an unrelated address of the same kind
//! shares this beginning and this end. Characters mislead: the `bc1q` of every address says
//! nothing, the second character of `1…` says 4.5 bits, the next one 5.9. The method, its limits
//! and its measured false alarms are in `docs/methods/lookalike.md`.
//!
//! No floating point: scores are whole thousandths of a bit, rounded against the alarm.

mod base58;
mod bits;
mod book;
mod shape;

pub use bits::MilliBits;
pub use book::{Book, Check, Match};
pub use shape::Shape;

/// An alarm needs this many bits beyond what chance gives with a book of that size: one unrelated
/// address in a thousand for each way to share the bits between beginning and end.
pub const ALARM: MilliBits = MilliBits(10_000);
