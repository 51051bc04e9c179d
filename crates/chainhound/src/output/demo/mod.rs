//! `chainhound.demo.v1`.

mod names;
mod score;

use std::collections::BTreeMap;

use chain::Sats;
use report::model::Amount;
use serde::Serialize;

pub(crate) use self::{
    names::{Actor, Mixer, NamedParty, Names, Rounds},
    score::{BeforeMixing, BoundsScore, ClusterScore, CoinJoinScore, PolicyScore, Score, Share},
};
use super::{Facts, Rows};

/// What a demo found, and how right it is.
#[derive(Debug, Serialize)]
pub(crate) struct DemoDocument {
    /// The directory with everything that was made.
    pub(crate) out: String,
    /// The output that the trace starts from.
    pub(crate) theft: String,
    /// The victim's address.
    pub(crate) stolen_from: String,
    /// The thief's address, which looks like one that the victim knew.
    pub(crate) stolen_to: String,
    /// What was followed and what was booked, under each policy that conserves value.
    pub(crate) totals: Totals,
    /// Where the money really is, with what each policy books there.
    pub(crate) destinations: Vec<DemoDestination>,
    /// Who has it, through which mixers it went, and who is said to have taken it.
    pub(crate) names: Names,
    /// How right that is.
    pub(crate) score: Score,
    /// What is in the directory.
    pub(crate) files: Vec<String>,
}

/// What was started with and what was booked.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Totals {
    /// What was stolen.
    pub(crate) root_sat: u64,
    /// The sum of all bookings.
    pub(crate) booked_sat: u64,
    /// Whether the two are equal under every policy that conserves value.
    pub(crate) equal: bool,
}

/// A place where stolen money is.
#[derive(Debug, Serialize)]
pub(crate) struct DemoDestination {
    /// A service's name, or `thief`, `miners`, `others`.
    pub(crate) entity: String,
    /// `service`, `bridge`, `unspent`, `unspent_mixed`, `mixer_fee`, `fee`, `elsewhere`.
    pub(crate) kind: &'static str,
    /// What really is there.
    pub(crate) true_sat: u64,
    /// What each policy says is there. Poison: the value of all outputs that taint reached.
    pub(crate) booked: BTreeMap<String, Amount>,
}

impl DemoDestination {
    /// Nothing booked yet.
    pub(crate) fn new(entity: &str, kind: &'static str, true_sat: u64) -> Self {
        Self { entity: entity.to_owned(), kind, true_sat, booked: BTreeMap::new() }
    }
}

impl DemoDocument {
    /// For people.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("stolen", format!("{} BTC", Sats(self.totals.root_sat)));
        facts.push("from", &self.stolen_from);
        facts.push("to", &self.stolen_to);
        facts.push("output", &self.theft);
        for actor in &self.names.actors {
            facts.push("by", actor);
        }
        format!(
            "{}\nWhere the money is now, in BTC, by policy, beside the truth\n\n{}\n{}\n\
             {}\n{}\n{}",
            facts.to_text(),
            self.where_it_is(colour),
            self.whom_to_call(colour),
            self.names.mixers_table(colour),
            self.score.to_table(self.totals, colour),
            self.what_next(),
        )
    }

    fn where_it_is(&self, colour: bool) -> String {
        const POLICIES: [&str; 4] = ["haircut", "fifo", "lifo", "tiho"];
        let head =
            ["where", ">truth", ">haircut", ">fifo", ">lifo", ">tiho", ">at least", ">at most"];
        let mut rows = Rows::new(&head, colour);
        let mut sums = [0_u64; 5];
        for row in &self.destinations {
            let exact = POLICIES.map(|policy| row.upper(policy));
            for (sum, part) in sums.iter_mut().zip([row.true_sat].into_iter().chain(exact)) {
                *sum = sum.saturating_add(part);
            }
            let bounds = row.booked.get("bounds");
            let interval = bounds.map_or((0, 0), |amount| (amount.lower(), amount.upper()));
            let amounts = [row.true_sat].into_iter().chain(exact);
            let amounts = amounts.chain([interval.0, interval.1]).map(short);
            rows.push(std::iter::once(row.place()).chain(amounts));
        }
        rows.push(
            std::iter::once("sum".to_owned())
                .chain(sums.map(short))
                .chain([String::new(), String::new()]),
        );
        rows.to_text()
    }

    /// Parties where something is for certain, and what is only to be watched.
    fn whom_to_call(&self, colour: bool) -> String {
        let head =
            ["can be acted on now", ">at least BTC", ">at most BTC", "who says so", ">confidence"];
        let mut rows = Rows::new(&head, colour);
        for row in self.destinations.iter().filter(|row| row.kind == "unspent") {
            let Some(bounds) = row.booked.get("bounds").filter(|bounds| bounds.lower() > 0) else {
                continue;
            };
            let action = "watch the thief's coins that were never mixed".to_owned();
            let amounts = [short(bounds.lower()), short(bounds.upper())];
            rows.push([action].into_iter().chain(amounts).chain([String::new(), String::new()]));
        }
        for party in &self.names.parties {
            if let (Some(action), Some(amount)) = (party.action(), party.certain()) {
                let amounts = [short(amount.lower()), short(amount.upper())];
                rows.push([action].into_iter().chain(amounts).chain(party.says_who()));
            }
        }
        rows.to_text()
    }

    fn what_next(&self) -> String {
        let out = &self.out;
        format!(
            "In {out}: report.md, trace-POLICY.svg and .json, case.toml, score.json, truth.json, \
             labels.yaml, blocks/ and data/. Try next:\n\n  \
             chainhound trace --datadir {out}/data --from {theft} --policy all --max-hops 3\n  \
             chainhound trace --datadir {out}/data --from {theft} --stop-at service,coinjoin\n  \
             chainhound exposure --datadir {out}/data {to}\n  \
             chainhound screen --datadir {out}/data {to}\n",
            theft = self.theft,
            to = self.stolen_to,
        )
    }
}

impl DemoDestination {
    fn upper(&self, policy: &str) -> u64 {
        self.booked.get(policy).map_or(0, |amount| amount.upper())
    }

    fn place(&self) -> String {
        match self.kind {
            "unspent" => "thief, never mixed".to_owned(),
            "unspent_mixed" => "thief, after CoinJoins".to_owned(),
            "fee" => "fees".to_owned(),
            "elsewhere" => "other people".to_owned(),
            "mixer_fee" => format!("{} (mixing fee)", self.entity),
            _ => self.entity.clone(),
        }
    }
}

/// Bitcoin with two decimals, rounded down: an overview. Files have every satoshi.
fn short(sat: u64) -> String {
    format!("{}.{:02}", sat / 100_000_000, sat / 1_000_000 % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_rounds_down() {
        assert_eq!(short(450_290_000_000), "4502.90");
        assert_eq!(short(999_999), "0.00");
    }
}
