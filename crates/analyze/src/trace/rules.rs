//! A query's rules, ready for the hot path.

use std::collections::HashSet;

use chain::Ledger;
use rustc_hash::FxBuildHasher;

use super::{
    model::{Direction, Fees, Query},
    roots,
};
use crate::Result;

/// The query's rules, ready for the hot path.
pub(super) struct Rules {
    pub(super) direction: Direction,
    pub(super) follow: bool,
    /// Forward: the first transaction that does not count any more.
    pub(super) end: u32,
    /// Backward: the first transaction that is looked into.
    pub(super) floor: u32,
    pub(super) max_hops: u32,
    pub(super) min_tainted: u64,
    pub(super) max_transactions: u64,
    pub(super) addresses: HashSet<u32, FxBuildHasher>,
    pub(super) keep_roots_apart: bool,
}

impl Rules {
    pub(super) fn new(ledger: &impl Ledger, query: &Query) -> Result<Self> {
        let stops = &query.stops;
        let cut = match stops.until_height {
            Some(height) => Some(roots::first_after(ledger, height)?),
            None => None,
        };
        let forward = query.direction == Direction::Forward;
        Ok(Self {
            direction: query.direction,
            follow: query.fees == Fees::Follow,
            end: cut.filter(|_| forward).unwrap_or(ledger.tx_count()),
            floor: cut.filter(|_| !forward).unwrap_or(0),
            max_hops: stops.max_hops.unwrap_or(u32::MAX),
            min_tainted: stops.min_tainted.0,
            max_transactions: stops.max_transactions.unwrap_or(u64::MAX),
            addresses: stops.addresses.iter().map(|address| address.0).collect(),
            keep_roots_apart: query.keep_roots_apart,
        })
    }
}
