//! A forest that can be undone: for blocks at the tip, which a reorganisation may take back.
//!
//! Below it lies a flat clustering. Links on top of it go from the root with fewer addresses to
//! the one with more, and paths are never shortened, so the newest link can be taken off again and
//! every path has at most one step and the binary logarithm of the cluster's size more.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// Eight bytes an address, and twelve a link that can be undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    parent: Vec<u32>,
    /// Of roots: how many addresses the cluster has. Of others: what it was when they were roots.
    size: Vec<u32>,
    /// The smallest address, of roots that are not it themselves.
    lowest: FxHashMap<u32, u32>,
    links: VecDeque<Link>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    child: u32,
    parent: u32,
    /// Smallest address of the parent's cluster before.
    lowest: u32,
}

impl Forest {
    /// So many addresses, each by itself.
    pub(super) fn singletons(addresses: u32) -> Self {
        Self {
            parent: (0..addresses).collect(),
            size: vec![1; addresses as usize],
            ..Self::default()
        }
    }

    /// On top of a clustering: for each address the smallest of its cluster.
    pub(super) fn on(ids: Vec<u32>) -> Self {
        let mut size = vec![0; ids.len()];
        for &id in &ids {
            size[id as usize] += 1;
        }
        Self { parent: ids, size, ..Self::default() }
    }

    pub(super) fn addresses(&self) -> u32 {
        // Made from u32 counts only.
        self.parent.len() as u32
    }

    /// How many links can be undone.
    pub(super) fn links(&self) -> usize {
        self.links.len()
    }

    /// Adds addresses, each by itself, up to this count; never removes any.
    pub(super) fn grow(&mut self, addresses: u32) {
        self.parent.extend(self.addresses()..addresses);
        self.size.resize(self.parent.len(), 1);
    }

    /// Removes the last addresses. The links to them must be undone.
    pub(super) fn shrink(&mut self, addresses: u32) {
        self.parent.truncate(addresses as usize);
        self.size.truncate(addresses as usize);
    }

    /// The root above an address; `None` where there is no such address.
    #[inline]
    pub(super) fn root(&self, mut x: u32) -> Option<u32> {
        loop {
            let parent = *self.parent.get(x as usize)?;
            if parent == x {
                return Some(x);
            }
            x = parent;
        }
    }

    /// How many addresses a root has.
    pub(super) fn size(&self, root: u32) -> u32 {
        self.size.get(root as usize).copied().unwrap_or(0)
    }

    /// The smallest address of a root's cluster.
    #[inline]
    pub(super) fn lowest(&self, root: u32) -> u32 {
        self.lowest.get(&root).copied().unwrap_or(root)
    }

    /// Joins two roots.
    pub(super) fn link(&mut self, a: u32, b: u32) {
        if a == b {
            return;
        }
        let (sizes, lowest) = ((self.size(a), self.size(b)), (self.lowest(a), self.lowest(b)));
        let (parent, child, before) =
            if sizes.0 >= sizes.1 { (a, b, lowest.0) } else { (b, a, lowest.1) };
        self.parent[child as usize] = parent;
        self.size[parent as usize] = sizes.0 + sizes.1;
        self.set_lowest(parent, lowest.0.min(lowest.1));
        self.links.push_back(Link { child, parent, lowest: before });
    }

    /// Takes the newest links off.
    pub(super) fn undo(&mut self, links: usize) {
        for _ in 0..links {
            let Some(Link { child, parent, lowest }) = self.links.pop_back() else { return };
            self.parent[child as usize] = child;
            self.size[parent as usize] -= self.size[child as usize];
            self.set_lowest(parent, lowest);
        }
    }

    /// Makes the oldest links last for good.
    pub(super) fn settle(&mut self, links: usize) {
        self.links.drain(..links.min(self.links.len()));
    }

    /// For each address the smallest of its cluster.
    pub(super) fn ids(&self) -> Vec<u32> {
        let id = |x| self.root(x).map_or(x, |root| self.lowest(root));
        (0..self.addresses()).map(id).collect()
    }

    fn set_lowest(&mut self, root: u32, lowest: u32) {
        if lowest == root {
            self.lowest.remove(&root);
        } else {
            self.lowest.insert(root, lowest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn undoing_restores_what_was(
            pairs in prop::collection::vec((0u32..40, 0u32..40), 1..80),
            cut in 0usize..80,
            base in 0usize..20,
        ) {
            let mut plain = Forest::singletons(40);
            let join = |forest: &mut Forest, (a, b): (u32, u32)| {
                let roots = (forest.root(a).unwrap(), forest.root(b).unwrap());
                forest.link(roots.0, roots.1);
            };
            let base = base.min(pairs.len());
            pairs[..base].iter().for_each(|pair| join(&mut plain, *pair));
            let mut forest = Forest::on(plain.ids());
            let cut = cut.clamp(base, pairs.len());
            pairs[base..cut].iter().for_each(|pair| join(&mut forest, *pair));
            let (before, links) = (forest.ids(), forest.links());
            let sizes = forest.size.clone();
            pairs[cut..].iter().for_each(|pair| join(&mut forest, *pair));
            forest.undo(forest.links() - links);
            prop_assert_eq!(forest.ids(), before);
            prop_assert_eq!(&forest.size, &sizes);
            prop_assert_eq!(forest.links(), links);
        }
    }

    #[test]
    fn paths_stay_short_without_being_shortened() {
        // Each pair links the root of all before under a smaller one, if roots were linked by number.
        let mut forest = Forest::singletons(1 << 12);
        for x in (1..1 << 12).rev() {
            let roots = (forest.root(x).unwrap(), forest.root(x - 1).unwrap());
            forest.link(roots.0, roots.1);
        }
        let depth = |mut x: u32| {
            let mut steps = 0;
            while forest.parent[x as usize] != x {
                x = forest.parent[x as usize];
                steps += 1;
            }
            steps
        };
        assert!((0..1 << 12).map(depth).max().unwrap() <= 12);
        assert!(forest.ids().iter().all(|id| *id == 0));
    }
}
