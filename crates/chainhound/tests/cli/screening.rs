//! `screen`: targets of every kind, books, rules, files and streams, exit codes.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, Run, chainhound, command, run, text};

const GENUINE: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";
const THIEFS: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";

/// A home with labels: the thief is under sanctions, `honest` is an exchange.
fn home() -> Home {
    let home = Home::new(HEIST);
    let (thief, shop) = (home.address("thief"), home.address("honest"));
    let csv = format!(
        "address,label,source,abuse,category,confidence\n{thief},thief,us,sanction,,forensic\n{shop},shop,us,,exchange,\n"
    );
    fs::write(home.path("a.csv"), csv).unwrap();
    home.run(&["tags", "import", text(&home.path("a.csv"))]).ok();
    home
}

/// The exit code and the document.
fn json(run: &Run) -> (Option<i32>, Value) {
    (run.code, serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {}", run.err)))
}

#[test]
fn the_theft_of_2024_is_refused() {
    let home = Home::blocks(HEIST);
    let book = home.path("book.txt");
    fs::write(&book, GENUINE).unwrap();
    let args = ["screen", THIEFS, "--book", text(&book), "--network", "mainnet"];
    let refused = home.run(&args);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.out.starts_with("verdict  block\n"), "{}", refused.out);
    assert!(refused.out.contains("33.8 bits"), "{}", refused.out);
    let (code, document) = json(&home.run(&[&args[..], &["--format", "json"]].concat()));
    assert_eq!(code, Some(1));
    assert_eq!(document["schema"], "chainhound.screen.v1");
    assert_eq!(document["verdict"], "block");
    assert_eq!(document["provenance"]["source"], "none");
    assert_eq!(document["provenance"]["parameters"]["book_entries"], 1);
    let reason = &document["screened"][0]["reasons"][0];
    assert_eq!((&reason["rule"], &reason["basis"]), (&json!("lookalike"), &json!("inference")));
    assert_eq!(reason["heuristic"], "lookalike_bits");
}

#[test]
fn a_verdict_has_reasons_and_an_exit_code() {
    let home = home();
    let thief = home.address("thief");
    let (code, document) = json(&home.run(&["screen", &thief, "--format", "json"]));
    assert_eq!((code, &document["verdict"]), (Some(1), &json!("block")));
    let row = &document["screened"][0];
    assert_eq!((&row["target"], &row["kind"]), (&json!(thief), &json!("address")));
    let reason = &row["reasons"][0];
    assert_eq!((&reason["rule"], &reason["source"]), (&json!("sanctioned"), &json!("us")));
    assert_eq!((&reason["basis"], &reason["confidence"]), (&json!("claim"), &json!(50)));
    assert_eq!(
        (&row["parties"][0]["seen"], &row["parties"][0]["seen_height"]),
        (&json!("first"), &json!(3))
    );
    let digest = &home.json(&["tags", "list"])["provenance"]["tag_set_digest"];
    assert_eq!(&document["provenance"]["tag_set_digest"], digest);
    assert_eq!(document["provenance"]["tip"]["height"], 7);
    let clean = home.run(&["screen", &home.address("honest")]);
    assert!(clean.ok().contains("labelled"), "{}", clean.out);
    // The worst of all; a transaction shows both sides.
    let split = home.txid("split");
    let (code, document) =
        json(&home.run(&["screen", &home.address("honest"), &split, "--format", "json"]));
    assert_eq!(code, Some(1));
    assert_eq!(document["screened"][0]["verdict"], "allow");
    let parties = document["screened"][1]["parties"].as_array().unwrap();
    assert_eq!(parties[0]["parts"], json!([{"side": "input", "number": 0}]));
    assert_eq!(
        (&parties[0]["verdict"], &parties[1]["verdict"]),
        (&json!("block"), &json!("allow"))
    );
    // Who got the thief's money, and the same without looking.
    let one = home.address("one");
    let (code, document) = json(&home.run(&["screen", &one, "--format", "json"]));
    let rule = &document["screened"][0]["reasons"][0]["rule"];
    assert_eq!((code, rule), (Some(1), &json!("sanctioned_direct")), "{document}");
    let (code, document) = json(&home.run(&["screen", &one, "--no-exposure", "--format", "json"]));
    assert_eq!((code, &document["screened"][0]["reasons"]), (Some(0), &json!([])));
    assert_eq!(document["screened"][0]["not_assessed"][1]["why"], "switched off");
    let table = home.run(&["screen", &split]);
    assert!(table.out.contains("input 0"), "{}", table.out);
    let unknown = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    assert_eq!(home.run(&["screen", unknown]).code, Some(4));
}

