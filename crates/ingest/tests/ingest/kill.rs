//! Killed at any instant, the store is as of some whole block, and goes on from there.
//!
//! The child is this very test binary, told by an environment variable to index for ever: one
//! chain, then a longer one that parts from it, then the first again, a commit for each block.

use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use bitcoin::Block;
use chain::Height;
use ingest::Options;
use source::BlockDir;
use store::{Store, StoreError};
use testkit::compare::differences;

use crate::{
    branch::Branch,
    plan::{Dice, Size, seeded, share},
    scratch::{
        assert_good, dir, files, first_other_byte, fresh, index, one_by_one, oracle, prefix,
        settle, spawning, writer,
    },
};

/// Where the child works: `STORE:BLOCKS:ALL-BLOCKS:FORK`.
const CHILD: &str = "CHAINHOUND_TEST_CHILD";
/// What the child writes for each step.
const TICK: u8 = b'.';

/// Not a test: what the child does. Does nothing unless told where.
#[test]
fn child() {
    let Ok(places) = std::env::var(CHILD) else { return };
    let places: Vec<&str> = places.split(':').collect();
    let &[store, one, both, fork] = &places[..] else { panic!("{places:?}") };
    let [one, both] = [one, both].map(|path| BlockDir::open(path, None).unwrap());
    let fork = Height(fork.parse().unwrap());
    let mut writer = writer(Path::new(store));
    tick();
    loop {
        if writer.tip().is_some_and(|tip| tip.height > fork) {
            writer.rollback(Some(fork)).unwrap();
            tick();
        }
        ingest::index(&one, &mut writer, &one_by_one(), |_| tick()).unwrap();
        // Takes the end of the first chain back and appends that of the other.
        ingest::index(&both, &mut writer, &one_by_one(), |_| tick()).unwrap();
    }
}

fn tick() {
    // Straight to the parent, past the test runner.
    let _ = std::io::stderr().write_all(&[TICK]);
}

/// A child that does not outlive the test.
struct Victim(Child);

impl Victim {
    fn start(store: &Path, one: &Path, both: &Path, fork: usize) -> Self {
        let places = [store, one, both].map(|path| path.to_str().unwrap()).join(":");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["kill::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{places}:{fork}"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(spawning(|| command.spawn()).unwrap())
    }

    /// Waits for so many steps; an error is what the child said before it ended.
    fn steps(&mut self, steps: usize) -> Result<(), String> {
        let stderr = self.0.stderr.as_mut().unwrap();
        for _ in 0..steps {
            let mut byte = [0];
            if stderr.read(&mut byte).unwrap() == 0 || byte != [TICK] {
                let mut text = String::new();
                let _ = stderr.read_to_string(&mut text);
                return Err(text);
            }
        }
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a reader sees is a prefix of one of the chains, before anybody repaired anything.
#[track_caller]
fn assert_is_prefix(store: &Path, chains: &[&[Block]; 2], round: u32) {
    let opened = match Store::open(store) {
        Ok(opened) => opened,
        Err(StoreError::Missing { .. }) => return,
        Err(error) => panic!("round {round}: {error}"),
    };
    let found = chains.iter().find_map(|chain| Some((chain, prefix(&opened, chain)?)));
    let (chain, len) = found.unwrap_or_else(|| panic!("round {round}: {:?}", opened.counts()));
    assert_eq!(differences(&opened, &oracle(&chain[..len])), None, "round {round}");
    opened.ensure_current().unwrap();
}

#[test]
fn a_store_survives_kills_heavy() {
    let size = Size { blocks: 80, txs: 24, owners: 40, copies: 200 };
    let fork = 50;
    let long = Branch::new(&seeded(7, size));
    let other = long.fork(fork + 1, 1, &seeded(8, Size { blocks: 40, ..size }));
    let chains = [&long.blocks[..], &other.blocks[..]];
    let (one, store) = (files(chains[0]), dir());
    let both = files(chains[0].iter().chain(&chains[1][fork + 1..]));
    let finished = fresh(&other.blocks);

    for round in 0..share(15, 250) {
        let mut dice = Dice(u64::from(round));
        let mut victim = Victim::start(store.path(), one.path(), both.path(), fork);
        if let Err(text) = victim.steps(1 + dice.below(60)) {
            panic!("round {round}: the child ended by itself: {text}");
        }
        // Somewhere within the next steps.
        (0..dice.below(200_000)).for_each(|n| _ = std::hint::black_box(n));
        drop(victim);

        assert_is_prefix(store.path(), &chains, round);
        if dice.below(3) == 0 {
            // The next child repairs what this one left.
            continue;
        }
        settle(store.path());
        assert_is_prefix(store.path(), &chains, round);
        assert_good(store.path());
        if dice.below(3) == 0 {
            index(both.path(), store.path(), &Options::default()).unwrap();
            settle(store.path());
            let other = first_other_byte(store.path(), finished.path());
            assert_eq!(other, None, "round {round}");
        }
    }
}
