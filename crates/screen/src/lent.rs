//! What a cluster lends to its addresses: claims about one of them whose source means all of them.
//!
//! Two things stand behind a lent claim: somebody's word, and the inference that the addresses belong
//! together. So a reason that rests on one is an inference, and by default it does not block.

use std::collections::HashMap;

use analyze::cluster::{Clustering, MULTI_INPUT};
use chain::AddressNum;
use intel::{Claim, TagSet};

use crate::{
    claims,
    rules::Rules,
    verdict::{Basis, Reason, Verdict},
};

/// The heuristic that joins addresses.
pub(crate) const HEURISTIC: &str = MULTI_INPUT;

/// Claims that define clusters, judged once for all targets: one for each cluster and rule.
pub struct LentLabels<'a> {
    clustering: Clustering,
    judged: HashMap<AddressNum, Vec<Judged<'a>>>,
}

/// The best claim of those that fit one rule.
pub(crate) struct Judged<'a> {
    pub(crate) rule: String,
    pub(crate) verdict: Verdict,
    pub(crate) claim: Claim<'a>,
    /// The address that it is about.
    pub(crate) about: String,
    /// From the claim to what it is about.
    steps: Vec<String>,
    /// How many more claims of the cluster fit the rule.
    more: usize,
}

impl<'a> LentLabels<'a> {
    /// From the claims of each cluster with the addresses that they are about, the best first.
    ///
    /// The rules say how far a lent claim may go (`[clusters]`).
    pub fn new<'c>(
        clustering: Clustering,
        claims: impl IntoIterator<Item = (AddressNum, impl IntoIterator<Item = (Claim<'a>, &'c str)>)>,
        (rules, tags): (&Rules, &TagSet),
    ) -> Self {
        let mut judged = HashMap::new();
        let Some(most) = rules.clusters.at_most.verdict() else {
            return Self { clustering, judged };
        };
        for (cluster, claims) in claims {
            let of_cluster: &mut Vec<Judged<'a>> = judged.entry(cluster).or_default();
            for (claim, about) in claims {
                let (rule, verdict, steps) = claims::judge(claim, rules, tags);
                match of_cluster.iter_mut().find(|known| known.rule == rule) {
                    Some(known) => known.more += 1,
                    None => {
                        let (verdict, about) = (verdict.min(most), about.to_owned());
                        of_cluster.push(Judged { rule, verdict, claim, about, steps, more: 0 });
                    }
                }
            }
        }
        Self { clustering, judged }
    }

    /// By what the addresses are joined, and up to which block.
    pub fn clustering(&self) -> &Clustering {
        &self.clustering
    }

    /// What the cluster of an address lends to it.
    pub(crate) fn of(&self, address: AddressNum) -> &[Judged<'a>] {
        let cluster = self.clustering.cluster_of(address);
        cluster.and_then(|cluster| self.judged.get(&cluster)).map_or(&[], Vec::as_slice)
    }

    /// A reason for each rule that claims about others of the cluster fit. What is said of the address
    /// itself is not said again.
    pub(crate) fn reasons(&self, number: AddressNum, address: &str, way: &[String]) -> Vec<Reason> {
        let others = self.of(number).iter().filter(|judged| judged.about != address);
        others.map(|judged| judged.reason(address, way)).collect()
    }
}

impl Judged<'_> {
    fn reason(&self, address: &str, way: &[String]) -> Reason {
        let called = format!("{} is called '{}'", self.about, self.claim.label());
        let detail = match self.more {
            0 => format!("{called} and is of one cluster with it"),
            more => format!("{called} and is of one cluster with it; {more} more claims like it"),
        };
        let mut path = way.to_vec();
        path.push(format!("of one cluster with {} ({HEURISTIC})", self.about));
        path.push(format!("called '{}' by {}", self.claim.label(), self.claim.source()));
        path.extend_from_slice(&self.steps);
        Reason {
            rule: self.rule.clone(),
            verdict: self.verdict,
            basis: Basis::Inference { heuristic: HEURISTIC },
            address: Some(address.to_owned()),
            detail,
            path,
        }
    }
}
