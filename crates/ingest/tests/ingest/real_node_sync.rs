//! Beside a real node: killed in the middle, reorganised, pruned, set back.

use std::{cell::Cell, path::Path};

use chain::{Height, Network};
use ingest::{
    IngestError, Options,
    node::{Standing, Synced, sync},
};
use serde_json::json;
use source::{
    BlockDir, SourceError,
    node::{Login, Node, NodeError},
};
use tempfile::TempDir;
use testkit::node;

use crate::scratch::{assert_good, dir, first_other_byte, settle, spawning, writer};

fn start(args: &[&str]) -> Option<(node::Node, Node)> {
    let node = spawning(|| node::Node::start_or_skip(args).unwrap())?;
    let client = client(&node);
    Some((node, client))
}

fn client(node: &node::Node) -> Node {
    let login = Login::cookie_of(node.datadir(), Network::Regtest);
    Node::new(&node.url(), login, Network::Regtest).unwrap()
}

fn run(client: &Node, store: &Path) -> Result<Synced, IngestError> {
    let options = Options { threads: 2, ..Options::default() };
    sync(client, &mut writer(store), &options, |_| ())
}

/// What the node's block files make.
fn from_files(node: &node::Node) -> TempDir {
    let store = dir();
    let blocks = BlockDir::open(node.blocks_dir(), None).unwrap();
    ingest::index(&blocks, &mut writer(store.path()), &Options::default(), |_| ()).unwrap();
    settle(store.path());
    store
}

#[track_caller]
fn assert_is_as_from_files(store: &Path, node: &node::Node) {
    settle(store);
    assert_eq!(first_other_byte(store, from_files(node).path()), None);
    assert_good(store);
}

fn height(node: &node::Node) -> u64 {
    node.rpc("getblockcount", &[]).unwrap().as_u64().unwrap()
}

/// Replaces the last so many blocks by as many and one more.
fn reorganise(node: &node::Node, depth: u64, address: &str) {
    let lost = node.rpc("getblockhash", &[json!(height(node) + 1 - depth)]).unwrap();
    node.rpc("invalidateblock", &[lost]).unwrap();
    node.mine(depth as u32 + 1, address).unwrap();
}

#[test]
fn reorganisations_of_any_depth_are_followed() {
    for args in [&[][..], &["-rest=0"]] {
        let Some((node, client)) = start(args) else { return };
        let address = node.new_address().unwrap();
        node.mine(110, &address).unwrap();
        let store = dir();
        run(&client, store.path()).unwrap();
        for depth in [1, 2, 7, 60, 100] {
            for amount in 1..4 {
                let to = json!(node.new_address().unwrap());
                node.wallet_rpc("test", "sendtoaddress", &[to, json!(amount)]).unwrap();
            }
            node.mine(1, &address).unwrap();
            run(&client, store.path()).unwrap();
            // Another address each time: the same block again would be the invalid one.
            reorganise(&node, depth, &node.new_address().unwrap());
            let done = run(&client, store.path()).unwrap();
            assert_eq!(u64::from(done.summary.rolled_back), depth);
            assert_eq!(done.standing, Standing::AtTip);
        }
        assert_is_as_from_files(store.path(), &node);
    }
}

#[test]
fn a_node_that_was_set_back_costs_nothing() {
    let Some((node, client)) = start(&[]) else { return };
    let address = node.new_address().unwrap();
    node.mine(40, &address).unwrap();
    let store = dir();
    run(&client, store.path()).unwrap();
    let lost = node.rpc("getblockhash", &[json!(30)]).unwrap();
    node.rpc("invalidateblock", std::slice::from_ref(&lost)).unwrap();
    let done = run(&client, store.path()).unwrap();
    assert_eq!(done.standing, Standing::NodeBehind { node: Height(29) });
    node.mine(5, &node.new_address().unwrap()).unwrap();
    let done = run(&client, store.path()).unwrap();
    assert_eq!(done.standing, Standing::LessWork { fork: Height(29), node: Height(34) });
    assert_eq!(done.summary.tip.unwrap().height, Height(40));
    node.rpc("reconsiderblock", &[lost]).unwrap();
    let done = run(&client, store.path()).unwrap();
    assert_eq!((done.standing, done.summary.rolled_back), (Standing::AtTip, 0));
}

#[test]
fn a_node_killed_in_the_middle_is_gone_on_with() {
    let Some(exe) = node::find_or_skip() else { return };
    let datadir = dir();
    let first = spawning(|| node::Node::start(&exe, datadir.path(), &[]).unwrap());
    let address = first.new_address().unwrap();
    first.mine(600, &address).unwrap();
    // As a side effect it writes everything to disk, so that it has its blocks after the kill.
    first.rpc("gettxoutsetinfo", &[]).unwrap();
    let (port, client, store) = (first.port(), client(&first), dir());
    let running = Cell::new(Some(first));
    // Groups of one block: most of the blocks are still to be asked for when the first is in.
    let options = Options { threads: 2, commit_bytes: 1, ..Options::default() };
    let done = sync(&client, &mut writer(store.path()), &options, |_| {
        if let Some(node) = running.take() {
            node.kill();
        }
    });
    let Err(IngestError::Source(SourceError::Node(error))) = done else { panic!("{done:?}") };
    assert!(matches!(*error, NodeError::Unreachable { .. }), "{error}");
    let kept = writer(store.path()).tip().unwrap().height.0;
    assert!(kept < 599, "{kept}");
    let second = spawning(|| node::Node::start_on(port, &exe, datadir.path(), &[]).unwrap());
    second.mine(1, &address).unwrap();
    let done = run(&client, store.path()).unwrap();
    assert!(done.summary.appended > 0);
    assert_is_as_from_files(store.path(), &second);
}

#[test]
fn a_pruned_node_is_named_and_one_that_has_enough_is_enough() {
    let Some((node, client)) = start(&["-prune=1", "-fastprune"]) else { return };
    let address = node.new_address().unwrap();
    node.mine(700, &address).unwrap();
    let early = dir();
    let options = Options { until: Some(Height(600)), ..Options::default() };
    sync(&client, &mut writer(early.path()), &options, |_| ()).unwrap();
    node.rpc("pruneblockchain", &[json!(400)]).unwrap();
    assert!(client.chain_info().unwrap().pruneheight.unwrap() > 1);
    let done = run(&client, dir().path());
    let Err(IngestError::Source(SourceError::Node(error))) = done else { panic!("{done:?}") };
    assert!(matches!(*error, NodeError::Pruned { .. }), "{error}");
    let done = run(&client, early.path()).unwrap();
    assert_eq!((done.standing, done.summary.appended), (Standing::AtTip, 100));
}
