//! `cluster`: what is joined and why, the file it is kept in, and what `address` shows of it.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use testkit::{
    Chain,
    blkfile::{Disorder, Layout, write_blocks},
};

use crate::harness::{HEIST, Home, edit, text};

/// Two clusters of three, and a transaction that joins them.
const BRIDGE: &str = "
block
tx a: coinbase -> A:5 B:5 C:5 D:5 E:5 F:5 A:1 D:1 G:1 B:1 E:1
block
tx b: a:0 a:1 a:2 -> X:15
tx c: a:3 a:4 a:5 -> Y:15
block
tx bridge: a:6 a:7 -> Z:2
";

fn file(home: &Home, rule: &str) -> PathBuf {
    home.path("data/regtest/clusters").join(format!("{rule}.clusters"))
}

/// Other blocks in the node's directory, and the store after them.
fn go_on(home: &mut Home, text: &str) {
    home.chain = Chain::parse(text).unwrap();
    fs::remove_dir_all(home.block_dir()).unwrap();
    let blocks = home.chain.blocks();
    write_blocks(&home.block_dir(), blocks, Layout::default(), Disorder::default()).unwrap();
    home.index(&[]).ok();
}

#[test]
fn addresses_that_pay_together_are_joined() {
    let home = Home::new(BRIDGE);
    let built = home.json(&["cluster", "build"]);
    assert_eq!(built["schema"], "chainhound.cluster_build.v1");
    assert_eq!(
        (&built["basis"], &built["heuristic"]),
        (&json!("inference"), &json!("multi_input"))
    );
    assert_eq!((&built["how"], &built["new_blocks"]), (&json!("built"), &json!(4)));
    let largest = &built["largest"][0];
    assert_eq!(
        (&largest["addresses"], &largest["first"]["address"]),
        (&json!(6), &json!(home.address("A")))
    );

    let show = home.json(&["cluster", "show", &home.address("F")]);
    assert_eq!(show["schema"], "chainhound.cluster_show.v1");
    assert_eq!((&show["addresses"], &show["stale_blocks"]), (&json!(6), &json!(0)));
    assert_eq!(show["cluster"], largest["cluster"]);
    assert_eq!((&show["clustering_tip"]["height"], &show["tags"]), (&json!(3), &Value::Null));
    let names = |document: &Value| -> Vec<String> {
        let members = document["members"].as_array().unwrap();
        members.iter().map(|member| member["address"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&show), ["A", "B", "C", "D", "E", "F"].map(|name| home.address(name)));
    let page = home.json(&["cluster", "show", &home.address("A"), "--limit", "4"]);
    assert_eq!(page["next_cursor"], home.address("D"));
    let cursor = ["cluster", "show", &home.address("A"), "--cursor", &home.address("D")];
    let rest = home.json(&cursor);
    assert_eq!(names(&rest), [home.address("E"), home.address("F")]);
    assert_eq!(rest["next_cursor"], Value::Null);
    home.run(&["cluster", "show", &home.address("A"), "--cursor", &home.address("X")])
        .fails(2, &["no address of this cluster"]);

    let address = home.json(&["address", &home.address("B")]);
    assert_eq!(address["cluster"]["addresses"], 6);
    assert_eq!(address["cluster"]["basis"], "inference");
    assert_eq!(address["tags"], Value::Null);
    assert_eq!(home.json(&["cluster", "build"])["how"], "unchanged");
}

#[test]
fn a_proof_path_names_each_transaction() {
    let home = Home::new(BRIDGE);
    home.run(&["cluster", "build"]).ok();
    let why = |from: &str, to: &str| {
        home.run(&["cluster", "why", &home.address(from), &home.address(to), "--format", "json"])
    };
    let joined = why("B", "F").json();
    assert_eq!(
        (&joined["schema"], &joined["verdict"]),
        (&json!("chainhound.cluster_why.v1"), &json!("joined"))
    );
    let steps: Vec<_> = joined["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            assert_eq!(
                (&step["basis"], &step["heuristic"]),
                (&json!("inference"), &json!("multi_input"))
            );
            (step["txid"].clone(), step["from"]["address"].clone(), step["to"]["address"].clone())
        })
        .collect();
    let step = |tx: &str, from: &str, to: &str| {
        (json!(home.txid(tx)), json!(home.address(from)), json!(home.address(to)))
    };
    assert_eq!(steps, [step("b", "B", "A"), step("bridge", "A", "D"), step("c", "D", "F")]);
    assert_eq!(joined["steps"][1]["height"], 3);
    assert_eq!(why("B", "B").json()["verdict"], "same");

    let apart = why("B", "X");
    assert_eq!(apart.code, Some(1), "{}", apart.err);
    assert_eq!(serde_json::from_str::<Value>(&apart.out).unwrap()["verdict"], "apart");
    let table = home.run(&["cluster", "why", &home.address("A"), &home.address("Y")]);
    assert_eq!(table.code, Some(1));
    assert!(table.out.contains("NOT JOINED"), "{}", table.out);
    let short =
        home.run(&["cluster", "why", &home.address("B"), &home.address("F"), "--visits", "2"]);
    assert_eq!(short.code, Some(4), "{}", short.out);
}

