//! `index --node --follow` beside a real node, with clusterings, killed on both sides.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::json;
use testkit::node::{Node, find_or_skip};

use crate::{
    beside_node::Following,
    harness::{Home, run, text, wait_until},
};

/// The store's files by name, without the locks.
fn bytes(graph: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = ["", "sums"].iter().flat_map(|folder| fs::read_dir(graph.join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &Path| path.strip_prefix(graph).unwrap().display().to_string();
    let kept = files.filter(|path| !["lock", "readers"].contains(&name(path).as_str()));
    kept.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

fn pay(node: &Node, times: usize) {
    for _ in 0..times {
        let to = json!(node.new_address().unwrap());
        // More than one coin has: inputs are joined.
        node.wallet_rpc("test", "sendtoaddress", &[to, json!(70)]).unwrap();
    }
}

fn reorganise(node: &Node, depth: u64) {
    let height = node.rpc("getblockcount", &[]).unwrap().as_u64().unwrap();
    let lost = node.rpc("getblockhash", &[json!(height + 1 - depth)]).unwrap();
    node.rpc("invalidateblock", &[lost]).unwrap();
    node.mine(depth as u32 + 1, &node.new_address().unwrap()).unwrap();
}

#[test]
fn the_store_and_its_clusters_follow_through_everything() {
    let Some(exe) = find_or_skip() else { return };
    let home = Home::blocks("blocks 1");
    let datadir = home.path("node");
    let node = Node::start(&exe, &datadir, &[]).unwrap();
    let address = node.new_address().unwrap();
    node.mine(130, &address).unwrap();
    let (url, port) = (node.url(), node.port());
    // The cookie lies where this node always puts it.
    let args = ["index", "--node", &url, "--bitcoin-datadir", text(&datadir)];
    let tip = |node: &Node| node.rpc("getbestblockhash", &[]).unwrap();
    let at_tip = |node: &Node| {
        let status = home.run(&["status", "--format", "json"]);
        let status: serde_json::Value = serde_json::from_str(&status.out).unwrap_or_default();
        status["tip"]["hash"] == tip(node)
    };

    let follow = || Following::of(&home, &[&args[..], &["--follow", "-v"]].concat());
    let following = follow();
    wait_until("the first sync", || at_tip(&node));
    home.run(&["cluster", "build"]).ok();
    home.run(&["cluster", "build", "--with-change", "weak"]).ok();
    for depth in [1, 3, 12] {
        pay(&node, 3);
        node.mine(2, &address).unwrap();
        wait_until("two blocks", || at_tip(&node));
        pay(&node, 1);
        reorganise(&node, depth);
        wait_until("the other branch", || at_tip(&node));
    }

    // The node is killed, and comes back with another cookie. (The question has the side effect that
    // it writes everything to disk: otherwise it would have to get blocks again, from nobody.)
    node.rpc("gettxoutsetinfo", &[]).unwrap();
    node.kill();
    following.wait_for("waiting for it");
    let node = Node::start_on(port, &exe, &datadir, &[]).unwrap();
    node.rpc("loadwallet", &[json!("test")]).unwrap();
    pay(&node, 2);
    node.mine(1, &address).unwrap();
    wait_until("a block of the new start", || at_tip(&node));
    following.wait_for("the node answers");

    // So do we.
    drop(following);
    pay(&node, 2);
    reorganise(&node, 5);
    let following = follow();
    wait_until("what happened meanwhile", || at_tip(&node));
    following.wait_for("the clustering multi_input+change_weak follows");
    following.stop();

    home.run(&["store", "check"]).ok();
    let kept = home.json(&["cluster", "build"]);
    assert_eq!(kept["how"], "unchanged", "{kept}");
    assert_eq!(home.json(&["cluster", "build", "--rebuild"])["digest"], kept["digest"]);
    // Another datadir, from the node's files.
    let mut command = home.command(&["index", "--blocks-dir", text(&node.blocks_dir())]);
    command.env("CHAINHOUND_DATADIR", home.path("other"));
    run(command).ok();
    // What a reader kept from being cut off is cut by the next writer.
    home.run(&args).ok();
    let (one, other) = (bytes(&home.graph()), bytes(&home.path("other/regtest/graph")));
    let differ: Vec<_> =
        one.iter().filter(|(name, bytes)| other.get(*name) != Some(bytes)).collect();
    assert!(differ.is_empty(), "{:?}", differ.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(one.len(), other.len());
}
