//! A query's rules, ready for the hot path.

use std::collections::HashSet;

use chain::{Ledger, Output, TxNum};
use rustc_hash::FxBuildHasher;

use super::{
    model::{Direction, Fees, Query, StopReason},
    policy::Policy,
    roots,
    visit::Visitor,
    walk::Walk,
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
    pub(super) fn new(ledger: &dyn Ledger, query: &Query) -> Result<Self> {
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

impl<P: Policy, V: Visitor> Walk<'_, P, V> {
    /// When the budget is used up, ends the trace at all that was delivered here. Before anything
    /// is read: a trace that stops early has many more outputs waiting than it has passed.
    #[inline]
    pub(super) fn keep_to_budget(&mut self) -> Result<()> {
        if self.reach.transactions >= self.rules.max_transactions && !self.own.entries.is_empty() {
            self.end_entries(false, StopReason::Budget)?;
            self.own.entries.clear();
        }
        Ok(())
    }

    /// Whether taint may not pass the transaction whose inputs and outputs are at hand.
    #[inline]
    pub(super) fn stop_before(&mut self, tx: TxNum) -> Option<StopReason> {
        if !self.transactions_stop {
            return None;
        }
        let stops = self.stops.as_mut()?;
        stops.transaction(tx, &self.inputs, &self.outputs).map(StopReason::Named)
    }

    /// The common stop rules for an output that is no root.
    #[inline]
    pub(super) fn stop_at(&mut self, tx: TxNum, output: &Output) -> Option<StopReason> {
        if let Some(stops) = &mut self.stops
            && let Some(rule) = stops.output(tx, output)
        {
            return Some(StopReason::Named(rule));
        }
        match output.address {
            Some(address)
                if !self.rules.addresses.is_empty()
                    && self.rules.addresses.contains(&address.0) =>
            {
                Some(StopReason::Address)
            }
            _ => None,
        }
    }

    /// The stop rules for amounts and hops.
    #[inline]
    pub(super) fn stop_small_or_far(
        &self,
        mark: P::Mark,
        value: u64,
        hops: u32,
        root: bool,
    ) -> Option<StopReason> {
        if self.rules.min_tainted > 0 && !root && P::amount(mark, value).1 < self.rules.min_tainted
        {
            return Some(StopReason::Value);
        }
        (hops >= self.rules.max_hops).then_some(StopReason::Hops)
    }
}
