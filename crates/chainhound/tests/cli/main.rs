//! The binary, tried from outside: what is typed, what comes out, and the exit code.
//!
//! * `harness`: runs the binary, makes small chains for it
//! * `lookups`: `status`, `tx`, `address`, `block`, `store`, and the names in their JSON
//! * `tracing`: `trace` in every format, and its flags
//! * `indexing`: `index`: resume, reorganisation, follow, signals, sparse sets
//! * `beside_node`: `index --node`: states of a node, following, secrets
//! * `real_node_follow`: the same beside a real node, killed on both sides
//! * `doctoring`: `doctor`: conditions and exit codes
//! * `labels`: `tags`: import, look-up, export, kills
//! * `screening`: `screen`: verdicts, books, rules, streams
//! * `bad_input`: everything that is wrong, with the exit code and the words
//! * `real_data`: mainnet blocks and the theft of May 2024, where the data is there
//! * `clusters`: `cluster`, its file, and the cluster that `address` shows
//! * `coinjoins`: `coinjoin`, what `tx` says about change, the labelled real transactions
//! * `demo`: the replay, small
//! * `cases`: `case run` and `verify`, on store and server; `real_node_cases`: beside a real node
//! * `casebook`: `case add`, `note`, `log` and their like
//! * `settings`: `config show`, and what is packaged
//! * `watching`: `watch`: alerts, reorganisations, sinks, kills
//! * `transcripts`: the commands in `docs/guide`, with their output

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod bad_input;
mod beside_node;
mod case_reports;
mod casebook;
mod cases;
mod clusters;
mod coinjoins;
mod demo;
mod doctoring;
mod exposures;
mod harness;
mod indexing;
mod labels;
mod lookups;
mod peeling;
mod real_data;
mod real_node_cases;
mod real_node_follow;
mod screening;
mod serving;
mod settings;
mod stopping;
mod tracing;
mod transcripts;
mod watching;