#[test]
fn the_guard_reports_or_holds_back() {
    let home = Home::new(BRIDGE);
    let guard = ["cluster", "build", "--guard-large", "3", "--guard-thin", "2"];
    let reported = home.json(&guard);
    let finding = &reported["guard"]["findings"][0];
    assert_eq!(
        (&finding["txid"], &finding["held_back"]),
        (&json!(home.txid("bridge")), &json!(false))
    );
    let sizes: Vec<_> =
        finding["parts"].as_array().unwrap().iter().map(|p| &p["addresses"]).collect();
    assert_eq!(sizes, [3, 3]);
    assert_eq!(reported["largest"][0]["addresses"], 6);
    // Another guard joins otherwise: no clustering goes on from one to the other.
    let held = home.json(&[&guard[..], &["--hold-back"]].concat());
    assert_eq!((&held["how"], &held["because"]), (&json!("rebuilt"), &json!("other_guard")));
    assert_eq!(held["guard"]["findings"][0]["held_back"], true);
    assert_eq!(held["largest"][0]["addresses"], 3);
    let table = home.run(&[&guard[..], &["--hold-back"]].concat());
    assert!(table.ok().contains("1 thin merges of large clusters, 1 held back"), "{}", table.out);
    let apart = home.run(&["cluster", "why", &home.address("A"), &home.address("D")]);
    assert_eq!(apart.code, Some(1), "{}", apart.err);
    let diff = home.json(&["cluster", "diff"]);
    assert_eq!((&diff["split_count"], &diff["merge_count"]), (&json!(1), &json!(0)));
}

#[test]
fn change_is_joined_in_a_clustering_of_its_own() {
    let text = "block\ntx a: coinbase -> A:10 B:10\nblock\ntx b: a:0 a:1 -> X:12 Y:7.98765432\n";
    let home = Home::new(text);
    home.run(&["cluster", "build"]).ok();
    let change = ["--with-change", "strong"];
    home.run(&[&["cluster", "show", &home.address("Y")], &change[..]].concat()).fails(
        3,
        &["no clustering 'multi_input+change_strong'", "cluster build --with-change strong"],
    );
    let built = home.json(&[&["cluster", "build"], &change[..]].concat());
    assert_eq!(built["heuristic"], "multi_input+change_strong");
    let pair = ["A", "Y"].map(|name| home.address(name));
    let pair = [pair[0].as_str(), &pair[1]];
    let why = home.json(&[&["cluster", "why"], &pair[..], &change[..]].concat());
    assert_eq!(why["steps"][0]["heuristic"], "change");
    assert_eq!(home.run(&[&["cluster", "why"], &pair[..]].concat()).code, Some(1));
    assert_eq!(home.json(&["address", pair[1]])["cluster"]["addresses"], 1);
}

