//! `status`, `tx`, `address`, `block`, `store`: the names in JSON are a promise.

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, run};

#[track_caller]
fn check_provenance(document: &Value, schema: &str) {
    assert_eq!(document["schema"], schema);
    let provenance = &document["provenance"];
    assert_eq!(provenance["tool"], "chainhound");
    assert_eq!(provenance["tool_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(provenance["network"], "regtest");
    assert_eq!(provenance["source"], "store");
    assert_eq!(provenance["tip"]["height"], 7);
    assert!(provenance["tip"]["hash"].is_string());
    assert_eq!(provenance["tag_set_digest"], Value::Null);
    assert!(provenance["parameters"].is_object());
}

#[test]
fn status_counts_everything() {
    let home = Home::new(HEIST);
    let status = home.json(&["status"]);
    check_provenance(&status, "chainhound.status.v1");
    assert_eq!(status["network"], "regtest");
    let tip = home.chain.best().last().unwrap().block_hash().to_string();
    assert_eq!(status["tip"], json!({"height": 7, "hash": tip}));
    let counts = ["blocks", "transactions", "inputs", "outputs"].map(|name| &status[name]);
    assert_eq!(counts, [&json!(8), &json!(12), &json!(5), &json!(19)]);
    assert!(status["addresses"].as_u64().unwrap() > 5);
    assert!(status["bytes"].as_u64().unwrap() > 0);
    let table = home.run(&["status"]);
    assert!(table.ok().contains("transactions  12\n"), "{}", table.out);
}

#[test]
fn a_transaction_shows_both_sides() {
    let home = Home::new(HEIST);
    let (join, split) = (home.txid("join"), home.txid("split"));
    let tx = home.json(&["tx", &split]);
    check_provenance(&tx, "chainhound.tx.v1");
    assert_eq!((&tx["txid"], &tx["height"]), (&json!(split), &json!(4)));
    assert_eq!((&tx["position"], &tx["confirmations"]), (&json!(1), &json!(4)));
    assert_eq!(tx["fee_sat"], 10_000_000);
    assert!(tx["block_hash"].is_string() && tx["time"].as_str().unwrap().ends_with('Z'));
    let input = &tx["inputs"][0];
    assert_eq!(input["txid"], home.txid("theft"));
    assert_eq!((&input["vout"], &input["value_sat"]), (&json!(0), &json!(4_990_000_000_u64)));
    assert_eq!((&input["script_type"], &input["height"]), (&json!("p2wpkh"), &json!(3)));
    assert_eq!(input["address"], home.address("thief"));
    let output = &tx["outputs"][0];
    assert_eq!(output["address"], home.address("one"));
    assert_eq!((&output["vout"], &output["script_type"]), (&json!(0), &json!("p2tr")));
    assert_eq!(output["status"], "spent");
    assert_eq!(output["spent_by"], json!({"txid": join, "vin": 0, "height": 5}));
    let last = &home.json(&["tx", &join])["outputs"][1];
    assert_eq!((&last["status"], &last["spent_by"]), (&json!("unspent"), &Value::Null));
}

#[test]
fn a_data_carrier_shows_what_it_carries() {
    let home = Home::new(HEIST);
    let cash = home.json(&["tx", &home.txid("cash")]);
    let memo = &cash["outputs"][1];
    assert_eq!(
        (&memo["status"], &memo["script_type"]),
        (&json!("unspendable"), &json!("op_return"))
    );
    assert_eq!(memo["text"], "=:ETH.ETH:0xabc");
    assert_eq!(memo["data"], "3d3a4554482e4554483a3078616263");
    assert_eq!(memo["address"], Value::Null);
    // No address: found by its script.
    let key = cash["outputs"][2]["script"].as_str().unwrap().to_owned();
    assert_eq!(cash["outputs"][2]["script_type"], "p2pk");
    let address = home.json(&["address", &format!("script:{key}")]);
    assert_eq!(address["balance_sat"], 70_000_000);
    assert!(home.run(&["tx", &home.txid("cash")]).ok().contains("\"=:ETH.ETH:0xabc\""));
}

#[test]
fn every_kind_of_script_has_its_name() {
    let home = Home::new(
        "block\ntx a: coinbase -> p2pk/a:1 p2pkh/b:1 p2sh/c:1 p2wpkh/d:1 p2wsh/e:1 p2tr/f:1 \
         p2a/g:1 multisig/h:1 script/6002751e:1 script/61:1 data:0x00ff",
    );
    let tx = home.json(&["tx", &home.txid("a")]);
    let kinds: Vec<_> =
        tx["outputs"].as_array().unwrap().iter().map(|output| &output["script_type"]).collect();
    let expected = [
        "p2pk",
        "p2pkh",
        "p2sh",
        "p2wpkh",
        "p2wsh",
        "p2tr",
        "p2a",
        "multisig",
        "witness_unknown",
        "nonstandard",
        "op_return",
    ];
    assert_eq!(kinds, expected.map(|kind| json!(kind)).iter().collect::<Vec<_>>());
    // Each of them is found again, by address or by script.
    for output in &tx["outputs"].as_array().unwrap()[..10] {
        let name = match (&output["address"], &output["script"]) {
            (Value::String(address), _) => address.clone(),
            (_, Value::String(script)) => format!("script:{script}"),
            _ => panic!("{output}"),
        };
        assert_eq!(home.json(&["address", &name])["received_sat"], 100_000_000, "{name}");
    }
    assert_eq!(tx["outputs"][10]["text"], Value::Null);
}

const PAGES: &str = "
block
tx a: coinbase -> shop:1 shop:2 shop:3 rest:*
block
tx b: a:1 a:3 -> shop:4 other:*
block
tx c: b:0 -> other:4
";

#[test]
fn an_address_has_a_balance_and_a_history() {
    let home = Home::new(PAGES);
    let shop = home.address("shop");
    let all = home.json(&["address", &shop]);
    check_is_page(&all, &[(4, "spent"), (3, "unspent"), (2, "spent"), (1, "unspent")]);
    assert_eq!(all["schema"], "chainhound.address.v1");
    assert_eq!((&all["address"], &all["script_type"]), (&json!(shop), &json!("p2wpkh")));
    assert_eq!(all["balance_sat"], 400_000_000);
    assert_eq!(all["received_sat"], 1_000_000_000);
    assert_eq!(all["sent_sat"], 600_000_000);
    assert_eq!((&all["received_count"], &all["sent_count"]), (&json!(4), &json!(2)));
    assert_eq!((&all["first_height"], &all["last_height"]), (&json!(1), &json!(3)));
    assert_eq!(all["next_cursor"], Value::Null);
    let newest = &all["history"][0];
    assert_eq!((&newest["txid"], &newest["vout"]), (&json!(home.txid("b")), &json!(0)));
    assert_eq!((&newest["height"], &newest["spent_by"]["height"]), (&json!(2), &json!(3)));
}

#[test]
fn a_history_comes_in_pages() {
    let home = Home::new(PAGES);
    let shop = home.address("shop");
    let first = home.json(&["address", &shop, "--limit", "3", "--no-totals"]);
    check_is_page(&first, &[(4, "spent"), (3, "unspent"), (2, "spent")]);
    assert_eq!(first.get("balance_sat"), None);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(cursor, format!("{}:1", home.txid("a")));
    let second = home.json(&["address", &shop, "--limit", "3", "--cursor", cursor]);
    check_is_page(&second, &[(1, "unspent")]);
    assert_eq!(second["next_cursor"], Value::Null);
    let table = home.run(&["address", &shop, "--limit", "1"]);
    assert!(table.ok().contains("more with --cursor"), "{}", table.out);
    let stale = format!("{}:0", home.txid("c"));
    home.run(&["address", &shop, "--cursor", &stale]).fails(2, &["no output of this address"]);
}

#[track_caller]
fn check_is_page(document: &Value, expected: &[(u64, &str)]) {
    let rows = document["history"].as_array().unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (row["value_sat"].as_u64().unwrap() / 100_000_000, row["status"].as_str().unwrap())
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_block_is_found_by_height_and_by_hash() {
    let home = Home::new(HEIST);
    let block = home.json(&["block", "5"]);
    check_provenance(&block, "chainhound.block.v1");
    assert_eq!((&block["height"], &block["transactions"]), (&json!(5), &json!(3)));
    assert_eq!(block["txids"][1], home.txid("join"));
    assert_eq!(block["previous_block_hash"], home.json(&["block", "4"])["block_hash"]);
    assert_eq!(block["bits"], "207fffff");
    let hash = block["block_hash"].as_str().unwrap();
    assert_eq!(home.json(&["block", hash])["txids"], block["txids"]);
    let page = home.json(&["block", "5", "--limit", "1", "--cursor", "1"]);
    assert_eq!(page["txids"], json!([home.txid("join")]));
    assert_eq!(page["next_cursor"], 2);
    home.run(&["block", "5", "--cursor", "3"]).fails(2, &["has 3 transactions"]);
}

#[test]
fn the_store_is_checked_and_listed() {
    let home = Home::new(HEIST);
    let check = home.json(&["store", "check"]);
    check_provenance(&check, "chainhound.store_check.v1");
    assert_eq!((&check["good"], &check["found"]), (&json!(true), &json!(0)));
    let inspect = home.json(&["store", "inspect"]);
    check_provenance(&inspect, "chainhound.store_inspect.v1");
    let files = inspect["files"].as_array().unwrap();
    let sum: u64 = files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum();
    assert_eq!(inspect["bytes"], sum);
    assert!(files.iter().any(|file| file["name"] == "tx.id" && file["bytes"] == 12 * 32));
}

#[test]
fn tables_are_coloured_when_asked() {
    let home = Home::new(HEIST);
    assert!(!home.run(&["status"]).ok().contains('\x1b'));
    assert!(home.run(&["status", "--color", "always"]).ok().contains("\x1b[1m"));
    let mut forced = home.command(&["status"]);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(run(forced).ok().contains("\x1b[1m"));
    let mut refused = home.command(&["status", "--color", "never"]);
    refused.env("CLICOLOR_FORCE", "1");
    assert!(!run(refused).ok().contains('\x1b'));
}
