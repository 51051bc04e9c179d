//! Where money ends among those whose names are known.
//!
//! [`Naming`] says whose an address is; [`Ends`] makes stop rules of that, and of CoinJoins, for
//! [`crate::trace`].

mod ends;
mod naming;

#[cfg(test)]
mod tests;

pub use ends::{AtCoinJoin, Ends, EndsAt, mixes};
pub use naming::{Holder, Naming, Nobody};
