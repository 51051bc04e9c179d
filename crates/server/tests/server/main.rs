//! Tests of the server from outside, on generated chains.
//!
//! * `running`: a chain, its store, and a server beside it.
//! * `routes`: the published Esplora client reads the routes, and what it reads is the chain.
//! * `tracing`: traces through our own client are those of the store.
//! * `refusals`: garbage, strangers, a store that is not there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a failed test panics")]

mod refusals;
mod routes;
mod running;
mod tracing;
