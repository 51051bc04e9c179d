//! Readers at work while the writer is: each sees the chain as of its tip, or is told that it was
//! reorganised.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use bitcoin::BlockHash;
use chain::{Height, Ledger, MemoryLedger};
use store::{Store, StoreError};
use testkit::compare::differences;

use crate::{
    branch::Branch,
    plan::{Dice, Size, seeded, share},
    scratch::{batch, dir, first_other_byte, fresh, oracle, settle, writer},
};

/// The naive ledger of every chain that ever was, by its last block.
type Truth = HashMap<BlockHash, MemoryLedger>;

fn truth(branches: &[&Branch]) -> Truth {
    let mut truth = Truth::new();
    for branch in branches {
        for (i, block) in branch.blocks.iter().enumerate() {
            let hash = block.block_hash();
            truth.entry(hash).or_insert_with(|| oracle(&branch.blocks[..=i]));
        }
    }
    truth
}

/// How often readers were right, and how often they were told to begin again.
#[derive(Default)]
struct Tally {
    right: AtomicUsize,
    again: AtomicUsize,
}

/// Reads everything a few times through one store, as long as it is current.
fn read(store: &Path, truth: &Truth, tally: &Tally) {
    let opened = match Store::open(store) {
        Ok(opened) => opened,
        Err(error) => panic!("a store that is being written did not open: {error}"),
    };
    let Some(tip) = opened.tip() else { return };
    for _ in 0..3 {
        let difference = differences(&opened, &truth[&tip.hash]);
        match (opened.ensure_current(), difference) {
            (Ok(()), None) => _ = tally.right.fetch_add(1, Ordering::Relaxed),
            (Ok(()), Some(difference)) => panic!("tip {}: {difference}", tip.height),
            (Err(StoreError::Reorganised), _) => {
                tally.again.fetch_add(1, Ordering::Relaxed);
                return;
            }
            (Err(error), _) => panic!("{error}"),
        }
    }
}

#[test]
fn readers_see_one_chain_while_it_changes_heavy() {
    let size = Size { blocks: 24, txs: 5, owners: 4, copies: 40 };
    let long = Branch::new(&seeded(3, size));
    let other = long.fork(12, 1, &seeded(4, size));
    let truth = truth(&[&long, &other]);
    let store = dir();
    writer(store.path()).commit().unwrap();
    let (tally, done) = (Tally::default(), AtomicBool::new(false));
    let rounds = share(6, 200);

    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    read(store.path(), &truth, &tally);
                }
            });
        }
        let end = EndReaders(&done);
        let mut writer = writer(store.path());
        let mut dice = Dice(1);
        for round in 0..rounds {
            // The readers must have got somewhere before the next round begins.
            let enough = round as usize * 2;
            while tally.right.load(Ordering::Relaxed) < enough && !end.is_over() {
                thread::yield_now();
            }
            for branch in [&long, &other] {
                let start = writer.tip().map_or(0, |tip| tip.height.index() + 1);
                for (block, height) in branch.blocks[start..].iter().zip(start as u32..) {
                    writer.append(&batch(std::slice::from_ref(block), height)).unwrap();
                    if dice.below(3) > 0 {
                        writer.commit().unwrap();
                    }
                }
                writer.commit().unwrap();
                writer.rollback(Some(Height(dice.below(12) as u32))).unwrap();
            }
        }
    });
    assert!(tally.right.load(Ordering::Relaxed) > 0);
    let tip = Store::open(store.path()).unwrap().tip().unwrap();
    settle(store.path());
    let expected = fresh(&long.blocks[..=tip.height.index()]);
    assert_eq!(first_other_byte(store.path(), expected.path()), None);
}

/// Ends the readers when the writer is done, and when it panics.
struct EndReaders<'a>(&'a AtomicBool);

impl EndReaders<'_> {
    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for EndReaders<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whatever is rolled back, files are not cut under who reads them: that would end the process.
