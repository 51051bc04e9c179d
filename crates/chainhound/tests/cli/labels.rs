//! `tags`: import, look-up, export; what is broken, and what a kill leaves.

use std::{fs, process::Stdio, thread, time::Duration};

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, Run, command, run, text};

const GENUINE: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";
const THIEFS: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
const OTHER: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

/// A datadir, and files to import.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        text(&path.canonicalize().unwrap()).to_owned()
    }

    fn tags(&self, args: &[&str]) -> Run {
        let mut command = command(&[&["tags"], args].concat());
        command.env("CHAINHOUND_DATADIR", self.0.path().join("data"));
        run(command)
    }

    fn json(&self, args: &[&str]) -> Value {
        self.tags(&[args, &["--format", "json"]].concat()).json()
    }

    fn digest(&self) -> Value {
        self.json(&["list"])["provenance"]["tag_set_digest"].clone()
    }
}

fn pack(address: &str, more: &str) -> String {
    format!(
        "title: Pack\ncreator: us\nsource: https://example.org\nlabel: Bad people\n\
         confidence: forensic\nlastmod: 2024-05-31\ncurrency: BTC\ntags:\n\
         - address: {address}\n  abuse: ransomware\n{more}"
    )
}

#[test]
fn a_bad_row_is_named_and_the_rest_is_taken() {
    let desk = Desk::new();
    let file =
        desk.file("a.yaml", &pack(THIEFS, "- address: 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q\n"));
    let done = desk.tags(&["import", &file]);
    assert!(done.ok().contains("tags       1 on 1 subjects"), "{}", done.out);
    let line =
        format!("rejected: {file}:11: '1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q' is not a Bitcoin");
    assert!(done.err.contains(&line), "{}", done.err);
    let document = desk.json(&["import", &file]);
    assert_eq!(document["schema"], "chainhound.tags_import.v1");
    assert_eq!(document["changed"], false);
    let read = &document["documents"][0];
    assert_eq!((&read["rows"], &read["accepted"]), (&json!(2), &json!(1)));
    assert_eq!((&read["rejected"][0]["line"], &read["path"]), (&json!(11), &json!(file)));
    assert_eq!(document["provenance"]["tag_set_digest"], desk.digest());
}

#[test]
fn an_unknown_category_is_kept_and_flagged() {
    let desk = Desk::new();
    let file = desk.file("a.yaml", &pack(THIEFS, "  category: wizardry\n"));
    let done = desk.tags(&["import", &file]);
    assert!(done.ok().contains("tags       1 on 1 subjects"), "{}", done.out);
    assert!(done.err.contains("'wizardry' is not in the taxonomy: kept"), "{}", done.err);
    assert_eq!(desk.json(&["lookup", THIEFS])["claims"][0]["category"], "wizardry");
}

#[test]
fn a_broken_file_is_named_and_the_others_are_imported() {
    let desk = Desk::new();
    desk.file("packs/good.yaml", &pack(THIEFS, ""));
    let bad = desk.file("packs/inner/bad.yaml", "title: [\n  oh: {\n");
    let bomb = desk.file("packs/list.txt.json", "[[[[[[");
    let packs = desk.0.path().join("packs");
    let done = desk.tags(&["import", text(&packs)]);
    assert_eq!(done.code, Some(3), "{}", done.err);
    assert!(done.err.contains(&format!("not imported: {bad}: line 2")), "{}", done.err);
    assert!(done.err.contains(&format!("not imported: {bomb}: line")), "{}", done.err);
    assert!(!done.err.contains("panicked"));
    assert_eq!(desk.json(&["lookup", THIEFS])["claims"][0]["label"], "Bad people");
    let empty = desk.0.path().join("empty");
    fs::create_dir(&empty).unwrap();
    desk.tags(&["import", text(&empty)]).fails(3, &["no labels in here", "one by one"]);
    desk.tags(&["import", "nowhere.yaml"]).fails(3, &["nowhere.yaml", "No such file"]);
    let list = desk.file("list.txt", THIEFS);
    let done = desk.tags(&["import", &list]);
    assert_eq!(done.code, Some(3));
    assert!(done.err.contains("does not say its label"), "{}", done.err);
    desk.tags(&["import", &list, "--label", "x", "--source", "y"]).ok();
    assert_eq!(desk.json(&["lookup", THIEFS])["claims"].as_array().unwrap().len(), 2);
}

