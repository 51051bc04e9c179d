//! Joins in batches: txids to transactions, scripts to addresses.
//!
//! A look-up is a chain of three to five reads from random places, a main-memory latency each when
//! done one after the other. Here the look-ups of a whole batch are sorted by hash, which is the
//! order of the slots in an index, so that each segment is walked from front to back; and where
//! places stay random, a stretch of cache lines is asked for before the first is read, so that the
//! reads overlap.

use crate::{
    batch::{Batch, Prevout},
    codec::{Kind, id_hash},
    column::Bytes,
    error::StoreError,
    index::{Index, Segment, segments},
    layout::ADDRESS_GROUP,
    writer::Room,
};

/// Rows taken together between asking for cache lines and reading them: enough to overlap, few
/// enough that the lines stay.
pub(crate) const CHUNK: usize = 256;

/// Scratch memory for joins.
#[derive(Debug, Default)]
pub(crate) struct Join {
    open: Vec<Open>,
    still_open: Vec<Open>,
    candidates: Vec<(Open, u32)>,
    places: Vec<(Open, u32, u64)>,
    buckets: Vec<u32>,
}

/// A look-up that has found nothing yet: its hash, and its place in the batch.
type Open = (u64, u32);

/// Not found.
pub(crate) const NONE: u32 = u32::MAX;

impl Join {
    /// For each prevout a transaction below `count` with its txid, or [`NONE`].
    pub(crate) fn transactions(
        &mut self,
        index: &Index,
        room: &Room<'_>,
        count: u32,
        prevouts: &[Prevout],
        found: &mut Vec<u32>,
    ) -> Result<(), StoreError> {
        let columns = room.columns;
        found.clear();
        found.resize(prevouts.len(), NONE);
        self.start(prevouts.iter().map(|prevout| Some(id_hash(&prevout.txid))));
        let is_key = |i: u32, tx: u32| -> Result<bool, StoreError> {
            Ok(columns.tx_id.record::<32>(tx.into())? == &prevouts[i as usize].txid)
        };
        for segment in segments(count.into()).iter().rev() {
            self.round(index, segment, count)?;
            for chunk in self.candidates.chunks(CHUNK) {
                room.breathe();
                for &(_, tx) in chunk {
                    columns.tx_id.prefetch(u64::from(tx) * 32);
                }
                for &((hash, i), tx) in chunk {
                    let exact = if is_key(i, tx)? {
                        Some(tx)
                    } else {
                        // Another key with the same fingerprint came first: look behind it.
                        index.find_in(segment, hash, count.into(), |tx| is_key(i, tx))?
                    };
                    match exact {
                        Some(tx) => found[i as usize] = tx,
                        None => self.open.push((hash, i)),
                    }
                }
            }
        }
        Ok(())
    }

    /// For each output the address below `count` with its script, or [`NONE`]: for data carriers,
    /// and for scripts that are new. Of those, `leaders` says which output of the batch shows the
    /// script first (itself, mostly).
    pub(crate) fn addresses(
        &mut self,
        index: &Index,
        room: &Room<'_>,
        count: u32,
        batch: &Batch,
        found: &mut Vec<u32>,
        leaders: &mut Vec<u32>,
    ) -> Result<(), StoreError> {
        let (columns, outputs) = (room.columns, &batch.outputs);
        found.clear();
        found.resize(outputs.len(), NONE);
        self.start(outputs.iter().map(|output| output.kind.map(|_| output.hash)));
        for segment in segments(count.into()).iter().rev() {
            self.round(index, segment, count)?;
            for chunk in self.candidates.chunks(CHUNK) {
                room.breathe();
                for &(_, address) in chunk {
                    let group = address / ADDRESS_GROUP;
                    columns.address_base.prefetch(u64::from(group) * 5);
                    columns.address_kind.prefetch(u64::from(group * ADDRESS_GROUP));
                }
                self.places.clear();
                for &(open, address) in chunk {
                    let (kind, at, len) = columns.payload_place(address)?;
                    let output = &outputs[open.1 as usize];
                    let same = is_kind(output.kind, kind) && len == output.len as usize;
                    columns.address_payload.prefetch(at);
                    self.places.push((open, address, if same { at } else { u64::MAX }));
                }
                for &((hash, i), address, at) in &self.places {
                    let output = &outputs[i as usize];
                    let payload = batch.payload(output);
                    let exact = if at != u64::MAX
                        && columns.address_payload.bytes(at, payload.len())? == payload
                    {
                        Some(address)
                    } else {
                        index.find_in(segment, hash, count.into(), |address| {
                            let (kind, found) = columns.payload(address)?;
                            Ok(is_kind(output.kind, kind) && found == payload)
                        })?
                    };
                    match exact {
                        Some(address) => found[i as usize] = address,
                        None => self.open.push((hash, i)),
                    }
                }
            }
        }
        // What came back from a false candidate stands at the end: sort again, nearly for free.
        self.open.sort_unstable();
        self.lead(batch, leaders);
        Ok(())
    }

