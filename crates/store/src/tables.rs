//! What the columns mean: numbers in, facts out. Written once for the reading and the writing side.

use std::{iter, ops::Range};

use chain::Flags;

use crate::{
    codec::{self, Kind},
    column::Bytes,
    error::StoreError,
    layout::{ADDRESS_GROUP, BIG_VALUE, Columns, TX_GROUP, u24, u40},
};

impl<C: Bytes> Columns<C> {
    /// First transaction of a block.
    pub(crate) fn first_tx(&self, block: u32) -> Result<u32, StoreError> {
        Ok(u32::from_le_bytes(*self.block_tx.record(block.into())?))
    }

    /// The block with a transaction, by bisection.
    pub(crate) fn block_of(&self, tx: u32, blocks: u32) -> Result<u32, StoreError> {
        let (mut low, mut high) = (0, blocks);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.first_tx(middle)? <= tx { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Whether a transaction is a coinbase.
    #[inline]
    pub(crate) fn is_coinbase(&self, tx: u32) -> Result<bool, StoreError> {
        let bits = u16::from_le_bytes(*self.tx_flags.record(tx.into())?);
        Ok(Flags(bits).has(Flags::COINBASE))
    }

    /// Inputs of a transaction; `txs` and `inputs` are the counts that hold.
    #[inline]
    pub(crate) fn inputs_of(
        &self,
        tx: u32,
        txs: u32,
        inputs: u64,
    ) -> Result<Range<u64>, StoreError> {
        let (start, end) = start_and_end(&self.tx_in_base, &self.tx_in, tx, txs, inputs)?;
        checked(&self.tx_in, tx, start, end, inputs)
    }

    /// First inputs of transactions in a row.
    pub(crate) fn first_inputs(
        &self,
        txs: Range<u32>,
    ) -> Result<impl Iterator<Item = u64> + Clone, StoreError> {
        let (first, n) = (u64::from(txs.start), txs.len());
        let rests = self.tx_in.bytes(first * 3, n * 3)?.as_chunks::<3>().0;
        let groups = txs.start / TX_GROUP..txs.end.div_ceil(TX_GROUP).max(txs.start / TX_GROUP);
        let bases = self.tx_in_base.bytes(u64::from(groups.start) * 5, groups.len() * 5)?;
        // The first group may be cut off at its start, the last one at its end.
        let cut = (TX_GROUP - txs.start % TX_GROUP) as usize;
        let (head, tail) = rests.split_at(cut.min(n));
        let groups = iter::once(head).chain(tail.chunks(TX_GROUP as usize));
        Ok(groups.zip(bases.chunks_exact(5)).flat_map(|(rests, base)| {
            let base = u40(base);
            rests.iter().map(move |rest| base + u64::from(u24(rest)))
        }))
    }

    /// Outputs of a transaction.
    #[inline]
    pub(crate) fn outputs_of(
        &self,
        tx: u32,
        txs: u32,
        outputs: u64,
    ) -> Result<Range<u64>, StoreError> {
        let (start, end) = start_and_end(&self.tx_out_base, &self.tx_out, tx, txs, outputs)?;
        checked(&self.tx_out, tx, start, end, outputs)
    }

    /// First output of a transaction.
    #[inline]
    pub(crate) fn first_output(&self, tx: u32) -> Result<u64, StoreError> {
        start(&self.tx_out_base, &self.tx_out, tx)
    }

    /// The transaction that made an output: bisection over the groups, then within one.
    pub(crate) fn tx_of(&self, output: u64, txs: u32) -> Result<u32, StoreError> {
        let (mut low, mut high) = (0, txs.div_ceil(TX_GROUP));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let base = u40(self.tx_out_base.record::<5>(middle.into())?);
            if base <= output { low = middle } else { high = middle }
        }
        let (mut low, mut high) =
            (low * TX_GROUP, (low * TX_GROUP).saturating_add(TX_GROUP).min(txs));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.first_output(middle)? <= output { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Value of an output.
    #[inline]
    pub(crate) fn value(&self, output: u64) -> Result<u64, StoreError> {
        match u40(self.out_value.record::<5>(output)?) {
            BIG_VALUE => self.big_value(output),
            value => Ok(value),
        }
    }

    /// Value of an output of 2^40 - 1 satoshis or more.
    #[cold]
    pub(crate) fn big_value(&self, output: u64) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, self.out_big.len() / 13);
        while low < high {
            let middle = low + (high - low) / 2;
            let record = self.out_big.record::<13>(middle)?;
            match u40(record).cmp(&output) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let mut value = [0; 8];
                    value.copy_from_slice(&record[5..]);
                    return Ok(u64::from_le_bytes(value));
                }
            }
        }
        Err(self.out_big.damaged(low * 13, "a large value is missing"))
    }

    /// Script of a data carrier.
    pub(crate) fn data(&self, output: u64) -> Result<&[u8], StoreError> {
        let count = self.data_place.len() / 10;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if u40(self.data_place.record::<10>(middle)?) < output {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let record = self.data_place.record::<10>(low)?;
        if u40(record) != output {
            return Err(self.data_place.damaged(low * 10, "a data carrier is missing"));
        }
        let start = u40(&record[5..]);
        let end = if low + 1 < count {
            u40(&self.data_place.record::<10>(low + 1)?[5..])
        } else {
            self.data_bytes.len()
        };
        if end < start {
            return Err(self.data_place.damaged(low * 10, "data of negative length"));
        }
        self.data_bytes.bytes(start, (end - start) as usize)
    }

    /// Where an address' payload is: kind, start, length.
    #[inline]
    pub(crate) fn payload_place(&self, address: u32) -> Result<(u8, u64, usize), StoreError> {
        let group = address / ADDRESS_GROUP;
        let first = group * ADDRESS_GROUP;
        let kinds = self.address_kind.bytes(first.into(), (address - first + 1) as usize)?;
        let mut at = u40(self.address_base.record::<5>(group.into())?);
        let (&kind, before) = match kinds.split_last() {
            Some(split) => split,
            None => return Err(self.address_kind.damaged(address.into(), "no such address")),
        };
        for &kind in before {
            at += match codec::fixed_len(kind) {
                Some(len) => len as u64,
                None => 4 + self.raw_len(kind, at)?,
            };
        }
        match codec::fixed_len(kind) {
            Some(len) => Ok((kind, at, len)),
            None => Ok((kind, at + 4, self.raw_len(kind, at)? as usize)),
        }
    }

    /// Kind and payload of an address.
    #[inline]
    pub(crate) fn payload(&self, address: u32) -> Result<(u8, &[u8]), StoreError> {
        let (kind, at, len) = self.payload_place(address)?;
        Ok((kind, self.address_payload.bytes(at, len)?))
    }

    /// Kind and payload of an address, decoded.
    pub(crate) fn script(&self, address: u32) -> Result<(Kind, &[u8]), StoreError> {
        let (code, payload) = self.payload(address)?;
        match Kind::from_code(code) {
            Some(kind) => Ok((kind, payload)),
            None => Err(self.address_kind.damaged(address.into(), "unknown kind of script")),
        }
    }

    fn raw_len(&self, kind: u8, at: u64) -> Result<u64, StoreError> {
        if kind != Kind::Raw as u8 {
            return Err(self.address_payload.damaged(at, "unknown kind of script"));
        }
        let bytes = self.address_payload.bytes(at, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into())
    }
}

