//! Directories: block files in, a store out, and what is in them byte by byte.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use analyze::coinjoin::{Class, Detector, RULES_VERSION, ShapeBuf};
use bitcoin::{Block, consensus::serialize, hashes::Hash};
use chain::{Flags, Height, Ledger, MemoryLedger, Network, StoredClass, TxNum};
use ingest::{IngestError, Options, Summary};
use source::BlockDir;
use store::{Batch, Store, StoreError, Writer};
use tempfile::TempDir;
use testkit::{
    blkfile::{Disorder, Layout, write_blocks},
    compare::differences,
};

/// A directory in memory where the system has one: syncing costs nothing there, and nothing here
/// is about power cuts.
pub(crate) fn dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Block files with these blocks, in order.
pub(crate) fn files<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> TempDir {
    let dir = dir();
    write_blocks(dir.path(), blocks, Layout::default(), Disorder::default()).unwrap();
    dir
}

/// A child has copies of all our locks until its own program runs: nobody opens a store meanwhile.
static SPAWNING: RwLock<()> = RwLock::new(());

/// Starts a process.
pub(crate) fn spawning<T>(spawn: impl FnOnce() -> T) -> T {
    let _alone = SPAWNING.write().unwrap_or_else(PoisonError::into_inner);
    spawn()
}

/// Opens for writing.
pub(crate) fn open_writer(store: &Path, network: Network) -> Result<Writer, StoreError> {
    let _no_child = SPAWNING.read().unwrap_or_else(PoisonError::into_inner);
    Writer::open(store, network, store::Options::default())
}

pub(crate) fn writer(store: &Path) -> Writer {
    open_writer(store, Network::Regtest).unwrap()
}

/// Opens both and indexes.
pub(crate) fn index(
    blocks: &Path,
    store: &Path,
    options: &Options<'_>,
) -> Result<Summary, IngestError> {
    let blocks = BlockDir::open(blocks, Some(Network::Regtest))?;
    let mut writer = open_writer(store, Network::Regtest)?;
    ingest::index(&blocks, &mut writer, options, |_| ())
}

/// Up to and including a height, all in one go.
pub(crate) fn until(height: usize) -> Options<'static> {
    Options { until: Some(Height(height as u32)), threads: 1, ..Options::default() }
}

/// A commit for every block.
pub(crate) fn one_by_one() -> Options<'static> {
    Options { threads: 1, commit_bytes: 1, ..Options::default() }
}

/// A store of these blocks made at once.
pub(crate) fn fresh(blocks: &[Block]) -> TempDir {
    let (files, store) = (files(blocks), dir());
    let options = Options { threads: 1, ..Options::default() };
    let done = index(files.path(), store.path(), &options).unwrap();
    assert_eq!(done.tip.map(|tip| tip.hash), blocks.last().map(Block::block_hash));
    settle(store.path());
    store
}

/// The naive ledger of these blocks.
pub(crate) fn oracle(blocks: &[Block]) -> MemoryLedger {
    MemoryLedger::from_blocks(Network::Regtest, blocks).unwrap()
}

/// Lets a writer cut what is left behind the end of the files, and recognise what nobody has yet.
pub(crate) fn settle(store: &Path) {
    let mut writer = writer(store);
    ingest::recognise(&mut writer, 1).unwrap();
    writer.commit().unwrap();
}

/// Every answer of the store is the naive ledger's, and its own check finds nothing.
#[track_caller]
pub(crate) fn assert_holds(store: &Path, blocks: &[Block]) {
    let opened = Store::open(store).unwrap();
    assert_eq!(differences(&opened, &oracle(blocks)), None);
    assert_good(store);
}

#[track_caller]
pub(crate) fn assert_good(store: &Path) {
    let report = store::check(store, |_| ()).unwrap();
    assert!(report.is_good(), "{:?}", report.findings);
}

/// Every transaction has a class in the store, and it is what the transaction's shape says.
#[track_caller]
pub(crate) fn assert_recognised(store: &Path) {
    let store = Store::open(store).unwrap();
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    for tx in (0..store.tx_count()).map(TxNum) {
        let shape = buffer.load(&store, tx).unwrap();
        let byte = shape.map_or(Class::NONE, |shape| detector.class(&shape)).byte();
        let expected = StoredClass { rules: RULES_VERSION, byte };
        assert_eq!(store.class(tx).unwrap(), Some(expected), "{tx:?}");
    }
}

/// The store's files by name. Without the locks: the writer's mark and the count of rollbacks.
pub(crate) fn bytes(store: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["", "sums"] {
        for entry in fs::read_dir(store.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(store).unwrap().to_owned();
            if path.is_file() && !["lock", "readers"].map(Path::new).contains(&name.as_path()) {
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The first difference between two stores' files.
pub(crate) fn first_other_byte(one: &Path, other: &Path) -> Option<String> {
    let (one, other) = (bytes(one), bytes(other));
    if one.keys().ne(other.keys()) {
        return Some(format!("{:?} or {:?}", one.keys(), other.keys()));
    }
    one.iter().zip(other.values()).find(|((_, one), other)| one != other).map(
        |((name, one), other)| {
            let at = one.iter().zip(other).position(|(one, other)| one != other);
            let lens = (one.len(), other.len());
            format!("{}: byte {at:?} of {} or {}", name.display(), lens.0, lens.1)
        },
    )
}

/// Blocks as the writer takes them, made without the source's decoder.
pub(crate) fn batch(blocks: &[Block], first: u32) -> Batch {
    let mut batch = Batch::default();
    for (block, height) in blocks.iter().zip(first..) {
        let mut header = [0; 80];
        header.copy_from_slice(&serialize(&block.header));
        batch.block(header, block.block_hash());
        for tx in &block.txdata {
            let flags = Flags::of(tx, Some(Height(height)));
            batch.tx(tx.compute_txid().to_byte_array(), flags);
            for input in tx.input.iter().filter(|input| !input.previous_output.is_null()) {
                let prevout = input.previous_output;
                batch.input(prevout.txid.to_byte_array(), prevout.vout);
            }
            for output in &tx.output {
                batch.output(output.value.to_sat(), output.script_pubkey.as_bytes());
            }
        }
    }
    batch
}

/// How many of these blocks the store holds; `None` where it holds others.
pub(crate) fn prefix(ledger: &impl Ledger, blocks: &[Block]) -> Option<usize> {
    match ledger.tip() {
        None => Some(0),
        Some(tip) => {
            let block = blocks.get(tip.height.index())?;
            (block.block_hash() == tip.hash).then(|| tip.height.index() + 1)
        }
    }
}
