//! Joins in batches: txids to transactions, scripts to addresses.
//!
//! A look-up is a chain of three to five reads from random places. One after the other they cost
//! a main-memory latency each; here a chunk of a thousand look-ups takes each step together, in
//! loops without dependence between their turns, so that the processor overlaps the reads.

use crate::{
    batch::{Batch, BatchOutput, Prevout},
    codec::{Kind, id_hash},
    column::Bytes,
    error::StoreError,
    index::Index,
    layout::Columns,
};

/// Look-ups taken together: enough to overlap, few enough that their cache lines stay.
pub(crate) const CHUNK: usize = 1024;

/// Scratch memory for joins.
#[derive(Debug, Default)]
pub(crate) struct Join {
    open: Vec<u32>,
    still_open: Vec<u32>,
    candidates: Vec<(u32, u32)>,
    places: Vec<(u32, u32, u64)>,
}

/// Not found.
pub(crate) const NONE: u32 = u32::MAX;

impl Join {
    /// For each prevout the latest transaction below `count` with its txid, or [`NONE`].
    pub(crate) fn transactions<C: Bytes>(
        &mut self,
        index: &Index,
        columns: &Columns<C>,
        count: u32,
        prevouts: &[Prevout],
        found: &mut Vec<u32>,
    ) -> Result<(), StoreError> {
        found.clear();
        found.resize(prevouts.len(), NONE);
        self.open.clear();
        self.open.extend(0..prevouts.len() as u32);
        let is_key = |i: u32, tx: u32| -> Result<bool, StoreError> {
            Ok(columns.tx_id.record::<32>(tx.into())? == &prevouts[i as usize].txid)
        };
        for round in 0..Index::rounds(count.into()) {
            if self.open.is_empty() {
                break;
            }
            self.round(index, round, count, |i| id_hash(&prevouts[i as usize].txid))?;
            for &(i, tx) in &self.candidates {
                if is_key(i, tx)? {
                    found[i as usize] = tx;
                } else {
                    // Another key with the same fingerprint came first: look on one by one.
                    let hash = id_hash(&prevouts[i as usize].txid);
                    let exact = index.find(hash, 0, count.into(), |tx| is_key(i, tx))?;
                    found[i as usize] = exact.unwrap_or(NONE);
                }
            }
            std::mem::swap(&mut self.open, &mut self.still_open);
        }
        Ok(())
    }

    /// For each output the address below `count` with its script, or [`NONE`]. Data carriers get
    /// [`NONE`] too.
    pub(crate) fn addresses<C: Bytes>(
        &mut self,
        index: &Index,
        columns: &Columns<C>,
        count: u32,
        batch: &Batch,
        outputs: &[BatchOutput],
        found: &mut Vec<u32>,
    ) -> Result<(), StoreError> {
        found.clear();
        found.resize(outputs.len(), NONE);
        self.open.clear();
        let with_address = outputs.iter().zip(0..).filter(|(output, _)| output.kind.is_some());
        self.open.extend(with_address.map(|(_, i)| i));
        for round in 0..Index::rounds(count.into()) {
            if self.open.is_empty() {
                break;
            }
            self.round(index, round, count, |i| outputs[i as usize].hash)?;
            // Where the candidates' payloads are, then the payloads: two passes, so that the
            // second finds its cache lines on the way.
            self.places.clear();
            for &(i, address) in &self.candidates {
                let (kind, at, len) = columns.payload_place(address)?;
                let output = &outputs[i as usize];
                let same = is_kind(output.kind, kind) && len == output.len as usize;
                self.places.push((i, address, if same { at } else { u64::MAX }));
            }
            for &(i, address, at) in &self.places {
                let output = &outputs[i as usize];
                let payload = batch.payload(output);
                if at != u64::MAX && columns.address_payload.bytes(at, payload.len())? == payload {
                    found[i as usize] = address;
                } else {
                    let exact = find_address(index, columns, 0, count, output, payload)?;
                    found[i as usize] = exact.unwrap_or(NONE);
                }
            }
            std::mem::swap(&mut self.open, &mut self.still_open);
        }
        Ok(())
    }

    /// One segment for all that are open: splits them into candidates and still open.
    #[inline]
    fn round(
        &mut self,
        index: &Index,
        round: usize,
        count: u32,
        hash: impl Fn(u32) -> u64,
    ) -> Result<(), StoreError> {
        self.candidates.clear();
        self.still_open.clear();
        for &i in &self.open {
            match index.first_candidate(round, hash(i), count.into())? {
                Some(number) => self.candidates.push((i, number)),
                None => self.still_open.push(i),
            }
        }
        Ok(())
    }
}

/// The address in `since..count` with this script.
#[inline]
pub(crate) fn find_address<C: Bytes>(
    index: &Index,
    columns: &Columns<C>,
    since: u32,
    count: u32,
    output: &BatchOutput,
    payload: &[u8],
) -> Result<Option<u32>, StoreError> {
    index.find(output.hash, since.into(), count.into(), |address| {
        let (kind, found) = columns.payload(address)?;
        Ok(is_kind(output.kind, kind) && found == payload)
    })
}

#[inline]
fn is_kind(kind: Option<Kind>, code: u8) -> bool {
    kind.is_some_and(|kind| kind as u8 == code)
}
