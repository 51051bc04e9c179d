//! Files cut short and bits turned over: an error that names the place, never a panic, and never
//! silence from `store check`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::{Height, Ledger, MemoryLedger, Network, OutNum, Spend, TxNum};
use store::{Store, StoreError};
use tempfile::TempDir;
use testkit::compare::differences;

use crate::{
    branch::Branch,
    plan::{Dice, Size, seeded, share},
    scratch::{
        assert_good, assert_holds, batch, bytes, fresh, open_writer, oracle, settle, writer,
    },
};

/// Files that change in place and carry no checksums: readers may believe what they say.
const MUTABLE: [&str; 5] =
    ["out.spender", "address.head", "block.index", "tx.index", "address.index"];

/// A store with something in every file, and a second page in most.
fn sample() -> (Branch, TempDir) {
    let branch = Branch::new(&seeded(11, Size { blocks: 55, txs: 8, owners: 30, copies: 60 }));
    let store = fresh(&branch.blocks);
    (branch, store)
}

/// Every file whose content matters, by name.
fn victims(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = bytes(store).into_iter();
    let victims: Vec<_> = files.filter(|(name, _)| name != Path::new("CACHEDIR.TAG")).collect();
    assert!(victims.iter().all(|(name, bytes)| !bytes.is_empty() || name.starts_with("sums")));
    victims
}

/// Where to turn a bit over: any byte, or, in the sparse indexes, one that is not zero.
fn place(bytes: &[u8], dice: &mut Dice) -> usize {
    let any = dice.below(bytes.len());
    if dice.below(2) == 0 {
        return any;
    }
    let used = bytes[any..].iter().position(|&byte| byte != 0);
    used.map_or(any, |used| any + used)
}

/// What a reader makes of a damaged store: right answers, or an error with a place in a file.
fn assert_read(store: &Path, name: &Path, truth: &MemoryLedger, what: &str) {
    let opened = match Store::open(store) {
        Ok(opened) => opened,
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(&store.display().to_string()), "{what}: {text}");
            return;
        }
    };
    let mutable = MUTABLE.iter().any(|mutable| name == Path::new(mutable));
    match differences(&opened, truth) {
        Some(difference) if !mutable => {
            let column = store.join(name.strip_prefix("sums").unwrap_or(name));
            let named = format!("Err(Damaged {{ path: {column:?}, offset: ");
            assert!(difference.contains(&named), "{what}: {difference}");
        }
        _ => {}
    }
}

#[test]
fn turned_bits_are_found() {
    let (branch, store) = sample();
    let truth = oracle(&branch.blocks);
    let mut dice = Dice(12);
    for (name, good) in victims(store.path()) {
        for _ in 0..if good.is_empty() { 0 } else { share(3, 150) } {
            let (at, bit) = (place(&good, &mut dice), dice.below(8));
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            fs::write(store.path().join(&name), &bad).unwrap();
            let what = format!("{}: byte {at}, bit {bit}", name.display());
            assert_read(store.path(), &name, &truth, &what);
            let found = match store::check(store.path(), |_| ()) {
                Ok(report) => !report.is_good(),
                Err(_) => true,
            };
            assert!(found, "{what}: check says that all is well");
        }
        fs::write(store.path().join(&name), &good).unwrap();
    }
    assert_good(store.path());
}

#[test]
fn short_files_do_not_open() {
    let (branch, store) = sample();
    let truth = oracle(&branch.blocks);
    let mut dice = Dice(13);
    for (name, good) in victims(store.path()) {
        for _ in 0..if good.is_empty() { 0 } else { share(2, 40) } {
            let len = dice.below(good.len());
            fs::write(store.path().join(&name), &good[..len]).unwrap();
            let what = format!("{} cut to {len} of {} bytes", name.display(), good.len());
            let error = Store::open(store.path()).err().unwrap_or_else(|| panic!("{what}: opens"));
            let path = store.path().join(&name);
            assert!(error.to_string().contains(&path.display().to_string()), "{what}: {error}");
            assert_read(store.path(), &name, &truth, &what);
            assert!(store::check(store.path(), |_| ()).is_err(), "{what}");
            // A writer finds out when it opens, at the latest when it reads there.
            if !name.starts_with("sums") {
                let opened = open_writer(store.path(), Network::Regtest);
                assert!(opened.is_err(), "{what}: opens for writing");
            }
            fs::write(&path, &good).unwrap();
        }
        fs::remove_file(store.path().join(&name)).unwrap();
        let error = Store::open(store.path()).err();
        let empty = good.is_empty();
        assert!(empty || error.is_some(), "{} is gone, and nobody says so", name.display());
        fs::write(store.path().join(&name), &good).unwrap();
    }
    assert_holds(store.path(), &branch.blocks);
}

