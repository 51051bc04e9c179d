//! Watches on small chains, their state file, and their sinks, from outside.
//!
//! * `chains`: a chain of the test language, seen branch by branch
//! * `alerts`: what is told, case by case
//! * `branches`: random trees of blocks: whatever the way, the alerts are those of the final chain
//! * `files`: state files that are damaged, locked, or of a later version; settings that are wrong
//! * `mempool`: unconfirmed transactions: seen, replaced, dropped, confirmed
//! * `sinks`: webhook, mail and command against small real servers

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod alerts;
mod branches;
mod chains;
mod files;
mod mempool;
mod sinks;
