//! `peel`: hops, payments, ends, and that the sums are right.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Home, hex, text};

/// Two peels, then a payment of half: nothing tells it from the rest.
const STORY: &str = r#"
block
tx theft: coinbase -> t0:50
block
tx p1: theft:0 -> p2pkh/A:2 t1:47.9
block
tx p2: p1:1 -> t2:45.7 p2sh/exchange:2.1
block
tx half: p2:0 -> x:22.9 y:22.7
block
tx sweep: half:0 -> D:22.8
"#;

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

#[test]
fn peels_are_payments_and_every_branch_ends_for_a_reason() {
    let home = Home::new(STORY);
    let start = format!("{}:0", home.txid("theft"));
    let peel = home.json(&["peel", &start]);
    assert_eq!(peel["schema"], "chainhound.peel.v1");
    assert_eq!((&peel["basis"], &peel["heuristic"]), (&json!("inference"), &json!("peel_chain")));
    assert_eq!(peel["provenance"]["parameters"]["signs"], 2);
    let totals = &peel["totals"];
    assert_eq!((&totals["equal"], &totals["start_sat"]), (&json!(true), &json!(5_000_000_000_u64)));
    assert_eq!(totals["paid_sat"], 410_000_000);
    assert_eq!((&totals["hops"], &totals["ambiguous"]), (&json!(3), &json!(1)));

    let branches = list(&peel, "branches");
    let reasons: Vec<_> =
        branches.iter().map(|one| one["end"]["stop_reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["branched", "sweep", "unspent"]);
    let first = &list(&branches[0], "hops")[0];
    assert_eq!(first["txid"], json!(home.txid("p1")));
    assert_eq!((&first["vin"], &first["vout_continue"]), (&json!(0), &json!([1])));
    assert_eq!((&first["vout_peel"], &first["ambiguous"]), (&json!([0]), &json!(false)));
    let evidence: Vec<_> =
        list(first, "signs").iter().map(|sign| sign["evidence"].as_str().unwrap()).collect();
    assert!(evidence.contains(&"script") && evidence.contains(&"size"), "{evidence:?}");

    let payments = list(&peel, "payments");
    assert_eq!(payments.len(), 2);
    assert_eq!(payments[1]["address"], json!(home.address("exchange")));
    assert_eq!((&payments[1]["vout"], &payments[1]["value_sat"]), (&json!(1), &json!(210_000_000)));
    assert_eq!((&payments[1]["status"], &payments[1]["hop"]), (&json!("unspent"), &json!(2)));

    let table = home.run(&["peel", &start]);
    assert!(table.ok().contains("4.10000000 BTC in 2 payments"), "{}", table.out);
    assert!(table.out.contains(&home.address("exchange")), "{}", table.out);
    assert!(table.out.contains("both outputs are followed"), "{}", table.out);
}

#[test]
fn a_chain_ends_where_the_rest_reaches_a_service() {
    let home = Home::new(STORY);
    let start = format!("{}:0", home.txid("theft"));
    let list = home.path("labels.yaml");
    let pack = format!(
        "title: t\ncreator: c\nsource: s\ncurrency: BTC\nnetwork: BTC\nconfidence: service_data\n\
         category: exchange\nlastmod: 2024-05-31\ntags:\n- {{address: {}, label: X}}\n- {{address: {}, label: Y}}\n",
        home.address("t2"),
        home.address("exchange"),
    );
    fs::write(&list, pack).unwrap();
    let args = ["peel", &start, "--stop-at", "service", "--tags", text(&list)];
    let peel = home.json(&args);
    let end = &peel["branches"][0]["end"];
    assert_eq!((&end["stop_reason"], &end["entity"]), (&json!("service"), &json!("X")));
    let paid = &peel["payments"][1];
    assert_eq!((&paid["entity"], &paid["tags"][0]["basis"]), (&json!("Y"), &json!("claim")));
    let bare = home.run(&["peel", &start, "--stop-at", "service"]);
    bare.fails(3, &["needs labels", "tags import"]);
}

#[test]
fn single_transactions_are_enough() {
    let home = Home::new(STORY);
    let known = ["theft", "p1", "p2"].map(|name| hex(home.chain.tx(name).unwrap()));
    let file = home.path("transactions.hex");
    fs::write(&file, known[1..].join("\n")).unwrap();
    let start = format!("{}:0", home.txid("theft"));
    // The prevout of p1 is not among them.
    let args = ["peel", &start, "--esplora", text(&file), "--network", "regtest"];
    home.run(&args).fails(3, &["is not among"]);
    let start = format!("{}:1", home.txid("p1"));
    let args = ["peel", &start, "--esplora", text(&file), "--network", "regtest"];
    let peel = home.json(&args);
    assert_eq!(peel["branches"][0]["end"]["stop_reason"], "unknown");
    assert_eq!(list(&peel, "payments").len(), 1);
}

#[test]
fn what_is_no_output_is_refused() {
    let home = Home::new(STORY);
    let theft = home.txid("theft");
    home.run(&["peel", &theft]).fails(2, &["write TXID:VOUT"]);
    home.run(&["peel", &format!("{theft}:7")]).fails(2, &["no output 7"]);
}
