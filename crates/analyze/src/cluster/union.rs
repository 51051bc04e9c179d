//! A forest of addresses that several threads join at the same time, without locks.
//!
//! Every address points to itself, then it is a root, or to a smaller address of its cluster. A root is
//! linked under a smaller root by compare-and-swap from "points to itself", so of two threads that link
//! the same root one fails, and finds again from where it stands.
//!
//! Why this ends: a pointer is only ever replaced by one to another ancestor, and ancestors are
//! smaller, so no circle can form and the way up from `x` has at most `x` steps. Whoever is no root
//! never becomes one again, and a failed swap means that another thread has just linked that root, so
//! there are at most as many failures as addresses.
//!
//! Why it is right: a pointer is written only to an ancestor (halving; an older one written over a
//! newer one only costs a step) or for a pair that was given (linking, which no other write can undo,
//! for halving leaves roots alone). So whatever a thread reads, however old, lies in the same cluster, and
//! a pair is done when both ends have reached one root or a swap has succeeded. Relaxed ordering suffices:
//! no data hangs on a pointer but itself, each is read and written atomically, and the threads are
//! joined before [`SharedForest::into_ids`] reads the whole.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

#[derive(Debug)]
pub(super) struct SharedForest {
    parent: Vec<AtomicU32>,
}

impl SharedForest {
    /// So many addresses, each by itself.
    pub(super) fn new(addresses: u32) -> Self {
        Self { parent: (0..addresses).map(AtomicU32::new).collect() }
    }

    /// Joins the clusters of two addresses; `None` where one of them does not exist. Gives an
    /// address near the root of what they are now, to go on from.
    #[inline]
    pub(super) fn unite(&self, a: u32, b: u32) -> Option<u32> {
        let (mut a, mut b) = (self.root(a)?, self.root(b)?);
        while a != b {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            let swap =
                self.parent.get(high as usize)?.compare_exchange(high, low, Relaxed, Relaxed);
            match swap {
                Ok(_) => return Some(low),
                Err(parent) => (a, b) = (self.root(low)?, self.root(parent)?),
            }
        }
        Some(a)
    }

    /// The root above an address, at some moment. Halves the path on the way.
    #[inline]
    fn root(&self, mut x: u32) -> Option<u32> {
        loop {
            let place = self.parent.get(x as usize)?;
            let parent = place.load(Relaxed);
            if parent == x {
                return Some(x);
            }
            let above = self.parent.get(parent as usize)?.load(Relaxed);
            if above == parent {
                return Some(parent);
            }
            place.store(above, Relaxed);
            x = above;
        }
    }

    /// For each address the smallest of its cluster, found on so many threads.
    pub(super) fn into_ids(self, threads: NonZeroUsize) -> Vec<u32> {
        let part = self.parent.len().div_ceil(threads.get()).max(1);
        thread::scope(|scope| {
            for (start, places) in (0..).step_by(part).zip(self.parent.chunks(part)) {
                let forest = &self;
                // Ascending, so that paths are short: what `x` points to was shortened before.
                scope.spawn(move || {
                    for (x, place) in (start..).zip(places) {
                        let parent = place.load(Relaxed);
                        if parent != x
                            && let Some(root) = forest.root(parent)
                            && root != parent
                        {
                            place.store(root, Relaxed);
                        }
                    }
                });
            }
        });
        self.parent.into_iter().map(AtomicU32::into_inner).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::hint::{black_box, spin_loop};

    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn ids_are_the_smallest_members() {
        let forest = SharedForest::new(6);
        for (a, b) in [(5, 4), (4, 2), (1, 3), (3, 3)] {
            forest.unite(a, b).unwrap();
        }
        assert_eq!(forest.unite(0, 6), None);
        assert_eq!(forest.into_ids(TWO), [0, 1, 2, 1, 2, 2]);
    }

    #[test]
    fn threads_that_collide_lose_no_pair() {
        const GROUPS: u32 = 1 << 15;
        // Two threads meet before each group and then link the same root, the last address of
        // the group, each under another one. Nobody does it again if one of them is lost.
        let forest = SharedForest::new(GROUPS * 3);
        let arrived = AtomicU32::new(0);
        thread::scope(|scope| {
            for worker in 0..2 {
                let (forest, arrived) = (&forest, &arrived);
                scope.spawn(move || {
                    for group in 0..GROUPS {
                        arrived.fetch_add(1, Relaxed);
                        let mut spins = 0;
                        while arrived.load(Relaxed) < 2 * (group + 1) {
                            spins += 1;
                            if spins % 256 == 0 { thread::yield_now() } else { spin_loop() }
                        }
                        // Who comes last is ahead by some moment: wait for ever longer ones.
                        for n in 0..group * (worker + 1) % 97 {
                            black_box(n);
                        }
                        forest.unite(group * 3 + 2, group * 3 + worker).unwrap();
                    }
                });
            }
        });
        let ids = forest.into_ids(TWO);
        assert!((0..).zip(&ids).all(|(x, id)| *id == x / 3 * 3));
    }
}
