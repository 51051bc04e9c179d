//! The store as a ledger.

use std::ops::Range;

use bitcoin::{Script, ScriptBuf, hashes::Hash};
use chain::{
    AddressNum, Block, BlockHash, Flags, Height, Input, InputAddresses, Ledger, LedgerError,
    Network, OutNum, Output, Sats, StoredClass, Tip, TxNum, Txid,
};

use super::Store;
use crate::{
    codec,
    column::Bytes,
    error::StoreError,
    layout::{BIG_VALUE, NO_ADDRESS, u40},
    tables::OUT_OF_ORDER,
};

impl Ledger for Store {
    fn network(&self) -> Network {
        self.meta.network
    }

    fn tip(&self) -> Option<Tip> {
        self.meta.tip
    }

    fn tx_count(&self) -> u32 {
        self.meta.counts.transactions
    }

    fn find_tx(&self, txid: &Txid) -> Result<Option<TxNum>, LedgerError> {
        let id = txid.to_byte_array();
        let count = self.meta.counts.transactions.into();
        let found = self.tx_index.find(codec::id_hash(&id), count, |tx| {
            Ok(self.columns.tx_id.record::<32>(tx.into())? == &id)
        })?;
        Ok(found.map(TxNum))
    }

    fn txid(&self, tx: TxNum) -> Result<Txid, LedgerError> {
        let id = self.columns.tx_id.record::<32>(self.known_tx(tx)?.into())?;
        Ok(Txid::from_byte_array(*id))
    }

    fn flags(&self, tx: TxNum) -> Result<Flags, LedgerError> {
        let bits = self.columns.tx_flags.record::<2>(self.known_tx(tx)?.into())?;
        Ok(Flags(u16::from_le_bytes(*bits)))
    }

    fn class(&self, tx: TxNum) -> Result<Option<StoredClass>, LedgerError> {
        let (tx, rules) = (u64::from(self.known_tx(tx)?), self.meta.class_rules);
        if tx >= self.columns.tx_class.len() {
            return Ok(None);
        }
        let [byte] = *self.columns.tx_class.record(tx)?;
        Ok(Some(StoredClass { rules, byte }))
    }

    fn classes(&self, txs: Range<u32>, into: &mut Vec<u8>) -> Result<Option<u32>, LedgerError> {
        into.clear();
        if u64::from(txs.end) > self.columns.tx_class.len() || txs.end > self.tx_count() {
            return Ok(None);
        }
        into.extend_from_slice(self.columns.tx_class.bytes(txs.start.into(), txs.len())?);
        Ok(Some(self.meta.class_rules))
    }

    fn height(&self, tx: TxNum) -> Result<Option<Height>, LedgerError> {
        let tx = self.known_tx(tx)?;
        Ok(Some(Height(self.columns.block_of(tx, self.meta.counts.blocks)?)))
    }

    fn block(&self, height: Height) -> Result<Option<Block>, LedgerError> {
        let counts = self.meta.counts;
        if height.0 >= counts.blocks {
            return Ok(None);
        }
        let header = self.columns.block_header.record::<80>(height.0.into())?;
        let time = u32::from_le_bytes([header[68], header[69], header[70], header[71]]);
        let hash = BlockHash::from_byte_array(*self.columns.block_hash.record(height.0.into())?);
        let start = self.columns.first_tx(height.0)?;
        let next = height.0 + 1;
        let end =
            if next < counts.blocks { self.columns.first_tx(next)? } else { counts.transactions };
        Ok(Some(Block { height, hash, time, txs: start..end }))
    }

    fn find_block(&self, hash: &BlockHash) -> Result<Option<Height>, LedgerError> {
        let id = hash.to_byte_array();
        let count = self.meta.counts.blocks.into();
        let found = self.block_index.find(codec::id_hash(&id), count, |block| {
            Ok(self.columns.block_hash.record::<32>(block.into())? == &id)
        })?;
        Ok(found.map(Height))
    }

