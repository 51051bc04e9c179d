//! A real node accepts what the testkit makes, and answers through the harness.

use bitcoin::consensus::encode::serialize_hex;
use serde_json::json;
use testkit::{
    Chain,
    generate::{GeneratorOptions, generate},
    node::{Node, NodeError, find_or_skip},
};

/// Makes a node index what lies in its directory.
///
/// It skips scripts up to the block that it assumes valid, except in the last two weeks' worth of
/// blocks; its clock is years ahead of the chain.
fn reindex(dir: &std::path::Path, assume_valid: &str) -> Result<Option<Node>, NodeError> {
    let assume_valid = format!("-assumevalid={assume_valid}");
    let args = ["-reindex", &assume_valid, "-maxtipage=2000000000", "-blocksxor=0"];
    find_or_skip().map(|exe| Node::start(&exe, dir, &args)).transpose()
}

#[test]
fn a_generated_chain_is_a_chain() {
    let dir = tempfile::tempdir().unwrap();
    let options = GeneratorOptions {
        tail: 2_100,
        ..GeneratorOptions::new(5_000, dir.path().join("regtest"))
    };
    let summary = generate(&options, |_| {}).unwrap();
    let Some(node) = reindex(dir.path(), &summary.tip).unwrap() else { return };
    let tip = node.rpc("waitforblock", &[json!(summary.tip), json!(120_000)]).unwrap();
    assert_eq!(tip["hash"], summary.tip);
    let set = node.rpc("gettxoutsetinfo", &[json!("none")]).unwrap();
    assert_eq!(set["txouts"], summary.unspent);
}

#[test]
fn without_the_trick_a_node_refuses_the_signatures() {
    let dir = tempfile::tempdir().unwrap();
    let options =
        GeneratorOptions { tail: 3, ..GeneratorOptions::new(100, dir.path().join("regtest")) };
    generate(&options, |_| {}).unwrap();
    let Some(node) = reindex(dir.path(), "0").unwrap() else { return };
    for _ in 0..600 {
        let tips = node.rpc("getchaintips", &[]).unwrap();
        if tips.as_array().unwrap().iter().any(|tip| tip["status"] == "invalid") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the node accepts random bytes for signatures");
}

#[test]
fn blocks_of_the_language_are_blocks() {
    let Some(node) = Node::start_or_skip(&["-maxtipage=2000000000"]).unwrap() else { return };
    let text = "block x\ntx a: coinbase -> p2tr/A:1 multisig/B:2 data:\"memo\"\nblock y\nblock z on x\nblock";
    let chain = Chain::parse(text).unwrap();
    for block in &chain.blocks()[1..] {
        let verdict = node.rpc("submitblock", &[json!(serialize_hex(block))]).unwrap();
        assert!(verdict.is_null() || verdict == "inconclusive", "{verdict}");
    }
    let best = chain.best().last().unwrap().block_hash().to_string();
    assert_eq!(node.rpc("getbestblockhash", &[]).unwrap(), best);
    let tips = node.rpc("getchaintips", &[]).unwrap();
    assert_eq!(tips.as_array().map(Vec::len), Some(2));
    node.stop();
}

#[test]
fn the_harness_mines_pays_and_reads() {
    let Some(node) = Node::start_or_skip(&[]).unwrap() else { return };
    let address = node.new_address().unwrap();
    let hashes = node.mine(101, &address).unwrap();
    assert_eq!(hashes.len(), 101);
    let other = node.new_address().unwrap();
    let txid = node.wallet_rpc("test", "sendtoaddress", &[json!(other), json!(1.5)]).unwrap();
    let block = node.mine(1, &address).unwrap().remove(0);
    let bytes = node.rest(&format!("/rest/block/{block}.bin")).unwrap();
    let block: bitcoin::Block = bitcoin::consensus::deserialize(&bytes).unwrap();
    assert_eq!(json!(block.txdata[1].compute_txid().to_string()), txid);
    assert!(node.blocks_dir().join("blk00000.dat").is_file());
    let error = node.rpc("getblockhash", &[json!(500)]).unwrap_err();
    assert!(matches!(error, NodeError::Rpc { code: -8, .. }), "{error}");
    assert!(matches!(node.rest("/rest/nothing").unwrap_err(), NodeError::Http { status: 404, .. }));
}
