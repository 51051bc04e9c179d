//! Documents and snapshots that are broken, hostile or about something else.

use chain::Network;
use intel::{
    Document, Settings, TagSet,
    import::{NoteKind, Reason},
};

use crate::{claims, import, set};

const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
const HEADER: &str = "label: x\nsource: s\nconfidence: forensic\n";

#[track_caller]
fn fails(name: &str, text: &str, expected: &str) {
    let error = import(name, text).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

/// Reads the document, and expects these rows to be rejected and so many to be taken.
#[track_caller]
fn rejects(name: &str, text: &str, expected: &[&str], taken: u64) {
    let import = import(name, text).unwrap();
    let found: Vec<String> =
        import.report.rejected.iter().map(|row| import.report.line_of(row)).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
    assert_eq!(import.report.accepted, taken);
    assert_eq!(import.report.rows, taken + expected.len() as u64);
}

#[test]
fn broken_documents_name_file_line_and_column() {
    fails(
        "a/p.yaml",
        "tags:\n- address: [1\n- b\n",
        "a/p.yaml: line 2, column 12: unclosed bracket",
    );
    fails("p.yaml", "tags: 1", "p.yaml: line 1: 'tags' is not a list");
    fails("p.yaml", "title: x\n", "p.yaml: line 1: a TagPack has a list 'tags'");
    fails("p.yaml", "label: a\nlabel: b\ntags: []", "p.yaml: line 2: header: field 'label' twice");
    fails("p.yaml", "- x: 1", "p.yaml: unknown format");
    fails("p.json", "[1, 2", "p.json: line 1, column");
    fails("p.csv", "a,b\n1,2\n", "p.csv: line 1: the first line must name the columns");
    fails("p.csv", "\"a,b\n1,2\n", "p.csv: line 1: header: a quote that does not end");
    let bytes = b"tags:\n- label: \xff\n";
    let document = Document { name: "p.yaml", bytes };
    let error = intel::import(document, &Settings::new(Network::Mainnet)).unwrap_err();
    assert_eq!(error.to_string(), "p.yaml: line 2: not UTF-8: save the file as UTF-8 text");
}

#[test]
fn empty_packs_are_packs() {
    for text in ["", "# nothing\n", "tags:", "tags: []", "title: x\ntags: []\n"] {
        assert_eq!(import("p.yaml", text).unwrap().report.rows, 0, "{text}");
    }
    assert_eq!(import("p.csv", "").unwrap().report.rows, 0);
    assert_eq!(import("p.csv", "address,label,source\n").unwrap().report.rows, 0);
    assert_eq!(import("actors.yaml", "actors: []").unwrap().report.rows, 0);
}

#[test]
fn rows_that_cannot_be_taken_are_named_and_the_rest_is_taken() {
    rejects(
        "p.yaml",
        &format!(
            "{HEADER}tags:\n\
             - address: {GENESIS}\n\
             - address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\n\
             - label: nobody\n\
             - {{address: {GENESIS}, tx_hash: 00}}\n\
             - {{tx_hash: 00, currency: BTC}}\n\
             - {{address: {GENESIS}, label: [1]}}\n\
             - {{address: {GENESIS}, label: a, label: b}}\n\
             - {{address: {GENESIS}, concepts: {{}}}}\n\
             - {{address: '0x12', currency: ETH}}\n\
             - plain text\n\
             - {{address: {GENESIS}, label: last}}\n"
        ),
        &[
            "p.yaml:6: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb' is not a Bitcoin address",
            "p.yaml:7: neither address nor tx_hash",
            "p.yaml:8: address and tx_hash at once",
            "p.yaml:9: '00' is not a transaction hash",
            "p.yaml:10: field 'label' should be text",
            "p.yaml:11: field 'label' twice",
            "p.yaml:12: field 'concepts' should be a list of ids",
            "p.yaml:13: '0x12' is not an address of ETH",
            "p.yaml:14: neither address nor tx_hash",
        ],
        2,
    );
    rejects(
        "p.yaml",
        &format!("tags:\n- address: {GENESIS}\n- {{address: {GENESIS}, label: x}}\n"),
        &["p.yaml:2: no label", "p.yaml:3: no source"],
        0,
    );
    rejects(
        "t.csv",
        &format!("address,label,source\n{GENESIS},x,s\n{GENESIS},x\nbad,x,s\n{GENESIS},x,s\n"),
        &["t.csv:3: 2 cells, and the header has 3", "t.csv:4: 'bad' is not a Bitcoin address"],
        2,
    );
    rejects(
        "actors.yaml",
        "actors:\n- {id: a, label: A}\n- {label: B}\n- {id: c, label: C, aliases: {x: y}}\n",
        &["actors.yaml:3: no id", "actors.yaml:4: field 'aliases' should be a list of names"],
        1,
    );
}

#[test]
fn what_nobody_knows_is_kept_and_noted() {
    let text = format!(
        "{HEADER}category: space_travel\nnovelty: 1\ntags:\n\
         - {{address: {GENESIS}, confidence: sure, lastmod: yesterday, is_cluster_definer: perhaps, x: y}}\n"
    );
    let import = import("p.yaml", &text).unwrap();
    let kinds: Vec<NoteKind> = import.report.notes.iter().map(|note| note.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            NoteKind::UnknownConcept("space_travel".into()),
            NoteKind::UnknownConfidence("sure".into()),
            NoteKind::UnknownField("novelty".into()),
            NoteKind::UnknownField("x".into()),
            NoteKind::ChainFromShape,
            NoteKind::OddDate("yesterday".into()),
            NoteKind::OddFlag("perhaps".into()),
        ]
    );
    assert_eq!(claims(&set(&[import])), format!("{GENESIS} x [space_travel] - 0 BTC s\n"));
}

