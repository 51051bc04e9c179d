//! The methods of this crate measured on real transactions, where the data set is present
//! (`CHAINHOUND_TEST_DATA`, or `../shared/data` beside the checkout). The tables that the pages in
//! `docs/methods/` show are printed by `cargo test -p analyze --test measured -- --nocapture`.

// Tests may fail loudly, and measurements are for people to read; the lints' own exception sees only
// functions marked `#[test]`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod change;
mod cluster;
mod coinjoin;
mod entropy;
mod generated;
mod peel;
mod sets;
mod tables;