#[test]
fn a_changed_file_replaces_what_it_said_before() {
    let desk = Desk::new();
    let file = desk.file("a.yaml", &pack(THIEFS, ""));
    desk.tags(&["import", &file]).ok();
    let first = desk.digest();
    desk.file("a.yaml", &pack(OTHER, ""));
    assert_eq!(desk.json(&["import", &file])["changed"], true);
    assert_eq!(desk.json(&["lookup", THIEFS])["claims"], json!([]));
    assert_ne!(desk.digest(), first);
    // The order and the names of files do not matter to the digest.
    let same = desk.file("z.yaml", &pack(THIEFS, ""));
    desk.tags(&["import", &same]).ok();
    desk.tags(&["remove", &file]).ok();
    assert_eq!(desk.digest(), first);
    assert_eq!(desk.json(&["list"])["documents"][0]["path"], same);
    desk.tags(&["remove", &file]).fails(3, &["no such import", "tags list"]);
}

#[test]
fn claims_stand_side_by_side() {
    let desk = Desk::new();
    let one = desk.file("one.yaml", &pack(THIEFS, "  category: market\n  actor: tradertraitor\n"));
    let two = pack(THIEFS, "  category: exchange\n  actor: huione\n")
        .replace("Bad people", "Nice people")
        .replace("forensic", "authority_data");
    let two = desk.file("two.yaml", &two);
    desk.tags(&["import", &one, &two]).ok();
    let found = desk.json(&["lookup", THIEFS]);
    assert_eq!(found["schema"], "chainhound.tags_lookup.v1");
    let labels: Vec<_> = found["claims"].as_array().unwrap().iter().map(|c| &c["label"]).collect();
    assert_eq!(labels, ["Nice people", "Bad people"]);
    let claim = &found["claims"][1];
    assert_eq!((&claim["basis"], &claim["confidence"]), (&json!("claim"), &json!(50)));
    assert_eq!(claim["source"], "https://example.org");
    assert_eq!(claim["lastmod"], "2024-05-31");
    assert_eq!(found["disagreement"]["actors"], json!(["huione", "tradertraitor"]));
    let table = desk.tags(&["lookup", THIEFS]);
    assert!(table.ok().contains("different categories  exchange, market"), "{}", table.out);
    // By category, by abuse, by label, by actor.
    for (what, count) in [("market", 1), ("ransomware", 2), ("people", 2), ("nice", 1)] {
        let found = desk.json(&["lookup", what]);
        assert_eq!(found["statements"].as_array().unwrap().len(), count, "{what}");
        assert_eq!(found["statements"][0]["subjects"], json!([THIEFS]));
    }
    let actor = desk.json(&["lookup", "Jade Sleet"]);
    assert_eq!(actor["actors"][0]["id"], "tradertraitor");
    assert_eq!(actor["actors"][0]["named_as"], "alias");
    assert_eq!(actor["statements"][0]["label"], "Bad people");
    let aliases = actor["actors"][0]["aliases"].as_array().unwrap();
    let jade = aliases.iter().find(|alias| alias["name"] == "Jade Sleet").unwrap();
    assert_eq!(jade["sources"].as_array().unwrap().len(), 2);
    assert!(actor["actors"][0]["part_of"].as_array().unwrap().len() >= 2);
}