    /// Sorted by hash and then by place, equal scripts stand together, the first one first.
    fn lead(&self, batch: &Batch, leaders: &mut Vec<u32>) {
        leaders.clear();
        leaders.resize(batch.outputs.len(), NONE);
        for same_hash in self.open.chunk_by(|one, next| one.0 == next.0) {
            for (n, &(_, i)) in same_hash.iter().enumerate() {
                let output = &batch.outputs[i as usize];
                // Two scripts with one hash can be made on purpose, so compare them.
                let leader = same_hash[..n].iter().find(|(_, earlier)| {
                    let earlier = &batch.outputs[*earlier as usize];
                    earlier.kind == output.kind && batch.payload(earlier) == batch.payload(output)
                });
                leaders[i as usize] = leader.map_or(i, |&(_, earlier)| earlier);
            }
        }
    }

    /// Opens a look-up for each hash, sorted by hash and place.
    fn start(&mut self, hashes: impl ExactSizeIterator<Item = Option<u64>> + Clone) {
        // A counting sort by the top bits leaves a handful in each bucket; those are sorted then.
        let bits = hashes.len().checked_ilog2().unwrap_or(0).saturating_sub(2).clamp(1, 16);
        let bucket = |hash: u64| (hash >> (64 - bits)) as usize;
        self.buckets.clear();
        self.buckets.resize((1 << bits) + 1, 0);
        for hash in hashes.clone().flatten() {
            self.buckets[bucket(hash) + 1] += 1;
        }
        let mut sum = 0;
        for count in &mut self.buckets {
            sum += *count;
            *count = sum;
        }
        self.open.clear();
        self.open.resize(sum as usize, (0, 0));
        for (hash, i) in hashes.zip(0..) {
            if let Some(hash) = hash {
                let next = &mut self.buckets[bucket(hash)];
                self.open[*next as usize] = (hash, i);
                *next += 1;
            }
        }
        // Each bucket's counter now says where it ends.
        let mut from = 0;
        for &to in &self.buckets[..1 << bits] {
            self.open[from as usize..to as usize].sort_unstable();
            from = to;
        }
    }

    /// One segment for all that are open: splits them into candidates and still open.
    fn round(&mut self, index: &Index, segment: &Segment, count: u32) -> Result<(), StoreError> {
        self.candidates.clear();
        self.still_open.clear();
        for chunk in self.open.chunks(CHUNK) {
            for &(hash, _) in chunk {
                index.prefetch(segment, hash);
            }
            for &(hash, i) in chunk {
                match index.candidate(segment, hash, count.into())? {
                    Some(number) => self.candidates.push(((hash, i), number)),
                    None => self.still_open.push((hash, i)),
                }
            }
        }
        std::mem::swap(&mut self.open, &mut self.still_open);
        Ok(())
    }
}

#[inline]
fn is_kind(kind: Option<Kind>, code: u8) -> bool {
    kind.is_some_and(|kind| kind as u8 == code)
}
