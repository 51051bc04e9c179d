//! Floor 2: pure functions over a read-only ledger.
//!
//! [`trace`] follows satoshis forwards or backwards under a policy. The same ledger and the same
//! parameters give the same result, byte for byte; nothing here does I/O or knows a clock.

pub mod change;
pub mod cluster;
pub mod coinjoin;
pub mod entropy;
mod error;
pub mod exposure;
pub mod peel;
pub mod trace;

pub use error::{Error, Result};