#[test]
fn without_labels_nothing_is_cleared() {
    let home = Home::new(HEIST);
    let asked = home.run(&["screen", &home.address("honest")]);
    assert_eq!(asked.code, Some(4));
    assert!(asked.out.contains("no_labels"), "{}", asked.out);
}

#[test]
fn many_targets_from_a_file_or_a_stream() {
    let home = home();
    let (thief, shop) = (home.address("thief"), home.address("honest"));
    let many = format!("# deposits\n{shop}\n\n{thief}\nrubbish\n{GENUINE}\n");
    let file = home.path("many.txt");
    fs::write(&file, &many).unwrap();
    let done = home.run(&["screen", "--from-file", text(&file), "--format", "jsonl"]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("4 screened: 3 block, 0 review, 1 allow"), "{}", done.err);
    let rows: Vec<Value> =
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = rows
        .iter()
        .map(|row| (row["line"].as_u64().unwrap(), row["reasons"][0]["rule"].as_str().unwrap()))
        .collect();
    let expected = [(2, "labelled"), (4, "sanctioned"), (5, "unreadable"), (6, "wrong_network")];
    assert_eq!(said, expected);
    assert!(rows.iter().all(|row| row["schema"] == "chainhound.screen.v1"));
    let table = home.run(&["screen", "--from-file", text(&file)]);
    assert!(
        table.out.contains("sanctioned") && table.out.contains("wrong_network"),
        "{}",
        table.out
    );
    home.run(&["screen", "--from-file", "nowhere"]).fails(3, &["nowhere"]);
    fs::write(&file, "# nothing\n").unwrap();
    let none = home.run(&["screen", "--from-file", text(&file)]);
    assert!(none.ok().is_empty() && none.err.contains("0 screened"), "{}", none.err);
}

#[test]
fn each_line_of_a_stream_is_answered_at_once() {
    let home = home();
    let mut command = home.command(&["screen", "-", "--format", "jsonl"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["thief", "honest", "thief"] {
        writeln!(input, "{}", home.address(name)).unwrap();
        input.flush().unwrap();
        // Would wait for ever if the answer waited for more lines.
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["target"], home.address(name));
    }
    // A line without an end in sight is passed over, and the next one is answered.
    let part = vec![b'x'; 1 << 20];
    (0..40).for_each(|_| input.write_all(&part).unwrap());
    writeln!(input, "\n{}", home.address("honest")).unwrap();
    drop(input);
    let long: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
    assert!(long["reasons"][0]["detail"].as_str().unwrap().contains("at most 33554432"), "{long}");
    let last: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
    assert_eq!((&last["verdict"], &last["line"]), (&json!("allow"), &json!(5)));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_payment_is_read_from_a_file_or_a_word() {
    use bitcoin::{Amount, Psbt, Transaction, TxIn, TxOut, absolute, transaction};
    let home = home();
    let pays = |name: &str| TxOut {
        value: Amount::from_sat(5000),
        script_pubkey: home.chain.script(name).unwrap().to_owned(),
    };
    let spent = home.chain.outpoint("join", 1).unwrap();
    let tx = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn { previous_output: spent, ..TxIn::default() }],
        output: vec![pays("honest"), pays("thief")],
    };
    let psbt = Psbt::from_unsigned_tx(tx).unwrap();
    let file = home.path("payment.psbt");
    fs::write(&file, psbt.serialize()).unwrap();
    let (code, document) = json(&home.run(&["screen", text(&file), "--format", "json"]));
    assert_eq!(code, Some(1), "{document}");
    let row = &document["screened"][0];
    assert_eq!(row["kind"], "psbt");
    assert_eq!(row["reasons"][0]["path"][0], "output 1");
    // Whose the input is, the store knows.
    assert_eq!(row["parties"][0]["address"], home.address("four"));
    let hex: String = psbt.serialize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (code, word) = json(&home.run(&["screen", &hex, "--format", "json"]));
    assert_eq!((code, &word["screened"][0]["reasons"]), (Some(1), &row["reasons"]));
    home.run(&["screen", text(&home.path("a.csv"))]).fails(2, &["not a PSBT", "--from-file"]);
}

