//! Where taint waits for the transaction that will pass it on.
//!
//! Each tainted output is addressed to its spender the moment it is made (the ledger knows the
//! spender), so nothing is ever looked up by output: this is time-forward processing as external
//! memory algorithms use it (Chiang et al., SODA 1995). Transactions are grouped into chunks.
//! What is for a later chunk is appended to that chunk's list; only the open chunk is sorted by
//! transaction, in the cache; what is then delivered within it goes into one linked list per
//! transaction. Where only the sum of what arrives matters, there is one heap per transaction of
//! the open chunk instead of both ([`Inbox::merging`]). Memory is what waits and little else. A map
//! from output to taint would cost a cache miss per input.

mod slab;
#[cfg(test)]
mod tests;

use slab::{Chunk, Slab};

/// Transactions per chunk, as a power of two: what waits for them should fit the L2 cache.
/// Measured on a million transactions: the fastest of 2^12 to 2^15, though by little.
const BITS: u32 = 13;
const CHUNK: usize = 1 << BITS;
/// A chunk with fewer deliveries is not worth sorting: sorting touches all its slots.
const FEW: usize = CHUNK / 16;
const NONE: u32 = u32::MAX;

/// A place in the order of work. Forward it is the transaction's number; backward it counts from
/// the last transaction down.
pub(super) type Slot = u32;

/// One delivery: taint of `source` for a slot.
#[derive(Clone, Copy)]
pub(super) struct Entry<M> {
    /// What the receiver knows it by: an output's number, mostly. Below 2^48.
    pub(super) source: u64,
    /// For the coinbase of the block that ends at this slot, not for the slot's own transaction.
    pub(super) coinbase: bool,
    /// Hops of the source.
    pub(super) hops: u32,
    /// How it is tainted.
    pub(super) mark: M,
}

#[derive(Clone, Copy)]
struct Record<M> {
    /// `source << 16 | coinbase << 15 | low bits of the slot`.
    key: u64,
    hops: u32,
    mark: M,
}

impl<M> Record<M> {
    /// Its slot's place in the chunk.
    fn low(&self) -> usize {
        self.key as usize % CHUNK
    }

    fn is_coinbase(&self) -> bool {
        self.key >> 15 & 1 == 1
    }
}

/// All that was delivered to a slot of the open chunk, as one.
#[derive(Clone, Copy)]
struct Heap<M> {
    mark: M,
    hops: u32,
    count: u32,
}

pub(super) struct Inbox<M, I> {
    /// Chunks not yet opened, by number.
    later: Vec<Chunk<I>>,
    slab: Slab<M>,
    /// The open chunk's number.
    number: usize,
    /// What was there when the chunk was opened, by slot.
    ///
    /// Sorting instead of linking gave a fifth more speed: what is read one after the other does
    /// not wait for the cache.
    sorted: Vec<Record<M>>,
    /// Instead of that and of `linked`, where marks may be merged: see [`Inbox::merging`]. By slot.
    heaps: Vec<Heap<M>>,
    /// No taint, where marks may be merged.
    clean: Option<M>,
    /// Where in `sorted` the records of each slot end; they start where those of the one before
    /// end.
    ends: Box<[u32; CHUNK + 1]>,
    /// What was delivered since, and what was there when that was too little to be sorted.
    linked: Linked<M>,
    /// What the marks of `sorted` and `linked` point into.
    items: Vec<I>,
    /// Slots of the open chunk that have something or must be visited.
    bits: Box<[u64; CHUNK / 64]>,
    /// All words of `bits` before this one are empty.
    word: usize,
    /// Slots to visit even if nothing arrives there, descending: the next one is the last.
    visits: Vec<Slot>,
    waiting: u64,
    peak: u64,
}

