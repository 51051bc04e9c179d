//! Taking blocks away: rollbacks, and what an interrupted writer left.

use std::collections::HashSet;

use bitcoin::hashes::Hash;
use chain::{BlockHash, Height, Tip};

use super::Writer;
use crate::{
    codec::{id_hash, script_hash},
    column::{Bytes, WriteColumn},
    error::StoreError,
    index::{self, Index},
    layout::{ADDRESS_GROUP, NO_ADDRESS, TX_GROUP, u40},
    meta::Counts,
};

/// Transactions taken away in one step: bounds the memory that a deep rollback needs.
const STEP: u32 = 1 << 20;

impl Writer {
    /// Removes all blocks above `height`, every block with `None`. Commits.
    ///
    /// Costs time in proportion to what is removed. Afterwards the files hold the same bytes as
    /// if those blocks had never come.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`]. The store is good either way: where it stops
    /// in the middle, the next writer finishes.
    pub fn rollback(&mut self, height: Option<Height>) -> Result<(), StoreError> {
        let target = height.map_or(0, |height| height.0.saturating_add(1));
        self.commit()?;
        while self.counts.blocks > target {
            let floor = self.counts.transactions.saturating_sub(STEP);
            // At least one block, whatever its size.
            let step = self.columns.block_of(floor, self.counts.blocks)?;
            self.rollback_step(step.min(self.counts.blocks - 1).max(target))?;
        }
        self.trim()
    }

    /// Removes everything that an unfinished writer, or a batch that failed, left behind `counts`.
    /// Reads the mutable files from end to end: no log is needed, because a number that is too
    /// large for the counts gives itself away.
    /// `lens` are the columns' lengths then.
    pub(super) fn forget(
        &mut self,
        tip: Option<Tip>,
        counts: Counts,
        lens: &[u64],
    ) -> Result<(), StoreError> {
        (self.tip, self.counts) = (tip, counts);
        for (column, &len) in self.columns.each_mut().zip(lens) {
            column.cut(len)?;
        }
        self.cut_slots();
        self.repair()
    }

    /// Removes numbers at or above the counts from the mutable files.
    pub(super) fn repair(&mut self) -> Result<(), StoreError> {
        self.touch()?;
        let counts = self.counts;
        for output in 0..counts.outputs {
            if self.spender.get_u32(output)? >= counts.transactions {
                self.spender.set_u32(output, 0)?;
            }
        }
        let mut lost = HashSet::new();
        for address in 0..counts.addresses {
            if self.head.get_u40(address.into())? > counts.outputs {
                lost.insert(address);
            }
        }
        // Newest first: the first output met is the head.
        let mut output = counts.outputs;
        while output > 0 && !lost.is_empty() {
            let address = u32::from_le_bytes(*self.columns.out_address.record(output - 1)?);
            if lost.remove(&address) {
                self.head.set_u40(address.into(), output)?;
            }
            output -= 1;
        }
        self.block_index.repair(counts.blocks.into())?;
        self.tx_index.repair(counts.transactions.into())?;
        self.address_index.repair(counts.addresses.into())
    }

    fn rollback_step(&mut self, blocks: u32) -> Result<(), StoreError> {
        let after = self.counts_at(blocks)?;
        let tip = match blocks.checked_sub(1) {
            None => None,
            Some(height) => {
                let hash = *self.columns.block_hash.record::<32>(height.into())?;
                Some(Tip { height: Height(height), hash: BlockHash::from_byte_array(hash) })
            }
        };
        let marks = Marks::collect(self, after)?;
        let lens = self.column_lens(after)?;
        self.lock.begin_rollback()?;
        self.touch()?;
        // First the commit record: from here on the removed blocks do not exist. If this process
        // dies before the marks are gone, the next writer finds the store dirty and repairs it.
        for (column, len) in self.columns.each_mut().zip(lens) {
            column.cut(len)?;
        }
        (self.tip, self.counts) = (tip, after);
        self.write_meta()?;
        marks.remove(self)?;
        self.commit()?;
        self.lock.end_rollback()
    }

    /// Writes the commit record for the columns as they are, and leaves the store dirty.
    pub(super) fn write_meta(&mut self) -> Result<(), StoreError> {
        let extents: Result<_, _> = self.columns.each_mut().map(WriteColumn::sync).collect();
        self.meta(extents?).write(&self.dir)
    }

    /// Counts of the chain cut to `blocks` blocks.
    fn counts_at(&self, blocks: u32) -> Result<Counts, StoreError> {
        let (columns, now) = (&self.columns, self.counts);
        if blocks >= now.blocks {
            return Ok(now);
        }
        let transactions = columns.first_tx(blocks)?;
        let inputs = columns.inputs_of(transactions, now.transactions, now.inputs)?.start;
        let outputs = columns.outputs_of(transactions, now.transactions, now.outputs)?.start;
        // Addresses are numbered by first appearance: the first one that appears in the removed
        // outputs without an earlier output is the new count.
        let mut addresses = now.addresses;
        for output in outputs..now.outputs {
            let address = u32::from_le_bytes(*columns.out_address.record(output)?);
            if address != NO_ADDRESS && u40(columns.out_previous.record::<5>(output)?) == 0 {
                addresses = address;
                break;
            }
        }
        Ok(Counts { blocks, transactions, inputs, outputs, addresses })
    }

