//! Tests of indexing from outside: blocks in as files, answers out of the store.
//!
//! * `plan`, `branch`: random chains, and forks of them.
//! * `scratch`: directories, and what is in them byte by byte.
//! * `same`: the store answers what the naive ledger answers.
//! * `reorg`: reorganisations leave no trace.
//! * `kill`: nor does a process that was killed.
//! * `readers`: reading while the writer works.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod branch;
mod kill;
mod plan;
mod readers;
mod reorg;
mod same;
mod scratch;
