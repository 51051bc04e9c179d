//! A real node's wallet makes the transactions, its own answers are the truth.

use std::collections::HashMap;

use bitcoin::{Block, BlockHash, Txid, consensus::deserialize, hex::FromHex};
use chain::{Height, Ledger, Network, OutNum, Sats, Spend, TxNum, script};
use ingest::Options;
use serde_json::{Value, json};
use source::BlockDir;
use store::{Store, Writer};
use testkit::node::Node;

use crate::scratch::{assert_holds, dir, first_other_byte, fresh, settle, spawning, writer};

/// A node and the wallet `test` in it.
struct Wallet(Node);

impl Wallet {
    #[track_caller]
    fn rpc(&self, method: &str, params: &[Value]) -> Value {
        self.0.rpc(method, params).unwrap()
    }

    #[track_caller]
    fn wallet(&self, method: &str, params: &[Value]) -> Value {
        self.0.wallet_rpc("test", method, params).unwrap()
    }

    fn address(&self, kind: &str) -> String {
        text(&self.wallet("getnewaddress", &[json!(""), json!(kind)]))
    }

    fn pay(&self, to: &str, amount: f64) -> String {
        text(&self.wallet("sendtoaddress", &[json!(to), json!(amount)]))
    }

    /// Has the wallet pay for outputs that it does not make by itself, and sign.
    fn fund(&self, raw: &Value) -> Value {
        let funded = self.wallet("fundrawtransaction", std::slice::from_ref(raw));
        let signed = self.wallet("signrawtransactionwithwallet", &[funded["hex"].clone()]);
        assert_eq!(signed["complete"], json!(true), "{signed}");
        signed["hex"].clone()
    }