/// What is wrong where a transaction starts behind the next one, or behind the end.
pub(crate) const OUT_OF_ORDER: &str = "ranges out of order";

#[inline]
fn start<C: Bytes>(base: &C, rest: &C, tx: u32) -> Result<u64, StoreError> {
    let base = u40(base.record::<5>((tx / TX_GROUP).into())?);
    Ok(base + u64::from(u24(rest.record::<3>(tx.into())?)))
}

/// Where a transaction's part starts and ends. Mostly both lie in one group, side by side: two
/// accesses instead of four.
#[inline]
fn start_and_end<C: Bytes>(
    base: &C,
    rest: &C,
    tx: u32,
    txs: u32,
    count: u64,
) -> Result<(u64, u64), StoreError> {
    if tx + 1 >= txs {
        return Ok((start(base, rest, tx)?, count));
    }
    if (tx + 1).is_multiple_of(TX_GROUP) {
        return Ok((start(base, rest, tx)?, start_of_next(base, rest, tx)?));
    }
    let base = u40(base.record::<5>((tx / TX_GROUP).into())?);
    let (first, next) = rest.bytes(u64::from(tx) * 3, 6)?.split_at(3);
    Ok((base + u64::from(u24(first)), base + u64::from(u24(next))))
}

#[inline]
fn start_of_next<C: Bytes>(base: &C, rest: &C, tx: u32) -> Result<u64, StoreError> {
    start(base, rest, tx + 1)
}

#[inline]
fn checked<C: Bytes>(
    column: &C,
    tx: u32,
    start: u64,
    end: u64,
    count: u64,
) -> Result<Range<u64>, StoreError> {
    if start <= end && end <= count {
        return Ok(start..end);
    }
    Err(column.damaged(u64::from(tx) * 3, OUT_OF_ORDER))
}
