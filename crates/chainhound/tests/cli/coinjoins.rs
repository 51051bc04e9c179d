//! `coinjoin`: what a scan lists, what one transaction shows, and the labelled real transactions.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, chainhound, text};

/// Two mixes of five; three coins of the first go into the second.
fn mixes() -> String {
    let outputs = |name: &str, value: &str| -> String {
        (0..5).map(|n| format!(" {name}{n}:{value}")).collect()
    };
    format!(
        "block\ntx fund: coinbase ->{}{}\nblock\ntx first: fund:0 fund:1 fund:2 fund:3 fund:4 ->{}\n\
         block\ntx second: first:0 first:1 first:2 fund:5 fund:6 ->{}\nblock\n\
         tx pay: second:0 -> shop:0.004 rest:0.005\n",
        outputs("f", "0.01004"),
        outputs("g", "0.01004"),
        outputs("m", "0.01"),
        outputs("n", "0.01")
    )
}

#[test]
fn a_scan_lists_what_has_a_protocol() {
    let home = Home::new(&mixes());
    let scan = home.json(&["coinjoin", "scan"]);
    assert_eq!(scan["schema"], "chainhound.coinjoin.v1");
    assert_eq!(scan["provenance"]["source"], "store");
    assert_eq!((&scan["found"], &scan["kept_apart"]), (&json!({"whirlpool": 2}), &json!(2)));
    let listed = scan["transactions"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    let (first, second) = (&listed[0], &listed[1]);
    assert_eq!((&first["txid"], &first["height"]), (&json!(home.txid("first")), &json!(2)));
    assert_eq!(second["txid"], home.txid("second"));
    for found in listed {
        assert_eq!(
            (&found["protocol"], &found["rule"]),
            (&json!("whirlpool"), &json!("whirlpool_mix"))
        );
        assert_eq!(
            (&found["basis"], &found["heuristic"]),
            (&json!("inference"), &json!("whirlpool_mix"))
        );
        assert_eq!(found["participants"], json!({"lower": 5, "upper": 5}));
        assert_eq!(found["anonymity_sets"], json!([{"value_sat": 1_000_000, "outputs": 5}]));
        // There are no eras on this network.
        assert_eq!(found["era"], "unchecked");
    }
    assert_eq!(
        second["parameters"],
        json!({"pool_sat": 1_000_000, "remixed_inputs": 3, "new_inputs": 2})
    );
    // The first one's coins come from a miner and not from a Tx0: the name goes, the shape stays.
    assert_eq!(
        (&first["lineage"]["judgement"], &first["label"]),
        (&json!("rejected"), &json!(false))
    );
    assert_eq!(
        (&second["lineage"]["judgement"], &second["label"]),
        (&json!("confirmed"), &json!(true))
    );

    let part = home.json(&["coinjoin", "scan", "--from-height", "3", "--to-height", "3"]);
    assert_eq!(part["found"], json!({"whirlpool": 1}));
    assert_eq!(part["scanned"], 2);
    let table = home.run(&["coinjoin", "scan"]);
    assert!(table.ok().contains("2 whirlpool"), "{}", table.out);
    home.run(&["coinjoin", "scan", "--from-height", "3", "--to-height", "2"]).fails(2, &["behind"]);
    home.run(&["coinjoin", "scan", "--from-height", "9"]).fails(3, &["block 9", "height 4"]);
}

#[test]
fn one_transaction_shows_its_links() {
    let home = Home::new(&mixes());
    let mix = home.json(&["coinjoin", &home.txid("second")]);
    assert_eq!(mix["schema"], "chainhound.coinjoin_tx.v1");
    assert_eq!(
        (&mix["coinjoin"]["protocol"], &mix["absence"]),
        (&json!("whirlpool"), &Value::Null)
    );
    // Five equal in, five equal out: the published count of a perfect CoinJoin of five.
    let entropy = &mix["entropy"];
    assert_eq!(
        (&entropy["interpretations"], &entropy["bits"]),
        (&json!("1496"), &json!("10.546894460"))
    );
    assert_eq!(
        (&entropy["deterministic_links"], &entropy["deterministic_complete"]),
        (&json!([]), &json!(true))
    );
    let tx = home.json(&["tx", &home.txid("second")]);
    assert_eq!(tx["coinjoin"], mix["coinjoin"]);
    assert_eq!(tx["change"]["cleared"], "whirlpool");
}

#[test]
fn what_is_no_coinjoin_says_why() {
    let home = Home::new(HEIST);
    let check = |name: &str, reason: &str| {
        let answer = home.json(&["coinjoin", &home.txid(name)]);
        assert_eq!(
            (&answer["coinjoin"], &answer["absence"]["reason"]),
            (&Value::Null, &json!(reason))
        );
        answer
    };
    check("funds", "coinbase");
    check("theft", "one_output");
    check("join", "no_equal_outputs");
    let split = check("split", "one_payer");
    let links = json!([{"vin": 0, "vout": 0}, {"vin": 0, "vout": 1}]);
    assert_eq!(split["entropy"]["deterministic_links"], links);
    let table = home.run(&["coinjoin", &home.txid("split")]);
    assert!(table.ok().contains("one script pays for all of it"), "{}", table.out);
    home.run(&["coinjoin", &"ab".repeat(32)]).fails(3, &["is not on this chain"]);
    home.run(&["coinjoin", "abc"]).fails(2, &["64 hexadecimal digits"]);
    home.run(&["coinjoin"]).fails(2, &["TXID"]);
}

#[test]
fn change_is_shown_with_its_reasons() {
    let home = Home::new(
        "block\ntx a: coinbase -> p2tr/payer:10\nblock\ntx b: a:0 -> p2wsh/shop:3 p2tr/rest:6.98765432\n",
    );
    let tx = home.json(&["tx", &home.txid("b")]);
    assert_eq!((&tx["change"]["vout"], &tx["change"]["strength"]), (&json!(1), &json!("strong")));
    assert_eq!(tx["change"]["basis"], "inference");
    let said = tx["heuristics"].as_array().unwrap();
    let names: Vec<_> = said.iter().map(|field| field["heuristic"].as_str().unwrap()).collect();
    assert_eq!(names, ["address_type", "power_of_ten", "one_time"]);
    for field in said {
        assert_eq!((&field["basis"], &field["change"]), (&json!("inference"), &json!([1])));
        assert!(!field["why"].as_str().unwrap().is_empty());
    }
    let table = home.run(&["tx", &home.txid("b")]);
    assert!(table.ok().contains("probably output 1 (inference, strong)"), "{}", table.out);
    let coinbase = home.json(&["tx", &home.txid("a")]);
    assert_eq!((&coinbase["change"], &coinbase["heuristics"]), (&Value::Null, &json!([])));
}

#[test]
fn a_bad_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("some.jsonl");
    let good = r#"{"txid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","vin":[{"txid":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","vout":1,"prevout":{"scriptpubkey":"51","value":7}}],"vout":[{"scriptpubkey":"52","value":5}]}"#;
    let scan = |content: &str| {
        fs::write(&file, content).unwrap();
        chainhound(&[
            "coinjoin",
            "scan",
            "--esplora",
            text(&file),
            "--format",
            "json",
            "--datadir",
            "/nowhere",
        ])
    };
    assert_eq!(scan(&format!("{good}\n{good}\n")).json()["scanned"], 2);
    assert_eq!(scan("").json()["scanned"], 0);
    scan(&format!("{good}\n{{\"txid\": 5}}\n{good}")).fails(3, &["some.jsonl: line 2: column"]);
    scan(&format!("{good}\n\n{good}\n{{}}")).fails(3, &["some.jsonl: line 4: no transaction"]);
    scan(&format!("{good}\n{}", &good[..60])).fails(3, &["some.jsonl: line 2", "EOF"]);
    scan(&format!("{good}\n{}", good.replace("\"value\":7", "\"value\":0.5")))
        .fails(3, &["line 2"]);
    scan("\u{0}\u{1}\u{2}").fails(3, &["some.jsonl: line 1"]);
    // Without its prevout a transaction is left out, and said to be.
    let lonely = good.replace(r#","prevout":{"scriptpubkey":"51","value":7}"#, "");
    let run = scan(&format!("{lonely}\n{good}\n"));
    assert_eq!(run.json()["scanned"], 1);
    assert!(run.err.contains("1 transactions are left out"), "{}", run.err);
    let missing = dir.path().join("missing");
    chainhound(&["coinjoin", "scan", "--esplora", text(&missing)]).fails(3, &["missing: "]);
}

/// What `docs/methods/coinjoin.md` says about the labelled transactions, through the command.
#[test]
fn labelled_transactions_are_found_as_published() {
    let Some(data) = testkit::data_dir() else { return };
    let scan = |name: &str| {
        let file = data.join("coinjoin_dev").join(name);
        let args = ["coinjoin", "scan", "--esplora", text(&file), "--format", "json"];
        chainhound(&[&args[..], &["--datadir", "/nowhere"]].concat()).json()
    };
    for (name, n, found, apart) in [
        ("whirlpool", 358, json!({"whirlpool": 358}), 358),
        ("whirlpool_tx0", 219, json!({"whirlpool": 32, "whirlpool_tx0": 187}), 32),
        ("wasabi1", 89, json!({"joinmarket": 2, "wasabi1": 87}), 89),
        ("wasabi2", 5, json!({"wasabi2": 5}), 5),
        ("joinmarket_like", 141, json!({"joinmarket": 29}), 141),
        ("whirlpool_postmix", 686, json!({"whirlpool": 59, "whirlpool_tx0": 1}), 102),
        ("wasabi2_postmix", 51, json!({}), 1),
        ("joinmarket_postmix", 268, json!({"joinmarket": 28}), 54),
    ] {
        let scan = scan(&format!("{name}.jsonl"));
        assert_eq!(scan["scanned"], n, "{name}");
        assert_eq!((&scan["found"], &scan["kept_apart"]), (&found, &json!(apart)), "{name}");
        let listed = scan["transactions"].as_array().unwrap();
        // They have a block time and no height: their era is checked all the same.
        assert!(listed.iter().all(|found| found["era"] == "within"), "{name}");
    }
    // All at once, so that they find each other: the second pass as it is published.
    let all = scan("");
    let mut judged = BTreeMap::<(&str, &str), usize>::new();
    for found in all["transactions"].as_array().unwrap() {
        let judgement = found["lineage"]["judgement"].as_str().unwrap();
        *judged.entry((found["protocol"].as_str().unwrap(), judgement)).or_default() += 1;
    }
    let expected = [
        (("joinmarket", "confirmed"), 29),
        (("joinmarket", "open"), 30),
        (("wasabi1", "confirmed"), 85),
        (("wasabi1", "open"), 2),
        (("wasabi2", "confirmed"), 4),
        (("wasabi2", "open"), 1),
        (("whirlpool", "confirmed"), 276),
        (("whirlpool", "open"), 158),
        (("whirlpool_tx0", "confirmed"), 77),
        (("whirlpool_tx0", "open"), 111),
    ];
    assert_eq!(judged, BTreeMap::from(expected));
}
