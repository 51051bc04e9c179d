//! The node client against a server that says what a test tells it to, also lies.

use bitcoin::{Block, consensus::serialize, hashes::Hash};
use chain::{BlockHash, Height, Network};
use source::{
    RawBlocks,
    node::{Login, Node, NodeError, Remedy},
};
use testkit::{
    node::FakeNode,
    server::{Reply, Request, Server},
};

use crate::made;

fn client(url: &str) -> Node {
    Node::new(url, Login::Nobody, Network::Regtest).unwrap()
}

fn with_chain(count: u32) -> (Vec<Block>, FakeNode, Node) {
    let blocks = made::chain(count);
    let fake = FakeNode::start(&blocks).unwrap();
    let node = client(&fake.url());
    (blocks, fake, node)
}

/// A server with one answer to everything.
fn saying(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Server, Node) {
    let server = Server::start(answer).unwrap();
    let node = client(&server.url());
    (server, node)
}

#[test]
fn blocks_and_headers_come_over_rest_and_without_it() {
    let (blocks, fake, node) = with_chain(5);
    assert_eq!(node.check_network().unwrap().blocks, 4);
    let header = |block: &Block| serialize(&block.header).try_into().unwrap();
    let expected: Vec<[u8; 80]> = blocks.iter().map(header).collect();
    for rest in [true, false] {
        fake.knowledge().rest = rest;
        let hash = blocks[3].block_hash();
        assert_eq!(node.raw_block(&hash).unwrap(), Some(serialize(&blocks[3])), "REST {rest}");
        assert_eq!(node.headers(Height(2)).unwrap(), expected[2..].to_vec());
        assert_eq!(node.headers(Height(5)).unwrap(), Vec::<[u8; 80]>::new());
        assert_eq!(node.raw_block(&BlockHash::all_zeros()).unwrap(), None);
        assert_eq!(node.rest_is_on(), rest);
    }
    let hashes = node.block_hashes(0..9).unwrap();
    assert_eq!(hashes, made::hashes(&blocks), "up to the tip");
    fake.knowledge().rest = true;
    assert!(node.probe_rest().unwrap() && node.rest_is_on());
}

#[test]
fn a_block_dir_gives_blocks_by_hash_too() {
    let mut blocks = made::chain(3);
    let side = made::child(blocks[1].block_hash(), 2, 9);
    blocks.push(side);
    let dir = made::dir(&[("blk00000.dat", &made::records(&blocks))]);
    let dir = made::open(&dir);
    for block in &blocks {
        assert_eq!(dir.raw_block(&block.block_hash()).unwrap(), Some(serialize(block)));
    }
    assert_eq!(dir.raw_block(&BlockHash::all_zeros()).unwrap(), None);
}

#[test]
fn another_network_is_recognised() {
    let (_, fake, node) = with_chain(2);
    fake.knowledge().chain = "main".to_owned();
    let error = node.check_network().unwrap_err();
    assert!(matches!(&error, NodeError::WrongNetwork { found, .. } if found == "main"), "{error}");
    // The right name over another block 0.
    fake.knowledge().chain = "regtest".to_owned();
    fake.knowledge().set_chain(&made::chain(2)[1..]);
    assert!(matches!(node.check_network(), Err(NodeError::WrongNetwork { .. })));
}

#[test]
fn a_pruned_block_is_told_from_an_unknown_one() {
    let (blocks, fake, node) = with_chain(4);
    fake.knowledge().pruned_below = 3;
    for rest in [true, false] {
        fake.knowledge().rest = rest;
        let pruned = node.block(&blocks[1].block_hash());
        assert!(matches!(pruned, Err(NodeError::Pruned { .. })), "REST {rest}: {pruned:?}");
        assert!(node.block(&blocks[3].block_hash()).unwrap().is_some());
    }
}

#[test]
fn a_new_cookie_is_read_when_the_old_one_is_refused() {
    let (_, fake, _) = with_chain(2);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".cookie");
    std::fs::write(&path, "__cookie__:aa").unwrap();
    let node = Node::new(&fake.url(), Login::Cookie(path.clone()), Network::Regtest).unwrap();
    fake.knowledge().authorization = Some("Basic X19jb29raWVfXzphYQ==".to_owned());
    node.chain_info().unwrap();
    // The node was started again.
    fake.knowledge().authorization = Some("Basic X19jb29raWVfXzpiYg==".to_owned());
    let error = node.chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Credentials { .. }), "{error}");
    assert!(!error.to_string().contains("aa"), "{error}");
    std::fs::write(&path, "__cookie__:bb").unwrap();
    node.chain_info().unwrap();
}

#[test]
fn nobody_there_is_said() {
    let url = {
        let (_, fake, _) = with_chain(1);
        fake.url()
    };
    // The server's port is free again.
    let error = client(&url).chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    assert_eq!(error.remedy(), Remedy::Wait);
}

