//! `trace --stop-at service,coinjoin`: where labels and shapes end a trace, and what leaves say.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Home, text};

/// A theft: a part to an exchange, a part into a Whirlpool mix, the rest to a private address.
const STORY: &str = r#"
block
tx funds: coinbase -> victim:50
block
tx theft: funds:0 -> thief:49.9
block
tx split: theft:0 -> deposit:20 deposit2:9 friend:10 pre:0.01005
block
tx pool: coinbase -> a:0.01 b:0.01 c:0.01 d:0.01
block
tx mix: split:3 pool:0 pool:1 pool:2 pool:3 -> o1:0.01 o2:0.01 o3:0.01 o4:0.01 o5:0.01
block
tx on: split:2 -> friend2:9.9
tx sweep: split:0 -> hot:19.9
"#;

fn labels(home: &Home) -> String {
    let path = home.path("labels.yaml");
    let pack = format!(
        "title: Test labels\ncreator: tests\nsource: https://example.org/list\ncurrency: BTC\n\
         network: BTC\nconfidence: service_data\nlastmod: 2024-05-31\ntags:\n\
         - {{address: {}, label: Big Exchange, category: exchange}}\n\
         - {{address: {}, label: Big Exchange, category: exchange, confidence: web_crawl}}\n\
         - {{address: {}, label: a friend of the thief, category: user}}\n",
        home.address("deposit"),
        home.address("deposit2"),
        home.address("friend2"),
    );
    fs::write(&path, pack).unwrap();
    text(&path).to_owned()
}

fn booking<'a>(trace: &'a Value, reason: &str) -> &'a Value {
    let bookings = trace["bookings"].as_array().unwrap();
    bookings.iter().find(|one| one["stop_reason"] == reason).unwrap_or(&Value::Null)
}

#[test]
fn a_trace_ends_at_services_and_coinjoins() {
    let home = Home::new(STORY);
    let (theft, tags) = (home.txid("theft"), labels(&home));
    let args = ["trace", "--from", &theft, "--stop-at", "service,coinjoin", "--tags", &tags];
    let trace = home.json(&args);
    let totals = &trace["totals"];
    assert_eq!((&totals["root_sat"], &totals["equal"]), (&json!(4_990_000_000_u64), &json!(true)));

    let service = booking(&trace, "service");
    assert_eq!(service["entity"], "Big Exchange");
    assert_eq!(service["category"], "exchange");
    assert_eq!(
        (&service["count"], &service["tainted_sat"]),
        (&json!(2), &json!(2_900_000_000_u64))
    );
    assert_eq!((&service["basis"], &service["confidence"]), (&json!("claim"), &json!(20)));

    let mixed = booking(&trace, "coinjoin");
    assert_eq!((&mixed["protocol"], &mixed["basis"]), (&json!("whirlpool"), &json!("inference")));
    assert_eq!(mixed["tainted_sat"], 1_005_000);

    let leaf = |name: &str| {
        let address = json!(home.address(name));
        let leaves = trace["leaves"].as_array().unwrap();
        leaves.iter().find(|leaf| leaf["address"] == address).cloned().unwrap_or_default()
    };
    let deposit = leaf("deposit");
    assert_eq!((&deposit["stop_reason"], &deposit["status"]), (&json!("service"), &json!("spent")));
    assert_eq!((&deposit["entity"], &deposit["confidence"]), (&json!("Big Exchange"), &json!(50)));
    assert_eq!(
        (&deposit["basis"], &deposit["tags"][0]["label"]),
        (&json!("claim"), &json!("Big Exchange"))
    );
    assert_eq!(deposit["source"], "https://example.org/list");
    let pre = leaf("pre");
    assert_eq!(pre["coinjoin_txid"], json!(home.txid("mix")));
    assert_eq!((&pre["protocol"], &pre["anonymity_set"]), (&json!("whirlpool"), &json!(5)));
    assert_eq!((&pre["basis"], &pre["heuristic"]), (&json!("inference"), &json!("whirlpool_mix")));
    // A label that names no service ends nothing and is shown.
    let friend = leaf("friend2");
    assert_eq!((&friend["stop_reason"], &friend["basis"]), (&json!("unspent"), &json!("fact")));
    assert_eq!(friend["entity"], "a friend of the thief");

    let provenance = &trace["provenance"];
    assert_eq!(provenance["tag_set_digest"].as_str().unwrap().len(), 64);
    assert_eq!(provenance["parameters"]["stop_at"], json!(["service", "coinjoin"]));

    let table = home.run(&args);
    assert!(table.ok().contains("Big Exchange, service (claim)"), "{}", table.out);
    assert!(table.out.contains("CoinJoin, whirlpool (inference)"), "{}", table.out);
    let all = home.run(&[&args[..], &["--policy", "all"]].concat());
    assert!(all.ok().contains("Big Exchange, service"), "{}", all.out);
}

