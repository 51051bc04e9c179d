//! Blocks that are no good: an error that names the place, and the blocks before them are kept.

use std::{fs, path::Path};

use bitcoin::{Block, OutPoint, consensus::serialize};
use chain::Network;
use ingest::{IngestError, Options};
use store::{Store, StoreError};
use testkit::Chain;

use crate::{
    branch::Branch,
    plan::{Size, seeded},
    scratch::{assert_holds, dir, files, first_other_byte, fresh, index, open_writer, settle},
};

const WAYS: [(usize, u64); 3] = [(1, 1), (2, 3000), (2, u64::MAX)];

/// Indexing stops in front of block `good` whatever the threads and commits; returns what it says,
/// `DIR` for the directory of the blocks.
#[track_caller]
fn stops(files: &Path, blocks: &[Block], good: usize) -> (String, IngestError) {
    let mut last = None;
    for (threads, commit_bytes) in WAYS {
        let store = dir();
        let options = Options { threads, commit_bytes, ..Options::default() };
        let error = index(files, store.path(), &options).unwrap_err();
        assert_holds(store.path(), &blocks[..good]);
        settle(store.path());
        let short = fresh(&blocks[..good]);
        assert_eq!(first_other_byte(store.path(), short.path()), None, "{options:?}");
        let text = error.to_string().replace(&files.display().to_string(), "DIR");
        if let Some((earlier, _)) = &last {
            assert_eq!(&text, earlier);
        }
        last = Some((text, error));
    }
    last.unwrap()
}

/// The first block of this chain that cannot be appended, and why.
#[track_caller]
fn refused(text: &str, good: usize) -> StoreError {
    let chain = Chain::parse(text).unwrap();
    let files = files(chain.blocks());
    match stops(files.path(), chain.blocks(), good) {
        (_, IngestError::Store(error)) => error,
        (text, _) => panic!("{text}"),
    }
}

#[test]
fn a_turned_bit_in_a_block() {
    let chain = Branch::new(&seeded(31, Size { blocks: 20, txs: 4, owners: 5, copies: 10 })).blocks;
    let files = files(&chain);
    let path = files.path().join("blk00000.dat");
    let good = fs::read(&path).unwrap();
    let before: usize = chain[..12].iter().map(|block| 8 + serialize(block).len()).sum();
    let at = before + 8 + 80 + 50; // in the coinbase of block 12
    let mut bad = good.clone();
    bad[at] ^= 0x20;
    fs::write(&path, &bad).unwrap();

    let (text, error) = stops(files.path(), &chain, 12);
    assert!(matches!(error, IngestError::Source(_)), "{text}");
    let hash = chain[12].block_hash();
    assert!(text.starts_with("DIR/blk00000.dat: byte "), "{text}");
    assert!(text.contains(&format!("block 12 ({hash})")), "{text}");
    assert!(text.ends_with("the merkle root is not the one in the header: the block is damaged"));

    // Once the file is good again, it goes on.
    let store = dir();
    index(files.path(), store.path(), &Options::default()).unwrap_err();
    fs::write(&path, &good).unwrap();
    let done = index(files.path(), store.path(), &Options::default()).unwrap();
    assert_eq!(done.appended as usize, chain.len() - 12);
    settle(store.path());
    assert_eq!(first_other_byte(store.path(), fresh(&chain).path()), None);
}

#[test]
fn a_prevout_that_nobody_made() {
    let nobody = "11".repeat(32);
    let error = refused(
        &format!(
            "unchecked\nblocks 2\nblock\ntx a: coinbase -> A:1\nblock\ntx b: {nobody}:7 -> B:1"
        ),
        4,
    );
    let StoreError::UnknownPrevout { height, outpoint, .. } = &error else { panic!("{error}") };
    assert_eq!((height.0, outpoint.to_string()), (4, format!("{nobody}:7")));

    // An output that a known transaction does not have.
    let text = "unchecked\nblock\ntx a: coinbase -> A:1\nblock\ntx b: a:1 -> B:1";
    let chain = Chain::parse(text).unwrap();
    let error = refused(text, 2);
    let (a, b) = (chain.txid("a").unwrap(), chain.txid("b").unwrap());
    let expected =
        format!("height 2: {b} spends {a}:1, which does not exist: a block is missing or damaged");
    assert_eq!(error.to_string(), expected);

    // One that comes only later in the block.
    let text = "unchecked\nblock\ntx a: coinbase -> A:1\nblock\ntx b: a:0 -> B:1\ntx c: b:0 -> C:1";
    let mut blocks = Chain::parse(text).unwrap().blocks().to_vec();
    blocks[2].txdata.swap(1, 2);
    let place = testkit::mine::Place { parent: blocks[1].block_hash(), time: 1_700_000_009 };
    blocks[2] = testkit::mine::block(place, blocks[2].txdata.clone());
    let files = files(&blocks);
    let (text, error) = stops(files.path(), &blocks, 2);
    let later = matches!(error, IngestError::Store(StoreError::UnknownPrevout { .. }));
    assert!(later, "{text}");
}

#[test]
fn an_output_spent_twice() {
    let coinbase = "unchecked\nblock\ntx a: coinbase -> A:50\n";
    for (rest, height) in [
        // In different blocks, in one block, and in one transaction.
        ("block\ntx b: a:0 -> B:1\nblock\ntx c: a:0 -> C:1", 3),
        ("block\ntx b: a:0 -> B:1\ntx c: a:0 -> C:1", 2),
        ("block\ntx c: a:0 a:0 -> C:1", 2),
    ] {
        let text = [coinbase, rest].concat();
        let chain = Chain::parse(&text).unwrap();
        let error = refused(&text, height);
        let StoreError::DoubleSpend { height: at, txid, outpoint, spender } = &error else {
            panic!("{error}")
        };
        let first = chain.txid("b").or(chain.txid("c")).unwrap();
        assert_eq!((at.index(), txid), (height, &chain.txid("c").unwrap()));
        assert_eq!(outpoint, &OutPoint::new(chain.txid("a").unwrap(), 0));
        assert_eq!(spender, &first, "{error}");
    }
}

#[test]
fn more_coins_than_there_are() {
    let text = "unchecked\nblocks 2\nblock\ntx a: coinbase -> A:20000000 B:1000001";
    let chain = Chain::parse(text).unwrap();
    let files = files(chain.blocks());
    let (text, _) = stops(files.path(), chain.blocks(), 3);
    let txid = chain.txid("a").unwrap();
    assert!(text.contains("block 3 ("), "{text}");
    let end = format!("transaction {txid}: output 1 takes the outputs above 21 million bitcoin");
    assert!(text.ends_with(&end), "{text}");
}

#[test]
fn a_foreign_network() {
    let chain = Chain::parse("blocks 2").unwrap();
    let (files, store) = (files(chain.blocks()), dir());
    let blocks = source::BlockDir::open(files.path(), None).unwrap();
    let mut writer = open_writer(store.path(), Network::Signet).unwrap();
    let error = ingest::index(&blocks, &mut writer, &Options::default(), |_| ()).unwrap_err();
    assert!(matches!(error, IngestError::Store(StoreError::NotNext { .. })), "{error}");
    assert_eq!(Store::open(store.path()).unwrap().counts().blocks, 0);
}
