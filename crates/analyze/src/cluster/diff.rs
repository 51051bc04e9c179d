//! What a newer clustering joined that an older one kept apart.

use std::collections::BTreeSet;

use chain::AddressNum;

use super::{clustering::Clustering, guard::Part};

/// The difference between two clusterings of one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Old clusters that are one now, by the new id.
    pub merges: Vec<Merge>,
    /// Old clusters that are several now, by the old id. Only another rule, another guard or a
    /// chain that was reorganised splits a cluster.
    pub splits: Vec<Split>,
    /// Addresses that only the newer one knows.
    pub new_addresses: u32,
    /// Of those, addresses that are in a cluster with older ones.
    pub joined_old: u32,
    /// Addresses that only the older one knows.
    pub lost_addresses: u32,
}

/// Old clusters that are one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The new id.
    pub cluster: AddressNum,
    /// The old clusters with their old sizes, largest first.
    pub parts: Vec<Part>,
    /// The new size.
    pub addresses: u32,
}

/// An old cluster that is several now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The old id.
    pub cluster: AddressNum,
    /// The new clusters with their new sizes, largest first.
    pub parts: Vec<Part>,
    /// The old size.
    pub addresses: u32,
}

/// Compares a clustering with an older one.
///
/// Both must be of one chain: addresses that appeared in blocks that were rolled back may have given
/// their numbers to others.
pub fn diff(old: &Clustering, new: &Clustering) -> Diff {
    let common = old.ids.len().min(new.ids.len());
    // Pairs of an old and a new cluster that share addresses, where ids changed.
    let mut pairs = BTreeSet::new();
    for address in 0..common {
        let (was, is) = (old.ids[address], new.ids[address]);
        if is != was {
            pairs.insert((is, was));
        }
    }
    // And what the same clusters share where ids stayed as they were.
    for (is, was) in pairs.clone() {
        pairs.insert((new.ids[was as usize], was));
        if (is as usize) < common {
            pairs.insert((is, old.ids[is as usize]));
        }
    }
    let (old_sizes, new_sizes) = (old.sizes(), new.sizes());
    let merges = group(pairs.iter().copied(), &old_sizes).into_iter().map(|(id, parts)| Merge {
        cluster: AddressNum(id),
        parts,
        addresses: new_sizes[id as usize],
    });
    let turned: BTreeSet<(u32, u32)> = pairs.iter().map(|(is, was)| (*was, *is)).collect();
    let splits = group(turned.into_iter(), &new_sizes).into_iter().map(|(id, parts)| Split {
        cluster: AddressNum(id),
        parts,
        addresses: old_sizes[id as usize],
    });
    let fresh = new.ids.get(common..).unwrap_or_default();
    Diff {
        merges: merges.collect(),
        splits: splits.collect(),
        new_addresses: fresh.len() as u32,
        joined_old: fresh.iter().filter(|id| (**id as usize) < common).count() as u32,
        lost_addresses: (old.ids.len() - common) as u32,
    }
}

/// Those left sides that have several right sides, with the sizes of these.
fn group(pairs: impl Iterator<Item = (u32, u32)>, sizes: &[u32]) -> Vec<(u32, Vec<Part>)> {
    let pairs: Vec<(u32, u32)> = pairs.collect();
    let mut groups = Vec::new();
    for run in pairs.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        let part = |(_, id): &(u32, u32)| Part {
            cluster: AddressNum(*id),
            addresses: sizes.get(*id as usize).copied().unwrap_or(0),
        };
        let mut parts: Vec<Part> = run.iter().map(part).collect();
        parts.sort_unstable_by_key(|part| (std::cmp::Reverse(part.addresses), part.cluster));
        groups.push((run[0].0, parts));
    }
    groups
}
