//! Where money ends among those whose names are known.
//!
//! [`Naming`] says whose an address is; [`Ends`] makes stop rules of that, and of CoinJoins, for
//! [`crate::trace`]. [`exposure()`] is such a trace with its sums by party: how much of some money
//! went to, or came from, whom, directly and through others. Definitions, and what path confidence
//! means: `docs/methods/exposure.md`.

mod ends;
mod naming;
mod sums;

#[cfg(test)]
mod tests;

pub use ends::{AtCoinJoin, Ends, EndsAt, mixes};
pub use naming::{Holder, Naming, Nobody};
pub use sums::{Exposure, Question, Rest, Share, Side, exposure, exposure_with};
