//! What becomes of unconfirmed transactions, made by a real node's wallet.

use bitcoin::{OutPoint, Txid};
use chain::Network;
use serde_json::{Value, json};
use source::node::{
    Login, Node,
    mempool::{MempoolEvent, MempoolWatch, Watched},
};
use testkit::node;

struct Scene {
    node: node::Node,
    client: Node,
    watch: MempoolWatch,
    watched: Watched,
    address: String,
}

impl Scene {
    fn start(args: &[&str]) -> Option<Self> {
        let node = node::Node::start_or_skip(args).unwrap()?;
        let login = Login::cookie_of(node.datadir(), Network::Regtest);
        let client = Node::new(&node.url(), login, Network::Regtest).unwrap();
        let address = node.new_address().unwrap();
        node.mine(110, &address).unwrap();
        let (watch, watched) = (MempoolWatch::new(), Watched::default());
        Some(Self { node, client, watch, watched, address })
    }

    #[track_caller]
    fn wallet(&self, method: &str, params: &[Value]) -> Value {
        self.node.wallet_rpc("test", method, params).unwrap()
    }

    /// A coin of the wallet, watched from now on.
    fn coin(&mut self, at: usize) -> OutPoint {
        let coin = &self.wallet("listunspent", &[])[at];
        let txid = coin["txid"].as_str().unwrap().parse().unwrap();
        let out = OutPoint { txid, vout: coin["vout"].as_u64().unwrap() as u32 };
        self.watched.outpoints.insert(out);
        out
    }

    /// A signed transaction that spends a coin of 50 bitcoin and leaves so much as a fee.
    fn sign(&self, coin: OutPoint, fee: f64) -> Value {
        let input = json!([{ "txid": coin.txid.to_string(), "vout": coin.vout, "sequence": 1 }]);
        let amount = format!("{:.8}", 50.0 - fee);
        let outputs = json!([{ (self.address.clone()): amount }]);
        let raw = self.node.rpc("createrawtransaction", &[input, outputs]).unwrap();
        self.wallet("signrawtransactionwithwallet", &[raw])["hex"].clone()
    }

    fn send(&self, coin: OutPoint, fee: f64) -> Txid {
        txid(&self.node.rpc("sendrawtransaction", &[self.sign(coin, fee)]).unwrap())
    }

    /// A wallet may answer before the mempool has taken its transaction in.
    #[track_caller]
    fn wait_for(&self, txid: Txid) {
        for _ in 0..200 {
            if self.node.rpc("getmempoolentry", &[json!(txid.to_string())]).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{txid} is not in the mempool after ten seconds");
    }

    fn poll(&mut self) -> Vec<String> {
        let events = self.watch.poll(&self.client, &self.watched).unwrap();
        events.iter().map(told).collect()
    }
}

fn txid(value: &Value) -> Txid {
    value.as_str().unwrap().parse().unwrap()
}

fn told(event: &MempoolEvent) -> String {
    match event {
        MempoolEvent::Seen { tx, spends, pays } => {
            format!("{} seen: {} {}", tx.compute_txid(), spends.len(), pays.len())
        }
        MempoolEvent::Replaced { txid, by, block } => {
            format!("{txid} replaced by {by}, {}", block.is_some())
        }
        MempoolEvent::Dropped { txid } => format!("{txid} dropped"),
        MempoolEvent::Confirmed { txid, .. } => format!("{txid} confirmed"),
        MempoolEvent::Unknown { txid } => format!("{txid} unknown"),
    }
}

#[test]
fn a_spend_is_seen_replaced_confirmed_and_comes_back() {
    let Some(mut scene) = Scene::start(&[]) else { return };
    let coin = scene.coin(0);
    assert!(scene.poll().is_empty());
    let first = scene.send(coin, 0.0001);
    assert_eq!(scene.poll(), [format!("{first} seen: 1 0")]);
    assert!(scene.poll().is_empty(), "told once");

    let bumped = scene.wallet("bumpfee", &[json!(first.to_string())]);
    let second = txid(&bumped["txid"]);
    scene.wait_for(second);
    let expected = [format!("{second} seen: 1 0"), format!("{first} replaced by {second}, false")];
    assert_eq!(scene.poll(), expected);

    let block = scene.node.mine(1, &scene.address).unwrap().remove(0);
    assert_eq!(scene.poll(), [format!("{second} confirmed")]);
    scene.node.rpc("invalidateblock", &[json!(block)]).unwrap();
    assert_eq!(scene.poll(), [format!("{second} seen: 1 0")]);
    // To another address: the same block again would be the invalid one.
    scene.node.mine(2, &scene.node.new_address().unwrap()).unwrap();
    assert_eq!(scene.poll(), [format!("{second} confirmed")]);
}

#[test]
fn a_conflict_in_a_block_replaces() {
    let Some(mut scene) = Scene::start(&[]) else { return };
    let coin = scene.coin(0);
    let other = scene.sign(coin, 0.0003);
    let first = scene.send(coin, 0.0001);
    assert_eq!(scene.poll().len(), 1);
    let address = json!(scene.address);
    scene.node.rpc("generateblock", &[address, json!([other])]).unwrap();
    let events = scene.poll();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].starts_with(&format!("{first} replaced by ")) && events[0].ends_with("true"));
}

