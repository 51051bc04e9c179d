//! Single transactions out of explorers' JSON and out of hexadecimal.

use std::path::Path;

use chain::{Flags, Height, Ledger, MemoryLedger, Network, Sats, SparseSpend, Spend};
use proptest::prelude::*;
use source::{Single, SourceError, SparseSet, Transactions, each_transaction};
use testkit::data_dir;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn read(text: &str) -> Result<SparseSet, SourceError> {
    let mut transactions = Transactions::new(Network::Mainnet);
    transactions.read(Path::new("FILE"), text.as_bytes())?;
    Ok(transactions.finish())
}

/// A transaction of Esplora's with one input and one output of 5 satoshis, and some more fields.
fn esplora(txid: &str, prev: &str, more: &str) -> String {
    format!(
        r#"{{"txid":"{txid}","vin":[{{"txid":"{prev}","vout":1,"prevout":{{"scriptpubkey":"51","value":7}}}}],
            "vout":[{{"scriptpubkey":"52","value":5,"scriptpubkey_type":"x"}}]{more}}}"#
    )
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    assert_eq!(read(text).unwrap_err().to_string(), expected);
}

#[test]
fn one_or_many_in_any_wrapping() {
    let (one, two) = (esplora(A, B, ""), esplora(B, A, ""));
    let (one_line, two_line) = (one.replace('\n', ""), two.replace('\n', ""));
    for (text, count) in [
        (one.clone(), 1),
        (format!("[{one},{two}]"), 2),
        (format!("{one_line}\n{two_line}\n\n"), 2),
        (format!(r#"{{"transactions":[{one},{two}],"next":null}}"#), 2),
        (format!(r#"{{"txs":[{one}]}}"#), 1),
        (format!(r#"[{{"label":1,"tx":{one}}}]"#), 1),
        (format!("[{one}] [{two}] []"), 2),
        ("[]".to_owned(), 0),
        ("  \n".to_owned(), 0),
        (String::new(), 0),
    ] {
        let set = read(&text).unwrap();
        assert_eq!((set.txs.len(), set.unchecked_txids), (count, count as u64), "{text}");
    }
}

#[test]
fn one_after_the_other_in_the_order_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let line = |txid: &str, prev: &str| esplora(txid, prev, "").replace('\n', "");
    let lonely = line(A, B).replace(r#","prevout":{"scriptpubkey":"51","value":7}"#, "");
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    write("2.jsonl", format!("{}\n{}\n", line(A, B), line(A, B)));
    write("1.jsonl", format!("{}\n{lonely}\n", line(B, A)));
    write("3.txt", "no transactions".to_owned());
    let mut told = Vec::new();
    each_transaction(dir.path(), Network::Mainnet, &mut |single| told.push(single)).unwrap();
    let names: Vec<String> = told
        .iter()
        .map(|single| match single {
            Single::Whole(tx) => tx.txid.to_string()[..1].to_owned(),
            Single::Incomplete { txid, prevout } => format!("-{txid}{}", prevout.txid),
        })
        .collect();
    assert_eq!(names, ["b", &format!("-{A}{B}"), "a", "a"]);
    // The same transaction as when all are put together.
    let set = read(&line(A, B)).unwrap();
    assert_eq!(told[2], Single::Whole(set.txs[0].clone()));
    write("2.jsonl", format!("{}\n[\n", line(A, B)));
    let error = each_transaction(dir.path(), Network::Mainnet, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("2.jsonl: line 3"), "{error}");
}

#[test]
fn what_is_known_is_taken_over() {
    let more = r#","status":{"confirmed":true,"block_height":9,"block_time":8},"version":2,
        "outspends":[{"spent":true,"txid":"AA","vin":0}]"#;
    let set = read(&esplora(A, B, &more.replace("AA", B))).unwrap();
    let tx = &set.txs[0];
    assert_eq!((tx.height, tx.time, tx.block_hash), (Some(Height(9)), Some(8), None));
    assert_eq!(tx.flags, Flags::VERSION_2);
    assert_eq!((tx.inputs[0].value, tx.outputs[0].value), (Sats(7), Sats(5)));
    assert_eq!(tx.outputs[0].spend, SparseSpend::By(B.parse().unwrap()));
    let more = r#","status":{"confirmed":false},"outspends":[{"spent":false}]"#;
    let set = read(&esplora(A, B, more)).unwrap();
    assert_eq!((set.txs[0].height, set.txs[0].outputs[0].spend), (None, SparseSpend::Unspent));
}

#[test]
fn the_same_again_adds_what_was_missing() {
    let bare = esplora(A, B, "").replace(r#","prevout":{"scriptpubkey":"51","value":7}"#, "");
    let set = read(&bare).unwrap();
    assert_eq!((set.txs.len(), set.incomplete.len()), (0, 1));
    let late = esplora(A, B, r#","status":{"confirmed":true,"block_height":9}"#);
    for text in [format!("{bare}{late}"), format!("{late}{bare}{bare}")] {
        let set = read(&text).unwrap();
        assert_eq!((set.txs.len(), set.incomplete.len()), (1, 0));
        assert_eq!((set.txs[0].height, set.txs[0].inputs[0].value), (Some(Height(9)), Sats(7)));
    }
}

#[test]
fn contradictions_name_both_places() {
    let check = |from: &str, to: &str, expected: &str| {
        let one = esplora(A, B, r#","outspends":[{"spent":false}]"#);
        let expected = format!("FILE: line 3: transaction {A}: {expected} than in FILE line 1");
        check_refused(&format!("{one}\n{}", one.replace(from, to)), &expected);
    };
    check(r#""value":5"#, r#""value":4"#, "it has other outputs");
    check(r#""vout":1"#, r#""vout":2"#, "it has other inputs");
    check(r#""value":7"#, r#""value":8"#, "input 0 spends another value or script");
    check(
        "\"spent\":false",
        &format!("\"spent\":true,\"txid\":\"{B}\""),
        "output 0 has another fate",
    );
}

#[test]
fn bad_text_says_where_and_what() {
    let one = esplora(A, B, "").replace('\n', "");
    check_refused(
        "7",
        "FILE: line 1: not a transaction in hexadecimal: odd length, failed to create bytes from hex",
    );
    check_refused(
        r#""7""#,
        "FILE: line 1: column 3: invalid type: string \"7\", expected a transaction, or an array of transactions",
    );
    check_refused("{}", "FILE: line 1: no transaction: it has neither `vin` nor `inputs`");
    let check = |from: &str, to: &str, expected: &str| {
        let error = read(&format!("{one}\n{}", one.replace(from, to))).unwrap_err().to_string();
        assert!(error.starts_with("FILE: line 2: ") && error.ends_with(expected), "{error}");
    };
    check(
        r#""value":5"#,
        r#""value":0.5"#,
        "invalid type: floating point `0.5`, expected a `value` in satoshis, a whole number up to 21 million bitcoin",
    );
    check(r#""value":5"#, r#""value":2100000000000001"#, "whole number up to 21 million bitcoin");
    check(r#","value":5"#, "", "missing field `value`");
    check(A, "abc", "'abc' is not 64 hexadecimal digits");
    check(r#""52""#, r#""5""#, "'5' is not bytes in hexadecimal");
    check(r#""vin":"#, r#""win":"#, "no transaction: it has neither `vin` nor `inputs`");
    check("]}", "", "EOF while parsing a list");
    check(
        "}]}",
        "}],\"outspends\":[{\"spent\":false},null]}",
        &format!("transaction {A}: `outspends` has 2 entries for 1 outputs"),
    );
    check_refused("00ff", "FILE: line 1: the transaction ends too early");
}

#[test]
fn an_endless_document_is_refused() {
    use std::io::{BufReader, Read, repeat};
    let start = br#"[{"txid":""#;
    let endless = BufReader::new(start.chain(repeat(b'a')));
    let error = Transactions::new(Network::Mainnet).read(Path::new("FILE"), endless).unwrap_err();
    assert!(error.to_string().contains("more than 32 MiB in one transaction"), "{error}");
    let endless = BufReader::new(repeat(b'a'));
    let error = Transactions::new(Network::Mainnet).read(Path::new("FILE"), endless).unwrap_err();
    assert!(error.to_string().contains("longer than any transaction"), "{error}");
}

fn load(paths: &[&str]) -> Option<SparseSet> {
    let data = data_dir()?;
    let mut transactions = Transactions::new(Network::Mainnet);
    for path in paths {
        transactions.read_path(&data.join(path)).unwrap();
    }
    Some(transactions.finish())
}

/// The theft of May 2024, from any of the forms that it is at hand in.
fn check_theft(set: SparseSet) -> MemoryLedger {
    let ledger = MemoryLedger::from_sparse(Network::Mainnet, set.txs).unwrap();
    let theft = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
    let funding = "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908";
    let theft = ledger.find_tx(&theft.parse().unwrap()).unwrap().unwrap();
    let funding = ledger.find_tx(&funding.parse().unwrap()).unwrap().unwrap();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    ledger.inputs(theft, &mut inputs).unwrap();
    ledger.outputs(theft, &mut outputs).unwrap();
    let mut spent: Vec<u32> = inputs
        .iter()
        .map(|input| {
            assert_eq!(ledger.tx_of(input.source).unwrap(), funding);
            ledger.output(input.source).unwrap().vout
        })
        .collect();
    spent.sort_unstable();
    assert_eq!(spent, (21..=29).collect::<Vec<u32>>());
    assert_eq!(inputs.iter().map(|input| input.value.0).sum::<u64>(), 450_300_000_000);
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs[0].value, Sats(450_290_000_000));
    assert_eq!(outputs[0].spend, Spend::Unknown);
    let script = ledger.output_script(outputs[0].num).unwrap();
    let address = chain::script::address(&script, Network::Mainnet);
    assert_eq!(address.as_deref(), Some("1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P"));
    ledger
}

#[test]
fn the_dmm_theft_in_every_form() {
    let raw = ["dmm_theft/theft_975ec405.hex", "dmm_theft/funding_c03acb80.hex"];
    let Some(set) = load(&raw) else { return };
    // What the funding transaction spends is not at hand: it is known by its spent outputs only.
    assert_eq!((set.txs.len(), set.incomplete.len(), set.unchecked_txids), (1, 1, 0));
    let ledger = check_theft(set);
    assert!(ledger.flags(chain::TxNum(0)).unwrap().has(Flags::STUB));

    let decoded = [
        "dmm_theft/theft_975ec405.blockcypher.json",
        "dmm_theft/funding_c03acb80.blockcypher.json",
    ];
    let set = load(&decoded).unwrap();
    assert_eq!((set.txs.len(), set.incomplete.len(), set.unchecked_txids), (2, 0, 0));
    check_theft(set);

    let set = load(&["dmm_theft"]).unwrap();
    assert_eq!((set.txs.len(), set.incomplete.len(), set.repeated), (2, 0, 2));
    let ledger = check_theft(set);
    let theft = chain::TxNum(ledger.tx_count() - 1);
    assert!(ledger.flags(theft).unwrap().has(Flags::WITNESS));
}

#[test]
fn a_changed_field_spoils_the_txid() {
    let Some(data) = data_dir() else { return };
    let path = data.join("dmm_theft/theft_975ec405.blockcypher.json");
    let text = std::fs::read_to_string(path).unwrap();
    let error = read(&text.replace(": 450290000000", ": 450290000001")).unwrap_err().to_string();
    let theft = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
    let expected = format!("FILE: line 1: transaction {theft}: its fields hash to ");
    assert!(error.starts_with(&expected) && error.ends_with(": they were changed"), "{error}");
    let error = read(&text.replace("\"vin_sz\": 9", "\"vin_sz\": 29")).unwrap_err().to_string();
    assert!(error.ends_with("it has 29 inputs, and 9 are here"), "{error}");
}

#[test]
fn every_txid_of_the_esplora_fixtures_is_recomputed() {
    let Some(data) = data_dir() else { return };
    let mut transactions = Transactions::new(Network::Mainnet);
    let mut others = 0;
    for entry in std::fs::read_dir(data.join("tx_fixtures_am_i_exposed")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        if let Err(error) = transactions.read_path(&path) {
            // An address, not a transaction.
            assert!(error.to_string().contains("satoshi-genesis-address.json"), "{error}");
            others += 1;
        }
    }
    let set = transactions.finish();
    assert_eq!((set.txs.len(), set.repeated as usize, others), (158, 0, 1));
    assert_eq!((set.unchecked_txids, set.incomplete.len()), (0, 0));
    MemoryLedger::from_sparse(Network::Mainnet, set.txs).unwrap();
}

#[test]
fn the_coinjoin_set_is_read_whole() {
    let Some(set) = load(&["coinjoin_dev"]) else { return };
    assert_eq!(set.txs.len() as u64 + set.repeated, 1817);
    assert_eq!(set.unchecked_txids, set.txs.len() as u64);
    assert_eq!(set.incomplete, []);
    let count = set.txs.len();
    let ledger = MemoryLedger::from_sparse(Network::Mainnet, set.txs).unwrap();
    assert!(ledger.tx_count() as usize > count);
}

proptest! {
    #![proptest_config(crate::made::cases(256))]

    #[test]
    fn no_text_makes_it_panic(
        txid in "[0-9a-f]{64}",
        cut in any::<prop::sample::Index>(),
        junk in "[\\[\\]{},:\"0-9a-z\\-\\.]{0,12}",
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let text = esplora(&txid, B, r#","version":1,"locktime":0"#);
        let at = cut.index(text.len());
        let _ = read(&[&text[..at], &junk, &text[at..]].concat());
        let mut transactions = Transactions::new(Network::Mainnet);
        let _ = transactions.read(Path::new("FILE"), &bytes[..]);
        transactions.finish();
    }
}
