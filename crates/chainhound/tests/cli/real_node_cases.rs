//! `case run --node` beside a real node: its wallet's transactions, its headers, its blocks.

use std::fs;

use serde_json::json;
use testkit::node::{Node, find_or_skip};

use crate::harness::{Home, text};

#[test]
fn a_real_nodes_blocks_prove_a_case() {
    let Some(exe) = find_or_skip() else { return };
    let home = Home::blocks("blocks 1");
    let datadir = home.path("node");
    let node = Node::start(&exe, &datadir, &[]).unwrap();
    let own = node.new_address().unwrap();
    node.mine(103, &own).unwrap();
    let mut theft = String::new();
    for _ in 0..4 {
        let to = json!(node.new_address().unwrap());
        let sent = node.wallet_rpc("test", "sendtoaddress", &[to, json!(20)]).unwrap();
        if theft.is_empty() {
            theft = sent.as_str().unwrap().to_owned();
        }
        node.mine(1, &own).unwrap();
    }
    let url = node.url();
    let login = ["--node", &url, "--bitcoin-datadir", text(&datadir)];
    home.run(&[&["index"], &login[..]].concat()).ok();
    let case = home.path("case.toml");
    let file = format!(
        "title = 'T'\nnetwork = 'regtest'\n[[theft]]\ntransaction = '{theft}'\n[stops]\nmax_hops = 3\n"
    );
    fs::write(&case, file).unwrap();
    let run = |out: &str, more: &[&str]| {
        let out = home.path(out);
        home.run(&[&["case", "run", text(&case), "--out", text(&out)], more].concat()).ok();
        home.run(&["case", "verify", text(&out)]).ok();
        fs::read(&out).unwrap()
    };
    let by_node = run("node.zip", &login);
    let blocks = datadir.join("regtest/blocks");
    assert!(by_node == run("files.zip", &["--blocks-dir", text(&blocks)]));
}
