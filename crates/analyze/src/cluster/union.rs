//! A forest of addresses that several threads join at the same time, without locks.
//!
//! Every address points to itself, then it is a root, or to a smaller address of its cluster. A root is
//! linked under a smaller address by compare-and-swap from "points to itself", so of two threads that
//! link the same root one fails, and finds again from where it stands. The smaller address need not be
//! a root: it lies in another cluster, for the root of its own is smaller still.
//!
//! Why this ends: a pointer is only ever replaced by one to another ancestor, and ancestors are
//! smaller, so no circle can form and the way up from `x` has at most `x` steps. Whoever is no root
//! never becomes one again, and a failed swap means that another thread has just linked that root, so
//! there are at most as many failures as addresses.
//!
//! Why it is right: a pointer is written only to an ancestor (halving; an older one written over a
//! newer one only costs a step) or for a pair that was given (linking, which no other write can undo,
//! for halving leaves roots alone). So whatever a thread reads, however old, lies in the same cluster, and
//! a pair is done when both ends have reached one root, one points to the other, or a swap has
//! succeeded. Relaxed ordering suffices:
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
    ///
    /// Six of seven addresses that are joined are still by themselves. So the swap is tried before
    /// anything is read: it succeeds on a root, and may put it under any smaller address.
    #[inline]
    pub(super) fn unite(&self, near: u32, other: u32) -> Option<u32> {
        let (mut low, mut high) = match near < other {
            true => (near, other),
            false => order(near, self.root(other)?),
        };
        while low != high {
            let place = self.parent.get(high as usize)?;
            match place.compare_exchange(high, low, Relaxed, Relaxed) {
                Ok(_) => break,
                Err(parent) if parent == low => break,
                Err(parent) => (low, high) = order(self.root(low)?, self.root(parent)?),
            }
        }
        Some(low)
    }

    /// The root above an address, at some moment. Halves the path on the way.
    #[inline]
    pub(super) fn root(&self, mut x: u32) -> Option<u32> {
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
        self.flatten(threads);
        self.parent.into_iter().map(AtomicU32::into_inner).collect()
    }

    /// Lets every address point to its root.
    ///
    /// Ascending, what an address points to is done before it, so one step is left; and without a
    /// branch that hangs on the forest the processor need not guess, nor wait for one address
    /// before it looks at the next.
    fn flatten(&self, threads: NonZeroUsize) {
        let part = self.parent.len().div_ceil(threads.get()).max(1);
        let parts = || (0..).step_by(part).zip(self.parent.chunks(part));
        // Each part by itself: its addresses then point to a root in it, or out of it.
        thread::scope(|scope| {
            for (start, places) in parts() {
                scope.spawn(move || self.step(start, places, |parent| parent >= start));
            }
        });
        // Then part after part: all before it are done.
        let piece = part.div_ceil(threads.get());
        for (start, places) in parts().skip(1) {
            thread::scope(|scope| {
                for (first, places) in (start..).step_by(piece).zip(places.chunks(piece)) {
                    scope.spawn(move || self.step(first, places, |parent| parent < start));
                }
            });
        }
    }

    /// Lets addresses from `first` on point to what their parents point to, where those are done.
    fn step(&self, first: u32, places: &[AtomicU32], is_done: impl Fn(u32) -> bool) {
        for (x, place) in (first..).zip(places) {
            let parent = place.load(Relaxed);
            // What points to itself, or to what is not done, stays: `x` itself points there.
            let through = if is_done(parent) { parent } else { x };
            if let Some(above) = self.parent.get(through as usize) {
                place.store(above.load(Relaxed), Relaxed);
            }
        }
    }
}

/// The smaller one first.
fn order(a: u32, b: u32) -> (u32, u32) {
    if a < b { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use std::hint::{black_box, spin_loop};

    use proptest::prelude::*;

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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn ids_do_not_depend_on_the_threads(
            pairs in prop::collection::vec((0u32..50, 0u32..50), 0..80),
            threads in 1usize..9,
        ) {
            let forest = SharedForest::new(50);
            let mut ids: Vec<u32> = (0..50).collect();
            for (a, b) in pairs {
                forest.unite(a, b).unwrap();
                let (a, b) = order(ids[a as usize], ids[b as usize]);
                ids.iter_mut().filter(|id| **id == b).for_each(|id| *id = a);
            }
            prop_assert_eq!(forest.into_ids(NonZeroUsize::new(threads).unwrap()), ids);
        }
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
