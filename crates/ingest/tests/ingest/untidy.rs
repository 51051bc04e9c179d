//! Block files as a node leaves them: in any order, masked, growing, incomplete.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use bitcoin::{Block, consensus::serialize};
use chain::{Height, Network};
use ingest::{IngestError, Options, Progress};
use source::BlockDir;
use testkit::blkfile::{Disorder, Layout, write_blocks};

use crate::{
    branch::Branch,
    plan::{Size, seeded},
    scratch::{
        assert_holds, dir, files, first_other_byte, fresh, index, one_by_one, settle, until, writer,
    },
};

fn chain(blocks: usize) -> Vec<Block> {
    Branch::new(&seeded(41, Size { blocks, txs: 4, owners: 5, copies: 10 })).blocks
}

#[track_caller]
fn assert_is(store: &Path, blocks: &[Block]) {
    settle(store);
    assert_eq!(first_other_byte(store, fresh(blocks).path()), None);
}

#[test]
fn order_and_masks_do_not_matter() {
    let chain = chain(40);
    let tidy = Layout::default();
    for (seed, layout) in [
        (1, Layout { xor: Some(*b"8 bytes!"), ..tidy.clone() }),
        (2, Layout { max_file: 4000, gap: 4, tail: 5000, ..tidy.clone() }),
        (3, Layout { max_file: 9000, xor: Some([0xff; 8]), tail: 100, ..tidy }),
    ] {
        let (files, store) = (dir(), dir());
        let disorder = Disorder { shuffle: Some(seed), twice: 3, orphans: 4 };
        write_blocks(files.path(), &chain, layout, disorder).unwrap();
        index(files.path(), store.path(), &Options::default()).unwrap();
        assert_is(store.path(), &chain);
    }
}

fn append(file: &Path, blocks: &[Block]) {
    let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
    for block in blocks {
        let raw = serialize(block);
        file.write_all(&Network::Regtest.magic()).unwrap();
        file.write_all(&(raw.len() as u32).to_le_bytes()).unwrap();
        file.write_all(&raw).unwrap();
    }
}

#[test]
fn files_that_grow() {
    let chain = chain(30);
    let (files, store) = (dir(), dir());
    let path = files.path().join("blk00000.dat");
    append(&path, &chain[..10]);
    let mut blocks = BlockDir::open(files.path(), None).unwrap();
    let mut writer = writer(store.path());
    let mut go = |blocks: &BlockDir| {
        let done = ingest::index(blocks, &mut writer, &Options::default(), |_| ()).unwrap();
        (done.rolled_back, done.appended)
    };
    assert_eq!(go(&blocks), (0, 10));
    assert_eq!(go(&blocks), (0, 0));
    append(&path, &chain[10..17]);
    assert_eq!(go(&blocks), (0, 0), "not looked at yet");
    blocks.refresh().unwrap();
    assert_eq!(go(&blocks), (0, 7));
    // Half a block, then the rest of it and a new file.
    let whole = fs::read(&path).unwrap().len();
    append(&path, &chain[17..18]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..whole + 100]).unwrap();
    blocks.refresh().unwrap();
    assert_eq!(go(&blocks), (0, 0));
    fs::write(&path, &bytes).unwrap();
    append(&files.path().join("blk00001.dat"), &chain[18..]);
    blocks.refresh().unwrap();
    assert_eq!(go(&blocks), (0, 14));
    drop(writer);
    assert_is(store.path(), &chain);
}

#[test]
fn a_missing_file() {
    let chain = chain(30);
    let (files, store) = (dir(), dir());
    let name = |n: u32| files.path().join(format!("blk{n:05}.dat"));
    for (n, part) in (0..).zip(chain.chunks(11)) {
        append(&name(n), part);
    }
    let middle = fs::read(name(1)).unwrap();
    fs::remove_file(name(1)).unwrap();
    let blocks = BlockDir::open(files.path(), None).unwrap();
    let complaint = blocks.best_chain().unwrap().check_complete().unwrap_err().to_string();
    assert!(complaint.contains("the chain ends at height 10 and 9 more blocks"), "{complaint}");
    let done = index(files.path(), store.path(), &Options::default()).unwrap();
    assert_eq!(done.tip.unwrap().height, Height(10));
    assert_holds(store.path(), &chain[..11]);

    fs::write(name(1), &middle).unwrap();
    index(files.path(), store.path(), &Options::default()).unwrap();
    assert_is(store.path(), &chain);

    // Gone again: the store knows more than the files, and keeps it.
    fs::remove_file(name(1)).unwrap();
    let error = index(files.path(), store.path(), &Options::default()).unwrap_err();
    assert!(matches!(error, IngestError::ForeignTip { height: Height(30), .. }), "{error}");
    assert_is(store.path(), &chain);
}

#[test]
fn until_a_height_and_stop() {
    let chain = chain(30);
    let (files, store) = (files(&chain), dir());
    index(files.path(), store.path(), &until(7)).unwrap();
    assert_is(store.path(), &chain[..8]);
    // Lower than it is already: nothing is taken back.
    assert_eq!(index(files.path(), store.path(), &until(3)).unwrap().appended, 0);
    assert_is(store.path(), &chain[..8]);

    let stop = AtomicBool::new(false);
    let blocks = BlockDir::open(files.path(), None).unwrap();
    let mut writer = writer(store.path());
    let options = Options { stop: Some(&stop), ..one_by_one() };
    let done = ingest::index(&blocks, &mut writer, &options, |progress| {
        stop.store(progress.height.0 >= 20, Ordering::Relaxed);
    });
    let done = done.unwrap();
    assert!(done.stopped && done.tip.unwrap().height < Height(30));
    drop(writer);
    assert_is(store.path(), &chain[..=done.tip.unwrap().height.index()]);
}

#[test]
fn progress_leads_to_the_end() {
    let chain = chain(30);
    let (files, store) = (files(&chain), dir());
    let blocks = BlockDir::open(files.path(), None).unwrap();
    let mut writer = writer(store.path());
    let mut seen: Vec<Progress> = Vec::new();
    ingest::index(&blocks, &mut writer, &one_by_one(), |progress| seen.push(progress)).unwrap();
    assert!(
        seen.windows(2).all(|two| two[0].height < two[1].height && two[0].bytes < two[1].bytes)
    );
    let last = seen[seen.len() - 1];
    let bytes = chain.iter().map(|block| serialize(block).len() as u64).sum();
    let transactions = chain.iter().map(|block| block.txdata.len() as u32).sum();
    let height = Height(30);
    let expected =
        Progress { height, target: height, transactions, bytes, bytes_total: Some(bytes) };
    assert_eq!(last, expected);
}
