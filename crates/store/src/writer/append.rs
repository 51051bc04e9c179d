//! Appending a batch.

use bitcoin::hashes::Hash;
use chain::{BlockHash, Height, OutPoint, Tip, Txid};

use super::Writer;
use crate::{
    batch::{Batch, BatchOutput, Prevout},
    codec::{Kind, id_hash},
    column::Bytes,
    error::StoreError,
    join::{CHUNK, NONE},
    layout::{ADDRESS_GROUP, BIG_VALUE, NO_ADDRESS, TX_GROUP, to_u40, u40},
    meta::Counts,
};

/// Rows of outputs that are written at a time, before their addresses' heads lead to them.
const ROWS: usize = 2048;

impl Writer {
    /// Appends blocks that follow the tip. Nothing is durable before [`Writer::commit`].
    ///
    /// # Errors
    /// On any error the blocks of this batch are removed again and the writer stands where it
    /// stood before the call: [`StoreError::NotNext`], [`StoreError::UnknownPrevout`],
    /// [`StoreError::DoubleSpend`], [`StoreError::Full`], [`StoreError::Io`] (a full disk, for
    /// one), [`StoreError::Damaged`].
    pub fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (tip, counts) = (self.tip, self.counts);
        let lens: Vec<u64> = self.columns.each().map(Bytes::len).collect();
        self.check_links(batch)?;
        self.touch()?;
        match self.append_all(batch) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.forget(tip, counts, &lens)?;
                Err(error)
            }
        }
    }

    fn append_all(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let before = self.counts;
        self.append_blocks(batch)?;
        self.append_txs(batch, before)?;
        self.append_outputs(batch, before)?;
        self.append_inputs(batch, before)?;
        if let Some(block) = batch.blocks.last() {
            let hash = BlockHash::from_byte_array(block.hash);
            self.tip = Some(Tip { height: Height(self.counts.blocks - 1), hash });
        }
        Ok(())
    }

    /// Each block names the one before as its parent; the first of all is the network's genesis.
    fn check_links(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut parent = self.tip.map(|tip| tip.hash);
        for (block, height) in batch.blocks.iter().zip(self.counts.blocks..) {
            let hash = BlockHash::from_byte_array(block.hash);
            let mut named = [0; 32];
            named.copy_from_slice(&block.header[4..36]);
            let named = BlockHash::from_byte_array(named);
            let follows = match parent {
                Some(parent) => parent == named,
                None => hash == self.network.genesis_hash(),
            };
            if !follows {
                return Err(StoreError::NotNext { hash, parent: named, height: Height(height) });
            }
            parent = Some(hash);
        }
        Ok(())
    }

    fn append_blocks(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut tx = self.counts.transactions;
        for block in &batch.blocks {
            self.columns.block_header.push(&block.header);
            self.columns.block_hash.push(&block.hash);
            self.columns.block_tx.push(&tx.to_le_bytes());
            self.block_index.insert(id_hash(&block.hash), self.counts.blocks)?;
            tx = tx.checked_add(block.txs).ok_or(StoreError::Full { what: "transactions" })?;
            self.counts.blocks += 1;
        }
        self.columns.block_header.flush()?;
        self.columns.block_hash.flush()?;
        self.columns.block_tx.flush()
    }

    fn append_txs(&mut self, batch: &Batch, before: Counts) -> Result<(), StoreError> {
        let columns = &mut self.columns;
        let (mut input, mut output) = (before.inputs, before.outputs);
        let mut number = before.transactions;
        let group = number / TX_GROUP;
        let mut bases = match number % TX_GROUP {
            0 => (0, 0),
            _ => (
                u40(columns.tx_in_base.record::<5>(group.into())?),
                u40(columns.tx_out_base.record::<5>(group.into())?),
            ),
        };
        for tx in &batch.txs {
            if number.is_multiple_of(TX_GROUP) {
                bases = (input, output);
                columns.tx_in_base.push(&to_u40(input));
                columns.tx_out_base.push(&to_u40(output));
            }
            columns.tx_in.push(&to_u24(input - bases.0)?);
            columns.tx_out.push(&to_u24(output - bases.1)?);
            columns.tx_id.push(&tx.txid);
            columns.tx_flags.push(&tx.flags.0.to_le_bytes());
            input += u64::from(tx.inputs);
            output += u64::from(tx.outputs);
            number = number.checked_add(1).ok_or(StoreError::Full { what: "transactions" })?;
        }
        // The last number is the mark for "none" in joins.
        if number == u32::MAX || output >= 1 << 40 || input >= 1 << 40 {
            return Err(StoreError::Full { what: "transactions, inputs or outputs" });
        }
        for column in [
            &mut columns.tx_in_base,
            &mut columns.tx_out_base,
            &mut columns.tx_in,
            &mut columns.tx_out,
            &mut columns.tx_id,
            &mut columns.tx_flags,
        ] {
            column.flush()?;
        }
        let mut number = before.transactions;
        for chunk in batch.txs.chunks(CHUNK) {
            for tx in chunk {
                self.tx_index.prefetch_insert(id_hash(&tx.txid));
            }
            for tx in chunk {
                self.tx_index.insert(id_hash(&tx.txid), number)?;
                number += 1;
            }
        }
        self.counts.transactions = number;
        self.breathe();
        Ok(())
    }

    fn append_outputs(&mut self, batch: &Batch, before: Counts) -> Result<(), StoreError> {
        self.spender.grow((before.outputs + batch.outputs.len() as u64) * 4)?;
        let (mut addresses, mut leaders) = (Vec::new(), Vec::new());
        let mut join = std::mem::take(&mut self.join);
        let (index, room, count) = (&self.address_index, self.room(), self.counts.addresses);
        let joined = join.addresses(index, &room, count, batch, &mut addresses, &mut leaders);
        self.join = join;
        joined?;
        self.breathe();
        let mut number = before.outputs;
        for (chunk, first) in batch.outputs.chunks(ROWS).zip((0..).step_by(ROWS)) {
            for (output, i) in chunk.iter().zip(first..) {
                match addresses[i] {
                    NONE => self.address_index.prefetch_insert(output.hash),
                    address => self.head.prefetch(u64::from(address) * 5),
                }
            }
            for (output, i) in chunk.iter().zip(first..) {
                addresses[i] = match (output.kind, addresses[i]) {
                    (None, _) => NO_ADDRESS,
                    (Some(kind), NONE) => match leaders[i] as usize {
                        leader if leader < i => addresses[leader],
                        _ => self.push_address(output, kind, batch.payload(output))?,
                    },
                    (Some(_), address) => address,
                };
            }
            self.push_outputs(batch, chunk, &addresses[first..first + chunk.len()], number)?;
            number += chunk.len() as u64;
            self.breathe();
        }
        let columns = &mut self.columns;
        for column in [
            &mut columns.address_base,
            &mut columns.address_kind,
            &mut columns.address_payload,
            &mut columns.out_value,
            &mut columns.out_big,
            &mut columns.data_place,
            &mut columns.data_bytes,
        ] {
            column.flush()?;
        }
        self.counts.outputs = number;
        Ok(())
    }

    /// Gives a new script the next number.
    fn push_address(
        &mut self,
        output: &BatchOutput,
        kind: Kind,
        payload: &[u8],
    ) -> Result<u32, StoreError> {
        let address = self.counts.addresses;
        // The two last numbers are the marks for "none" in joins and for data.
        if address >= NO_ADDRESS - 1 {
            return Err(StoreError::Full { what: "addresses" });
        }
        let columns = &mut self.columns;
        if address.is_multiple_of(ADDRESS_GROUP) {
            columns.address_base.push(&to_u40(columns.address_payload.len()));
        }
        columns.address_kind.push(&[kind as u8]);
        if kind == Kind::Raw {
            columns.address_payload.push(&output.len.to_le_bytes());
        }
        columns.address_payload.push(payload);
        self.address_index.insert(output.hash, address)?;
        self.head.grow((u64::from(address) + 1) * 5)?;
        self.counts.addresses = address + 1;
        Ok(address)
    }

    /// Appends the rows of a chunk of outputs and makes them the heads of their addresses.
    fn push_outputs(
        &mut self,
        batch: &Batch,
        chunk: &[BatchOutput],
        addresses: &[u32],
        first: u64,
    ) -> Result<(), StoreError> {
        self.heads.clear();
        for ((output, &address), number) in chunk.iter().zip(addresses).zip(first..) {
            let mut previous = 0;
            if address == NO_ADDRESS {
                self.push_data(number, batch.payload(output));
            } else if let Some(earlier) = self.heads.insert(address, number + 1) {
                previous = earlier;
            } else {
                previous = self.head.get_u40(address.into())?;
            }
            let columns = &mut self.columns;
            columns.out_address.push(&address.to_le_bytes());
            columns.out_previous.push(&to_u40(previous));
            columns.out_value.push(&to_u40(output.value.min(BIG_VALUE)));
            if output.value >= BIG_VALUE {
                columns.out_big.push(&to_u40(number));
                columns.out_big.push(&output.value.to_le_bytes());
            }
        }
        // Rows before heads: a reader that meets a head newer than its tip follows the rows back.
        self.columns.out_address.flush()?;
        self.columns.out_previous.flush()?;
        for (&address, &head) in &self.heads {
            self.head.set_u40(address.into(), head)?;
        }
        Ok(())
    }

    fn push_data(&mut self, output: u64, script: &[u8]) {
        let columns = &mut self.columns;
        let start = columns.data_bytes.len();
        columns.data_place.push(&to_u40(output));
        columns.data_place.push(&to_u40(start));
        columns.data_bytes.push(script);
    }

    fn append_inputs(&mut self, batch: &Batch, before: Counts) -> Result<(), StoreError> {
        let count = self.counts.transactions;
        let mut place = Spending::new(batch, before);
        let (mut txs, mut sources) = (Vec::new(), Vec::new());
        let mut join = std::mem::take(&mut self.join);
        let joined =
            join.transactions(&self.tx_index, &self.room(), count, &batch.prevouts, &mut txs);
        self.join = join;
        joined?;
        self.breathe();
        for (chunk, txs) in batch.prevouts.chunks(CHUNK).zip(txs.chunks_mut(CHUNK)) {
            let Self { tx_index, columns, .. } = self;
            sources.clear();
            for &tx in txs.iter().filter(|tx| **tx != NONE) {
                columns.tx_out_base.prefetch(u64::from(tx / TX_GROUP) * 5);
                columns.tx_out.prefetch(u64::from(tx) * 3);
                columns.tx_flags.prefetch(u64::from(tx) * 2);
            }
            let mut spending = place.clone();
            for (prevout, tx) in chunk.iter().zip(&mut *txs) {
                let spender = spending.next(batch);
                // Of coinbases with one txid (BIP-0030) the latest before the spend is meant, and
                // the join gives any. No other transactions can be twins. And no transaction
                // spends a later one of its batch, or itself.
                if *tx != NONE && (*tx >= spender || columns.is_coinbase(*tx)?) {
                    let found = tx_index.find(id_hash(&prevout.txid), spender.into(), |tx| {
                        Ok(columns.tx_id.record::<32>(tx.into())? == &prevout.txid)
                    })?;
                    *tx = found.unwrap_or(NONE);
                }
                let range = match *tx {
                    NONE => 0..0,
                    tx => columns.outputs_of(tx, count, self.counts.outputs)?,
                };
                let source = range.start + u64::from(prevout.vout);
                if !range.contains(&source) {
                    return Err(self.unknown_prevout(batch, before, spender, prevout));
                }
                columns.out_value.prefetch(source * 5);
                columns.out_address.prefetch(source * 4);
                self.spender.prefetch(source * 4);
                sources.push(source);
            }
            for &source in &sources {
                let columns = &mut self.columns;
                let value = *columns.out_value.record::<5>(source)?;
                let address = *columns.out_address.record::<4>(source)?;
                columns.in_source.push(&to_u40(source));
                columns.in_value.push(&value);
                columns.in_address.push(&address);
            }
            for (prevout, &source) in chunk.iter().zip(&sources) {
                let spender = place.next(batch);
                let earlier = self.spender.get_u32(source)?;
                if earlier != 0 {
                    return Err(self.double_spend(batch, before, spender, prevout, earlier)?);
                }
                self.spender.set_u32(source, spender)?;
            }
            self.breathe();
        }
        let columns = &mut self.columns;
        for column in [&mut columns.in_source, &mut columns.in_value, &mut columns.in_address] {
            column.flush()?;
        }
        self.counts.inputs += batch.prevouts.len() as u64;
        Ok(())
    }

    fn unknown_prevout(
        &self,
        batch: &Batch,
        before: Counts,
        spender: u32,
        prevout: &Prevout,
    ) -> StoreError {
        let (height, txid) = whose(batch, before, spender);
        StoreError::UnknownPrevout { height, txid, outpoint: outpoint(prevout) }
    }

    fn double_spend(
        &self,
        batch: &Batch,
        before: Counts,
        spender: u32,
        prevout: &Prevout,
        earlier: u32,
    ) -> Result<StoreError, StoreError> {
        let (height, txid) = whose(batch, before, spender);
        let earlier = *self.columns.tx_id.record::<32>(earlier.into())?;
        let spender = Txid::from_byte_array(earlier);
        Ok(StoreError::DoubleSpend { height, txid, outpoint: outpoint(prevout), spender })
    }
}