#[test]
fn nothing_is_cut_under_a_reader() {
    let size = Size { blocks: 30, txs: 6, owners: 40, copies: 900 };
    let branch = Branch::new(&seeded(5, size));
    let store = fresh(&branch.blocks);
    let reader = Store::open(store.path()).unwrap();
    let whole = oracle(&branch.blocks);
    let mut writer = writer(store.path());
    for keep in [Some(Height(20)), Some(Height(3)), None] {
        writer.rollback(keep).unwrap();
        // Answers or errors, as long as it goes on.
        let _ = differences(&reader, &whole);
        assert!(matches!(reader.ensure_current(), Err(StoreError::Reorganised)));
    }
    writer.append(&batch(&branch.blocks[..10], 0)).unwrap();
    writer.commit().unwrap();
    let _ = differences(&reader, &whole);
    drop((reader, writer));
    settle(store.path());
    assert_eq!(first_other_byte(store.path(), fresh(&branch.blocks[..10]).path()), None);
}

/// What a writer adds, committed or not, changes nothing for who has opened before.
#[test]
fn a_reader_does_not_see_what_comes_later() {
    let size = Size { blocks: 20, txs: 8, owners: 3, copies: 30 };
    let branch = Branch::new(&seeded(6, size));
    let store = fresh(&branch.blocks[..8]);
    let reader = Store::open(store.path()).unwrap();
    let early = oracle(&branch.blocks[..8]);
    let mut writer = writer(store.path());
    for (block, height) in branch.blocks[8..].iter().zip(8..) {
        writer.append(&batch(std::slice::from_ref(block), height)).unwrap();
        assert_eq!(differences(&reader, &early), None, "with block {height} not committed");
        if height % 3 == 0 {
            writer.commit().unwrap();
            assert_eq!(differences(&reader, &early), None, "with block {height} committed");
        }
    }
    // Not committed, and a newcomer does not see it either.
    let newcomer = Store::open(store.path()).unwrap();
    let tip = newcomer.tip().unwrap().height.index();
    assert_eq!(differences(&newcomer, &oracle(&branch.blocks[..=tip])), None);
    reader.ensure_current().unwrap();
}

/// A reader that opens in the middle of a rollback is right as long as the commit record that it
/// read is the current one, and learns of it when it no longer is.
#[test]
fn a_reader_that_opens_during_a_rollback() {
    let branch = Branch::new(&seeded(9, Size { blocks: 20, txs: 4, owners: 3, copies: 10 }));
    let (long, short) = (fresh(&branch.blocks), fresh(&branch.blocks[..8]));
    // As the writer does it: the epoch becomes odd, the record is replaced, rows are cleared.
    fs::write(long.path().join("readers"), 1u64.to_le_bytes()).unwrap();
    let early = Store::open(long.path()).unwrap();
    assert_eq!(differences(&early, &oracle(&branch.blocks)), None);
    early.ensure_current().unwrap();
    fs::copy(short.path().join("meta"), long.path().join("meta")).unwrap();
    assert!(matches!(early.ensure_current(), Err(StoreError::Reorganised)));
    let late = Store::open(long.path()).unwrap();
    assert_eq!(differences(&late, &oracle(&branch.blocks[..8])), None);
    late.ensure_current().unwrap();
}

/// What is not committed is no damage.
#[test]
fn a_check_beside_a_writer() {
    let branch = Branch::new(&seeded(10, Size { blocks: 20, txs: 8, owners: 3, copies: 30 }));
    let store = fresh(&branch.blocks[..8]);
    let mut writer = writer(store.path());
    for (block, height) in branch.blocks[8..].iter().zip(8..) {
        writer.append(&batch(std::slice::from_ref(block), height)).unwrap();
        let report = store::check(store.path(), |_| ()).unwrap();
        assert!(report.is_good() && report.unfinished, "{:?}", report.findings);
    }
    // Nor is it when the writer ends without a commit.
    drop(writer);
    assert!(store::check(store.path(), |_| ()).unwrap().is_good());
    settle(store.path());
    assert_eq!(first_other_byte(store.path(), fresh(&branch.blocks[..8]).path()), None);
}
