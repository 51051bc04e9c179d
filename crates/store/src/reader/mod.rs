//! The reading side: a store as of one commit, as a [`Ledger`].

mod history;
mod ledger;

use std::path::{Path, PathBuf};

use chain::{AddressNum, Height, LedgerError, OutNum, Spend, TxNum};

use crate::{
    codec::{self, Kind},
    column::{Bytes, ReadColumn},
    error::StoreError,
    index::Index,
    layout::{
        ADDRESS_HEAD, ADDRESS_INDEX, BLOCK_INDEX, COLUMN_NAMES, Columns, MUTABLE_NAMES,
        OUT_SPENDER, TX_INDEX, sums_path,
    },
    lock::ReaderFile,
    meta::{Counts, Extent, Meta},
    slots::Slots,
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