#[test]
fn what_expires_is_dropped() {
    let Some(mut scene) = Scene::start(&["-mempoolexpiry=1"]) else { return };
    let (coin, other) = (scene.coin(0), scene.coin(1));
    scene.watched.outpoints.remove(&other);
    let first = scene.send(coin, 0.0001);
    assert_eq!(scene.poll().len(), 1);
    let now = scene.node.rpc("getblockchaininfo", &[]).unwrap()["time"].as_u64().unwrap();
    scene.node.rpc("setmocktime", &[json!(now + 3 * 3600)]).unwrap();
    // A node looks at the old ones when a new one comes.
    scene.send(other, 0.0002);
    assert_eq!(scene.poll(), [format!("{first} dropped")]);
    // And it may come again.
    assert_eq!(scene.send(coin, 0.0001), first);
    assert_eq!(scene.poll(), [format!("{first} seen: 1 0")]);
}

#[test]
fn payments_to_a_script_are_seen_among_others() {
    let Some(mut scene) = Scene::start(&[]) else { return };
    let to = scene.wallet("getnewaddress", &[]);
    let info = scene.wallet("getaddressinfo", std::slice::from_ref(&to));
    let script = bitcoin::ScriptBuf::from_hex(info["scriptPubKey"].as_str().unwrap()).unwrap();
    let early = txid(&scene.wallet("sendtoaddress", &[to.clone(), json!(1)]));
    assert!(scene.poll().is_empty(), "nothing is watched");
    // What was there before it was watched is told too.
    scene.watched.scripts.insert(script);
    assert_eq!(scene.poll(), [format!("{early} seen: 0 1")]);
    let other = scene.wallet("getnewaddress", &[]);
    scene.wallet("sendtoaddress", &[other, json!(2)]);
    let late = txid(&scene.wallet("sendtoaddress", &[to, json!(3)]));
    assert_eq!(scene.poll(), [format!("{late} seen: 0 1")]);
    scene.node.mine(1, &scene.address).unwrap();
    let mut expected = [format!("{early} confirmed"), format!("{late} confirmed")];
    expected.sort();
    let mut events = scene.poll();
    events.sort();
    assert_eq!(events, expected);
    assert!(scene.poll().is_empty());
}

#[test]
fn the_taint_is_followed_through_unconfirmed_outputs() {
    let Some(mut scene) = Scene::start(&[]) else { return };
    let coin = scene.coin(0);
    let first = scene.send(coin, 0.0001);
    scene.poll();
    scene.watched.outpoints.insert(OutPoint { txid: first, vout: 0 });
    let all = scene.wallet("listunspent", &[json!(0)]);
    let has = |coin: &&Value| coin["txid"] == json!(first.to_string());
    let coin = all.as_array().unwrap().iter().find(has).unwrap();
    let input = json!([{ "txid": coin["txid"], "vout": 0 }]);
    let raw = json!([input, [{ (scene.address.clone()): "49.9998" }]]);
    let raw = scene.node.rpc("createrawtransaction", raw.as_array().unwrap()).unwrap();
    let signed = scene.wallet("signrawtransactionwithwallet", &[raw])["hex"].clone();
    let second = txid(&scene.node.rpc("sendrawtransaction", &[signed]).unwrap());
    assert_eq!(scene.poll(), [format!("{second} seen: 1 0")]);
    scene.node.mine(1, &scene.address).unwrap();
    assert_eq!(scene.poll().len(), 2);
}

#[test]
fn a_restart_between_two_polls_loses_nothing() {
    let Some(mut scene) = Scene::start(&[]) else { return };
    let coin = scene.coin(0);
    let first = scene.send(coin, 0.0001);
    scene.poll();
    // Our own restart: what was followed and the tip are all that is kept.
    let (followed, tip) = (scene.watch.followed().clone(), scene.watch.tip());
    scene.watch = MempoolWatch::resume(followed, tip);
    scene.node.mine(3, &scene.address).unwrap();
    assert_eq!(scene.poll(), [format!("{first} confirmed")]);
}
