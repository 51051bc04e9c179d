//! What does not open, and what it says.

use std::fs;

use chain::Network;
use store::{Store, StoreError, Writer};
use testkit::{Chain, compare::differences};

use crate::{
    mount::Mount,
    scratch::{batch, dir, fresh, open_writer, oracle, writer},
};

fn open(store: &tempfile::TempDir, network: Network) -> Result<Writer, StoreError> {
    open_writer(store.path(), network)
}

/// The error, `DIR` for the directory of the store.
#[track_caller]
fn check<T>(opened: Result<T, StoreError>, store: &tempfile::TempDir, expected: &str) {
    let text = opened.map(|_| ()).unwrap_err().to_string();
    assert_eq!(text.replace(&store.path().display().to_string(), "DIR"), expected);
}

#[test]
fn nothing_there() {
    let empty = dir();
    let expected = "DIR: no store here; make one with `chainhound index`";
    check(Store::open(empty.path()), &empty, expected);
    check(store::check(empty.path(), |_| ()), &empty, expected);
    let nowhere = empty.path().join("nowhere");
    assert!(matches!(Store::open(&nowhere), Err(StoreError::Missing { .. })));
    assert!(fs::read_dir(empty.path()).unwrap().next().is_none(), "looking makes no files");
}

#[test]
fn a_second_writer() {
    let store = dir();
    let first = writer(store.path());
    let expected = "DIR/lock: another process is writing to this store";
    check(open(&store, Network::Regtest), &store, expected);
    // The lock comes before everything else.
    check(open(&store, Network::Mainnet), &store, expected);
    Store::open(store.path()).unwrap();
    drop(first);
    open(&store, Network::Regtest).unwrap();
}

#[test]
fn a_newer_format() {
    let store = fresh(Chain::parse("blocks 2").unwrap().blocks());
    let path = store.path().join("meta");
    let known = store::FORMAT_VERSION;
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&format!("version {known}\n"), "version 7777\n")).unwrap();
    let expected = format!(
        "DIR/meta: written in format 7777, and this release reads up to {known}: use a newer release"
    );
    check(Store::open(store.path()), &store, &expected);
    check(open(&store, Network::Regtest), &store, &expected);
    check(store::check(store.path(), |_| ()), &store, &expected);
}

#[test]
fn another_network() {
    let store = fresh(Chain::parse("blocks 2").unwrap().blocks());
    let expected = "DIR: holds regtest, not mainnet: choose another --datadir or --network";
    check(open(&store, Network::Mainnet), &store, expected);
    open(&store, Network::Regtest).unwrap();
}

#[test]
fn another_chain() {
    let one = Chain::parse("blocks 3").unwrap();
    let other = Chain::parse("block\ntx a: coinbase -> A:1\nblocks 3").unwrap();
    let store = dir();
    let mut writer = writer(store.path());
    // It starts with the network's genesis, and goes on with what follows the tip.
    let not_next = writer.append(&batch(&one.blocks()[1..], 1)).unwrap_err();
    assert!(matches!(not_next, StoreError::NotNext { .. }), "{not_next}");
    writer.append(&batch(one.blocks(), 0)).unwrap();
    let error = writer.append(&batch(&other.blocks()[4..], 4)).unwrap_err();
    let hash = other.blocks()[4].block_hash();
    let start = format!("block {hash} does not follow the tip at height 4: its parent is ");
    assert!(error.to_string().starts_with(&start), "{error}");
    writer.commit().unwrap();
    assert_eq!(differences(&Store::open(store.path()).unwrap(), &oracle(one.blocks())), None);
}

#[test]
fn a_directory_that_may_only_be_read() {
    let chain = Chain::parse("blocks 5").unwrap();
    let store = fresh(chain.blocks());
    let Some(mount) = Mount::read_only(store.path()) else { return };
    let store = mount.path();
    assert_eq!(differences(&Store::open(store).unwrap(), &oracle(chain.blocks())), None);
    assert!(store::check(store, |_| ()).unwrap().is_good());
    let error = open_writer(store, Network::Regtest).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&store.display().to_string()), "{text}");
    assert!(text.contains("Read-only file system"), "{text}");
}
