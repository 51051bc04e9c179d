//! `chainhound.demo.v1`.

use std::{collections::BTreeMap, fmt};

use chain::Sats;
use report::model::Amount;
use serde::{Serialize, Serializer};

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

/// The result held against the truth, which only the replay knows.
#[derive(Debug, Serialize)]
pub(crate) struct Score {
    /// Up to the block before the first CoinJoin the stolen coins meet no others: whatever the
    /// policy, the answer has to be the truth.
    pub(crate) before_mixing: BeforeMixing,
    /// At the tip, each policy that conserves value.
    pub(crate) policies: Vec<PolicyScore>,
    /// At the tip, the intervals.
    pub(crate) bounds: Option<BoundsScore>,
}

/// See [`Score::before_mixing`].
#[derive(Debug, Serialize)]
pub(crate) struct BeforeMixing {
    /// That block.
    pub(crate) height: u32,
    /// Outputs with stolen coins then.
    pub(crate) outputs: u64,
    /// Policies whose leaves are these outputs and no others, each with the right amount, and
    /// whose fees are right.
    pub(crate) exact: Vec<&'static str>,
    /// The others. None is the only good answer.
    pub(crate) inexact: Vec<&'static str>,
}

/// How much a policy puts where it really is.
#[derive(Debug, Serialize)]
pub(crate) struct PolicyScore {
    /// The policy.
    pub(crate) policy: &'static str,
    /// Of each output the smaller of what is booked and what is stolen, summed; fees likewise.
    pub(crate) placed_sat: u64,
    /// The rest: booked to outputs of other people, or too much to one.
    pub(crate) misplaced_sat: u64,
    /// `placed_sat` of all that was stolen.
    pub(crate) placed_share: Share,
    /// The same for what the thief holds after CoinJoins alone.
    pub(crate) mixed_found_share: Share,
}

/// How the intervals of `bounds` do. Outputs are leaves of its trace.
#[derive(Debug, Default, Serialize)]
pub(crate) struct BoundsScore {
    /// Outputs with an interval.
    pub(crate) intervals: u64,
    /// Of those, the true amount is inside. All of them is the only good answer.
    pub(crate) intervals_true: u64,
    /// Outputs that really hold stolen coins.
    pub(crate) stolen_outputs: u64,
    /// Outputs that may hold some: the upper bound is not 0.
    pub(crate) possible_outputs: u64,
    /// Of those that may, how many do.
    pub(crate) possible_precision: Share,
    /// Of those that do, how many are among them.
    pub(crate) possible_recall: Share,
    /// Outputs that hold some for certain: the lower bound is not 0.
    pub(crate) certain_outputs: u64,
    /// Of those, how many really hold at least that much.
    pub(crate) certain_true: u64,
    /// The same as a share.
    pub(crate) certain_precision: Share,
    /// Sum of the lower bounds: located whatever policy a court prefers.
    pub(crate) certain_sat: u64,
    /// The same as a share of what was stolen.
    pub(crate) certain_share: Share,
}

/// A part of a whole in steps of a ten-thousandth, rounded down; 1 where there is no whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u64);

impl Default for Share {
    fn default() -> Self {
        Self(10_000)
    }
}

impl Share {
    /// How much of it.
    pub(crate) fn of(part: u64, whole: u64) -> Self {
        let scaled = u128::from(part) * 10_000;
        let share = scaled.checked_div(u128::from(whole)).unwrap_or(10_000);
        Self(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02} %", self.0 / 100, self.0 % 100))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 10_000.0)
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
        format!(
            "{}\nWhere the money is now, in BTC, by policy, beside the truth\n\n{}\n{}\n{}\n{}",
            facts.to_text(),
            self.where_it_is(colour),
            self.whom_to_call(colour),
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

    /// Services where something is for certain.
    fn whom_to_call(&self, colour: bool) -> String {
        let mut rows = Rows::new(&["can be acted on now", ">at least BTC", ">at most BTC"], colour);
        for row in &self.destinations {
            let Some(bounds) = row.booked.get("bounds") else { continue };
            let action = match row.kind {
                "service" => format!("ask {} to freeze", row.entity),
                "bridge" => {
                    format!("follow through the {}: its memos name the other chain", row.entity)
                }
                "unspent" => "watch the thief's coins that were never mixed".to_owned(),
                _ => continue,
            };
            if bounds.lower() > 0 {
                rows.push([action, short(bounds.lower()), short(bounds.upper())]);
            }
        }
        rows.to_text()
    }

    fn what_next(&self) -> String {
        let out = &self.out;
        format!(
            "In {out}: report.md, trace-POLICY.svg and .json, case.toml, score.json, truth.json, \
             blocks/ and data/. Try next:\n\n  \
             chainhound trace --datadir {out}/data --from {theft} --policy all --max-hops 3\n  \
             chainhound address --datadir {out}/data {to}\n",
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

impl Score {
    fn to_table(&self, totals: Totals, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push(
            "every satoshi booked once",
            if totals.equal { "yes, under every policy that conserves value" } else { "NO" },
        );
        let before = &self.before_mixing;
        let all = before.exact.len() + before.inexact.len();
        facts.push(
            "exact before the first CoinJoin",
            format!(
                "{} of {all} policies, {} outputs at block {}",
                before.exact.len(),
                before.outputs,
                before.height
            ),
        );
        for policy in &self.policies {
            facts.push(
                &format!("{}: put where it is", policy.policy),
                format!(
                    "{} of all, {} of what the thief holds after CoinJoins",
                    policy.placed_share, policy.mixed_found_share
                ),
            );
        }
        if let Some(bounds) = &self.bounds {
            facts.push(
                "bounds: the truth is inside",
                format!("{} of {} intervals", bounds.intervals_true, bounds.intervals),
            );
            facts.push(
                "bounds: for certain",
                format!(
                    "{} of all, in {} outputs, {} of them rightly",
                    bounds.certain_share, bounds.certain_outputs, bounds.certain_precision
                ),
            );
            facts.push(
                "bounds: at all possible",
                format!(
                    "{} outputs, with {} of the {} that hold stolen coins",
                    bounds.possible_outputs, bounds.possible_recall, bounds.stolen_outputs
                ),
            );
        }
        format!("The score against the truth\n\n{}", facts.to_text())
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
    fn shares_never_round_up() {
        assert_eq!(Share::of(2, 3).to_string(), "66.66 %");
        assert_eq!(Share::of(99_999, 100_000).to_string(), "99.99 %");
        assert_eq!(Share::of(0, 0).to_string(), "100.00 %");
        assert_eq!(serde_json::to_string(&Share::of(1, 2)).unwrap(), "0.5");
        assert_eq!(short(450_290_000_000), "4502.90");
    }
}