#[test]
fn what_nobody_says_and_what_nobody_knows() {
    let desk = Desk::new();
    let none = desk.tags(&["lookup", GENUINE]);
    assert!(none.ok().contains("nobody says anything"), "{}", none.out);
    assert!(none.err.contains("no labels are imported for mainnet"), "{}", none.err);
    desk.tags(&["lookup", "nosuchword"]).fails(3, &["neither an address nor a txid"]);
    desk.tags(&["lookup", " "]).fails(2, &["nothing to look up"]);
    desk.tags(&["lookup", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"])
        .fails(2, &["address of regtest"]);
    let file = desk.file(
        "tron.csv",
        "address,currency,label,source\nTNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug8,TRX,tron,s\n",
    );
    desk.tags(&["import", &file]).ok();
    // With labels, too: an empty word is in every one of them.
    desk.tags(&["lookup", ""]).fails(2, &["nothing to look up"]);
    let found = desk.json(&["lookup", "TNVaKWQzau7xL9bcnvLmF9KSEQkWEs4Ug8"]);
    assert_eq!(found["claims"][0]["label"], "tron");
}

#[test]
fn out_and_in_again_is_the_same() {
    let desk = Desk::new();
    let file =
        desk.file("a.yaml", &pack(THIEFS, "- address: script:51\n  label: 'odd: \"one\"'\n"));
    desk.tags(&["import", &file]).ok();
    let out = desk.0.path().join("out");
    desk.tags(&["export", "--out", text(&out)]).ok();
    let again = Desk::new();
    again.tags(&["import", text(&out)]).ok();
    assert_eq!(again.digest(), desk.digest());
    let one = desk.tags(&["export", "--pack", "pack"]);
    assert!(one.ok().starts_with("title: Pack\n"), "{}", one.out);
    assert!(desk.tags(&["export"]).ok().starts_with("--- # "));
    desk.tags(&["export", "--pack", "none"]).fails(3, &["no pack has 'none' in its title"]);
}

#[test]
fn labels_of_a_network_beside_its_chain() {
    let home = Home::new(HEIST);
    let thief = home.address("thief");
    let csv = format!("address,label,source\n{thief},thief,us\n{OTHER},other,us\n");
    fs::write(home.path("a.csv"), csv).unwrap();
    let done = home.run(&["tags", "import", "-v", text(&home.path("a.csv"))]);
    assert!(done.ok().contains("addresses  1 of this network"), "{}", done.out);
    assert!(done.err.contains("address of mainnet: kept as text"), "{}", done.err);
    assert_eq!(home.json(&["tags", "lookup", &thief])["claims"][0]["label"], "thief");
    assert_eq!(home.json(&["tags", "lookup", OTHER])["claims"][0]["label"], "other");
    // Labels of one network are not taken for those of another.
    let (from, to) = (home.path("data/regtest/labels"), home.path("data/mainnet/labels"));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap();
    home.run(&["tags", "lookup", OTHER, "--network", "mainnet"])
        .fails(2, &["labels of regtest, and this is mainnet"]);
}

#[test]
fn damage_is_named_and_mended_by_the_next_import() {
    let desk = Desk::new();
    let file = desk.file("a.yaml", &pack(THIEFS, ""));
    desk.tags(&["import", &file]).ok();
    let set = desk.0.path().join("data/mainnet/labels/tags.bin");
    let good = fs::read(&set).unwrap();
    for bad in [&good[..good.len() / 2], b"", b"CHNDTAGS"] {
        fs::write(&set, bad).unwrap();
        desk.tags(&["lookup", THIEFS]).fails(3, &["tags.bin: not a tag set", "tags import"]);
        desk.tags(&["import", &file]).ok();
        assert_eq!(fs::read(&set).unwrap(), good);
    }
}

#[test]
fn a_kill_leaves_the_old_labels_or_the_new_ones() {
    let desk = Desk::new();
    let small = desk.file("small.yaml", &pack(THIEFS, ""));
    desk.tags(&["import", &small]).ok();
    let old = desk.digest();
    let mut rows = String::from("address,label,source\n");
    for byte in 0..20_000_u32 {
        rows.push_str(&format!("script:51{byte:08x},many,us\n"));
    }
    let large = desk.file("large.csv", &rows);
    let whole = Desk::new();
    whole.tags(&["import", &small, &large]).ok();
    let new = whole.digest();
    let mut seen = Vec::new();
    for wait in 0..12 {
        let mut command = command(&["tags", "import", &large]);
        command.env("CHAINHOUND_DATADIR", desk.0.path().join("data"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(wait * 12));
        let _ = child.kill();
        child.wait().unwrap();
        let found = desk.digest();
        assert!(found == old || found == new, "{found}");
        assert_eq!(desk.json(&["lookup", THIEFS])["claims"].as_array().unwrap().len(), 1);
        seen.push(found == new);
        if found == new {
            desk.tags(&["remove", &large]).ok();
            assert_eq!(desk.digest(), old);
        }
    }
    println!("new after the kill: {seen:?}");
    desk.tags(&["import", &large]).ok();
    assert_eq!(desk.digest(), new);
}

#[test]
fn public_packs_and_the_sanctions_list() {
    let Some(data) = testkit::data_dir() else { return };
    let desk = Desk::new();
    let done = desk.tags(&["import", text(&data.join("ofac_0xB10C"))]);
    assert!(done.ok().contains("addresses  437 of this network"), "{}", done.out);
    let line = "sanctioned_addresses_XBT.txt:355: 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq' is not";
    assert!(done.err.contains(line), "{}", done.err);
    desk.tags(&["import", text(&data.join("incident_addresses"))]).ok();
    let thief = desk.json(&["lookup", THIEFS]);
    assert_eq!(thief["claims"][0]["actor"], "tradertraitor");
    assert_eq!(thief["claims"][0]["confidence"], 40);
    let actor = desk.json(&["lookup", "UNC4899"]);
    assert!(actor["statements"].as_array().unwrap().len() >= 4, "{actor}");
}
