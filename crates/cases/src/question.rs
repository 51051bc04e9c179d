//! What a case asks of a ledger, and the walk that answers: the same when a bundle is made and when it is
//! checked.

use std::collections::BTreeSet;

use analyze::{
    exposure::{AtCoinJoin, Ends},
    trace::{Direction, Limits, Policy, Query, StopAt, Stops},
};
use chain::{Height, Input, Ledger, Output, Sats, TxNum};

use crate::{
    Case, Result,
    labels::{Labels, Parties},
};

/// What labelled parties are called in stop reasons.
pub(crate) const SERVICE: &str = "service";
/// Most steps and leaves of one policy.
pub(crate) const MAX_STEPS: usize = 2_000_000;

impl Case {
    /// The query of a policy. `until` is the block up to which the bundle looks.
    ///
    /// # Errors
    /// What the ledger reports.
    pub fn query(&self, ledger: &impl Ledger, policy: Policy, until: Height) -> Result<Query> {
        let mut addresses = BTreeSet::new();
        for (_, script) in &self.stops.addresses {
            // What nobody ever paid, nothing can arrive at.
            addresses.extend(ledger.find_script(script)?);
        }
        Ok(Query {
            policy,
            stops: Stops {
                max_hops: self.stops.max_hops,
                min_tainted: Sats(self.stops.min_tainted_sat),
                until_height: Some(until),
                max_transactions: self.stops.max_transactions,
                addresses,
            },
            limits: Limits { flows: MAX_STEPS, leaves: MAX_STEPS },
            ..Query::new(self.roots())
        })
    }

    /// The stop rules that are not arithmetic, over these labels.
    pub(crate) fn ends<'a, L: Ledger>(
        &self,
        ledger: &'a L,
        labels: &'a Labels,
    ) -> Ends<'a, L, Parties<'a, L>> {
        let coinjoins = if self.stops.coinjoins { AtCoinJoin::Stop } else { AtCoinJoin::Pass };
        let parties = Parties { ledger, labels, stops: self.stops.services, met: Vec::new() };
        Ends::new(ledger, parties, Direction::Forward, coinjoins, SERVICE)
    }
}

/// Stop rules that keep note of the transactions before which they were asked: those whose inputs a walk
/// looked at.
pub(crate) struct Asked<'a, S> {
    pub(crate) rules: S,
    pub(crate) transactions: &'a mut BTreeSet<TxNum>,
    /// More than these are not kept: the walk ends then.
    pub(crate) most: usize,
}

impl<S> Asked<'_, S> {
    pub(crate) fn is_full(&self) -> bool {
        self.transactions.len() > self.most
    }
}

impl<S: StopAt> StopAt for Asked<'_, S> {
    fn output(&mut self, tx: TxNum, output: &Output) -> Option<u32> {
        self.rules.output(tx, output)
    }

    fn transaction(&mut self, tx: TxNum, inputs: &[Input], outputs: &[Output]) -> Option<u32> {
        if self.is_full() {
            return Some(u32::MAX);
        }
        self.transactions.insert(tx);
        self.rules.transaction(tx, inputs, outputs)
    }

    fn names(&self) -> Vec<String> {
        self.rules.names()
    }

    fn confidence(&mut self, out: chain::OutNum) -> u8 {
        self.rules.confidence(out)
    }
}