impl<M: Copy, I> Inbox<M, I> {
    /// For slots `0..slots`; `visits` come up in any case.
    pub(super) fn new(slots: u32, mut visits: Vec<Slot>) -> Self {
        visits.sort_unstable_by(|one, two| two.cmp(one));
        let chunks = (slots as usize).div_ceil(CHUNK);
        let mut later = Vec::new();
        later.resize_with(chunks, Chunk::default);
        let mut inbox = Self {
            later,
            slab: Slab::new(),
            number: 0,
            sorted: Vec::new(),
            heaps: Vec::new(),
            clean: None,
            ends: Box::new([0; CHUNK + 1]),
            linked: Linked::new(),
            items: Vec::new(),
            bits: Box::new([0; CHUNK / 64]),
            word: 0,
            visits,
            waiting: 0,
            peak: 0,
        };
        inbox.index(0, |_, mark| mark);
        inbox
    }

    /// Has the marks of a slot merged as they come, except what is for a coinbase. `clean` is the mark
    /// that changes no other when merged. For whoever need not know what came from where: a heap for
    /// each slot of the open chunk, half the work of sorting. Before the first delivery.
    pub(super) fn merging(mut self, clean: M) -> Self {
        self.clean = Some(clean);
        self.heaps = vec![Heap { mark: clean, hops: u32::MAX, count: 0 }; CHUNK];
        self
    }

    /// The most that ever waited at once.
    pub(super) fn peak(&self) -> u64 {
        self.peak
    }

    /// Delivers to a slot that has not come up yet. `carry` moves what the mark points to into
    /// the list given, `merge` merges two marks (see [`Self::merging`]).
    ///
    /// The caller makes sure of `slot` being later than the last one that [`Self::next`] gave and
    /// below the number of slots.
    #[inline]
    pub(super) fn push(
        &mut self,
        slot: Slot,
        entry: Entry<M>,
        carry: impl FnOnce(M, &mut Vec<I>) -> M,
        merge: impl Fn(M, M) -> M,
    ) {
        self.waiting += 1;
        let number = (slot >> BITS) as usize;
        let key =
            entry.source << 16 | u64::from(entry.coinbase) << 15 | u64::from(slot % CHUNK as u32);
        let mut record = Record { key, hops: entry.hops, mark: entry.mark };
        if number == self.number {
            record.mark = carry(entry.mark, &mut self.items);
            if self.clean.is_some() && !entry.coinbase {
                heap(&mut self.heaps, &mut self.bits, record, merge);
            } else {
                self.linked.push(&mut self.bits, record);
            }
        } else if let Some(chunk) = self.later.get_mut(number) {
            record.mark = carry(entry.mark, &mut chunk.items);
            self.slab.push(chunk, record);
        }
    }

    /// The next slot with a delivery or to be visited, ascending.
    pub(super) fn next(&mut self, merge: impl Fn(M, M) -> M) -> Option<Slot> {
        loop {
            while let Some(bits) = self.bits.get_mut(self.word) {
                if *bits != 0 {
                    let low = (self.word as u32) << 6 | bits.trailing_zeros();
                    *bits &= *bits - 1;
                    return Some((self.number as u32) << BITS | low);
                }
                self.word += 1;
            }
            let from = self.number + 1;
            let visit = self.visits.last().map(|slot| (slot >> BITS) as usize);
            let filled = |chunk: &Chunk<I>| chunk.len > 0;
            let next = self.later.get(from..)?.iter().position(filled).map(|at| from + at);
            let next = match (next, visit) {
                (Some(next), Some(visit)) => next.min(visit),
                (next, visit) => next.or(visit)?,
            };
            self.index(next, &merge);
        }
    }

    /// Takes everything delivered to the slot that [`Self::next`] gave last. What was merged has
    /// source 0.
    #[inline]
    pub(super) fn take(&mut self, slot: Slot, mut each: impl FnMut(Entry<M>, &[I])) {
        // Between two takes it only grows.
        self.peak = self.peak.max(self.waiting);
        let low = slot as usize % CHUNK;
        if let (Some(clean), Some(heap)) = (self.clean, self.heaps.get_mut(low))
            && heap.count > 0
        {
            let Heap { mark, hops, count } = *heap;
            *heap = Heap { mark: clean, hops: u32::MAX, count: 0 };
            self.waiting -= u64::from(count);
            each(Entry { source: 0, coinbase: false, hops, mark }, &self.items);
        }
        let items = &self.items;
        let mut hand_over = |record: &Record<M>| {
            let coinbase = record.is_coinbase();
            let (source, hops, mark) = (record.key >> 16, record.hops, record.mark);
            each(Entry { source, coinbase, hops, mark }, items);
        };
        let sorted = self.sorted.get(self.ends[low] as usize..self.ends[low + 1] as usize);
        let sorted = sorted.unwrap_or(&[]);
        sorted.iter().for_each(&mut hand_over);
        self.waiting -= sorted.len() as u64;
        let mut at = std::mem::replace(&mut self.linked.heads[low], NONE);
        while let Some(record) = self.linked.records.get(at as usize) {
            hand_over(record);
            self.waiting -= 1;
            at = self.linked.next[at as usize];
        }
    }

