//! The node client against a real node.

use std::time::Duration;

use bitcoin::consensus::deserialize;
use chain::{Height, Network};
use serde_json::{Value, json};
use source::node::{Login, Node, NodeError, NodeTip};
use testkit::node;

/// A node and a client of it.
fn start(args: &[&str]) -> Option<(node::Node, Node)> {
    let node = node::Node::start_or_skip(args).unwrap()?;
    let login = Login::cookie_of(node.datadir(), Network::Regtest);
    let client = Node::new(&node.url(), login, Network::Regtest).unwrap();
    Some((node, client))
}

#[test]
fn it_answers_as_we_expect() {
    let Some((node, client)) = start(&[]) else { return };
    let address = node.new_address().unwrap();
    node.mine(105, &address).unwrap();
    let info = client.check_network().unwrap();
    assert_eq!((info.blocks, info.pruned), (105, false));
    assert!(client.network_info().unwrap().major() >= 24);
    assert!(client.probe_rest().unwrap());
    assert_eq!(client.zmq_notifications().map_err(|error| error.state()).unwrap_or_default(), []);

    let hash = client.block_hash(Height(105)).unwrap().unwrap();
    assert_eq!(hash, info.bestblockhash);
    assert_eq!(client.block_hash(Height(106)).unwrap(), None);
    let header = client.header_info(&hash).unwrap().unwrap();
    assert_eq!((header.height, header.confirmations), (105, 1));
    let block: bitcoin::Block = deserialize(&client.block(&hash).unwrap().unwrap()).unwrap();
    assert_eq!(block.block_hash(), hash);
    let headers = client.headers(Height(3)).unwrap();
    assert_eq!(headers.len(), 103);

    let spend = node.wallet_rpc("test", "sendtoaddress", &[json!(address), json!(1)]).unwrap();
    let txid = spend.as_str().unwrap().parse().unwrap();
    let tx = client.transaction(&txid).unwrap().unwrap();
    let mempool = client.mempool().unwrap();
    assert_eq!(mempool.txids, [txid]);
    let spent = tx.input[0].previous_output;
    let free = bitcoin::OutPoint { txid, vout: 0 };
    assert_eq!(client.spending(&[spent, free]).unwrap(), [Some(txid), None]);
    let unknown = "11".repeat(32).parse().unwrap();
    assert_eq!(client.transaction(&unknown).unwrap(), None);
}

#[test]
fn without_rest_everything_comes_over_rpc() {
    let Some((node, client)) = start(&["-rest=0"]) else { return };
    let address = node.new_address().unwrap();
    let hash = node.mine(3, &address).unwrap().pop().unwrap().parse().unwrap();
    let block: bitcoin::Block = deserialize(&client.block(&hash).unwrap().unwrap()).unwrap();
    assert_eq!(block.block_hash(), hash);
    assert!(!client.rest_is_on() && !client.probe_rest().unwrap());
    assert_eq!(client.headers(Height(1)).unwrap().len(), 3);
    assert_eq!(client.headers(Height(4)).unwrap().len(), 0);
}

#[test]
fn a_block_ends_the_waiting() {
    let Some((node, client)) = start(&[]) else { return };
    let address = node.new_address().unwrap();
    let tip = |client: &Node| {
        let info = client.chain_info().unwrap();
        NodeTip { hash: info.bestblockhash, height: info.blocks }
    };
    let before = tip(&client);
    let same = client.wait_for_block(before, Duration::from_millis(50)).unwrap();
    assert_eq!(same, before);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.wait_for_block(before, Duration::from_secs(60)));
        node.mine(1, &address).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().height, 1);
    });
    // One that came before anybody waited.
    assert_eq!(client.wait_for_block(before, Duration::from_secs(60)).unwrap(), tip(&client));
}