#[test]
fn a_store_that_went_on_says_how_far() {
    let mut home = Home::new(BRIDGE);
    home.run(&["cluster", "build"]).ok();
    go_on(&mut home, &format!("{BRIDGE}block\ntx late: b:0 c:0 -> W:30\nblock\n"));
    let show = home.json(&["cluster", "show", &home.address("X")]);
    assert_eq!((&show["stale_blocks"], &show["addresses"]), (&json!(2), &json!(1)));
    let table = home.run(&["cluster", "show", &home.address("X")]);
    assert!(table.ok().contains("block 3, 2 blocks behind the store"), "{}", table.out);
    home.run(&["cluster", "show", &home.address("W")]).fails(3, &["newer than the clustering"]);
    home.run(&["cluster", "diff"]).fails(3, &["no clustering of an earlier tip"]);

    let built = home.json(&["cluster", "build"]);
    assert_eq!(built["new_blocks"], 2);
    let diff = home.json(&["cluster", "diff"]);
    assert_eq!(diff["schema"], "chainhound.cluster_diff.v1");
    assert_eq!(
        (&diff["before"]["height"], &diff["clustering_tip"]["height"]),
        (&json!(3), &json!(5))
    );
    assert_eq!((&diff["new_addresses"], &diff["merge_count"]), (&json!(1), &json!(1)));
    let merge = &diff["merges"][0];
    assert_eq!(
        (&merge["addresses"], &merge["first"]["address"]),
        (&json!(2), &json!(home.address("X")))
    );
    assert_eq!(merge["parts"][1]["first"]["address"], home.address("Y"));
}

#[test]
fn damage_is_named_and_never_believed() {
    let home = Home::new(BRIDGE);
    let address = home.address("A");
    home.run(&["cluster", "show", &address])
        .fails(3, &["no clustering", "`chainhound cluster build`"]);
    home.run(&["cluster", "build"]).ok();
    let path = file(&home, "multi_input");
    let good = fs::read(&path).unwrap();
    // What a kill leaves half written is not looked at.
    fs::write(path.with_extension("clusters.next"), "half").unwrap();
    home.run(&["cluster", "show", &address]).ok();
    for at in (0..good.len()).step_by(7) {
        edit(&path, |bytes| bytes[at] ^= 0x20);
        home.run(&["cluster", "show", &address]).fails(3, &["multi_input.clusters: ", "--rebuild"]);
        fs::write(&path, &good).unwrap();
    }
    for length in [0, 7, 50, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        for args in [
            &["cluster", "build"][..],
            &["cluster", "why", &address, &address],
            &["cluster", "diff"],
            &["address", &address],
        ] {
            home.run(args).fails(3, &["multi_input.clusters: "]);
        }
    }
    assert_eq!(home.json(&["cluster", "build", "--rebuild"])["because"], "asked");
    assert_eq!(fs::read(&path).unwrap(), good);
    // A clustering under another's name is not taken for it.
    fs::copy(&path, file(&home, "multi_input+change_weak")).unwrap();
    home.run(&["cluster", "show", &address, "--with-change", "weak"])
        .fails(3, &["multi_input+change_weak.clusters", "by the rule 'multi_input'"]);
}

#[test]
fn single_transactions_have_no_clusters() {
    let home = Home::blocks(HEIST);
    let lines = home.path("txs.hex");
    let txs = ["funds", "theft"].map(|name| crate::harness::hex(home.chain.tx(name).unwrap()));
    fs::write(&lines, txs.join("\n")).unwrap();
    home.run(&["index", "--esplora", text(&lines), "--network", "regtest"]).ok();
    home.run(&["cluster", "build"]).fails(3, &["clusters need the whole chain", "--blocks-dir"]);
    assert_eq!(home.json(&["address", &home.address("thief")])["cluster"], Value::Null);
}