#[test]
fn books_with_broken_rows_and_empty_ones() {
    let home = home();
    let (shop, book) = (home.address("honest"), home.path("book.txt"));
    fs::write(&book, format!("{shop}, our exchange # main\nrubbish\n{GENUINE}\n")).unwrap();
    let known = home.run(&["screen", &shop, "--book", text(&book)]);
    assert!(known.ok().contains("in_book"), "{}", known.out);
    let place = |line: u32| format!("left out of the book: {}:{line}:", text(&book));
    assert!(known.err.contains(&place(2)) && known.err.contains(&place(3)), "{}", known.err);
    assert!(known.err.contains("is an address of mainnet"), "{}", known.err);
    fs::write(&book, "").unwrap();
    let empty = home.run(&["screen", &shop, "--book", text(&book)]);
    assert!(empty.ok().contains("no book of known addresses"), "{}", empty.out);
    assert!(empty.err.contains("the book has no address"), "{}", empty.err);
    home.run(&["screen", &shop, "--book", "nowhere"]).fails(3, &["nowhere"]);
    let labels = home.run(&["screen", &shop, "--book-labels"]);
    assert!(!labels.ok().contains("  lookalike  "), "{}", labels.out);
}

#[test]
fn rules_are_printed_read_and_checked() {
    let home = home();
    let printed = chainhound(&["screen", "--print-rules"]);
    let (rules, thief) = (home.path("rules.toml"), home.address("thief"));
    fs::write(&rules, printed.ok()).unwrap();
    let with =
        |more: &[&str]| home.run(&[&["screen", &thief, "--rules", text(&rules)], more].concat());
    let (_, same) = json(&with(&["--format", "json"]));
    let (_, default) = json(&home.run(&["screen", &thief, "--format", "json"]));
    assert_eq!(same["screened"], default["screened"]);
    let digest = |document: &Value| document["provenance"]["parameters"]["rules_digest"].clone();
    assert_eq!(digest(&same), digest(&default));
    fs::write(&rules, "[sanctioned]\nverdict = \"review\"\n").unwrap();
    assert_eq!(with(&[]).code, Some(4));
    fs::write(&rules, "[sanctioned]\nverdikt = \"review\"\n").unwrap();
    with(&[])
        .fails(2, &["rules.toml: line 2, column 1", "did you mean `verdict`?", "--print-rules"]);
    fs::write(&rules, "[[tagged]]\nid='a'\nverdict='block'\nconcepts=['ransomwar']\n").unwrap();
    assert!(with(&[]).err.contains("concept 'ransomwar'"), "{}", with(&[]).err);
    home.run(&["screen", &thief, "--rules", "nowhere"]).fails(3, &["nowhere"]);
    home.run(&["screen"]).fails(2, &["required"]);
}