    fn inputs(&self, tx: TxNum, into: &mut Vec<Input>) -> Result<(), LedgerError> {
        into.clear();
        let counts = self.meta.counts;
        let range =
            self.columns.inputs_of(self.known_tx(tx)?, counts.transactions, counts.inputs)?;
        let n = (range.end - range.start) as usize;
        let sources = self.columns.in_source.bytes(range.start * 5, n * 5)?;
        let values = self.columns.in_value.bytes(range.start * 5, n * 5)?;
        let addresses = self.columns.in_address.bytes(range.start * 4, n * 4)?;
        let rows =
            sources.chunks_exact(5).zip(values.chunks_exact(5)).zip(addresses.chunks_exact(4));
        for ((source, value), address) in rows {
            let source = u40(source);
            let value = match u40(value) {
                BIG_VALUE => self.columns.big_value(source)?,
                value => value,
            };
            into.push(Input {
                source: OutNum(source),
                value: Sats(value),
                address: address_of(address),
            });
        }
        Ok(())
    }

    fn input_addresses(
        &self,
        txs: Range<u32>,
        into: &mut InputAddresses,
    ) -> Result<(), LedgerError> {
        into.clear();
        let Some(last) = txs.end.checked_sub(1).filter(|_| !txs.is_empty()) else {
            return Ok(());
        };
        let counts = self.meta.counts;
        let all = self.columns.inputs_of(
            self.known_tx(TxNum(last))?,
            counts.transactions,
            counts.inputs,
        )?;
        let first = self.columns.inputs_of(txs.start, counts.transactions, counts.inputs)?.start;
        let ends = self.columns.first_inputs(txs.start + 1..txs.end)?.chain([all.end]);
        let out_of_order = || self.columns.tx_in.damaged(u64::from(txs.start) * 3, OUT_OF_ORDER);
        let n = all.end.checked_sub(first).ok_or_else(out_of_order)? as usize;
        let addresses = self.columns.in_address.bytes(first * 4, n * 4)?.as_chunks::<4>().0;
        let numbers = addresses.iter().map(|bytes| u32::from_le_bytes(*bytes));
        // To the end in any case: that is faster than looking whether to go on.
        if !numbers.clone().fold(false, |found, number| found | (number == NO_ADDRESS)) {
            let (mut last, mut sorted) = (first, true);
            let ends = ends.map(|end| {
                sorted &= last <= end;
                last = end;
                end.saturating_sub(first) as usize
            });
            into.push_txs(ends, numbers.map(AddressNum));
            return if sorted { Ok(()) } else { Err(out_of_order().into()) };
        }
        // Nobody can spend a data carrier. Where the store says so all the same, one by one.
        let mut start = first;
        for end in ends {
            let range = start.checked_sub(first).zip(end.checked_sub(first));
            let part = range.and_then(|(a, b)| addresses.get(a as usize..b as usize));
            let part = part.ok_or_else(out_of_order)?;
            into.push_tx(part.iter().filter_map(|bytes| address_of(bytes)));
            start = end;
        }
        Ok(())
    }

    fn input_sum(&self, tx: TxNum) -> Result<Sats, LedgerError> {
        let counts = self.meta.counts;
        let range =
            self.columns.inputs_of(self.known_tx(tx)?, counts.transactions, counts.inputs)?;
        let n = (range.end - range.start) as usize;
        let mut sum = 0u64;
        let values = self.columns.in_value.bytes(range.start * 5, n * 5)?;
        for (value, input) in values.chunks_exact(5).zip(range) {
            sum = sum.saturating_add(match u40(value) {
                BIG_VALUE => {
                    self.columns.big_value(u40(self.columns.in_source.record::<5>(input)?))?
                }
                value => value,
            });
        }
        Ok(Sats(sum))
    }

