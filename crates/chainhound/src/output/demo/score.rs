//! How right a demo is: schema and table.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Totals;
use crate::output::{Facts, Rows};

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
    /// The clusters of the whole chain.
    pub(crate) clusters: ClusterScore,
    /// The CoinJoins of the whole chain, by protocol.
    pub(crate) coinjoins: Vec<CoinJoinScore>,
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

/// How right the clusters are, over all addresses that belong to somebody. Definitions:
/// `analyze::cluster::Score`.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterScore {
    /// The rule that made them.
    pub(crate) rule: String,
    /// Addresses with an owner.
    pub(crate) addresses: u64,
    /// Clusters among them.
    pub(crate) clusters: u64,
    /// Their owners.
    pub(crate) entities: u64,
    /// Clusters with addresses of several owners.
    pub(crate) mixed: u64,
    /// Of the pairs of addresses in one cluster, those of one owner.
    pub(crate) precision: Share,
    /// Of the pairs of one owner, those in one cluster.
    pub(crate) recall: Share,
    /// Addresses that belong to the owner of most of their cluster.
    pub(crate) purity: Share,
    /// Addresses in the cluster that has most of their owner.
    pub(crate) completeness: Share,
}

/// How right the recognition of CoinJoins is, for one protocol.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CoinJoinScore {
    /// The protocol.
    pub(crate) protocol: &'static str,
    /// Transactions of it.
    pub(crate) true_count: u64,
    /// Transactions recognised as it.
    pub(crate) found: u64,
    /// Those that are both.
    pub(crate) right: u64,
    /// Of those that are, how many were recognised as anything that must not join its inputs.
    pub(crate) kept_apart: u64,
    /// Of those recognised, those that are.
    pub(crate) precision: Share,
    /// Of those that are, those recognised.
    pub(crate) recall: Share,
}

impl Score {
    pub(super) fn to_table(&self, totals: Totals, colour: bool) -> String {
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
        let clusters = &self.clusters;
        facts.push(
            "clusters",
            format!(
                "precision {}, recall {}, purity {}; {} of {} have several owners",
                clusters.precision,
                clusters.recall,
                clusters.purity,
                clusters.mixed,
                clusters.clusters
            ),
        );
        let mut rows = Rows::new(
            &["CoinJoins", ">truth", ">found", ">right", ">recall", ">precision"],
            colour,
        );
        for row in &self.coinjoins {
            let counts = [row.true_count, row.found, row.right].map(|count| count.to_string());
            let shares = [row.recall, row.precision].map(|share| share.to_string());
            rows.push(std::iter::once(row.protocol.to_owned()).chain(counts).chain(shares));
        }
        format!("The score against the truth\n\n{}\n{}", facts.to_text(), rows.to_text())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_up() {
        assert_eq!(Share::of(2, 3).to_string(), "66.66 %");
        assert_eq!(Share::of(99_999, 100_000).to_string(), "99.99 %");
        assert_eq!(Share::of(0, 0).to_string(), "100.00 %");
        assert_eq!(serde_json::to_string(&Share::of(1, 2)).unwrap(), "0.5");
    }
}
