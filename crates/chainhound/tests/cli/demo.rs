//! `demo`, with the smallest world that the replay can live in.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::harness::{chainhound, text};

#[test]
fn heavy_the_demo_finds_the_money_and_scores_itself() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("heist");
    let args = ["demo", "--out", text(&out), "--transactions", "20000", "--format", "json"];
    let demo = chainhound(&args).json();
    assert_eq!(demo["schema"], "chainhound.demo.v1");
    assert_eq!(
        demo["totals"],
        json!({"root_sat": 450_290_000_000_u64, "booked_sat": 450_290_000_000_u64, "equal": true})
    );
    let score = &demo["score"];
    assert_eq!(score["before_mixing"]["inexact"], json!([]));
    assert_eq!(score["before_mixing"]["exact"].as_array().unwrap().len(), 6);
    let bounds = &score["bounds"];
    assert_eq!(bounds["intervals_true"], bounds["intervals"]);
    assert_eq!(bounds["possible_recall"], json!(1.0));
    assert_eq!(bounds["certain_precision"], json!(1.0));
    for policy in score["policies"].as_array().unwrap() {
        assert!(policy["placed_share"].as_f64().unwrap() > 0.9, "{policy}");
    }
    whoever_it_names_is_a_claim(&demo["names"]);
    clusters_and_coinjoins_are_scored(score);
    let truth: u64 = sum(&demo["destinations"], |row| row["true_sat"].as_u64());
    assert_eq!(truth, 450_290_000_000);
    let fifo: u64 = sum(&demo["destinations"], |row| row["booked"]["fifo"]["tainted_sat"].as_u64());
    assert_eq!(fifo, 450_290_000_000);

    for name in ["blocks", "data", "case.toml", "truth.json", "report.md", "score.json"] {
        assert!(out.join(name).exists(), "{name}");
    }
    assert!(fs::read_to_string(out.join("trace-haircut.svg")).unwrap().starts_with("<svg "));
    let status = chainhound(&["status", "--datadir", text(&out.join("data"))]);
    assert!(status.ok().contains("regtest"), "{}", status.out);

    others_can_be_asked_about_it(&out);
    its_case_becomes_evidence(&out);

    // Once more over it: the same bytes, and it says how long each step took.
    let made = || MADE.map(|name| fs::read(out.join(name)).unwrap());
    let before = made();
    let table = chainhound(&["demo", "--out", text(&out), "--transactions", "20000"]);
    assert!(table.ok().contains("Where the money is now"), "{}", table.out);
    assert!(table.err.contains("all together"), "{}", table.err);
    assert!(made() == before, "another run made other bytes");
}

/// The case file that it leaves can be run as it stands, and gives what the demo's own traces gave.
fn its_case_becomes_evidence(out: &Path) {
    let (case, zip) = (out.join("case.toml"), out.join("case.zip"));
    let (data, blocks) = (out.join("data"), out.join("blocks"));
    let args = ["case", "run", text(&case), "--datadir", text(&data), "--out", text(&zip)];
    let more = ["--blocks-dir", text(&blocks), "--format", "json"];
    let made = chainhound(&[&args[..], &more].concat()).json();
    assert_eq!(made["amounts"][0]["claimed_sat"], made["amounts"][0]["chain_sat"]);
    for sums in made["policies"].as_array().unwrap() {
        let policy = sums["policy"].as_str().unwrap();
        let exact = !["poison", "bounds"].contains(&policy);
        assert!(!exact || sums["booked_sat"] == 450_290_000_000_u64, "{sums}");
        let services = sums["bookings"].as_array().unwrap().iter();
        let claims = services.filter(|row| row["stop_reason"] == "service");
        assert!(claims.clone().count() > 2 && claims.clone().all(|row| row["basis"] == "claim"));
    }
    let verdict = chainhound(&["case", "verify", text(&zip), "--format", "json"]).json();
    assert_eq!(verdict["verdict"], "good");
    fs::remove_file(zip).unwrap();
}

/// Services and bridge with amounts, mixers with rounds, the actor: each with what it rests on.
fn whoever_it_names_is_a_claim(names: &Value) {
    let rows = |key: &str| names[key].as_array().unwrap().clone();
    let party = |name: &str| rows("parties").into_iter().find(|row| row["entity"] == name).unwrap();
    for (name, category) in
        [("otc", "service"), ("exchange-1", "exchange"), ("bridge", "defi_bridge")]
    {
        let row = party(name);
        assert_eq!((&row["category"], &row["basis"]), (&json!(category), &json!("claim")), "{row}");
        assert!(row["source"].as_str().unwrap().contains("synthetic"), "{row}");
        assert_eq!(row["confidence"], 50);
        let bounds = &row["booked"]["bounds"];
        assert!(bounds["lower_sat"].as_u64().unwrap() > 0, "{row}");
        assert!(bounds["lower_sat"].as_u64() <= row["booked"]["fifo"]["tainted_sat"].as_u64());
    }
    for protocol in ["whirlpool", "wasabi1", "wasabi2"] {
        let row = rows("mixers").into_iter().find(|row| row["protocol"] == protocol).unwrap();
        assert_eq!(row["basis"], "inference", "{row}");
        assert!(row["entered"]["lower_sat"].as_u64().unwrap() > 0, "{row}");
        let (first, really) = (&row["first_coinjoins"], &row["truth"]["coinjoins"]);
        assert!(first.as_u64().unwrap() > 0 && first.as_u64() <= really.as_u64(), "{row}");
        assert!(row["anonymity_set"][0].as_u64().unwrap() > 1, "{row}");
    }
    let actor = &rows("actors")[0];
    assert_eq!((&actor["actor"], &actor["basis"]), (&json!("replayed_thief"), &json!("claim")));
}