    fn outputs(&self, tx: TxNum, into: &mut Vec<Output>) -> Result<(), LedgerError> {
        into.clear();
        let counts = self.meta.counts;
        let range =
            self.columns.outputs_of(self.known_tx(tx)?, counts.transactions, counts.outputs)?;
        let n = (range.end - range.start) as usize;
        let values = self.columns.out_value.bytes(range.start * 5, n * 5)?;
        let addresses = self.columns.out_address.bytes(range.start * 4, n * 4)?;
        let rows = values.chunks_exact(5).zip(addresses.chunks_exact(4));
        for ((vout, num), (value, address)) in (0..).zip(range).zip(rows) {
            let value = match u40(value) {
                BIG_VALUE => self.columns.big_value(num)?,
                value => value,
            };
            into.push(Output {
                num: OutNum(num),
                vout,
                value: Sats(value),
                address: address_of(address),
                spend: self.spend(num)?,
            });
        }
        Ok(())
    }

    fn output(&self, out: OutNum) -> Result<Output, LedgerError> {
        let num = self.known_out(out)?;
        let tx = self.columns.tx_of(num, self.meta.counts.transactions)?;
        let first = self.columns.first_output(tx)?;
        Ok(Output {
            num: out,
            vout: num.saturating_sub(first) as u32,
            value: Sats(self.columns.value(num)?),
            address: address_of(self.columns.out_address.record::<4>(num)?),
            spend: self.spend(num)?,
        })
    }

    fn output_at(&self, tx: TxNum, vout: u32) -> Result<Option<OutNum>, LedgerError> {
        let counts = self.meta.counts;
        let range =
            self.columns.outputs_of(self.known_tx(tx)?, counts.transactions, counts.outputs)?;
        let num = range.start + u64::from(vout);
        Ok(range.contains(&num).then_some(OutNum(num)))
    }

    fn tx_of(&self, out: OutNum) -> Result<TxNum, LedgerError> {
        let num = self.known_out(out)?;
        Ok(TxNum(self.columns.tx_of(num, self.meta.counts.transactions)?))
    }

    fn address_count(&self) -> u32 {
        self.meta.counts.addresses
    }

    fn find_script(&self, script: &Script) -> Result<Option<AddressNum>, LedgerError> {
        let (kind, payload) = codec::pack(script.as_bytes());
        Ok(self.find_packed(kind, payload)?.map(AddressNum))
    }

    fn script(&self, address: AddressNum) -> Result<ScriptBuf, LedgerError> {
        let (kind, payload) = self.columns.script(self.known_address(address)?)?;
        Ok(codec::unpack(kind, payload))
    }

    fn output_script(&self, out: OutNum) -> Result<ScriptBuf, LedgerError> {
        let num = self.known_out(out)?;
        match address_of(self.columns.out_address.record::<4>(num)?) {
            Some(address) => self.script(address),
            None => Ok(ScriptBuf::from_bytes(self.columns.data(num)?.to_vec())),
        }
    }

    fn last_output_of(
        &self,
        address: AddressNum,
        before: Option<OutNum>,
    ) -> Result<Option<OutNum>, LedgerError> {
        let number = self.known_address(address)?;
        let owner = |out: u64| -> Result<bool, StoreError> {
            Ok(u32::from_le_bytes(*self.columns.out_address.record(out)?) == number)
        };
        let count = self.meta.counts.outputs;
        let below = before.map_or(count, |out| out.0.min(count));
        // From an output of the address itself one step suffices; otherwise from the head.
        let mut next = match before {
            Some(out) if out.0 < count && owner(out.0)? => {
                u40(self.columns.out_previous.record::<5>(out.0)?)
            }
            _ => self.head_of(number)?,
        };
        while next > below {
            next = self.step_back(next - 1, number)?;
        }
        match next.checked_sub(1) {
            None => Ok(None),
            Some(out) if owner(out)? => Ok(Some(OutNum(out))),
            Some(_) => Err(self.bad_head(number).into()),
        }
    }
}

#[inline]
fn address_of(bytes: &[u8]) -> Option<AddressNum> {
    match u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
        NO_ADDRESS => None,
        address => Some(AddressNum(address)),
    }
}