#[test]
fn claims_about_a_cluster_are_not_taken_from_those_who_mixed() {
    let home = Home::new(BRIDGE);
    home.run(&["cluster", "build"]).ok();
    let tag = |name: &str, label: &str, more: &str| {
        format!("- {{address: {}, label: {label}, {more}}}\n", home.address(name))
    };
    let pack = "title: Pack\ncreator: us\nsource: https://example.org\nlastmod: 2024-05-31\n\
                currency: BTC\nconfidence: forensic\ntags:\n"
        .to_owned()
        + &tag("A", "Exchange", "category: exchange, is_cluster_definer: true")
        + &tag("B", "Exchange", "category: exchange, is_cluster_definer: true")
        + &tag("C", "Hot wallet", "category: exchange")
        + &tag("D", "Mixed here", "concepts: [coinjoin], is_cluster_definer: true")
        + &tag("X", "Elsewhere", "category: exchange, is_cluster_definer: true");
    fs::write(home.path("pack.yaml"), pack).unwrap();
    home.run(&["tags", "import", text(&home.path("pack.yaml"))]).ok();
    let show = home.json(&["cluster", "show", &home.address("F")]);
    assert!(show["provenance"]["tag_set_digest"].is_string());
    let labels = |list: &Value| -> Vec<String> {
        let all = list.as_array().unwrap();
        all.iter().map(|claim| claim["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(&show["tags"]["cluster"]), ["Exchange"]);
    assert_eq!(labels(&show["tags"]["addresses"]), ["Hot wallet", "Mixed here"]);
    assert_eq!(show["tags"]["addresses"][1]["of"], home.address("D"));
    assert_eq!(show["tags"]["cluster"][0]["basis"], "claim");
    let table = home.run(&["cluster", "show", &home.address("F")]);
    assert!(table.ok().contains("about the whole cluster:"), "{}", table.out);
    let address = home.json(&["address", &home.address("D")]);
    assert_eq!(labels(&address["tags"]), ["Mixed here"]);
    assert!(home.run(&["address", &home.address("D")]).ok().contains("Mixed here"));
    assert_eq!(home.json(&["address", &home.address("F")])["tags"], json!([]));
}

/// Blocks of random payments; names of transactions carry the branch's tag.
fn branch(tag: &str, base: &str, blocks: &[Vec<(u8, u8, u8)>]) -> String {
    let mut text = String::new();
    let mut on = base.to_owned();
    for (number, txs) in blocks.iter().enumerate() {
        let name = format!("{tag}{number}");
        text += &format!("block {name} on {on}\n");
        let outputs: String = txs.iter().map(|(a, b, _)| format!(" n{a}:5 n{b}:5")).collect();
        text += &format!("tx {name}c: coinbase ->{outputs} m:1\n");
        // The coins of the block before are spent in pairs that join their holders.
        if let Some(before) = number.checked_sub(1).and_then(|at| Some((at, blocks.get(at)?))) {
            for (pair, (_, _, to)) in before.1.iter().enumerate() {
                let (first, coins) = (2 * pair, format!("{tag}{}c", before.0));
                text += &format!(
                    "tx {name}t{pair}: {coins}:{first} {coins}:{} -> n{to}:3 r{to}:6.98765432\n",
                    first + 1
                );
            }
        }
        on = name;
    }
    text
}

/// Chains that differ from one number to the next.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX generator; its upper half is good enough to make payments differ.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn blocks(&mut self, count: u64) -> Vec<Vec<(u8, u8, u8)>> {
        let mut name = || self.below(9) as u8;
        let mut tx = || (name(), name(), name());
        (0..count).map(|number| (0..=number % 2).map(|_| tx()).collect()).collect()
    }
}

/// The file after any way to a tip is the file of a build from nothing, byte for byte: block by block,
/// after a reorganisation, after the next block.
#[test]
fn the_file_does_not_depend_on_the_way() {
    for seed in 1..4 {
        let mut dice = Dice(seed);
        let trunk = dice.blocks(seed + 2);
        let start = format!("block s\n{}", branch("t", "s", &trunk));
        let base = format!("t{}", trunk.len() - 1);
        // A node keeps the blocks that lost.
        let one = format!("{start}{}", branch("x", &base, &dice.blocks(seed)));
        let two = format!("{one}{}", branch("y", &base, &dice.blocks(seed + 1)));
        let last = format!("{two}block z on y{seed}\n");
        let mut home = Home::new(&start);
        let weak = ["--with-change", "weak"];
        for (text, first) in [(&start, true), (&one, false), (&two, false), (&last, false)] {
            go_on(&mut home, text);
            for (args, rule) in [(&[][..], "multi_input"), (&weak[..], "multi_input+change_weak")] {
                let built = home.json(&[&["cluster", "build"], args].concat());
                assert_eq!(built["how"] == "built", first, "{built}");
                assert_eq!(built["stale_blocks"], 0);
                let kept = fs::read(file(&home, rule)).unwrap();
                home.run(&[&["cluster", "build", "--rebuild"], args].concat()).ok();
                assert_eq!(kept, fs::read(file(&home, rule)).unwrap(), "{rule}, seed {seed}");
            }
        }
    }
}