#[test]
fn single_transactions_are_a_chain_too() {
    let Some(data) = testkit::data_dir() else { return };
    let home = Home::blocks(HEIST);
    let set = data.join("tx_fixtures_am_i_exposed");
    let incidents = data.join("incident_addresses");
    home.run(&["tags", "import", text(&incidents), "--network", "mainnet"]).ok();
    let file = walk(&set).into_iter().find(|path| path.extension().is_some_and(|e| e == "json"));
    let Some(file) = file else { return };
    let txid = serde_json::from_str::<Value>(&fs::read_to_string(&file).unwrap()).unwrap()["txid"]
        .as_str()
        .map(str::to_owned);
    let Some(txid) = txid else { return };
    let mut command = command(&["screen", &txid, "--esplora", text(&file), "--format", "json"]);
    command.args(["--network", "mainnet"]).env("CHAINHOUND_DATADIR", home.path("data"));
    let (_, document) = json(&run(command));
    assert_eq!(document["provenance"]["source"], "sparse");
    let row = &document["screened"][0];
    assert_eq!(row["kind"], "transaction");
    assert!(!row["parties"].as_array().unwrap().is_empty());
    assert!(row["not_assessed"].as_array().unwrap().iter().any(|row| row["what"] == "seen"));
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// `known` and `other` pay together; later `other` pays `shop`.
const GANG: &str = r#"
block
tx funds: coinbase -> known:20 other:19
block
tx again: coinbase -> other:5
block
tx sweep: funds:0 funds:1 -> hot:38.9
tx pay: again:0 -> shop:4.9
"#;

#[test]
fn clusters_lend_their_labels_and_do_not_block_by_themselves() {
    let home = Home::new(GANG);
    let (known, path) = (home.address("known"), home.path("labels.yaml"));
    let pack = format!(
        "title: t\ncreator: c\nsource: https://example.org/list\ncurrency: BTC\n\
         confidence: forensic\nlastmod: 2024-05-31\ntags:\n\
         - {{address: {known}, label: Gang, abuse: sanction, is_cluster_definer: true}}\n"
    );
    fs::write(&path, pack).unwrap();
    home.run(&["tags", "import", text(&path)]).ok();
    let screened = |name: &str, more: &[&str]| {
        let address = home.address(name);
        let args = [&["screen", &address, "--format", "json"], more].concat();
        let (code, mut document) = json(&home.run(&args));
        let clusters = document["provenance"]["parameters"]["clusters"].take();
        (
            code,
            document["screened"][0]["reasons"].get_mut(0).map(Value::take).unwrap_or_default(),
            clusters,
        )
    };
    // Nobody joined them yet.
    assert_eq!(screened("other", &[]), (Some(0), Value::Null, Value::Null));

    home.run(&["cluster", "build"]).ok();
    let (code, reason, clusters) = screened("other", &[]);
    assert_eq!((code, &clusters), (Some(4), &json!("multi_input as of block 3")));
    assert_eq!((&reason["rule"], &reason["verdict"]), (&json!("sanctioned"), &json!("review")));
    let basis = (&reason["basis"], &reason["heuristic"], &reason["source"]);
    assert_eq!(basis, (&json!("inference"), &json!("multi_input"), &Value::Null));
    let path = [
        format!("of one cluster with {known} (multi_input)"),
        "called 'Gang' by https://example.org/list".to_owned(),
    ];
    assert_eq!(reason["path"], json!(path));
    // The address that the claim is about is not told it twice.
    let (code, reason, _) = screened("known", &[]);
    assert_eq!((code, &reason["basis"]), (Some(1), &json!("claim")));
    // Money of the cluster, at one hop; what comes from the address itself suffices elsewhere.
    let (code, reason, _) = screened("shop", &[]);
    assert_eq!((code, &reason["rule"]), (Some(4), &json!("sanctioned_direct")));
    assert_eq!(
        (&reason["basis"], &reason["heuristic"]),
        (&json!("inference"), &json!("multi_input"))
    );
    let (code, reason, _) = screened("hot", &[]);
    assert_eq!((code, &reason["basis"]), (Some(1), &json!("claim")));

    assert_eq!(screened("other", &["--no-clusters"]), (Some(0), Value::Null, Value::Null));
    let rules = home.path("rules.toml");
    for (most, expected) in [("block", 1), ("allow", 0), ("off", 0)] {
        fs::write(&rules, format!("[clusters]\nat_most = '{most}'\n")).unwrap();
        for name in ["other", "shop"] {
            let (code, reason, _) = screened(name, &["--rules", text(&rules)]);
            assert_eq!((code, reason.is_null()), (Some(expected), most == "off"), "{name} {most}");
        }
    }
}
