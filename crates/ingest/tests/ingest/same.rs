//! What was indexed is what the naive ledger says, whatever the chain and however it was indexed.

use std::{ops::Range, path::Path, slice};

use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, absolute::LockTime,
    transaction::Version,
};
use chain::Height;
use ingest::Options;
use proptest::prelude::*;
use testkit::{Chain, mine};

use crate::{
    branch::Branch,
    plan::{self, Size, cases},
    scratch::{
        assert_holds, assert_recognised, batch, dir, files, first_other_byte, fresh, index, settle,
        until, writer,
    },
};

/// How to index: in how many runs, and each run's options.
#[derive(Clone, Debug)]
struct Ways {
    /// Heights between one run and the next.
    steps: Vec<u8>,
    threads: usize,
    commit_bytes: u64,
    memory: Option<u64>,
}

fn ways() -> impl Strategy<Value = Ways> {
    let steps = prop::collection::vec(1..6u8, 0..4);
    let commits = prop_oneof![Just(1), Just(2000), Just(50_000), Just(u64::MAX)];
    (steps, 0..4usize, commits, prop::option::of(Just(1))).prop_map(
        |(steps, threads, commit_bytes, memory)| Ways { steps, threads, commit_bytes, memory },
    )
}

proptest! {
    #![proptest_config(cases(24, 1000))]

    #[test]
    fn a_store_is_the_naive_ledger(plans in plan::blocks(Size::SMALL), ways in ways()) {
        let chain = Branch::new(&plans).blocks;
        let (files, store) = (files(&chain), dir());
        let options = Options {
            threads: ways.threads,
            commit_bytes: ways.commit_bytes,
            memory: ways.memory,
            ..Options::default()
        };
        let mut height = 0;
        for step in &ways.steps {
            let until = until(height).until;
            index(files.path(), store.path(), &Options { until, ..options }).unwrap();
            height += usize::from(*step);
        }
        let done = index(files.path(), store.path(), &options).unwrap();
        prop_assert_eq!(done.tip.unwrap().height.index() + 1, chain.len());
        assert_recognised(store.path());
        assert_holds(store.path(), &chain);
        settle(store.path());
        prop_assert_eq!(first_other_byte(store.path(), fresh(&chain).path()), None);
    }
}

/// `count` transactions that each spend the one before, in blocks of a thousand; the coinbase of
/// each block pays to `scripts` scripts that nobody has seen. The Merkle roots leave all but the
/// coinbases out: the writer does not look at them, and hashing takes its time.
fn crowd(count: usize, scripts: u32) -> Vec<Block> {
    let mut blocks = vec![mine::genesis()];
    let mut last = None;
    let mut fresh = (0u32..).map(|n| TxOut {
        value: Amount::from_sat(n.into()),
        script_pubkey: ScriptBuf::from_bytes(
            [&[0x00, 0x14][..], &n.to_le_bytes(), &[7; 16]].concat(),
        ),
    });
    for height in 1..=count.div_ceil(1000) as u32 {
        let outputs = fresh.by_ref().take(scripts as usize).collect();
        let coinbase = mine::coinbase(mine::coinbase_script(height, 0), outputs);
        let parent = blocks[blocks.len() - 1].block_hash();
        let place = mine::Place { parent, time: 1_700_000_000 + height };
        let mut block = mine::block(place, vec![coinbase]);
        let first = OutPoint::new(block.txdata[0].compute_txid(), 1);
        for n in 0..1000 {
            let from = last.unwrap_or(first);
            let output = TxOut {
                value: Amount::ZERO,
                script_pubkey: ScriptBuf::from_bytes(vec![n as u8, (n >> 8) as u8 & 1]),
            };
            let tx = Transaction {
                version: Version::TWO,
                lock_time: LockTime::ZERO,
                input: vec![TxIn { previous_output: from, ..TxIn::default() }],
                output: vec![output],
            };
            last = Some(OutPoint::new(tx.compute_txid(), 0));
            block.txdata.push(tx);
        }
        blocks.push(block);
    }
    blocks
}

/// An index starts its second segment behind 65,536 numbers: of transactions in block 66, of
/// addresses in block 64.
#[test]
fn indexes_of_more_than_one_segment_heavy() {
    let chain = crowd(66_000, 1025);
    let batches: Vec<_> = chain
        .iter()
        .zip(0..)
        .map(|(block, height)| batch(slice::from_ref(block), height))
        .collect();
    let append = |store: &Path, heights: Range<usize>| {
        let mut writer = writer(store);
        batches[heights].iter().for_each(|batch| writer.append(batch).unwrap());
        writer.commit().unwrap();
        writer
    };
    let (store, again) = (dir(), dir());
    let whole = chain.len();
    let mut writer = append(store.path(), 0..whole);
    assert_holds(store.path(), &chain);
    for keep in [65, 63, 50] {
        writer.rollback(Some(Height(keep as u32))).unwrap();
        let short = dir();
        drop(append(short.path(), 0..keep + 1));
        assert_eq!(first_other_byte(store.path(), short.path()), None, "back to {keep}");
    }
    drop(writer);
    drop(append(store.path(), 51..whole));
    drop(append(again.path(), 0..whole));
    assert_eq!(first_other_byte(store.path(), again.path()), None);
}

/// The chain from a text in testkit's language.
#[track_caller]
fn check(text: &str) {
    let chain = Chain::parse(text).unwrap();
    for commit_bytes in [1, u64::MAX] {
        let (files, store) = (files(chain.blocks()), dir());
        let options = Options { commit_bytes, ..Options::default() };
        index(files.path(), store.path(), &options).unwrap();
        assert_holds(store.path(), chain.blocks());
    }
}

#[test]
fn a_chain_without_a_transaction() {
    check("");
    check("blocks 3");
}

/// Mainnet has two of them: 91722 and 91880, 91812 and 91842.
#[test]
fn a_coinbase_that_comes_again() {
    let twin = "block\ntx a: coinbase -> A:50 | script=0102\n";
    let spend = "block\ntx b: a:0 -> B:*\n";
    let again = &twin.replace("a:", "a2:");
    let spend_again = "block\ntx c: a2:0 -> C:*\n";
    check(&["unchecked\n", twin, again].concat());
    check(&["unchecked\n", twin, spend, again].concat());
    check(&["unchecked\n", twin, again, spend].concat());
    check(&["unchecked\n", twin, spend, again, spend_again].concat());
    check(&["unchecked\n", twin, again, "tx b: a:0 -> B:*\n"].concat());
}