#[test]
fn wrong_credentials_and_networks_are_told() {
    let Some((node, client)) = start(&[]) else { return };
    let login = Login::Password { user: "anna".to_owned(), password: "hunter2".to_owned() };
    let error = Node::new(&node.url(), login, Network::Regtest).unwrap().chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Credentials { .. }), "{error}");
    let login = Login::cookie_of(node.datadir(), Network::Regtest);
    let error =
        Node::new(&node.url(), login, Network::Signet).unwrap().check_network().unwrap_err();
    assert!(
        matches!(&error, NodeError::WrongNetwork { found, .. } if found == "regtest"),
        "{error}"
    );
    let error = client.call::<Value>("nosuchthing", json!([])).unwrap_err();
    assert!(matches!(error, NodeError::NoMethod { .. }), "{error}");
}

#[test]
fn a_new_start_and_its_cookie_are_survived() {
    let Some(exe) = node::find_or_skip() else { return };
    let dir = tempfile::tempdir().unwrap();
    let first = node::Node::start(&exe, dir.path(), &[]).unwrap();
    let login = Login::cookie_of(dir.path(), Network::Regtest);
    let old = std::fs::read(first.cookie()).unwrap();
    let port = first.port();
    let client = Node::new(&first.url(), login, Network::Regtest).unwrap();
    client.chain_info().unwrap();
    first.stop();
    let error = client.chain_info().unwrap_err();
    assert!(matches!(error, NodeError::Unreachable { .. } | NodeError::Login { .. }), "{error}");
    let second = node::Node::start_on(port, &exe, dir.path(), &[]).unwrap();
    assert_ne!(std::fs::read(second.cookie()).unwrap(), old);
    client.chain_info().unwrap();
}

/// The commands that the guide tells an owner of a node to allow are all that we need.
#[test]
fn a_user_with_a_whitelist_is_enough() {
    let guide = include_str!("../../../../docs/guide/beside-a-node.md");
    let list = guide.lines().find(|line| line.starts_with("rpcwhitelist=")).unwrap();
    // Made with Core's share/rpcauth/rpcauth.py for the password `secret`.
    let user = "-rpcauth=chainhound:00112233445566778899aabbccddeeff$74ef20277296f0f1f1a01f8915163d687de88b01b139720c60e410c0540a0937";
    let args = [user, &format!("-{list}"), "-rpcwhitelistdefault=0"];
    let Some((node, _)) = start(&args) else { return };
    let address = node.new_address().unwrap();
    node.mine(101, &address).unwrap();
    let (user, password) = ("chainhound".to_owned(), "secret".to_owned());
    let login = Login::Password { user, password };
    let client = Node::new(&node.url(), login, Network::Regtest).unwrap();
    let forbidden = client.call::<Value>("stop", json!([])).unwrap_err();
    assert!(matches!(forbidden, NodeError::Forbidden { .. }), "{forbidden}");
    let info = client.check_network().unwrap();
    client.network_info().unwrap();
    let tip = NodeTip { hash: info.bestblockhash, height: info.blocks };
    client.wait_for_block(tip, Duration::from_millis(1)).unwrap();
    client.header_info(&tip.hash).unwrap().unwrap();
    let watched = source::node::mempool::Watched {
        scripts: [bitcoin::ScriptBuf::new()].into(),
        outpoints: [bitcoin::OutPoint { txid: "11".repeat(32).parse().unwrap(), vout: 0 }].into(),
    };
    let txid = node.wallet_rpc("test", "sendtoaddress", &[json!(address), json!(1)]).unwrap();
    source::node::mempool::MempoolWatch::new().poll(&client, &watched).unwrap();
    client.transaction(&txid.as_str().unwrap().parse().unwrap()).unwrap().unwrap();
    for rest in [true, false] {
        assert!(client.block(&tip.hash).unwrap().is_some(), "REST {rest}");
        assert_eq!(client.headers(Height(100)).unwrap().len(), 2, "REST {rest}");
        if rest {
            client.without_rest();
        }
    }
}
