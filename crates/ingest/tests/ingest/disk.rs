//! A disk that fills up at any moment: an error that says so, and nothing lost.

use std::{io::ErrorKind, path::Path};

use ingest::{IngestError, Options};
use store::{Store, StoreError};
use testkit::compare::differences;

use crate::{
    branch::Branch,
    mount::Mount,
    plan::{Dice, Size, seeded, share},
    scratch::{
        assert_good, assert_holds, batch, files, first_other_byte, fresh, index, oracle, prefix,
        settle, writer,
    },
};

const DISK: u64 = 24 << 20;

fn chain(seed: u64) -> Branch {
    Branch::new(&seeded(seed, Size { blocks: 60, txs: 12, owners: 60, copies: 900 }))
}

#[track_caller]
fn assert_full(error: &StoreError, store: &Path) {
    let StoreError::Io { path, error: why } = error else { panic!("{error}") };
    assert_eq!(why.kind(), ErrorKind::StorageFull, "{error}");
    assert!(path.starts_with(store), "{error}");
    let words = format!("{}: No space left on device (os error 28)", path.display());
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_full_disk_heavy() {
    let Some(disk) = Mount::small(DISK) else { return };
    let chain = chain(21).blocks;
    let (files, whole) = (files(&chain), fresh(&chain));
    let options = Options { commit_bytes: 20_000, threads: 1, ..Options::default() };
    let store = disk.path().join("store");
    let mut dice = Dice(22);
    let mut failures = 0;
    for round in 0..share(12, 300) {
        let ballast = disk.leave(dice.below(6 << 20));
        match index(files.path(), &store, &options) {
            Ok(_) => {}
            Err(IngestError::Store(error)) => {
                assert_full(&error, &store);
                failures += 1;
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        match Store::open(&store) {
            Ok(opened) => {
                let len = prefix(&opened, &chain).unwrap();
                assert_eq!(differences(&opened, &oracle(&chain[..len])), None, "round {round}");
            }
            // Not even a first commit record fitted.
            Err(error) => assert!(matches!(error, StoreError::Missing { .. }), "{error}"),
        }
        drop(ballast);
        if dice.below(2) == 0 {
            // The same store goes on; otherwise a new one is made.
            index(files.path(), &store, &options).unwrap();
            assert_good(&store);
            settle(&store);
            assert_eq!(first_other_byte(&store, whole.path()), None, "round {round}");
        }
        std::fs::remove_dir_all(&store).unwrap();
    }
    assert!(failures > 0, "the disk was never full");
}

/// A writer whose batch or commit failed stands where it stood, and can be used on.
#[test]
fn the_same_writer_goes_on_heavy() {
    let Some(disk) = Mount::small(DISK) else { return };
    let mut failures = 0;
    for seed in 0..u64::from(share(4, 60)) {
        let chain = chain(seed).blocks;
        let store = disk.path().join("store");
        let (mut writer, mut dice) = (writer(&store), Dice(seed));
        let mut at = 0;
        while at < chain.len() {
            let end = (at + 1 + dice.below(8)).min(chain.len());
            let next = batch(&chain[at..end], at as u32);
            let before = (writer.tip(), writer.counts());
            let ballast = disk.leave(dice.below(300_000));
            if let Err(error) = writer.append(&next) {
                failures += 1;
                assert_full(&error, &store);
                assert_eq!((writer.tip(), writer.counts()), before, "seed {seed}");
                drop(ballast);
                if dice.below(2) == 0 {
                    writer.commit().unwrap();
                    if before.0.is_some() {
                        assert_holds(&store, &chain[..at]);
                    }
                }
                writer.append(&next).unwrap();
            }
            at = end;
            let ballast = disk.leave(dice.below(40_000));
            if dice.below(2) == 0
                && let Err(error) = writer.commit()
            {
                failures += 1;
                assert_full(&error, &store);
                drop(ballast);
                writer.commit().unwrap();
                assert_holds(&store, &chain[..at]);
            }
        }
        writer.commit().unwrap();
        drop(writer);
        settle(&store);
        assert_eq!(first_other_byte(&store, fresh(&chain).path()), None, "seed {seed}");
        std::fs::remove_dir_all(&store).unwrap();
    }
    assert!(failures > 0, "the disk was never full");
}