#[test]
fn labels_below_the_confidence_asked_for_end_nothing() {
    let home = Home::new(STORY);
    let (theft, tags) = (home.txid("theft"), labels(&home));
    let args = ["trace", "--from", &theft, "--stop-at", "service", "--tags", &tags];
    let trace = home.json(&[&args[..], &["--min-confidence", "50"]].concat());
    assert_eq!(booking(&trace, "service")["tainted_sat"], 2_000_000_000);
    assert_eq!(booking(&trace, "coinjoin"), &Value::Null);
    // Without that rule the mix is passed: one of five is the thief's.
    let leaves = trace["leaves"].as_array().unwrap();
    let out = leaves.iter().find(|leaf| leaf["address"] == json!(home.address("o1"))).unwrap();
    assert_eq!(out["path_confidence"], 20);
    assert_eq!(trace["totals"]["equal"], true);
}

#[test]
fn labels_that_were_imported_are_used() {
    let home = Home::new(STORY);
    let (theft, tags) = (home.txid("theft"), labels(&home));
    let args = ["trace", "--from", &theft, "--stop-at", "service"];
    home.run(&args).fails(3, &["--stop-at service needs labels", "chainhound tags import"]);
    let dir = home.path("data/regtest/labels");
    fs::create_dir_all(&dir).unwrap();
    let settings = intel::Settings::new(chain::Network::Regtest);
    let bytes = fs::read(&tags).unwrap();
    let document = intel::Document { name: "labels.yaml", bytes: &bytes };
    let import = intel::import(document, &settings).unwrap();
    let set =
        intel::TagSetBuilder::new(chain::Network::Regtest).add(&import).unwrap().build().unwrap();
    fs::write(dir.join("tags.bin"), set.as_bytes()).unwrap();
    let trace = home.json(&args);
    assert_eq!(booking(&trace, "service")["tainted_sat"], 2_900_000_000_u64);
    assert_eq!(trace["provenance"]["tag_set_digest"], json!(set.digest().to_string()));
    // A damaged set is no answer.
    fs::write(dir.join("tags.bin"), &set.as_bytes()[..100]).unwrap();
    home.run(&args).fails(3, &["tags.bin"]);
}

#[test]
fn backward_ends_behind_a_coinjoin() {
    let home = Home::new(STORY);
    let from = format!("{}:1", home.txid("mix"));
    let args = ["trace", "--from", &from, "--backward", "--stop-at", "coinjoin"];
    let trace = home.json(&args);
    let leaf = &trace["leaves"][0];
    assert_eq!((&leaf["stop_reason"], &leaf["anonymity_set"]), (&json!("coinjoin"), &json!(5)));
    assert_eq!(leaf["coinjoin_txid"], json!(home.txid("mix")));
}

#[test]
fn unknown_rules_are_refused() {
    let home = Home::new(STORY);
    let theft = home.txid("theft");
    let run = home.run(&["trace", "--from", &theft, "--stop-at", "services"]);
    run.fails(2, &["services", "service, coinjoin"]);
    let missing = home.path("none.yaml");
    let run = home.run(&["trace", "--from", &theft, "--tags", text(&missing)]);
    run.fails(3, &["none.yaml"]);
    let directory = home.run(&["trace", "--from", &theft, "--tags", text(home.dir.path())]);
    directory.fails(2, &["is a directory", "tags import"]);
}
