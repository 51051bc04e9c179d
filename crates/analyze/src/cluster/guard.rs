//! Supercluster guard: when a thin transaction joins large clusters.

use chain::{AddressNum, TxNum};

use super::{forest::Forest, rule::Joined};

/// When a merge is suspicious. Wrong merges come from transactions that several people made in a
/// way that no rule knows, and they show where two large clusters suddenly meet in few inputs.
///
/// A merge is judged at its place in the chain: by the sizes that the clusters have there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// A cluster is large from so many addresses on.
    pub large: u32,
    /// A transaction is thin that joins at most so many different addresses.
    pub thin: u32,
    /// Whether such a transaction joins nothing, instead of being reported only.
    pub hold_back: bool,
}

impl Default for Guard {
    fn default() -> Self {
        Self { large: 10_000, thin: 3, hold_back: false }
    }
}

/// A thin transaction that joins large clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The transaction.
    pub tx: TxNum,
    /// The clusters that meet in it, as they were just before, largest first.
    pub parts: Vec<Part>,
    /// Whether the merge was held back.
    pub held_back: bool,
}

/// A cluster before a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its id then.
    pub cluster: AddressNum,
    /// How many addresses it had.
    pub addresses: u32,
}

/// Joins what a transaction joins, and says what the guard finds. `None` outside where an address
/// does not exist.
pub(super) fn join(
    forest: &mut Forest,
    guard: Option<&Guard>,
    tx: TxNum,
    joined: &Joined,
) -> Option<Option<Finding>> {
    let mut first = None;
    let finding = match guard {
        Some(guard) if joined.addresses.len() <= guard.thin as usize => {
            judge(forest, guard, tx, joined)?
        }
        _ => None,
    };
    if finding.as_ref().is_some_and(|finding| finding.held_back) {
        return Some(finding);
    }
    for address in &joined.addresses {
        let root = forest.root(address.0)?;
        if let Some(first) = first {
            let first = forest.root(first)?;
            forest.link(first, root);
        }
        first = Some(root);
    }
    Some(finding)
}

fn judge(forest: &Forest, guard: &Guard, tx: TxNum, joined: &Joined) -> Option<Option<Finding>> {
    let mut roots = Vec::new();
    for address in &joined.addresses {
        roots.push(forest.root(address.0)?);
    }
    roots.sort_unstable();
    roots.dedup();
    let large = roots.iter().filter(|root| forest.size(**root) >= guard.large).count();
    if large < 2 {
        return Some(None);
    }
    let part = |root: &u32| Part {
        cluster: AddressNum(forest.lowest(*root)),
        addresses: forest.size(*root),
    };
    let mut parts: Vec<Part> = roots.iter().map(part).collect();
    parts.sort_unstable_by_key(|part| (std::cmp::Reverse(part.addresses), part.cluster));
    Some(Some(Finding { tx, parts, held_back: guard.hold_back }))
}
