//! Look-up tables from a key's hash to the key's number, where the keys themselves stand in a
//! column: open addressing in segments that are never rebuilt.
//!
//! Segment 0 takes the first 2^16 numbers, each later one half as many as all before it together.
//! A segment has 10 slots for every 7 numbers (load 0.7 when full: looking for what is not there
//! then visits 6 slots on average; at 0.85 it would be 23). A slot is a 32-bit word: the
//! number within the segment plus one in the low bits, a fingerprint of the hash in the bits left
//! over, 0 for empty. A key goes to the first empty slot at or behind `hash * slots / 2^64`.
//!
//! Why this shape. Numbers only grow, and a rollback removes the latest first, so removing a number
//! restores exactly the bytes from before it came: a store that went through reorganisations is
//! the same, byte for byte, as one that did not. Nothing is moved, so readers need no lock. And
//! no append ever pays for a rebuild. A slot with a number at or above the reader's count is
//! empty for that reader: it came later than all that the reader may see, so nothing that he may
//! see can stand behind it on its account.

use std::{path::Path, sync::LazyLock};

use crate::{error::StoreError, slots::Slots};

/// Numbers in segment 0.
const FIRST: u64 = 1 << 16;

/// Where a segment's numbers and slots are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Its first number.
    first: u64,
    /// The first number behind it.
    end: u64,
    /// Its first slot in the file.
    at: u64,
    /// How many slots it has.
    slots: u64,
    /// Low bits of a slot that hold the number.
    number_bits: u32,
}

impl Segment {
    #[inline]
    fn home(&self, hash: u64) -> u64 {
        ((u128::from(hash) * u128::from(self.slots)) >> 64) as u64
    }

    #[inline]
    fn word(&self, hash: u64, number: u64) -> u32 {
        let fingerprint = (hash as u32).checked_shl(self.number_bits).unwrap_or(0);
        fingerprint | (number - self.first + 1) as u32
    }

    /// The number in a slot if its fingerprint is the hash's, and the number in any case.
    #[inline]
    fn read(&self, word: u32, hash: u64) -> (bool, u64) {
        let mask = (1u64 << self.number_bits) as u32 - 1;
        let same = (word ^ (hash as u32).checked_shl(self.number_bits).unwrap_or(0)) & !mask == 0;
        // A damaged slot may have a fingerprint and no number: in segment 0 that is above any count.
        (same, self.first.wrapping_add(u64::from(word & mask)).wrapping_sub(1))
    }

    #[inline]
    fn next(&self, slot: u64) -> u64 {
        if slot + 1 == self.slots { 0 } else { slot + 1 }
    }
}

static SEGMENTS: LazyLock<Vec<Segment>> = LazyLock::new(|| {
    let (mut segments, mut first, mut at) = (Vec::new(), 0u64, 0u64);
    while first <= u64::from(u32::MAX) {
        let keys = if first == 0 { FIRST } else { first / 2 };
        // Rounded up to a cache line of 16 slots.
        let slots = (keys * 10).div_ceil(7).next_multiple_of(16);
        let number_bits = 64 - keys.leading_zeros();
        segments.push(Segment {
            first,
            end: first + keys,
            at,
            slots,
            number_bits: number_bits.min(31),
        });
        first += keys;
        at += slots;
    }
    segments
});

/// The segments that `count` numbers need, oldest first.
pub(crate) fn segments(count: u64) -> &'static [Segment] {
    let needed = SEGMENTS.partition_point(|segment| segment.first < count);
    &SEGMENTS[..needed]
}

/// Bytes of an index file with `count` numbers.
pub(crate) fn file_len(count: u64) -> u64 {
    segments(count).last().map_or(0, |segment| (segment.at + segment.slots) * 4)
}

/// A look-up table, for reading or writing.
#[derive(Debug)]
pub(crate) struct Index {
    slots: Slots,
    /// The segment of the latest insertion.
    newest: Option<Segment>,
}

impl Index {
    /// Opens the index of `count` keys for reading.
    pub(crate) fn read(dir: &Path, name: &str, count: u32) -> Result<Self, StoreError> {
        Ok(Self { slots: Slots::read(dir, name, file_len(count.into()))?, newest: None })
    }

    /// Opens the index of `count` keys for writing.
    pub(crate) fn write(dir: &Path, name: &str, count: u32) -> Result<Self, StoreError> {
        Ok(Self { slots: Slots::write(dir, name, file_len(count.into()))?, newest: None })
    }

    /// The file behind it.
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The file behind it, to change it.
    pub(crate) fn slots_mut(&mut self) -> &mut Slots {
        &mut self.slots
    }