    /// Length of every column for these counts, in the order of the columns.
    fn column_lens(&self, counts: Counts) -> Result<Vec<u64>, StoreError> {
        let columns = &self.columns;
        let big = first_at_or_behind(&columns.out_big, 13, counts.outputs)?;
        let data = first_at_or_behind(&columns.data_place, 10, counts.outputs)?;
        let data_bytes = if (data + 1) * 10 <= columns.data_place.len() {
            u40(&columns.data_place.record::<10>(data)?[5..])
        } else {
            columns.data_bytes.len()
        };
        let payload = if u64::from(counts.addresses) < columns.address_kind.len() {
            let (kind, at, _) = columns.payload_place(counts.addresses)?;
            if crate::codec::fixed_len(kind).is_some() { at } else { at - 4 }
        } else {
            columns.address_payload.len()
        };
        let (tx, block) = (u64::from(counts.transactions), u64::from(counts.blocks));
        let groups = u64::from(counts.transactions.div_ceil(TX_GROUP));
        let lens = crate::layout::Columns {
            block_header: block * 80,
            block_hash: block * 32,
            block_tx: block * 4,
            tx_id: tx * 32,
            tx_flags: tx * 2,
            tx_class: columns.tx_class.len().min(tx),
            tx_in_base: groups * 5,
            tx_in: tx * 3,
            tx_out_base: groups * 5,
            tx_out: tx * 3,
            in_source: counts.inputs * 5,
            in_value: counts.inputs * 5,
            in_address: counts.inputs * 4,
            out_value: counts.outputs * 5,
            out_address: counts.outputs * 4,
            out_previous: counts.outputs * 5,
            out_big: big * 13,
            address_kind: u64::from(counts.addresses),
            address_base: u64::from(counts.addresses.div_ceil(ADDRESS_GROUP)) * 5,
            address_payload: payload,
            data_place: data * 10,
            data_bytes,
        };
        Ok(lens.each().copied().collect())
    }

    fn cut_slots(&mut self) {
        let counts = self.counts;
        self.spender.cut(counts.outputs * 4);
        self.head.cut(u64::from(counts.addresses) * 5);
        self.block_index.slots_mut().cut(index::file_len(counts.blocks.into()));
        self.tx_index.slots_mut().cut(index::file_len(counts.transactions.into()));
        self.address_index.slots_mut().cut(index::file_len(counts.addresses.into()));
    }
}

/// What removed blocks left in the mutable files.
struct Marks {
    /// Outputs that they spent.
    spent: Vec<u64>,
    /// Addresses and the heads they had before, newest first.
    heads: Vec<(u32, u64)>,
    /// Keys in the indexes, oldest first.
    blocks: Vec<u64>,
    txs: Vec<u64>,
    addresses: Vec<u64>,
}

impl Marks {
    fn collect(writer: &Writer, after: Counts) -> Result<Self, StoreError> {
        let (columns, now) = (&writer.columns, writer.counts);
        let mut marks =
            Self { spent: vec![], heads: vec![], blocks: vec![], txs: vec![], addresses: vec![] };
        for input in after.inputs..now.inputs {
            let source = u40(columns.in_source.record::<5>(input)?);
            if source < after.outputs {
                marks.spent.push(source);
            }
        }
        for output in (after.outputs..now.outputs).rev() {
            let address = u32::from_le_bytes(*columns.out_address.record(output)?);
            if address < after.addresses {
                marks.heads.push((address, u40(columns.out_previous.record::<5>(output)?)));
            }
        }
        for block in after.blocks..now.blocks {
            marks.blocks.push(id_hash(columns.block_hash.record(block.into())?));
        }
        for tx in after.transactions..now.transactions {
            marks.txs.push(id_hash(columns.tx_id.record(tx.into())?));
        }
        for address in after.addresses..now.addresses {
            let (kind, payload) = columns.script(address)?;
            marks.addresses.push(script_hash(kind, payload));
        }
        Ok(marks)
    }

    /// Removes them, the latest first: see index.rs for why that restores the bytes.
    fn remove(self, writer: &mut Writer) -> Result<(), StoreError> {
        for output in self.spent {
            writer.spender.set_u32(output, 0)?;
        }
        for (address, head) in self.heads {
            writer.head.set_u40(address.into(), head)?;
        }
        let counts = writer.counts;
        remove_all(&mut writer.block_index, counts.blocks, &self.blocks)?;
        remove_all(&mut writer.tx_index, counts.transactions, &self.txs)?;
        remove_all(&mut writer.address_index, counts.addresses, &self.addresses)?;
        writer.cut_slots();
        Ok(())
    }
}

fn remove_all(index: &mut Index, first: u32, hashes: &[u64]) -> Result<(), StoreError> {
    let last = first + hashes.len() as u32; // as many as there are numbers: fits
    (first..last).zip(hashes).rev().try_for_each(|(number, &hash)| index.remove(hash, number))
}

/// In records of `width` bytes that start with an ascending output number: the first at or behind
/// `output`.
fn first_at_or_behind(column: &WriteColumn, width: u64, output: u64) -> Result<u64, StoreError> {
    let (mut low, mut high) = (0, column.len() / width);
    while low < high {
        let middle = low + (high - low) / 2;
        if u40(column.bytes(middle * width, 5)?) < output {
            low = middle + 1
        } else {
            high = middle
        }
    }
    Ok(low)
}
