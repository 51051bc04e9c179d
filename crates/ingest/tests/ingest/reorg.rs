//! After any reorganisation the store is, byte for byte, the one of the winning chain alone.

use std::path::Path;

use bitcoin::Block;
use chain::Height;
use ingest::Options;
use store::Store;
use tempfile::TempDir;
use testkit::blkfile::{Disorder, Layout, write_blocks};

use crate::{
    branch::Branch,
    plan::{Dice, Size, seeded, share},
    scratch::{
        assert_holds, batch, dir, files, first_other_byte, fresh, index, one_by_one, settle, until,
        writer,
    },
};

const SIZE: Size = Size { blocks: 1, txs: 4, owners: 5, copies: 70 };

fn sized(seed: u64, blocks: usize) -> Vec<crate::plan::BlockPlan> {
    seeded(seed, Size { blocks, ..SIZE })
}

/// A directory as a node has it after all that: every block of every branch.
fn node(branches: &[Branch], seed: u64) -> TempDir {
    let mut blocks: Vec<&Block> = Vec::new();
    for branch in branches {
        blocks.extend(
            branch.blocks.iter().filter(|block| !blocks.contains(block)).collect::<Vec<_>>(),
        );
    }
    let dir = dir();
    let layout = Layout { max_file: 20_000, gap: 3, tail: 50, ..Layout::default() };
    let disorder = Disorder { shuffle: Some(seed), twice: 7, orphans: 2 };
    write_blocks(dir.path(), blocks, layout, disorder).unwrap();
    dir
}

/// Four branches, each longer than the one before and from anywhere in it.
fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let mut branches = vec![Branch::new(&sized(seed, 1 + dice.below(70)))];
    let store = dir();
    for switch in 0..4u32 {
        let node = node(&branches, seed);
        let winner = &branches[branches.len() - 1];
        let options = Options { threads: 1 + dice.below(2), ..Options::default() };
        let options = if dice.below(3) == 0 { one_by_one() } else { options };
        index(node.path(), store.path(), &options).unwrap();
        assert_is_fresh(store.path(), winner, seed);
        if switch == 0 || dice.below(4) == 0 {
            assert_holds(store.path(), &winner.blocks);
        }
        let len = winner.blocks.len();
        let depth = if dice.below(8) == 0 { len - 1 } else { dice.below(len.min(60)) };
        let growth = depth + 1 + dice.below(3);
        branches.push(winner.fork(
            len - depth,
            switch + 1,
            &sized(seed ^ u64::from(switch), growth),
        ));
    }
}

#[track_caller]
fn assert_is_fresh(store: &Path, winner: &Branch, seed: u64) {
    settle(store);
    let fresh = fresh(&winner.blocks);
    assert_eq!(first_other_byte(store, fresh.path()), None, "seed {seed}");
}

/// Three reorganisations a storm.
#[test]
fn a_storm_of_reorganisations_heavy() {
    (0..u64::from(share(8, 334))).for_each(storm);
}

#[test]
fn there_and_back_and_to_nothing() {
    let long = Branch::new(&sized(1, 70));
    let other = long.fork(15, 1, &sized(2, 57));
    let (store, only_long, both) =
        (dir(), files(&long.blocks), node(&[long.clone(), other.clone()], 5));
    let all = Options::default();
    for _ in 0..2 {
        index(only_long.path(), store.path(), &all).unwrap();
        assert_is_fresh(store.path(), &long, 1);
        // One block more: 56 of them are taken back.
        let done = index(both.path(), store.path(), &all).unwrap();
        assert_eq!((done.rolled_back, done.appended), (56, 57));
        assert_is_fresh(store.path(), &other, 1);
        // The files that have only the first branch do not know this tip.
        let error = index(only_long.path(), store.path(), &all).unwrap_err();
        assert!(error.to_string().contains("is in none of the block files"), "{error}");
        writer(store.path()).rollback(Some(Height(14))).unwrap();
        assert_is_fresh(store.path(), &long.fork(15, 0, &[]), 1);
    }
    writer(store.path()).rollback(None).unwrap();
    assert_eq!(Store::open(store.path()).unwrap().counts(), store::Counts::default());
    let nothing = dir();
    settle(nothing.path());
    assert_eq!(first_other_byte(store.path(), nothing.path()), None);
    index(only_long.path(), store.path(), &all).unwrap();
    assert_is_fresh(store.path(), &long, 1);
}

/// All at once, block by block, or in any pieces: the same bytes.
#[test]
fn pieces_do_not_matter() {
    for seed in 0..u64::from(share(4, 100)) {
        let chain = Branch::new(&sized(seed, 30)).blocks;
        let whole = fresh(&chain);
        let files = files(&chain);

        let single = dir();
        index(files.path(), single.path(), &one_by_one()).unwrap();
        settle(single.path());
        assert_eq!(first_other_byte(single.path(), whole.path()), None, "seed {seed}");

        let (runs, mut dice) = (dir(), Dice(seed));
        let mut height = 0;
        while height < chain.len() {
            index(files.path(), runs.path(), &until(height)).unwrap();
            height += 1 + dice.below(9);
        }
        index(files.path(), runs.path(), &Options::default()).unwrap();
        settle(runs.path());
        assert_eq!(first_other_byte(runs.path(), whole.path()), None, "seed {seed}");

        // Straight to the writer: batches and commits need not meet.
        let straight = dir();
        let mut writer = writer(straight.path());
        let mut at = 0;
        while at < chain.len() {
            let end = (at + 1 + dice.below(5)).min(chain.len());
            writer.append(&batch(&chain[at..end], at as u32)).unwrap();
            at = end;
            if dice.below(3) == 0 {
                writer.commit().unwrap();
            }
            if dice.below(6) == 0 {
                // Not committed, and taken back all the same.
                at -= dice.below(at.min(8));
                writer.rollback(Some(Height(at as u32 - 1))).unwrap();
            }
        }
        writer.commit().unwrap();
        drop(writer);
        settle(straight.path());
        assert_eq!(first_other_byte(straight.path(), whole.path()), None, "seed {seed}");
    }
}