    /// The largest number below `count` whose key `is_key` confirms. `is_key` is asked for numbers
    /// whose fingerprint fits, some of which are other keys.
    pub(crate) fn find(
        &self,
        hash: u64,
        count: u64,
        mut is_key: impl FnMut(u32) -> Result<bool, StoreError>,
    ) -> Result<Option<u32>, StoreError> {
        let segments = segments(count);
        for segment in segments {
            self.prefetch(segment, hash);
        }
        for segment in segments.iter().rev() {
            if let Some(found) = self.find_in(segment, hash, count, &mut is_key)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The same in one segment.
    pub(crate) fn find_in(
        &self,
        segment: &Segment,
        hash: u64,
        count: u64,
        mut is_key: impl FnMut(u32) -> Result<bool, StoreError>,
    ) -> Result<Option<u32>, StoreError> {
        let mut found = None;
        self.probe(segment, hash, count, |number| {
            // Equal keys stand in the order in which they came: the last one counts.
            if is_key(number)? {
                found = Some(number);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// In one segment: the first number below `count` whose fingerprint fits, unconfirmed. The
    /// first step of a batched look-up (join.rs).
    #[inline]
    pub(crate) fn candidate(
        &self,
        segment: &Segment,
        hash: u64,
        count: u64,
    ) -> Result<Option<u32>, StoreError> {
        let mut candidate = None;
        self.probe(segment, hash, count, |number| {
            candidate = Some(number);
            Ok(false)
        })?;
        Ok(candidate)
    }

    /// Brings a key's home slot nearer; see [`crate::mmap::Mapping::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self, segment: &Segment, hash: u64) {
        self.slots.prefetch((segment.at + segment.home(hash)) * 4);
    }

    /// Brings the slot nearer to which the next number will go.
    #[inline]
    pub(crate) fn prefetch_insert(&self, hash: u64) {
        if let Some(segment) = &self.newest {
            self.prefetch(segment, hash);
        }
    }

    /// Adds a number larger than all before it.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, number: u32) -> Result<(), StoreError> {
        let number = u64::from(number);
        let segment = match self.newest {
            Some(segment) if number > segment.first && number < segment.end => segment,
            _ => self.enter(number)?,
        };
        let mut slot = segment.home(hash);
        for _ in 0..segment.slots {
            let word = self.slots.get_u32(segment.at + slot)?;
            if word == 0 {
                return self.slots.set_u32(segment.at + slot, segment.word(hash, number));
            }
            slot = segment.next(slot);
        }
        Err(self.slots.damaged(segment.at * 4, "no empty slot in this segment"))
    }

    /// Makes room for a number, in a new segment where it is the first of one.
    #[cold]
    fn enter(&mut self, number: u64) -> Result<Segment, StoreError> {
        self.slots.grow(file_len(number + 1))?;
        let segment = segments(number + 1).last().copied();
        self.newest = segment;
        segment.ok_or_else(|| self.slots.damaged(0, "no segment for this number"))
    }

    /// Removes the largest number.
    pub(crate) fn remove(&mut self, hash: u64, number: u32) -> Result<(), StoreError> {
        let number = u64::from(number);
        let Some(segment) = segments(number + 1).last() else { return Ok(()) };
        let word = segment.word(hash, number);
        let mut slot = segment.home(hash);
        for _ in 0..segment.slots {
            match self.slots.get_u32(segment.at + slot)? {
                0 => break,
                found if found == word => {
                    self.slots.set_u32(segment.at + slot, 0)?;
                    self.slots.cut(file_len(number));
                    self.newest = None;
                    return Ok(());
                }
                _ => slot = segment.next(slot),
            }
        }
        Err(self.slots.damaged(segment.at * 4, "a number that was indexed is not there"))
    }

    /// Empties every slot with a number at or above `count`: what a writer left that did not
    /// finish. Reads the segments that may hold such numbers.
    pub(crate) fn repair(&mut self, count: u64) -> Result<(), StoreError> {
        let Some(segment) = segments(count).last() else { return Ok(()) };
        for slot in segment.at..segment.at + segment.slots {
            let word = self.slots.get_u32(slot)?;
            if word != 0 && segment.read(word, 0).1 >= count {
                self.slots.set_u32(slot, 0)?;
            }
        }
        Ok(())
    }

    /// How many slots hold numbers below `count`, and whether all do. For `store check`.
    pub(crate) fn census(&self, count: u64) -> Result<(u64, u64), StoreError> {
        let (mut inside, mut beyond) = (0, 0);
        for segment in segments(count) {
            for slot in segment.at..segment.at + segment.slots {
                match self.slots.get_u32(slot)? {
                    0 => {}
                    word if segment.read(word, 0).1 < count => inside += 1,
                    _ => beyond += 1,
                }
            }
        }
        Ok((inside, beyond))
    }

    /// Walks the slots of one segment from the hash's home to the first empty one and shows
    /// numbers whose fingerprint fits, until `visit` says false.
    #[inline]
    fn probe(
        &self,
        segment: &Segment,
        hash: u64,
        count: u64,
        mut visit: impl FnMut(u32) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut slot = segment.home(hash);
        for _ in 0..segment.slots {
            let word = self.slots.get_u32(segment.at + slot)?;
            if word == 0 {
                return Ok(());
            }
            let (same, number) = segment.read(word, hash);
            if number >= count {
                return Ok(());
            }
            if same && !visit(number as u32)? {
                return Ok(());
            }
            slot = segment.next(slot);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash that spreads, and one that collides a lot.
    fn spread(n: u32) -> u64 {
        u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ (u64::from(n) << 40)
    }

    fn clash(n: u32) -> u64 {
        spread(n % 5000) & !0xfff
    }

    fn filled(dir: &Path, n: u32, hash: fn(u32) -> u64) -> Index {
        let mut index = Index::write(dir, "i", 0).unwrap();
        (0..n).for_each(|number| index.insert(hash(number), number).unwrap());
        index
    }

    #[test]
    fn segments_cover_every_number_and_stay_small() {
        assert!(SEGMENTS.len() < 32);
        assert!(SEGMENTS.windows(2).all(|two| two[0].end == two[1].first));
        assert!(SEGMENTS.last().unwrap().end > u64::from(u32::MAX));
        for segment in SEGMENTS.iter() {
            assert!(segment.slots * 7 >= (segment.end - segment.first) * 10);
            let top = segment.end.min(u64::from(u32::MAX) + 1) - 1;
            assert_eq!(segment.read(segment.word(!0, top), !0), (true, top), "{segment:?}");
            assert_ne!(segment.word(0, segment.first), 0);
        }
        assert_eq!(file_len(0), 0);
        assert_eq!(file_len(1), file_len(FIRST));
        assert!(file_len(FIRST + 1) > file_len(FIRST));
    }

    #[test]
    fn every_number_is_found_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let n = 150_000;
        let index = filled(dir.path(), n, spread);
        for number in (0..n).step_by(7) {
            let found = index.find(spread(number), n.into(), |i| Ok(i == number)).unwrap();
            assert_eq!(found, Some(number));
            let sooner = index.find(spread(number), number.into(), |i| Ok(i == number)).unwrap();
            assert_eq!(sooner, None, "a number above the count is not seen");
        }
        assert_eq!(index.find(spread(n + 1), n.into(), |i| Ok(i == n + 1)).unwrap(), None);
    }

    #[test]
    fn equal_keys_give_the_latest() {
        let dir = tempfile::tempdir().unwrap();
        let index = filled(dir.path(), 80_000, clash);
        let found = index.find(clash(3), 80_000, |i| Ok(i % 5000 == 3)).unwrap();
        assert_eq!(found, Some(75_003));
        let found = index.find(clash(3), 75_003, |i| Ok(i % 5000 == 3)).unwrap();
        assert_eq!(found, Some(70_003));
    }

    #[test]
    fn removing_restores_the_bytes() {
        for hash in [spread, clash] {
            let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let mut short = filled(one.path(), 70_000, hash);
            let mut long = filled(two.path(), 120_000, hash);
            (70_000..120_000).rev().for_each(|number| long.remove(hash(number), number).unwrap());
            for index in [&mut short, &mut long] {
                index.slots_mut().trim().unwrap();
                index.slots().sync().unwrap();
            }
            let read = |dir: &tempfile::TempDir| std::fs::read(dir.path().join("i")).unwrap();
            assert!(read(&one) == read(&two));
            assert!(long.remove(hash(5), 119_999).is_err());
        }
    }

    #[test]
    fn repair_forgets_what_was_not_committed() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut short = filled(one.path(), 70_000, spread);
        drop(filled(two.path(), 120_000, spread));
        let mut long = Index::write(two.path(), "i", 70_000).unwrap();
        long.repair(70_000).unwrap();
        assert_eq!(long.census(70_000).unwrap(), (70_000, 0));
        for index in [&mut short, &mut long] {
            index.slots_mut().trim().unwrap();
        }
        let read = |dir: &tempfile::TempDir| std::fs::read(dir.path().join("i")).unwrap();
        assert!(read(&one) == read(&two));
    }
}
