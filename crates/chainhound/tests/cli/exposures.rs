//! `exposure`: amounts by party, both ways, and that the sums are exact.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, text};

/// The heist's `three` is an exchange, `bridge` a bridge, `thief` a thief.
fn labels(home: &Home) -> String {
    let path = home.path("labels.yaml");
    let pack = format!(
        "title: t\ncreator: c\nsource: https://example.org/list\ncurrency: BTC\nnetwork: BTC\n\
         confidence: service_data\nlastmod: 2024-05-31\ntags:\n\
         - {{address: {}, label: Exchange, category: exchange}}\n\
         - {{address: {}, label: Bridge, category: defi_bridge, confidence: web_crawl}}\n\
         - {{address: {}, label: Thief, abuse: hacking}}\n",
        home.address("three"),
        home.address("bridge"),
        home.address("thief"),
    );
    fs::write(&path, pack).unwrap();
    text(&path).to_owned()
}

#[track_caller]
fn assert_exact(side: &Value) {
    let sum = |list: &str, name: &str| -> u64 {
        side[list].as_array().unwrap().iter().map(|row| row[name].as_u64().unwrap()).sum()
    };
    let totals = &side["totals"];
    assert_eq!(totals["equal"], true);
    assert_eq!(sum("entities", "amount_sat") + sum("rest", "amount_sat"), totals["root_sat"]);
    assert_eq!(sum("entities", "share_ppm") + sum("rest", "share_ppm"), 1_000_000);
    assert_eq!(sum("entities", "amount_sat"), sum("categories", "amount_sat"));
    for row in side["entities"].as_array().unwrap() {
        let parts = row["direct_sat"].as_u64().unwrap() + row["indirect_sat"].as_u64().unwrap();
        assert_eq!(row["amount_sat"], parts);
    }
}

fn row<'a>(side: &'a Value, entity: &str) -> &'a Value {
    let rows = side["entities"].as_array().unwrap();
    rows.iter().find(|row| row["entity"] == entity).unwrap_or(&Value::Null)
}

#[test]
fn money_goes_to_parties_directly_and_through_others() {
    let home = Home::new(HEIST);
    let (thief, tags) = (home.address("thief"), labels(&home));
    let found = home.json(&["exposure", &thief, "--tags", &tags]);
    assert_eq!(found["schema"], "chainhound.exposure.v1");
    assert_eq!(found["subject"]["entity"], "Thief");
    let sending = &found["sending"];
    assert_exact(sending);
    assert_eq!(sending["totals"]["root_sat"], 4_990_000_000_u64);
    let bridge = row(sending, "Bridge");
    assert_eq!((&bridge["category"], &bridge["direct_sat"]), (&json!("defi_bridge"), &json!(0)));
    assert_eq!(
        (&bridge["indirect_sat"], &bridge["min_hops"]),
        (&json!(2_900_000_000_u64), &json!(2))
    );
    assert_eq!((&bridge["path_confidence"], &bridge["basis"]), (&json!(20), &json!("claim")));
    assert_eq!(bridge["source"], "https://example.org/list");
    assert_eq!(row(sending, "Exchange")["path_confidence"], 50);
    assert_exact(&found["receiving"]);
    assert_eq!(found["receiving"]["rest"][0]["stop_reason"], "coinbase");
    assert_eq!(found["provenance"]["tag_set_digest"].as_str().unwrap().len(), 64);

    // The transaction that pays the bridge does it directly.
    let cash =
        home.json(&["exposure", &home.txid("cash"), "--direction", "sending", "--tags", &tags]);
    assert_eq!(row(&cash["sending"], "Bridge")["direct_sat"], 2_900_000_000_u64);
    assert_eq!(cash["receiving"], Value::Null);
    assert_exact(&cash["sending"]);
}

#[test]
fn money_comes_from_parties() {
    let home = Home::new(HEIST);
    let tags = labels(&home);
    let exchange = home.address("three");
    let args = ["exposure", &exchange, "--direction", "receiving", "--tags", &tags];
    let found = home.json(&args);
    assert_exact(&found["receiving"]);
    let thief = row(&found["receiving"], "Thief");
    assert_eq!((&thief["category"], &thief["direct_sat"]), (&json!("hacking"), &json!(0)));
    assert!(thief["indirect_sat"].as_u64().unwrap() > 800_000_000, "{thief}");
    assert_eq!(thief["min_hops"], 2);
    let table = home.run(&args);
    assert!(table.ok().contains("Thief"), "{}", table.out);
    assert!(table.out.contains("= asked about"), "{}", table.out);
    // Too little is known of the thief to count.
    let strict = home.json(&[&args[..], &["--min-confidence", "60"]].concat());
    assert_eq!(row(&strict["receiving"], "Thief"), &Value::Null);
}

#[test]
fn limits_are_booked_by_name() {
    let home = Home::new(HEIST);
    let (theft, tags) = (format!("{}:0", home.txid("theft")), labels(&home));
    let args = ["exposure", &theft, "--direction", "sending", "--tags", &tags];
    let found = home.json(&[&args[..], &["--max-hops", "1"]].concat());
    assert_exact(&found["sending"]);
    let reasons: Vec<_> = found["sending"]["rest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["stop_reason"])
        .collect();
    assert_eq!(reasons, [&json!("fee"), &json!("hops")]);
}

#[test]
fn without_labels_it_says_so() {
    let home = Home::new(HEIST);
    let run = home.run(&["exposure", &home.address("thief")]);
    run.ok();
    assert!(run.err.contains("there are no labels"), "{}", run.err);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = Home::new(HEIST);
    let thief = home.address("thief");
    home.run(&["exposure", &thief, "--policy", "poison"]).fails(2, &["conserves value"]);
    let nobody = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    home.run(&["exposure", nobody]).fails(3, &["is not on this chain"]);
    home.run(&["exposure", "nonsense"]).fails(2, &["nonsense"]);
}
