//! The reading side: a store as of one commit, as a [`Ledger`].

use std::{
    fs::File,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bitcoin::{Script, ScriptBuf, hashes::Hash};
use chain::{
    AddressNum, Block, BlockHash, Flags, Height, Input, InputAddresses, Ledger, LedgerError,
    Network, OutNum, Output, Sats, Spend, StoredClass, Tip, TxNum, Txid,
};

use crate::{
    codec::{self, Kind},
    column::{Bytes, ReadColumn},
    error::StoreError,
    index::Index,
    layout::{
        ADDRESS_HEAD, ADDRESS_INDEX, BIG_VALUE, BLOCK_INDEX, COLUMN_NAMES, Columns, MUTABLE_NAMES,
        NO_ADDRESS, OUT_SPENDER, TX_INDEX, sums_path, u40,
    },
    lock::ReaderFile,
    meta::{Counts, Extent, Meta},
    slots::Slots,
    tables::OUT_OF_ORDER,
};

/// A store, open for reading: the chain as of the last commit before it was opened.
///
/// Opening reads the commit record and maps files; it touches no column, whatever their size. A
/// writer may append meanwhile: nothing changes for this value. If the writer rolls blocks back,
/// answers may mix two chains: [`Store::ensure_current`] tells.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    pub(crate) meta: Meta,
    readers: ReaderFile,
    epoch: u64,
    pub(crate) columns: Columns<ReadColumn>,
    pub(crate) spender: Slots,
    pub(crate) head: Slots,
    pub(crate) block_index: Index,
    pub(crate) tx_index: Index,
    pub(crate) address_index: Index,
}

