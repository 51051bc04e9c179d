//! `trace`: formats, flags, and that the sums are right. The policies have tests of their own.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, hex, text};

#[test]
fn a_trace_books_every_satoshi() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    for policy in ["haircut", "fifo", "lifo", "tiho", "bounds", "poison"] {
        let trace = home.json(&["trace", "--from", &theft, "--policy", policy]);
        assert_eq!(trace["schema"], "chainhound.trace.v1");
        let provenance = &trace["provenance"];
        assert_eq!(
            (&provenance["tool"], &provenance["network"]),
            (&json!("chainhound"), &json!("regtest"))
        );
        assert_eq!(provenance["tip"]["height"], 7);
        assert_eq!(provenance["parameters"]["policy"], policy);
        assert_eq!(provenance["parameters"]["roots"], json!([theft]));
        let totals = &trace["totals"];
        assert_eq!(totals["root_sat"], 4_990_000_000_u64, "{policy}");
        if !["bounds", "poison"].contains(&policy) {
            assert_eq!(totals["booked_sat"], totals["root_sat"], "{policy}");
            assert_eq!(sum(&trace["bookings"]), 4_990_000_000, "{policy}");
        }
        assert!(trace["leaves"].as_array().unwrap().len() >= 3, "{policy}");
        assert!(!trace["flows"].as_array().unwrap().is_empty());
    }
}

fn sum(list: &Value) -> u64 {
    list.as_array().unwrap().iter().map(|one| one["tainted_sat"].as_u64().unwrap()).sum()
}

#[test]
fn leaves_are_what_is_not_spent_at_that_height() {
    let home = Home::new(HEIST);
    let from = format!("{}:0", home.txid("theft"));
    let trace = home.json(&["trace", "--from", &from, "--until-height", "4"]);
    let leaves = trace["leaves"].as_array().unwrap();
    let found: Vec<_> = leaves
        .iter()
        .map(|leaf| (&leaf["address"], &leaf["tainted_sat"], &leaf["status"]))
        .collect();
    let (one, two) = (json!(home.address("one")), json!(home.address("two")));
    let unspent = json!("unspent");
    let amounts = [json!(2_000_000_000_u64), json!(2_980_000_000_u64)];
    assert_eq!(found, [(&one, &amounts[0], &unspent), (&two, &amounts[1], &unspent)]);
    assert_eq!(leaves[0]["hops"], 1);
    let late = home.run(&["trace", "--from", &from, "--until-height", "700"]);
    late.ok();
    assert!(late.err.contains("ends at height 7"), "{}", late.err);
}

#[test]
fn stop_rules_stop() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    let reasons = |more: &[&str]| -> Vec<String> {
        let trace = home.json(&[&["trace", "--from", &theft], more].concat());
        assert_eq!(sum(&trace["bookings"]), 4_990_000_000);
        let bookings = trace["bookings"].as_array().unwrap();
        bookings.iter().map(|one| one["stop_reason"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(reasons(&["--max-hops", "1"]), ["fee", "hops"]);
    assert_eq!(reasons(&["--budget", "1"]), ["fee", "budget"]);
    assert_eq!(reasons(&["--min-value", "25btc"]), ["unspent", "fee", "value"]);
    assert_eq!(reasons(&["--stop-at", &home.address("two")]), ["unspent", "fee", "address"]);
    let list = home.path("stops.txt");
    let never = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let lines = format!("# services\n{}  # the first\n\n{never}\n", home.address("two"));
    fs::write(&list, lines).unwrap();
    let at = format!("@{}", text(&list));
    assert_eq!(reasons(&["--stop-at", &at]), ["unspent", "fee", "address"]);
    let trace = home.json(&["trace", "--from", &theft, "--stop-at", &at]);
    let parameters = &trace["provenance"]["parameters"];
    assert_eq!(parameters["stop_addresses"], json!([home.address("two")]));
    assert_eq!(parameters["stop_addresses_never_seen"], json!([never]));
}

#[test]
fn several_roots_are_kept_apart() {
    let home = Home::new(HEIST);
    let (theft, clean) = (home.txid("theft"), format!("{}:0", home.txid("clean")));
    let honest = home.address("honest");
    for second in [&clean, &honest] {
        let trace = home.json(&["trace", "--from", &theft, "--from", second]);
        assert_eq!(trace["totals"]["root_sat"], 9_990_000_000_u64);
        let four = home.address("four");
        let leaves = trace["leaves"].as_array().unwrap();
        let leaf = leaves.iter().find(|leaf| leaf["address"] == four).unwrap();
        let shares = leaf["by_root"].as_array().unwrap();
        assert_eq!(shares.len(), 2);
        let parts: u64 = shares.iter().map(|share| share["tainted_sat"].as_u64().unwrap()).sum();
        assert_eq!(leaf["tainted_sat"], parts);
    }
    let twice = home.run(&["trace", "--from", &theft, "--from", &theft]);
    assert!(twice.ok().contains("49.9 BTC"));
    assert!(twice.err.contains("twice"), "{}", twice.err);
}

#[test]
fn backward_leads_to_the_origin() {
    let home = Home::new(HEIST);
    let from = format!("{}:1", home.txid("join"));
    let trace = home.json(&["trace", "--from", &from, "--backward"]);
    assert_eq!(trace["provenance"]["parameters"]["direction"], "backward");
    let bookings = trace["bookings"].as_array().unwrap();
    assert_eq!(bookings.len(), 1);
    assert_eq!(bookings[0]["stop_reason"], "coinbase");
    assert_eq!(trace["totals"]["root_sat"], 3_990_000_000_u64);
}

#[test]
fn fees_can_be_followed() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    let trace = home.json(&["trace", "--from", &theft, "--fees", "follow"]);
    let bookings = trace["bookings"].as_array().unwrap();
    assert_eq!(bookings.len(), 1, "{bookings:?}");
    assert_eq!(bookings[0]["stop_reason"], "unspent");
    assert_eq!(sum(&trace["bookings"]), 4_990_000_000);
}

#[test]
fn every_format_has_its_shape() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    let format = |more: &[&str]| {
        let run = home.run(&[&["trace", "--from", &theft, "--format"], more].concat());
        run.ok().to_owned()
    };
    assert!(format(&["table"]).contains("haircut trace of 49.9 BTC"));
    let flows = format(&["csv"]);
    assert!(flows.starts_with("txid,height,time,from,"), "{flows}");
    let leaves = format(&["csv", "--part", "leaves"]);
    assert!(leaves.starts_with("txid,vout,address,"), "{leaves}");
    assert_eq!(leaves.lines().count(), 5);
    assert!(format(&["csv", "--part", "bookings"]).starts_with("stop_reason,count,"));
    assert!(format(&["dot"]).starts_with("digraph trace {"));
    assert!(format(&["graphml"]).contains("<graphml "));
    assert!(format(&["gexf"]).contains("<gexf "));
    assert!(format(&["svg"]).starts_with("<svg "));
    let file = home.path("trace.svg");
    let written = home.run(&["trace", "--from", &theft, "--format", "svg", "--out", text(&file)]);
    assert_eq!(written.ok(), "");
    assert_eq!(fs::read_to_string(file).unwrap(), format(&["svg"]));
}

