//! A finished clustering: which cluster each address belongs to, as of one tip.

use chain::{AddressNum, Tip};

use super::{
    guard::{Finding, Guard},
    members::Members,
};

/// A partition of the addresses `0..addresses`, and what it was made from.
///
/// It is in canonical form: equal clusterings have equal bytes ([`Clustering::encode`]), however
/// they were made. Four bytes an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clustering {
    /// For each address the smallest of its cluster.
    pub(super) ids: Vec<u32>,
    pub(super) basis: Basis,
    /// In chain order.
    pub(super) findings: Vec<Finding>,
}

/// What a clustering was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// [`super::Rule::name`].
    pub rule: String,
    /// The rules that recognised CoinJoins ([`crate::coinjoin::RULES_VERSION`]).
    pub coinjoin_rules: u32,
    /// The guard in use; one that holds merges back decides what is joined.
    pub guard: Option<Guard>,
    /// The last block looked at; `None` in a ledger without blocks.
    pub tip: Option<Tip>,
    /// Transactions `0..txs` were looked at.
    pub txs: u32,
}

impl Clustering {
    /// What it was made from.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// What the guard found, in chain order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many addresses there are.
    pub fn addresses(&self) -> u32 {
        // `Rule`s join addresses of a ledger, and those are u32.
        self.ids.len() as u32
    }

    /// How many clusters there are, those of one address included.
    pub fn clusters(&self) -> u32 {
        self.ids().filter(|(address, id)| address == id).count() as u32
    }

    /// The cluster of an address: its smallest address. `None` where the clustering does not
    /// know the address, because it is newer.
    pub fn cluster_of(&self, address: AddressNum) -> Option<AddressNum> {
        self.ids.get(address.index()).copied().map(AddressNum)
    }

    /// Every address with its cluster, ascending.
    pub fn ids(&self) -> impl Iterator<Item = (AddressNum, AddressNum)> {
        (0..).map(AddressNum).zip(self.ids.iter().copied().map(AddressNum))
    }

    /// For each cluster id how many addresses it has; 0 at addresses that are no id.
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![0; self.ids.len()];
        for &id in &self.ids {
            sizes[id as usize] += 1;
        }
        sizes
    }

    /// How many addresses a cluster has; 0 where this is no cluster's id. Reads the column from there
    /// on.
    pub fn size_of(&self, cluster: AddressNum) -> u32 {
        let rest = self.ids.get(cluster.index()..).unwrap_or_default();
        rest.iter().filter(|id| **id == cluster.0).count() as u32
    }

    /// The largest clusters with their sizes, largest first, then by id.
    pub fn largest(&self, count: usize) -> Vec<(AddressNum, u32)> {
        let sizes = self.sizes();
        let mut ranked: Vec<(AddressNum, u32)> =
            (0..).map(AddressNum).zip(sizes).filter(|(_, size)| *size > 1).collect();
        let key = |(id, size): &(AddressNum, u32)| (std::cmp::Reverse(*size), *id);
        if count < ranked.len() {
            ranked.select_nth_unstable_by_key(count, key);
            ranked.truncate(count);
        }
        ranked.sort_unstable_by_key(key);
        ranked
    }

    /// A page of a cluster's addresses: up to `limit` of them that come behind `after`, ascending.
    ///
    /// Reads the column from there on; [`Clustering::members`] is faster for many clusters.
    pub fn page(
        &self,
        cluster: AddressNum,
        after: Option<AddressNum>,
        limit: usize,
    ) -> Vec<AddressNum> {
        let start = after.map_or(cluster.index(), |after| after.index().saturating_add(1));
        let rest = self.ids.get(start..).unwrap_or_default();
        let found = (start..).zip(rest).filter(|(_, id)| **id == cluster.0);
        // An index into the column is an address number.
        found.take(limit).map(|(address, _)| AddressNum(address as u32)).collect()
    }

    /// The addresses of all clusters, cluster by cluster: four bytes an address more, and every
    /// page is there at once.
    pub fn members(&self) -> Members {
        Members::new(self)
    }
}
