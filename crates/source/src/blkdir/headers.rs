//! Every header seen, as a tree: who builds on whom, how high, with how much work.
//!
//! About 100 bytes a header, so that a million of them stay small. Blocks may come in any order:
//! one whose parent has not been seen waits under a placeholder for it.

use bitcoin::hashes::Hash;
use chain::{BlockHash, header::target};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;
/// Not connected to block 0.
const NO_HEIGHT: u32 = u32::MAX;

/// Where a block lies. The order is that of the files: it decides between branches of equal work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) len: u32,
    pub(super) offset: u64,
}

impl Place {
    const UNSEEN: Self = Self { file: u32::MAX, offset: u64::MAX, len: 0 };

    fn order(self) -> (u32, u64) {
        (self.file, self.offset)
    }
}

/// A header, or (`place.len == 0`) the placeholder of one that others build on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) hash: [u8; 32],
    pub(super) place: Place,
    /// Work of the whole chain up to here; only this block's own while not connected.
    pub(super) work: u128,
    pub(super) parent: u32,
    pub(super) height: u32,
    first_child: u32,
    next_sibling: u32,
}

impl Entry {
    pub(super) fn seen(&self) -> bool {
        self.place.len > 0
    }

    pub(super) fn connected(&self) -> bool {
        self.height != NO_HEIGHT
    }
}

/// All headers, and the best chain among them.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) entries: Vec<Entry>,
    /// Entry numbers by hash: open addressing, at most half full. The hashes carry proof of work,
    /// so their first bytes need no further mixing.
    table: Vec<u32>,
    genesis: [u8; 32],
    /// The entry with the most work, [`NONE`] without block 0.
    tip: u32,
    /// The best chain by height, as of the last [`Headers::settle`].
    pub(super) best: Vec<u32>,
    /// The last `nBits` and its work: they stay the same for two weeks.
    last_work: (u32, u128),
}

impl Headers {
    pub(super) fn new(genesis: BlockHash) -> Self {
        Self {
            entries: Vec::new(),
            table: vec![NONE; 1024],
            genesis: genesis.to_byte_array(),
            tip: NONE,
            best: Vec::new(),
            last_work: (0, 0),
        }
    }

    /// Takes a header in. Returns whether it is new; of one seen twice the first place counts.
    pub(super) fn insert(&mut self, header: &[u8; 80], hash: BlockHash, place: Place) -> bool {
        let hash = hash.to_byte_array();
        let num = self.entry(hash);
        let entry = &mut self.entries[num as usize];
        if entry.seen() {
            if place.order() < entry.place.order() {
                entry.place = place;
            }
            return false;
        }
        entry.place = place;
        let bits = u32::from_le_bytes([header[72], header[73], header[74], header[75]]);
        let work = self.work(bits);
        self.entries[num as usize].work = work;
        let mut prev = [0; 32];
        prev.copy_from_slice(&header[4..36]);
        if hash == self.genesis {
            self.connect(num);
            return true;
        }
        let parent = self.entry(prev);
        let sibling = std::mem::replace(&mut self.entries[parent as usize].first_child, num);
        let entry = &mut self.entries[num as usize];
        entry.parent = parent;
        entry.next_sibling = sibling;
        if self.entries[parent as usize].connected() {
            self.connect(num);
        }
        true
    }

    /// The number of a hash, if it or a block that builds on it was seen.
    pub(super) fn find(&self, hash: &[u8; 32]) -> Option<u32> {
        let num = self.table[self.slot(hash)];
        (num != NONE).then_some(num)
    }

    /// Brings [`Headers::best`] up to date with what was inserted.
    pub(super) fn settle(&mut self) {
        let Some(tip) = self.entries.get(self.tip as usize) else { return };
        self.best.resize(tip.height as usize + 1, NONE);
        let mut num = self.tip;
        while let Some(entry) = self.entries.get(num as usize) {
            let slot = &mut self.best[entry.height as usize];
            if *slot == num {
                break;
            }
            *slot = num;
            num = entry.parent;
        }
    }

    pub(super) fn children(&self, num: u32) -> impl Iterator<Item = u32> {
        let mut next = self.entries[num as usize].first_child;
        std::iter::from_fn(move || {
            let child = (next != NONE).then_some(next)?;
            next = self.entries[child as usize].next_sibling;
            Some(child)
        })
    }

    /// Gives a block whose parent is connected (or that is block 0), and all that wait for it,
    /// their heights and works.
    fn connect(&mut self, num: u32) {
        let mut todo = vec![num];
        while let Some(num) = todo.pop() {
            let (height, work) = match self.entries.get(self.entries[num as usize].parent as usize)
            {
                Some(parent) => (parent.height + 1, parent.work),
                None => (0, 0),
            };
            let entry = &mut self.entries[num as usize];
            entry.height = height;
            entry.work = entry.work.saturating_add(work);
            let candidate = (entry.work, entry.place.order());
            let better = self.entries.get(self.tip as usize).is_none_or(|tip| {
                candidate.0 > tip.work || candidate.0 == tip.work && candidate.1 < tip.place.order()
            });
            if better {
                self.tip = num;
            }
            todo.extend(self.children(num));
        }
    }