    /// The node's best chain, block by block.
    fn blocks(&self) -> Vec<Block> {
        let count = self.rpc("getblockcount", &[]).as_u64().unwrap();
        (0..=count)
            .map(|height| {
                let hash = self.rpc("getblockhash", &[json!(height)]);
                let hex = text(&self.rpc("getblock", &[hash, json!(0)]));
                deserialize(&Vec::from_hex(&hex).unwrap()).unwrap()
            })
            .collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// The node writes bitcoin with eight decimals; a double holds those of regtest exactly enough to
/// be rounded back.
fn sats(value: &Value) -> Sats {
    Sats((value.as_f64().unwrap() * 1e8).round() as u64)
}

/// Transactions of every kind that a node takes into a block.
fn make_history(wallet: &Wallet) {
    let miner = wallet.0.new_address().unwrap();
    wallet.0.mine(103, &miner).unwrap();
    let kinds = ["legacy", "p2sh-segwit", "bech32", "bech32m"];
    for kind in kinds {
        let to = wallet.address(kind);
        wallet.pay(&to, 1.5);
        wallet.pay(&to, 0.25);
    }
    wallet.0.mine(1, &miner).unwrap();
    // Bare multisig, a bare key, an anchor, and data: scripts without a command of the wallet.
    let key = text(&wallet.wallet("getaddressinfo", &[json!(wallet.address("legacy"))])["pubkey"]);
    for script in [format!("5121{key}51ae"), format!("21{key}ac"), "51024e73".to_owned()] {
        // Without an input yet: version, 0 inputs, 1 output of 50,000 satoshis, lock time.
        let len = script.len() / 2;
        let raw = json!(format!("02000000000150c3000000000000{len:02x}{script}00000000"));
        // Straight into a block: nodes differ in which of these they relay.
        wallet.rpc("generateblock", &[json!(miner), json!([wallet.fund(&raw)])]);
    }
    let outputs = json!([{ "data": "6368616e" }, { wallet.address("bech32m"): 0.01 }]);
    let raw = wallet.rpc("createrawtransaction", &[json!([]), outputs]);
    wallet.rpc("sendrawtransaction", &[wallet.fund(&raw), json!(0), json!(1)]);
    // Spends of unconfirmed change, all of it in one block; and many outputs at once.
    let many: serde_json::Map<String, Value> =
        (0..80).map(|n| (wallet.address(kinds[n % 4]), json!(0.001))).collect();
    wallet.wallet("sendmany", &[json!(""), Value::Object(many)]);
    for _ in 0..5 {
        wallet.pay(&wallet.address("bech32"), 0.3);
    }
    wallet.0.mine(2, &miner).unwrap();
    // Everything into one output.
    let all = wallet.wallet("sendall", &[json!([wallet.address("bech32m")])]);
    assert_eq!(all["complete"], json!(true));
    wallet.0.mine(1, &miner).unwrap();
}

fn index(wallet: &Wallet, writer: &mut Writer) -> ingest::Summary {
    let blocks = BlockDir::open(wallet.0.blocks_dir(), None).unwrap();
    assert_eq!(blocks.network(), Network::Regtest);
    ingest::index(&blocks, writer, &Options::default(), |_| ()).unwrap()
}

#[test]
fn a_real_node_says_the_same() {
    let node = spawning(|| Node::start_or_skip(&["-txindex=1"]).unwrap());
    let Some(node) = node else { return };
    let wallet = Wallet(node);
    make_history(&wallet);
    let store = dir();
    let mut writer = writer(store.path());
    index(&wallet, &mut writer);
    assert_agrees(&wallet, &Store::open(store.path()).unwrap());
    assert_holds(store.path(), &wallet.blocks());

    // The last two blocks lose, and their transactions come again in others.
    let height = wallet.rpc("getblockcount", &[]).as_u64().unwrap();
    let lost = wallet.rpc("getblockhash", &[json!(height - 1)]);
    wallet.rpc("invalidateblock", std::slice::from_ref(&lost));
    let miner = wallet.address("bech32");
    wallet.0.mine(4, &miner).unwrap();
    let done = index(&wallet, &mut writer);
    assert_eq!((done.rolled_back, done.appended), (2, 4));
    let opened = Store::open(store.path()).unwrap();
    assert_agrees(&wallet, &opened);
    let lost: BlockHash = text(&lost).parse().unwrap();
    assert_eq!(opened.find_block(&lost).unwrap(), None);
    drop((opened, writer));
    settle(store.path());
    assert_eq!(first_other_byte(store.path(), fresh(&wallet.blocks()).path()), None);
}

/// Every block of the node with everything it says about it, and its set of unspent outputs.
fn assert_agrees(wallet: &Wallet, store: &Store) {
    let tip = store.tip().unwrap();
    assert_eq!(json!(tip.height.0), wallet.rpc("getblockcount", &[]));
    assert_eq!(json!(tip.hash.to_string()), wallet.rpc("getbestblockhash", &[]));
    let mut kinds: HashMap<String, usize> = HashMap::new();
    let mut tx = TxNum(0);
    for height in 0..=tip.height.0 {
        let block = store.block(Height(height)).unwrap().unwrap();
        let said = wallet.rpc("getblock", &[json!(block.hash.to_string()), json!(3)]);
        assert_eq!(
            (json!(height), json!(block.time)),
            (said["height"].clone(), said["time"].clone())
        );
        for said in said["tx"].as_array().unwrap() {
            assert_transaction(store, tx, said, &mut kinds);
            assert_eq!(store.height(tx).unwrap(), Some(Height(height)));
            tx.0 += 1;
        }
        assert_eq!(block.txs.end, tx.0);
    }
    assert_eq!(store.tx_count(), tx.0);
    for kind in [
        "pubkey",
        "pubkeyhash",
        "scripthash",
        "witness_v0_keyhash",
        "witness_v1_taproot",
        "multisig",
        "nulldata",
        "anchor",
    ] {
        assert!(kinds.contains_key(kind), "the wallet made no {kind}: {kinds:?}");
    }
    assert_unspent(wallet, store);
}

/// A transaction as `getblock` with verbosity 3 has it.
fn assert_transaction(store: &Store, tx: TxNum, said: &Value, kinds: &mut HashMap<String, usize>) {
    let txid: Txid = text(&said["txid"]).parse().unwrap();
    assert_eq!(store.txid(tx).unwrap(), txid);
    assert_eq!(store.find_tx(&txid).unwrap(), Some(tx));
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    store.inputs(tx, &mut inputs).unwrap();
    store.outputs(tx, &mut outputs).unwrap();
    let vin = said["vin"].as_array().unwrap();
    let vin: Vec<_> = vin.iter().filter(|input| input["coinbase"].is_null()).collect();
    assert_eq!(inputs.len(), vin.len(), "{txid}");
    for (input, said) in inputs.iter().zip(vin) {
        assert_eq!(input.value, sats(&said["prevout"]["value"]), "{txid}");
        let source: Txid = text(&said["txid"]).parse().unwrap();
        assert_eq!(store.txid(store.tx_of(input.source).unwrap()).unwrap(), source);
        assert_eq!(json!(store.output(input.source).unwrap().vout), said["vout"]);
        assert_eq!(store.output(input.source).unwrap().spend, Spend::By(tx));
        let script = store.script(input.address.unwrap()).unwrap();
        assert_eq!(json!(script.to_hex_string()), said["prevout"]["scriptPubKey"]["hex"]);
    }
    let vout = said["vout"].as_array().unwrap();
    assert_eq!(outputs.len(), vout.len(), "{txid}");
    for (output, said) in outputs.iter().zip(vout) {
        let key = &said["scriptPubKey"];
        assert_eq!((json!(output.vout), output.value), (said["n"].clone(), sats(&said["value"])));
        let script = store.output_script(output.num).unwrap();
        assert_eq!(json!(script.to_hex_string()), key["hex"], "{txid}");
        let address = script::address(&script, Network::Regtest);
        assert_eq!(address.as_deref(), key["address"].as_str(), "{txid}");
        *kinds.entry(text(&key["type"])).or_default() += 1;
    }
}

/// `gettxoutsetinfo`: the node leaves out what cannot be spent: data, and genesis.
fn assert_unspent(wallet: &Wallet, store: &Store) {
    let said = wallet.rpc("gettxoutsetinfo", &[]);
    let (mut count, mut total) = (0u64, 0);
    for out in (1..store.counts().outputs).map(OutNum) {
        let output = store.output(out).unwrap();
        if output.address.is_some() && output.spend == Spend::Unspent {
            count += 1;
            total += output.value.0;
        }
    }
    assert_eq!(json!(count), said["txouts"]);
    assert_eq!(Sats(total), sats(&said["total_amount"]));
}
