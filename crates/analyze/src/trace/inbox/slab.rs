//! What waits for chunks that are not open yet.

use super::{NONE, Record};

/// Deliveries for a chunk that is not open yet: a list of blocks of the slab.
pub(super) struct Chunk<I> {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) len: usize,
    /// What the marks point into.
    pub(super) items: Vec<I>,
}

impl<I> Default for Chunk<I> {
    fn default() -> Self {
        Self { first: NONE, last: NONE, len: 0, items: Vec::new() }
    }
}

/// Lists of records in blocks of one vector. A vector for each chunk would be copied as it grows,
/// and each would keep room that it does not need: that cost a tenth of a sweep.
pub(super) struct Slab<M> {
    records: Vec<Record<M>>,
    /// By block: the next one of the same list.
    next: Vec<u32>,
    free: Vec<u32>,
}

/// Records per block.
const BLOCK: usize = 128;

impl<M: Copy> Slab<M> {
    pub(super) fn new() -> Self {
        Self { records: Vec::new(), next: Vec::new(), free: Vec::new() }
    }

    #[inline]
    pub(super) fn push<I>(&mut self, chunk: &mut Chunk<I>, record: Record<M>) {
        let at = chunk.len % BLOCK;
        if at == 0 {
            let block = self.block(record);
            match self.next.get_mut(chunk.last as usize) {
                Some(next) => *next = block,
                None => chunk.first = block,
            }
            chunk.last = block;
        }
        self.records[chunk.last as usize * BLOCK + at] = record;
        chunk.len += 1;
    }

    /// A free block; a new one is filled with `record`.
    fn block(&mut self, record: Record<M>) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let block = self.next.len() as u32;
            self.next.push(NONE);
            self.records.resize(self.next.len() * BLOCK, record);
            block
        })
    }

    /// The chunk's records, block by block.
    pub(super) fn blocks<I>(&self, chunk: &Chunk<I>) -> impl Iterator<Item = &[Record<M>]> {
        let mut block = chunk.first as usize;
        let mut left = chunk.len;
        std::iter::from_fn(move || {
            let len = left.min(BLOCK);
            let records = self.records.get(block * BLOCK..block * BLOCK + len);
            left -= len;
            block = self.next.get(block).map_or(0, |next| *next as usize);
            records.filter(|records| !records.is_empty())
        })
    }

    pub(super) fn free<I>(&mut self, chunk: &Chunk<I>) {
        let mut block = chunk.first;
        for _ in 0..chunk.len.div_ceil(BLOCK) {
            self.free.push(block);
            block = self.next.get(block as usize).map_or(NONE, |next| *next);
        }
    }
}