/// CoinJoins kept out, clusters have one owner each; what is found is what the generator made.
fn clusters_and_coinjoins_are_scored(score: &Value) {
    let clusters = &score["clusters"];
    assert_eq!(clusters["rule"], "multi_input");
    assert!(clusters["precision"].as_f64().unwrap() > 0.99, "{clusters}");
    assert!(clusters["recall"].as_f64().unwrap() > 0.2, "{clusters}");
    assert!(clusters["clusters"].as_u64() < clusters["addresses"].as_u64(), "{clusters}");
    let coinjoins = score["coinjoins"].as_array().unwrap();
    assert_eq!(coinjoins.len(), 5);
    for row in coinjoins {
        assert!(row["true_count"].as_u64().unwrap() > 0, "{row}");
        assert!(row["recall"].as_f64().unwrap() > 0.95, "{row}");
        assert!(row["precision"].as_f64().unwrap() > 0.95, "{row}");
    }
}

/// Files that a run makes, and the next one makes again.
const MADE: [&str; 7] = [
    "case.toml",
    "report.md",
    "labels.yaml",
    "actors.yaml",
    "trace-haircut.json",
    "trace-bounds.svg",
    "score.json",
];

/// The other verbs, on what the demo leaves.
fn others_can_be_asked_about_it(out: &Path) {
    let data = out.join("data");
    let ask = |args: &[&str]| chainhound(&[args, &["--datadir", text(&data)]].concat());
    let truth: Value = serde_json::from_slice(&fs::read(out.join("truth.json")).unwrap()).unwrap();
    let of = |name: &str| {
        let entities = truth["entities"].as_array().unwrap();
        let entity = entities.iter().find(|entity| entity["entity"] == name).unwrap();
        entity["addresses"][0].as_str().unwrap().to_owned()
    };
    let (thief, exchange) = (truth["theft"]["address"].as_str().unwrap(), of("exchange-1"));
    let from = format!("{}:0", truth["theft"]["txid"].as_str().unwrap());

    let trace =
        ask(&["trace", "--from", &from, "--stop-at", "service,coinjoin", "--format", "json"]);
    let trace = trace.json();
    let booked = |key: &str| -> Vec<&str> {
        trace["bookings"].as_array().unwrap().iter().filter_map(|row| row[key].as_str()).collect()
    };
    assert!(booked("entity").contains(&"exchange-1"), "{:?}", booked("entity"));
    assert!(booked("entity").contains(&"bridge"), "{:?}", booked("entity"));
    assert!(booked("protocol").contains(&"wasabi1"), "{:?}", booked("protocol"));

    let lookup = ask(&["tags", "lookup", thief]);
    assert!(lookup.ok().contains("replayed_thief"), "{}", lookup.out);
    assert!(lookup.out.contains("authority_data"), "{}", lookup.out);
    assert_eq!(ask(&["screen", thief]).code, Some(1));
    assert!(ask(&["tags", "lookup", &exchange]).ok().contains("exchange-1"));
    assert!(ask(&["exposure", thief]).ok().contains("otc"));

    // The clusters are built: two inputs of one withdrawal's wallet are joined, and it says by what.
    let sweep = truth["steps"].as_array().unwrap().iter().find_map(|step| {
        let inputs = step["inputs"].as_array().unwrap();
        let other = inputs.iter().find(|input| input["address"] != inputs[0]["address"])?;
        let mixes = ["wasabi1", "wasabi2", "whirlpool", "joinmarket"];
        let joins = !mixes.contains(&step["role"].as_str().unwrap());
        let pair = |input: &Value| input["address"].as_str().unwrap().to_owned();
        joins.then(|| (pair(&inputs[0]), pair(other)))
    });
    let (one, other) = sweep.unwrap();
    assert!(ask(&["cluster", "why", &one, &other]).ok().contains("multi_input"));
}

fn sum(rows: &Value, amount: impl Fn(&Value) -> Option<u64>) -> u64 {
    rows.as_array().unwrap().iter().filter_map(amount).sum()
}

#[test]
fn somebody_elses_directory_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "five years").unwrap();
    chainhound(&["demo", "--out", text(dir.path())]).fails(2, &["no demo made", "--out"]);
    assert_eq!(fs::read_to_string(dir.path().join("thesis.txt")).unwrap(), "five years");
}
