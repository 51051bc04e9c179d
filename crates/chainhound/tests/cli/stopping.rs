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

/// A theft into two deposit addresses of one exchange, which spends them together; and into a mixer's.
const DEPOSITS: &str = r#"
block
tx funds: coinbase -> victim:50
block
tx theft: funds:0 -> known:20 other:19 mixed:6 beside:4.9
block
tx sweep: theft:0 theft:1 -> hot:38.9
tx gather: theft:2 theft:3 -> on:10.8
"#;

#[test]
fn a_cluster_lends_its_label_to_its_addresses() {
    let home = Home::new(DEPOSITS);
    let path = home.path("labels.yaml");
    let pack = format!(
        "title: Test labels\ncreator: tests\nsource: https://example.org/list\ncurrency: BTC\n\
         confidence: forensic\nlastmod: 2024-05-31\ntags:\n\
         - {{address: {}, label: Exchange, category: exchange, is_cluster_definer: true}}\n\
         - {{address: {}, label: Mixer, category: mixing_service, is_cluster_definer: true}}\n",
        home.address("known"),
        home.address("mixed"),
    );
    fs::write(&path, pack).unwrap();
    home.run(&["tags", "import", text(&path)]).ok();
    // Where a trace begins is not asked whose it is.
    let start = home.txid("funds");
    let stopped = |more: &[&str]| {
        let args = [&["trace", "--from", &start, "--stop-at", "service"], more].concat();
        let trace = home.json(&args);
        assert_eq!(trace["totals"]["equal"], true);
        trace
    };
    let whole = |trace: &Value| {
        let booked = trace["bookings"].as_array().unwrap().iter();
        let of = booked.filter(|one| one["entity"] == "Exchange");
        of.map(|one| one["tainted_sat"].as_u64().unwrap()).sum::<u64>()
    };
    // Nobody joined them yet.
    let trace = stopped(&[]);
    assert_eq!((whole(&trace), &trace["provenance"]["clusters"]), (2_000_000_000, &Value::Null));

    home.run(&["cluster", "build"]).ok();
    let trace = stopped(&[]);
    assert_eq!(whole(&trace), 3_900_000_000);
    let leaf = |name: &str| {
        let address = json!(home.address(name));
        let leaves = trace["leaves"].as_array().unwrap();
        leaves.iter().find(|leaf| leaf["address"] == address).cloned().unwrap_or_default()
    };
    // Whose it is rests on the claim, and on the inference that carries it over.
    assert_eq!(leaf("known")["basis"], "claim");
    let other = leaf("other");
    assert_eq!(
        (&other["basis"], &other["heuristic"]),
        (&json!("inference"), &json!("multi_input"))
    );
    let source = format!("https://example.org/list (about {})", home.address("known"));
    assert_eq!((&other["source"], &other["entity"]), (&json!(source), &json!("Exchange")));
    assert_eq!(other["tags"], json!([]));
    // Those who mixed are many people: the address beside is nobody's.
    assert_eq!(leaf("mixed")["stop_reason"], "service");
    assert_eq!(leaf("beside"), Value::Null);

    assert_eq!(whole(&stopped(&["--no-clusters"])), 2_000_000_000);
    let exposed = |more: &[&str]| {
        home.json(&[&["exposure", &start, "--direction", "sending"], more].concat())
    };
    let side = exposed(&[]);
    let rows = side["sending"]["entities"].as_array().unwrap();
    let row = rows.iter().find(|row| row["entity"] == "Exchange").unwrap();
    assert_eq!(
        (&row["basis"], &row["amount_sat"]),
        (&json!("inference"), &json!(3_900_000_000_u64))
    );
    let without = exposed(&["--no-clusters"])["sending"]["entities"][0].clone();
    assert_eq!(
        (&without["basis"], &without["amount_sat"]),
        (&json!("claim"), &json!(2_000_000_000_u64))
    );
}