    /// Opens a chunk.
    fn index(&mut self, number: usize, merge: impl Fn(M, M) -> M) {
        self.number = number;
        self.word = 0;
        self.linked.clear();
        if self.ends[CHUNK] > 0 {
            self.ends.fill(0);
        }
        let chunk = self.later.get_mut(number).map(std::mem::take).unwrap_or_default();
        if self.clean.is_some() {
            for &record in self.slab.blocks(&chunk).flatten() {
                if record.is_coinbase() {
                    self.linked.push(&mut self.bits, record);
                } else {
                    heap(&mut self.heaps, &mut self.bits, record, &merge);
                }
            }
        } else if chunk.len < FEW {
            for &record in self.slab.blocks(&chunk).flatten() {
                self.linked.push(&mut self.bits, record);
            }
        } else {
            self.sort(&chunk);
        }
        self.slab.free(&chunk);
        self.items = chunk.items;
        while let Some(&slot) = self.visits.last()
            && (slot >> BITS) as usize == number
        {
            self.visits.pop();
            let low = slot as usize % CHUNK;
            self.bits[low / 64] |= 1 << (low % 64);
        }
    }

    /// Sorts a chunk's records by slot, counting.
    fn sort(&mut self, chunk: &Chunk<I>) {
        let (bits, ends) = (&mut self.bits, &mut self.ends);
        // First where each slot's records start, but one place further right: the last loop moves
        // each start to the end, which is where the next one starts.
        for record in self.slab.blocks(chunk).flatten() {
            let low = record.low();
            bits[low / 64] |= 1 << (low % 64);
            if low + 2 <= CHUNK {
                ends[low + 2] += 1;
            }
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        for record in self.slab.blocks(chunk).flatten() {
            if self.sorted.len() < chunk.len {
                // Only makes room: every place is about to be overwritten.
                self.sorted.resize(chunk.len, *record);
            }
            let end = &mut ends[record.low() + 1];
            self.sorted[*end as usize] = *record;
            *end += 1;
        }
    }
}

/// Adds a record to its slot's heap.
#[inline]
fn heap<M: Copy>(
    heaps: &mut [Heap<M>],
    bits: &mut [u64; CHUNK / 64],
    record: Record<M>,
    merge: impl Fn(M, M) -> M,
) {
    let low = record.low();
    bits[low / 64] |= 1 << (low % 64);
    if let Some(heap) = heaps.get_mut(low) {
        heap.mark = merge(heap.mark, record.mark);
        heap.hops = heap.hops.min(record.hops);
        heap.count += 1;
    }
}

/// A list of records for each slot of the open chunk.
struct Linked<M> {
    records: Vec<Record<M>>,
    /// By record: the next one of the same slot.
    next: Vec<u32>,
    /// By slot: the first one.
    heads: Box<[u32; CHUNK]>,
}

impl<M> Linked<M> {
    fn new() -> Self {
        Self { records: Vec::new(), next: Vec::new(), heads: Box::new([NONE; CHUNK]) }
    }

    /// Forgets all records; each slot's list has been taken.
    fn clear(&mut self) {
        self.records.clear();
        self.next.clear();
    }

    /// Puts a record in front of its slot's list.
    #[inline]
    fn push(&mut self, bits: &mut [u64; CHUNK / 64], record: Record<M>) {
        let low = record.low();
        bits[low / 64] |= 1 << (low % 64);
        self.next.push(std::mem::replace(&mut self.heads[low], self.records.len() as u32));
        self.records.push(record);
    }
}