#[test]
fn addresses_of_other_networks_are_flagged_and_kept_as_text() {
    let regtest = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let text =
        format!("{HEADER}currency: BTC\ntags:\n- address: {regtest}\n- address: {GENESIS}\n");
    let import = import("p.yaml", &text).unwrap();
    assert_eq!(import.report.notes.len(), 1);
    assert_eq!(
        import.report.notes[0].to_string(),
        "address of regtest: kept as text (1 row, first at line 6)"
    );
    let mainnet = set(&[import]);
    assert_eq!(mainnet.scripts().count(), 1);
    assert_eq!(mainnet.of_address_elsewhere("regtest", regtest).len(), 1);

    // The same pack for a set of the other network: the other way round.
    let settings = Settings::new(Network::Regtest);
    let other =
        intel::import(Document { name: "p.yaml", bytes: text.as_bytes() }, &settings).unwrap();
    let mut builder = intel::TagSetBuilder::new(Network::Regtest);
    let regtest_set = builder.add(&other).unwrap().build().unwrap();
    let script = chain::script::parse(regtest, Network::Regtest).unwrap();
    assert_eq!(regtest_set.of_script(script.as_bytes()).len(), 1);
    assert_eq!(regtest_set.of_address_elsewhere("mainnet", GENESIS).len(), 1);
    let mut wrong = intel::TagSetBuilder::new(Network::Mainnet);
    let error = wrong.add(&other).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "tags read for regtest cannot enter the tag set of mainnet");
}

#[test]
fn bombs_are_refused_in_bounded_time_and_memory() {
    let mut laughs = String::from("title: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let items = vec![format!("*a{}", n - 1); 10].join(", ");
        laughs.push_str(&format!("k{n}: &a{n} [{items}]\n"));
    }
    fails("p.yaml", &laughs, "p.yaml: more than 100000 values repeated by aliases");
    fails("p.yaml", &"{a: ".repeat(100_000), "p.yaml: line 1");
    fails("p.yaml", &"- ".repeat(100_000), "p.yaml: line 1");
    fails("p.yaml", &"? ".repeat(100_000), "p.yaml: line 1");
    fails("p.yaml", &format!("tags: \"{}", "a\n".repeat(100_000)), "p.yaml: line");
    fails("p.yaml", &format!("x: {}", "&a ".repeat(10_000)), "p.yaml: line 1");
}

#[test]
fn heavy_a_million_rows_and_one_broken() {
    let mut text = String::from("address,label,source\n");
    for row in 0..1_000_000_u32 {
        if row == 500_000 {
            text.push_str("\"an open quote,x,s\n");
        }
        text.push_str(&format!("script:0014{row:040x},x,s\n"));
    }
    let import = import("t.csv", &text).unwrap();
    assert_eq!((import.report.rows, import.report.accepted), (1_000_001, 1_000_000));
    assert_eq!(import.report.rejected.len(), 1);
    assert_eq!(import.report.rejected[0].line, 500_002);
    assert_eq!(import.report.rejected[0].reason, Reason::OpenQuote);
}

#[test]
fn damaged_snapshots_are_refused() {
    let text = format!("{HEADER}tags:\n- address: {GENESIS}\n");
    let bytes = set(&[import("p.yaml", &text).unwrap()]).as_bytes().to_vec();
    assert!(TagSet::from_bytes(bytes.clone()).is_ok());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(TagSet::from_bytes(damaged).is_err(), "byte {at}");
        assert!(TagSet::from_bytes(bytes[..at].to_vec()).is_err(), "cut at {at}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(TagSet::from_bytes(longer).is_err());
    let mut later = bytes;
    later[8] = 9;
    let error = TagSet::from_bytes(later).unwrap_err().to_string();
    assert!(error.starts_with("tag set format 9, and this program reads 1"), "{error}");
}
