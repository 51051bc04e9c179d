//! The writing side: append batches of blocks, commit, roll back.
//!
//! Order of work for a batch: columns first, then the look-up tables and the marks on old rows
//! (spenders, heads). A commit makes all files durable and then replaces `meta`. Until then nothing
//! of the batch exists for anybody: readers take numbers at or above their counts for empty, and
//! a writer that finds the store dirty removes them (see [`Writer::repair`]).

mod append;
mod classes;
mod rollback;
mod room;

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::{Network, Tip};
use rustc_hash::FxHashMap;

pub(crate) use room::Room;

use crate::{
    column::{Bytes, WriteColumn},
    error::StoreError,
    index::Index,
    join::Join,
    layout::{
        ADDRESS_HEAD, ADDRESS_INDEX, BLOCK_INDEX, COLUMN_NAMES, Columns, OUT_SPENDER, TX_INDEX,
    },
    lock::WriterLock,
    meta::{Counts, Extent, Meta},
    slots::Slots,
};

/// How a writer behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Resident memory, in bytes, above which mapped pages are given back to the system; `None`
    /// leaves that to the system. Heap memory of the caller counts too.
    pub memory: Option<u64>,
}

/// The one writer of a store.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    network: Network,
    options: Options,
    lock: WriterLock,
    columns: Columns<WriteColumn>,
    spender: Slots,
    head: Slots,
    block_index: Index,
    tx_index: Index,
    address_index: Index,
    tip: Option<Tip>,
    counts: Counts,
    class_rules: u32,
    committed: Meta,
    /// Something is in the files that is not committed.
    touched: bool,
    join: Join,
    /// Scratch: the heads that a chunk of outputs makes.
    heads: FxHashMap<u32, u64>,
}

impl Writer {
    /// Opens the store in `dir` for writing, or makes an empty one there.
    ///
    /// What an earlier writer left unfinished is removed: the store is then as of its last commit.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another writer has it; [`StoreError::OtherNetwork`],
    /// [`StoreError::NewerFormat`], [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn open(dir: &Path, network: Network, options: Options) -> Result<Self, StoreError> {
        fs::create_dir_all(dir.join("sums")).map_err(|error| StoreError::io(dir, error))?;
        let lock = WriterLock::take(dir)?;
        let meta = match Meta::read(dir) {
            Ok(meta) => meta,
            Err(StoreError::Missing { .. }) => create(dir, network)?,
            Err(error) => return Err(error),
        };
        if meta.network != network {
            let path = dir.to_owned();
            return Err(StoreError::OtherNetwork { path, found: meta.network, expected: network });
        }
        let dirty = lock.is_dirty()?;
        let mut writer = Self::with_meta(dir, meta, options, lock)?;
        if dirty {
            writer.repair()?;
        }
        writer.lock.end_rollback()?;
        writer.trim()?;
        Ok(writer)
    }

    /// The last block, committed or not.
    pub fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// How many of everything there are, committed or not.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The network of the store.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The directory of the store.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes everything appended so far durable and visible to readers that open from now on.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        if !self.touched {
            return Ok(());
        }
        let extents: Result<Vec<Extent>, _> =
            self.columns.each_mut().map(WriteColumn::sync).collect();
        for slots in [
            &self.spender,
            &self.head,
            self.block_index.slots(),
            self.tx_index.slots(),
            self.address_index.slots(),
        ] {
            slots.sync()?;
        }
        let meta = self.meta(extents?);
        meta.write(&self.dir)?;
        self.committed = meta;
        self.touched = false;
        self.lock.set_dirty(false)?;
        self.trim()
    }

    /// The commit record for things as they are.
    fn meta(&self, extents: Vec<Extent>) -> Meta {
        let Self { network, tip, counts, .. } = *self;
        // An empty store looks the same whether it was ever full or not.
        let class_rules = if self.columns.tx_class.len() > 0 { self.class_rules } else { 0 };
        Meta { network, tip, counts, class_rules, extents }
    }

    /// Cuts files to what counts, if nobody is reading now; else a later call does.
    fn trim(&mut self) -> Result<(), StoreError> {
        let Self { lock, columns, spender, head, block_index, tx_index, address_index, .. } = self;
        lock.if_nobody_reads(|| {
            columns.each_mut().try_for_each(WriteColumn::trim)?;
            [
                spender,
                head,
                block_index.slots_mut(),
                tx_index.slots_mut(),
                address_index.slots_mut(),
            ]
            .into_iter()
            .try_for_each(Slots::trim)
        })
    }

    /// Marks the store as being worked on, before the first change after a commit.
    fn touch(&mut self) -> Result<(), StoreError> {
        if !self.touched {
            self.lock.set_dirty(true)?;
            self.touched = true;
        }
        Ok(())
    }

    fn with_meta(
        dir: &Path,
        meta: Meta,
        options: Options,
        lock: WriterLock,
    ) -> Result<Self, StoreError> {
        let mut extents = COLUMN_NAMES.iter().zip(&meta.extents);
        let columns = Columns::build(|name| {
            let extent = extents.next().map_or(Extent::EMPTY, |(_, extent)| *extent);
            WriteColumn::open(dir, name, extent)
        })?;
        let counts = meta.counts;
        Ok(Self {
            dir: dir.to_owned(),
            network: meta.network,
            options,
            lock,
            columns,
            spender: Slots::write(dir, OUT_SPENDER, counts.outputs * 4)?,
            head: Slots::write(dir, ADDRESS_HEAD, u64::from(counts.addresses) * 5)?,
            block_index: Index::write(dir, BLOCK_INDEX, counts.blocks)?,
            tx_index: Index::write(dir, TX_INDEX, counts.transactions)?,
            address_index: Index::write(dir, ADDRESS_INDEX, counts.addresses)?,
            tip: meta.tip,
            counts,
            class_rules: meta.class_rules,
            committed: meta,
            touched: false,
            join: Join::default(),
            heads: FxHashMap::default(),
        })
    }

    /// Gives mapped memory back when the process holds more than it may.
    fn breathe(&self) {
        self.room().breathe();
    }

    /// Where memory is limited, gives mapped pages back now: for a caller who is about to read the
    /// store by other means, and needs the room.
    pub fn make_room(&self) {
        if self.options.memory.is_some() {
            self.room().release();
        }
    }

    fn room(&self) -> Room<'_> {
        Room {
            limit: self.options.memory,
            columns: &self.columns,
            slots: [&self.spender, &self.head, self.tx_index.slots(), self.address_index.slots()],
        }
    }
}

/// Makes the files of an empty store.
fn create(dir: &Path, network: Network) -> Result<Meta, StoreError> {
    let meta = Meta::empty(network);
    // Backup programs leave out what carries this tag: the store can be made again from blocks.
    let tag = dir.join("CACHEDIR.TAG");
    let text = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory can be made again with `chainhound index`.\n";
    fs::write(&tag, text).map_err(|error| StoreError::io(&tag, error))?;
    meta.write(dir)?;
    Ok(meta)
}
