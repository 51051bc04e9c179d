//! How right a clustering is, where the truth is known. Whole numbers only.

use std::fmt;

use chain::AddressNum;

use super::clustering::Clustering;

/// A clustering held against the owners of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Addresses whose owner is known; only these count.
    pub addresses: u64,
    /// Clusters among them.
    pub clusters: u64,
    /// Their owners.
    pub entities: u64,
    /// Clusters with addresses of several owners.
    pub mixed: u64,
    /// Pairs of addresses in one cluster.
    pub joined_pairs: u64,
    /// Pairs of addresses of one owner.
    pub true_pairs: u64,
    /// Pairs that are both.
    pub right_pairs: u64,
    /// Addresses that belong to the owner of most addresses of their cluster.
    pub pure: u64,
    /// Addresses in the cluster that has most addresses of their owner.
    pub complete: u64,
    /// Addresses in the largest cluster.
    pub largest: u64,
    /// Addresses in the largest cluster with several owners; 0 where there is none.
    pub largest_mixed: u64,
    /// Owners in the cluster that has most of them: above a few, it is a supercluster.
    pub most_owners: u64,
}

impl Score {
    /// Of the pairs that were joined, those that are right.
    pub fn precision(&self) -> Ratio {
        Ratio { part: self.right_pairs, whole: self.joined_pairs }
    }

    /// Of the pairs of one owner, those that were joined.
    pub fn recall(&self) -> Ratio {
        Ratio { part: self.right_pairs, whole: self.true_pairs }
    }

    /// Addresses in a cluster that is mostly their owner's: what a name on each cluster gets right.
    pub fn purity(&self) -> Ratio {
        Ratio { part: self.pure, whole: self.addresses }
    }

    /// Addresses in the largest cluster of their owner.
    pub fn completeness(&self) -> Ratio {
        Ratio { part: self.complete, whole: self.addresses }
    }
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// So many
    pub part: u64,
    /// of so many.
    pub whole: u64,
}

impl Ratio {
    /// In millionths, rounded down. Nothing of nothing is all of it.
    pub fn millionths(self) -> u64 {
        match self.whole {
            0 => 1_000_000,
            whole => (u128::from(self.part) * 1_000_000 / u128::from(whole)) as u64,
        }
    }
}

/// Percent with two decimals, rounded down.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.millionths() / 100;
        f.pad(&format!("{}.{:02} %", hundredths / 100, hundredths % 100))
    }
}

/// Scores a clustering against the true owner of each address; `None` where nobody knows.
pub fn score(clustering: &Clustering, owner: impl Fn(AddressNum) -> Option<u32>) -> Score {
    let mut shares: Vec<(u32, u32)> =
        clustering.ids().filter_map(|(address, id)| Some((id.0, owner(address)?))).collect();
    shares.sort_unstable();
    let mut score = Score { addresses: shares.len() as u64, ..Score::default() };
    let mut by_owner: Vec<(u32, u64)> = Vec::new();
    for cluster in shares.chunk_by(|a, b| a.0 == b.0) {
        let size = cluster.len() as u64;
        score.clusters += 1;
        score.joined_pairs += pairs(size);
        score.largest = score.largest.max(size);
        let (mut most, mut owners) = (0, 0);
        for share in cluster.chunk_by(|a, b| a.1 == b.1) {
            let count = share.len() as u64;
            score.right_pairs += pairs(count);
            most = most.max(count);
            owners += 1;
            by_owner.push((share[0].1, count));
        }
        score.pure += most;
        score.most_owners = score.most_owners.max(owners);
        if owners > 1 {
            score.mixed += 1;
            score.largest_mixed = score.largest_mixed.max(size);
        }
    }
    by_owner.sort_unstable();
    for owner in by_owner.chunk_by(|a, b| a.0 == b.0) {
        let counts = owner.iter().map(|(_, count)| *count);
        score.entities += 1;
        score.true_pairs += pairs(counts.clone().sum());
        score.complete += counts.max().unwrap_or(0);
    }
    score
}

/// Of 2³² addresses there are fewer than 2⁶³ pairs.
fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}