/// The two small files beside the data say nothing that could make an answer wrong.
#[test]
fn locks_hold_no_data() {
    let (branch, store) = sample();
    for name in ["lock", "readers"] {
        let good = fs::read(store.path().join(name)).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(store.path().join(name), bad).unwrap();
            Store::open(store.path()).unwrap();
        }
        fs::write(store.path().join(name), &good[..good.len() / 2]).unwrap();
        assert_holds(store.path(), &branch.blocks);
        settle(store.path());
        assert_holds(store.path(), &branch.blocks);
    }
}

/// Turns a bit over in the value of an output.
fn damage_value(store: &Path, out: OutNum) -> PathBuf {
    let path = store.join("out.value");
    let mut bytes = fs::read(&path).unwrap();
    bytes[out.index() * 5] ^= 4;
    fs::write(&path, bytes).unwrap();
    path
}

/// The first output of a block.
fn first_output(truth: &MemoryLedger, height: usize) -> OutNum {
    let tx = truth.block(Height(height as u32)).unwrap().unwrap().txs.start;
    truth.output_at(TxNum(tx), 0).unwrap().unwrap()
}

fn is_damaged(error: &StoreError, file: &Path) -> bool {
    matches!(error, StoreError::Damaged { path, .. } if path == file)
}

/// A rollback into a damaged page must not sum it up anew.
#[test]
fn a_rollback_does_not_hide_damage() {
    let (branch, store) = sample();
    let truth = oracle(&branch.blocks);
    for height in [1, 20, 50] {
        let store = copied(store.path());
        let path = damage_value(store.path(), first_output(&truth, height));
        let keep = height + 1;
        let rolled = open_writer(store.path(), Network::Regtest)
            .and_then(|mut writer| writer.rollback(Some(Height(keep as u32))));
        match rolled {
            Err(error) => assert!(is_damaged(&error, &path), "{error}"),
            Ok(()) => {
                let report = store::check(store.path(), |_| ()).unwrap();
                assert!(!report.is_good(), "block {height}");
                let opened = Store::open(store.path()).unwrap();
                let difference = differences(&opened, &oracle(&branch.blocks[..=keep])).unwrap();
                assert!(difference.contains("Err(Damaged"), "{difference}");
            }
        }
    }
}

/// The writer copies amounts from old rows to new ones: not from a damaged page.
#[test]
fn damage_is_not_copied() {
    let (branch, _) = sample();
    let truth = oracle(&branch.blocks);
    // An output on the first page, spent as late as possible: more pages are full by then.
    let early = (0..800).map(OutNum);
    let (out, spent) = early
        .filter_map(|out| match truth.output(out).unwrap().spend {
            Spend::By(spender) => Some((out, truth.height(spender).unwrap()?.index())),
            _ => None,
        })
        .max_by_key(|&(_, spent)| spent)
        .unwrap();
    let store = fresh(&branch.blocks[..spent]);
    let path = damage_value(store.path(), out);
    let mut writer = writer(store.path());
    let error = writer.append(&batch(&branch.blocks[spent..=spent], spent as u32)).unwrap_err();
    assert!(is_damaged(&error, &path), "{error}");
}

/// Whatever a writer meets, it says so or goes on: it does not panic.
#[test]
fn a_writer_meets_turned_bits() {
    let (branch, _) = sample();
    let (early, late) = branch.blocks.split_at(50);
    let store = fresh(early);
    let mut dice = Dice(14);
    for (name, good) in victims(store.path()) {
        for _ in 0..if good.is_empty() { 0 } else { share(1, 60) } {
            let (at, bit) = (place(&good, &mut dice), dice.below(8));
            let copy = copied(store.path());
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            fs::write(copy.path().join(&name), &bad).unwrap();
            eprintln!("{}: byte {at}, bit {bit}", name.display());
            let _ = open_writer(copy.path(), Network::Regtest).and_then(|mut writer| {
                let appended = writer.append(&batch(late, 50));
                let committed = writer.commit();
                let rolled_back = writer.rollback(Some(Height(dice.below(50) as u32)));
                appended.and(committed).and(rolled_back)
            });
        }
    }
}

fn copied(store: &Path) -> TempDir {
    let copy = crate::scratch::dir();
    fs::create_dir(copy.path().join("sums")).unwrap();
    for (name, bytes) in bytes(store) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    settle(copy.path());
    copy
}
