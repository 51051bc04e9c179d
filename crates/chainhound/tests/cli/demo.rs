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

    // Once more over it: the same bytes, and it says how long each step took.
    let made = || MADE.map(|name| fs::read(out.join(name)).unwrap());
    let before = made();
    let table = chainhound(&["demo", "--out", text(&out), "--transactions", "20000"]);
    assert!(table.ok().contains("Where the money is now"), "{}", table.out);
    assert!(table.err.contains("all together"), "{}", table.err);
    assert!(made() == before, "another run made other bytes");
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