    /// The number of a hash, a new placeholder's if need be.
    fn entry(&mut self, hash: [u8; 32]) -> u32 {
        let slot = self.slot(&hash);
        if self.table[slot] != NONE {
            return self.table[slot];
        }
        // 2³² blocks will have been made in the year 80,000; files of that size are not scanned.
        let num = self.entries.len() as u32;
        self.entries.push(Entry {
            hash,
            place: Place::UNSEEN,
            work: 0,
            parent: NONE,
            height: NO_HEIGHT,
            first_child: NONE,
            next_sibling: NONE,
        });
        self.table[slot] = num;
        if self.entries.len() * 2 > self.table.len() {
            self.grow();
        }
        num
    }

    /// Where a hash is in the table, or would be.
    fn slot(&self, hash: &[u8; 32]) -> usize {
        let mask = self.table.len() - 1;
        let start = hash.first_chunk::<8>().map_or(0, |first| u64::from_le_bytes(*first));
        let mut slot = start as usize & mask;
        while self.table[slot] != NONE && self.entries[self.table[slot] as usize].hash != *hash {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![NONE; self.table.len() * 2];
        for num in 0..self.entries.len() {
            let slot = self.slot(&self.entries[num].hash);
            self.table[slot] = num as u32;
        }
    }

    /// Expected hashes behind a header with these `nBits`. Saturates at 2¹²⁸: all of mainnet's
    /// work is below 2⁹⁸.
    fn work(&mut self, bits: u32) -> u128 {
        if self.last_work.0 != bits {
            let work = target(bits).map_or([0; 32], |target| target.to_work().to_be_bytes());
            let (high, low) = work.split_at(16);
            let low = low.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
            let work = if high.iter().all(|&byte| byte == 0) { low } else { u128::MAX };
            self.last_work = (bits, work);
        }
        self.last_work.1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A header on `parent` with the id `tag`, of regtest difficulty or `harder`.
    fn header(parent: [u8; 32], harder: bool) -> [u8; 80] {
        let mut header = [0; 80];
        header[4..36].copy_from_slice(&parent);
        let bits: u32 = if harder { 0x1f7f_ffff } else { 0x207f_ffff };
        header[72..76].copy_from_slice(&bits.to_le_bytes());
        header
    }

    fn hash(tag: u8) -> [u8; 32] {
        // Equal first bytes: the table must cope.
        let mut hash = [0; 32];
        hash[31] = tag;
        hash
    }

    fn place(at: usize) -> Place {
        Place { file: 0, offset: at as u64, len: 100 }
    }

    /// (tag, tag of its parent, harder) in the order of insertion → tags of the best chain.
    #[track_caller]
    fn check(blocks: &[(u8, u8, bool)], expected: &[u8]) {
        let mut headers = Headers::new(BlockHash::from_byte_array(hash(1)));
        for (at, &(tag, parent, harder)) in blocks.iter().enumerate() {
            let bytes = header(hash(parent), harder);
            headers.insert(&bytes, BlockHash::from_byte_array(hash(tag)), place(at));
            headers.settle();
        }
        let tags: Vec<u8> =
            headers.best.iter().map(|&num| headers.entries[num as usize].hash[31]).collect();
        assert_eq!(tags, expected, "{blocks:?}");
    }

    #[test]
    fn the_chain_with_the_most_work_wins() {
        check(&[(1, 0, false), (2, 1, false), (3, 2, false)], &[1, 2, 3]);
        // Children before parents.
        check(&[(3, 2, false), (2, 1, false), (1, 0, false)], &[1, 2, 3]);
        // Equal work: the first in the files. One more block: the longer. More work: the shorter.
        check(&[(1, 0, false), (2, 1, false), (3, 1, false)], &[1, 2]);
        check(&[(1, 0, false), (2, 1, false), (3, 1, false), (4, 3, false)], &[1, 3, 4]);
        check(&[(1, 0, false), (2, 1, false), (4, 2, false), (3, 1, true)], &[1, 3]);
        // A gap, and no block 0.
        check(&[(1, 0, false), (2, 1, false), (9, 8, true)], &[1, 2]);
        check(&[(2, 1, false)], &[]);
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 80);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn the_order_of_insertion_changes_nothing(
            parents in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..60),
            shuffle in any::<u64>(),
        ) {
            let mut blocks = vec![(1_u8, 0_u8, false, 0_usize)];
            for (at, (parent, harder)) in parents.into_iter().enumerate() {
                let parent = blocks[parent.index(blocks.len())].0;
                blocks.push((at as u8 + 2, parent, harder, at + 1));
            }
            let best = |blocks: &[(u8, u8, bool, usize)]| {
                let mut headers = Headers::new(BlockHash::from_byte_array(hash(1)));
                for &(tag, parent, harder, at) in blocks {
                    let bytes = header(hash(parent), harder);
                    headers.insert(&bytes, BlockHash::from_byte_array(hash(tag)), place(at));
                    headers.settle();
                }
                headers.best.iter().map(|&num| headers.entries[num as usize].hash[31]).collect::<Vec<_>>()
            };
            let expected = best(&blocks);
            let mut state = shuffle;
            for at in (1..blocks.len()).rev() {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                blocks.swap(at, (state >> 33) as usize % (at + 1));
            }
            prop_assert_eq!(best(&blocks), expected);
        }
    }
}