#[test]
fn policies_stand_side_by_side() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    let all = home.run(&["trace", "--from", &theft, "--policy", "all"]);
    for policy in ["haircut", "fifo", "lifo", "tiho", "bounds", "poison"] {
        assert!(all.ok().contains(policy), "{}", all.out);
    }
    let two = home.run(&["trace", "--from", &theft, "--policy", "fifo,bounds"]);
    assert!(two.ok().contains("fifo") && !two.out.contains("lifo"), "{}", two.out);
    assert!(two.out.contains(&home.address("three")), "{}", two.out);
    assert!(two.out.contains(".."), "{}", two.out);
}

#[test]
fn what_was_told_by_file_is_traced_alike() {
    let home = Home::new(HEIST);
    let hex: Vec<String> =
        home.chain.blocks()[1..].iter().flat_map(|block| &block.txdata).map(hex).collect();
    let file = home.path("transactions.hex");
    fs::write(&file, hex.join("\n")).unwrap();
    let theft = home.txid("theft");
    let esplora = ["--esplora", text(&file), "--network", "regtest"];
    let sparse = home.json(&[&["trace", "--from", &theft][..], &esplora].concat());
    let whole = home.json(&["trace", "--from", &theft]);
    assert_eq!(sparse["totals"], whole["totals"]);
    assert_eq!(sparse["flows"].as_array().unwrap().len(), whole["flows"].as_array().unwrap().len());
    // Nobody says that the last outputs are unspent.
    let reasons: Vec<_> =
        sparse["bookings"].as_array().unwrap().iter().map(|b| &b["stop_reason"]).collect();
    assert_eq!(reasons, [&json!("fee"), &json!("unknown")]);
    assert_eq!(sparse["provenance"]["parameters"]["source"], "sparse");
}

#[test]
fn tables_show_the_largest_outputs_and_count_the_rest() {
    // 50 outputs: 1.00 to 1.24, and 25 of 0.5 before them in the chain.
    let outputs: Vec<String> = (0..25)
        .map(|n| format!("small{n}:0.5"))
        .chain((0..25).map(|n| format!("large{n}:1.{n:02}")))
        .collect();
    let home = Home::new(&format!(
        "block\ntx a: coinbase -> thief:50\nblock\ntx b: a:0 -> {}\n",
        outputs.join(" ")
    ));
    let from = home.txid("a");
    for table in [&["trace", "--from", &from][..], &["trace", "--from", &from, "--policy", "all"]] {
        let run = home.run(table);
        for n in 0..25 {
            assert!(run.ok().contains(&home.address(&format!("large{n}"))), "{}", run.out);
        }
        let shown = (0..25).filter(|n| run.out.contains(&home.address(&format!("small{n}"))));
        assert_eq!(shown.count(), 15, "{}", run.out);
        assert!(run.out.contains("10 "), "{}", run.out);
    }
    let one = home.run(&["trace", "--from", &from]);
    assert!(one.ok().contains("… and 10 smaller outputs"), "{}", one.out);
    let sums = home.json(&["trace", "--from", &from]);
    assert_eq!(sums["leaves"].as_array().unwrap().len(), 50);
}