#[test]
fn states_have_errors_of_their_own() {
    let check = |status, body: &'static str, state: &str| {
        let (_server, node) = saying(move |_| Reply::new(status, body));
        let error = node.chain_info().unwrap_err();
        assert_eq!(error.state(), state, "{status} {body}: {error}");
    };
    let warming = r#"{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":0}"#;
    check(500, warming, "warming_up");
    check(401, "", "wrong_credentials");
    check(403, "", "forbidden");
    check(503, "Work queue depth exceeded", "busy");
    check(404, r#"{"result":null,"error":{"code":-32601,"message":"no"},"id":0}"#, "no_method");
    check(500, r#"{"result":null,"error":{"code":-8,"message":"no"},"id":0}"#, "refused");
    check(200, r#"{"result":null,"error":null,"id":0}"#, "nonsense");
    check(200, r#"{"result":{"chain":"#, "nonsense");
    check(200, "<html>", "nonsense");
    check(302, "", "nonsense");
}

#[test]
fn lies_about_lengths_cost_little() {
    // A body of all the bytes there are, of which none come.
    let (_server, node) = saying(|_| Reply { claimed: Some(u64::MAX >> 1), ..Reply::ok("{}") });
    assert!(node.chain_info().is_err());
    // A body that ends early.
    let (_server, node) = saying(|_| Reply { claimed: Some(1000), ..Reply::ok("{}") });
    let error = node.chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    // A body that is really too long.
    let (_server, node) = saying(|_| Reply::ok(vec![b' '; 5_000_000]));
    let error = node.chain_info().unwrap_err();
    assert!(matches!(error, NodeError::TooLarge { .. }), "{error}");
    let error = node.block(&BlockHash::all_zeros()).unwrap_err();
    assert!(matches!(error, NodeError::TooLarge { .. }), "{error}");
    // Nothing at all.
    let (server, node) = saying(|_| Reply { hang_up: true, ..Reply::ok("") });
    let error = node.chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    assert_eq!(server.requests(), 2, "asked again once");
}

#[test]
fn another_block_than_asked_for_is_refused() {
    let blocks = made::chain(2);
    let (hash, other) = (blocks[0].block_hash(), serialize(&blocks[1]));
    for body in [other, vec![0; 79], Vec::new()] {
        let (_server, node) = saying(move |_| Reply::ok(body.clone()));
        let error = node.block(&hash).unwrap_err();
        assert!(matches!(error, NodeError::Nonsense { .. }), "{error}");
    }
    let (_server, node) = saying(|request| match request.path.contains("headers") {
        true => Reply::ok(vec![0; 81]),
        false => Reply::ok(format!(r#"{{"result":"{}","id":0}}"#, BlockHash::all_zeros())),
    });
    assert!(matches!(node.headers(Height(0)), Err(NodeError::Nonsense { .. })));
}

#[test]
fn answers_to_a_batch_are_sorted_and_counted() {
    let zeros = BlockHash::all_zeros();
    let answer = move |ids: &'static [i32]| {
        let all: Vec<_> =
            ids.iter().map(|id| format!(r#"{{"result":"{zeros}","id":{id}}}"#)).collect();
        saying(move |_| Reply::ok(format!("[{}]", all.join(","))))
    };
    let (_server, node) = answer(&[2, 0, 1]);
    assert_eq!(node.block_hashes(0..3).unwrap().len(), 3);
    for wrong in [&[0, 1][..], &[0, 1, 1], &[0, 1, 7], &[0, 1, 2, 3], &[]] {
        let (_server, node) = answer(wrong);
        assert!(matches!(node.block_hashes(0..3), Err(NodeError::Nonsense { .. })), "{wrong:?}");
    }
    let (_server, node) = saying(|_| {
        Reply::new(500, r#"{"result":null,"error":{"code":-28,"message":"x"},"id":null}"#)
    });
    assert!(matches!(node.block_hashes(0..3), Err(NodeError::WarmingUp(_))));
}

#[test]
fn waiting_is_asked_for_as_the_node_s_version_knows_it() {
    let (blocks, fake, _) = with_chain(3);
    let behind = fake.answerer();
    let (server, node) = saying(move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if !body.contains("waitfor") {
            return behind(request);
        }
        // Says back what it was asked.
        let wait: serde_json::Value = serde_json::from_str(&body).unwrap();
        let asked = format!("{} {}", wait["method"], wait["params"]);
        let error = serde_json::json!({ "code": 0, "message": asked });
        Reply::new(500, serde_json::json!({ "result": null, "error": error, "id": 0 }).to_string())
    });
    let tip = source::node::NodeTip { hash: blocks[2].block_hash(), height: 2 };
    let ask = || match node.wait_for_block(tip, std::time::Duration::from_millis(7)) {
        Err(NodeError::Rpc { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(ask(), "\"waitforblockheight\" [3,7]");
    // Another version after a restart.
    fake.knowledge().version = 300_000;
    assert_eq!(ask(), "\"waitforblockheight\" [3,7]");
    node.forget();
    assert_eq!(ask(), format!("\"waitfornewblock\" [7,\"{}\"]", tip.hash));
    drop(server);
}
