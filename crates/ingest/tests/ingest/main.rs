//! Tests of indexing from outside: blocks in as files, answers out of the store.
//!
//! * `plan`, `branch`: random chains, and forks of them.
//! * `scratch`: directories, and what is in them byte by byte.
//! * `same`: the store answers what the naive ledger answers.
//! * `reorg`: reorganisations leave no trace.
//! * `kill`: nor does a process that was killed.
//! * `readers`: reading while the writer works.
//! * `damage`: blocks that are no good. `untidy`: block files as a node leaves them.
//! * `flips`: damaged stores. `opening`: what does not open. `disk`: full disks, on a `mount`.
//! * `node`: beside a node that a server plays. `node_long`: killed there, and for days on end.
//! * `real_node`: what a real node says about its own chain. `real_node_sync`: beside it, while it is
//!   killed, reorganised and pruned.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a failed test panics")]

mod branch;
mod damage;
mod disk;
mod flips;
mod kill;
mod mount;
mod node;
mod node_long;
mod opening;
mod plan;
mod readers;
mod real_node;
mod real_node_sync;
mod reorg;
mod same;
mod scratch;
mod untidy;