/// Walks the transactions of a batch in step with its inputs.
#[derive(Clone)]
struct Spending {
    tx: usize,
    left: u32,
    first: u32,
}

impl Spending {
    fn new(batch: &Batch, before: Counts) -> Self {
        let left = batch.txs.first().map_or(0, |tx| tx.inputs);
        Self { tx: 0, left, first: before.transactions }
    }

    /// The number of the transaction with the next input.
    #[inline]
    fn next(&mut self, batch: &Batch) -> u32 {
        while self.left == 0 {
            self.tx += 1;
            match batch.txs.get(self.tx) {
                Some(tx) => self.left = tx.inputs,
                None => break,
            }
        }
        self.left = self.left.saturating_sub(1);
        self.first + self.tx as u32
    }
}

/// Height and id of a transaction of the batch.
fn whose(batch: &Batch, before: Counts, number: u32) -> (Height, Txid) {
    let tx = (number - before.transactions) as usize;
    let mut end = 0;
    let block = batch.blocks.iter().position(|block| {
        end += block.txs as usize;
        tx < end
    });
    let height = Height(before.blocks + block.unwrap_or_default() as u32);
    let txid = batch.txs.get(tx).map_or([0; 32], |tx| tx.txid);
    (height, Txid::from_byte_array(txid))
}

fn outpoint(prevout: &Prevout) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array(prevout.txid), vout: prevout.vout }
}

fn to_u24(value: u64) -> Result<[u8; 3], StoreError> {
    // 64 transactions of at most four megabytes make at most 7.1 million outputs.
    if value >= 1 << 24 {
        return Err(StoreError::Full { what: "outputs in 64 transactions" });
    }
    let b = value.to_le_bytes();
    Ok([b[0], b[1], b[2]])
}