impl Store {
    /// Opens the store in `dir` as of its last commit.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where none is, [`StoreError::NewerFormat`], [`StoreError::Damaged`]
    /// where a file is shorter than it must be, [`StoreError::Io`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        // An unreadable or missing commit record explains itself better than a missing lock.
        Meta::read(dir)?;
        let readers = ReaderFile::open(dir, false)?;
        let epoch = readers.epoch()?;
        let meta = Meta::read(dir)?;
        let mut extents = meta.extents.iter();
        let columns = Columns::build(|name| {
            ReadColumn::open(dir, name, extents.next().copied().unwrap_or(Extent::EMPTY))
        })?;
        let counts = meta.counts;
        Ok(Self {
            dir: dir.to_owned(),
            readers,
            epoch,
            columns,
            spender: Slots::read(dir, OUT_SPENDER, counts.outputs * 4)?,
            head: Slots::read(dir, ADDRESS_HEAD, u64::from(counts.addresses) * 5)?,
            block_index: Index::read(dir, BLOCK_INDEX, counts.blocks)?,
            tx_index: Index::read(dir, TX_INDEX, counts.transactions)?,
            address_index: Index::read(dir, ADDRESS_INDEX, counts.addresses)?,
            meta,
        })
    }

    /// How many of everything there are.
    pub fn counts(&self) -> Counts {
        self.meta.counts
    }

    /// Sum of the sizes of the store's files, in bytes.
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        let columns =
            COLUMN_NAMES.iter().flat_map(|name| [self.dir.join(name), sums_path(&self.dir, name)]);
        let others = MUTABLE_NAMES.iter().chain(&["meta"]).map(|name| self.dir.join(name));
        columns.chain(others).try_fold(0, |sum, path| match std::fs::metadata(&path) {
            Ok(meta) => Ok(sum + meta.len()),
            Err(error) => Err(StoreError::io(&path, error)),
        })
    }

    /// Says whether blocks were rolled back since the store was opened. Ask after a query and
    /// before believing its answer.
    ///
    /// # Errors
    /// [`StoreError::Reorganised`]: open the store again and repeat the query.
    pub fn ensure_current(&self) -> Result<(), StoreError> {
        let same = self.readers.epoch()? == self.epoch;
        // Opened during a rollback: what we have is right if the commit record is still ours, the
        // one before the rollback (nothing is undone yet) or the one after it.
        let good = same && (self.epoch.is_multiple_of(2) || Meta::read(&self.dir)? == self.meta);
        if good { Ok(()) } else { Err(StoreError::Reorganised) }
    }

    /// The 80 bytes of a block's header.
    pub fn header(&self, height: Height) -> Result<Option<[u8; 80]>, StoreError> {
        if height.0 >= self.meta.counts.blocks {
            return Ok(None);
        }
        Ok(Some(*self.columns.block_header.record(height.0.into())?))
    }

    fn known_tx(&self, tx: TxNum) -> Result<u32, LedgerError> {
        let count = self.meta.counts.transactions;
        if tx.0 < count {
            return Ok(tx.0);
        }
        Err(LedgerError::OutOfRange {
            what: "transaction",
            number: tx.0.into(),
            count: count.into(),
        })
    }

    fn known_out(&self, out: OutNum) -> Result<u64, LedgerError> {
        let count = self.meta.counts.outputs;
        if out.0 < count {
            return Ok(out.0);
        }
        Err(LedgerError::OutOfRange { what: "output", number: out.0, count })
    }

    fn known_address(&self, address: AddressNum) -> Result<u32, LedgerError> {
        let count = self.meta.counts.addresses;
        if address.0 < count {
            return Ok(address.0);
        }
        let number = address.0.into();
        Err(LedgerError::OutOfRange { what: "address", number, count: count.into() })
    }

    #[inline]
    fn spend(&self, out: u64) -> Result<Spend, StoreError> {
        match self.spender.get_u32(out)? {
            0 => Ok(Spend::Unspent),
            // A later commit's business.
            tx if tx >= self.meta.counts.transactions => Ok(Spend::Unspent),
            tx => Ok(Spend::By(TxNum(tx))),
        }
    }

    fn find_packed(&self, kind: Kind, payload: &[u8]) -> Result<Option<u32>, StoreError> {
        let hash = codec::script_hash(kind, payload);
        self.address_index.find(hash, self.meta.counts.addresses.into(), |address| {
            let (code, found) = self.columns.payload(address)?;
            Ok(code == kind as u8 && found == payload)
        })
    }
}

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
        let starts = self.columns.first_inputs(txs.clone())?;
        let (first, last) = (starts.clone().next(), starts.clone().next_back());
        let (first, last) = (first.unwrap_or(all.end), last.unwrap_or(all.end));
        if !starts.clone().is_sorted() || last > all.end {
            return Err(self.columns.tx_in.damaged(u64::from(txs.start) * 3, OUT_OF_ORDER).into());
        }
        let starts = starts.map(|start| (start - first) as usize);
        let n = (all.end - first) as usize;
        let addresses = self.columns.in_address.bytes(first * 4, n * 4)?.as_chunks::<4>().0;
        let numbers = addresses.iter().map(|bytes| u32::from_le_bytes(*bytes));
        // To the end in any case: that is faster than looking whether to go on.
        if !numbers.clone().fold(false, |found, number| found | (number == NO_ADDRESS)) {
            into.push_txs(starts, numbers.map(AddressNum));
            return Ok(());
        }
        // Nobody can spend a data carrier. Where the store says so all the same, one by one.
        let ends = starts.clone().skip(1).chain([n]);
        for (start, end) in starts.zip(ends) {
            let part = addresses.get(start..end).unwrap_or_default();
            into.push_tx(part.iter().filter_map(|bytes| address_of(bytes)));
        }
        Ok(())
    }

    fn input_sum(&self, tx: TxNum) -> Result<Sats, LedgerError> {
        let counts = self.meta.counts;
        let range =
            self.columns.inputs_of(self.known_tx(tx)?, counts.transactions, counts.inputs)?;
        let n = (range.end - range.start) as usize;
        let mut sum = 0u64;
        for value in self.columns.in_value.bytes(range.start * 5, n * 5)?.chunks_exact(5) {
            match u40(value) {
                BIG_VALUE => {
                    let mut inputs = Vec::new();
                    self.inputs(tx, &mut inputs)?;
                    return Ok(Sats(
                        inputs.iter().fold(0, |s: u64, i| s.saturating_add(i.value.0)),
                    ));
                }
                value => sum = sum.saturating_add(value),
            }
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

impl Store {
    /// One plus the newest output of an address, which may be newer than this reader.
    fn head_of(&self, address: u32) -> Result<u64, StoreError> {
        // Five bytes are not written in one step: while a writer is at it, a read may get a
        // mixture. It then leads to another address' output; look again.
        for _ in 0..1000 {
            let head = self.head.get_u40(address.into())?;
            if let Some(out) = head.checked_sub(1)
                && self.row_of(out, address)?.is_some()
            {
                return Ok(head);
            }
            std::thread::yield_now();
        }
        Err(self.bad_head(address))
    }

    /// The newest output of an address that this reader may see.
    pub(crate) fn last_before_tip(&self, address: u32) -> Result<Option<u64>, StoreError> {
        let mut next = self.head_of(address)?;
        while next > self.meta.counts.outputs {
            next = self.step_back(next - 1, address)?;
        }
        Ok(next.checked_sub(1))
    }

    /// One plus the output of the address before its output `out`; 0 for none.
    fn step_back(&self, out: u64, address: u32) -> Result<u64, StoreError> {
        match self.row_of(out, address)? {
            // A history that does not go down would never end.
            Some(previous) if previous <= out => Ok(previous),
            _ => Err(self.bad_head(address)),
        }
    }

    /// `out.previous` of an output, if it is the address'.
    fn row_of(&self, out: u64, address: u32) -> Result<Option<u64>, StoreError> {
        if out < self.meta.counts.outputs {
            let owner = u32::from_le_bytes(*self.columns.out_address.record(out)?);
            let previous = u40(self.columns.out_previous.record::<5>(out)?);
            return Ok((owner == address).then_some(previous));
        }
        // A writer has added to this address since. Its rows are in the files before a head leads
        // to them, but not in our mappings: read them the slow way.
        let row = |name: &str, width: usize| -> Result<Option<[u8; 8]>, StoreError> {
            let path = self.dir.join(name);
            let mut bytes = [0; 8];
            let file = File::open(&path).map_err(|error| StoreError::io(&path, error))?;
            match file.read_exact_at(&mut bytes[..width], out.saturating_mul(width as u64)) {
                Ok(()) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(StoreError::io(&path, error)),
            }
        };
        match (row("out.address", 4)?, row("out.previous", 5)?) {
            (Some(owner), Some(previous)) if owner[..4] == address.to_le_bytes() => {
                Ok(Some(u40(&previous)))
            }
            _ => Ok(None),
        }
    }

    #[cold]
    fn bad_head(&self, address: u32) -> StoreError {
        self.head.damaged(u64::from(address) * 5, "the newest output is another address'")
    }
}

#[inline]
fn address_of(bytes: &[u8]) -> Option<AddressNum> {
    match u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) {
        NO_ADDRESS => None,
        address => Some(AddressNum(address)),
    }
}
