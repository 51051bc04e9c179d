//! `index`: resume, reorganisations, following, signals, single transactions.

use std::{fs, process::Stdio};

use serde_json::json;
use testkit::{
    Chain,
    blkfile::{Disorder, Layout, write_blocks},
};

use crate::harness::{HEIST, Home, hex, run, signal, start, text, wait_until};

#[test]
fn indexing_goes_on_where_it_stopped() {
    let home = Home::blocks(HEIST);
    let first = home.index(&["--until-height", "3", "--format", "json"]).json();
    assert_eq!(first["schema"], "chainhound.index.v1");
    assert_eq!((&first["tip"]["height"], &first["appended"]), (&json!(3), &json!(4)));
    assert_eq!(home.json(&["status"])["blocks"], 4);
    let second = home.index(&["--format", "json", "--memory", "64MiB", "--threads", "1"]).json();
    assert_eq!((&second["tip"]["height"], &second["appended"]), (&json!(7), &json!(4)));
    let third = home.index(&["--format", "json"]).json();
    assert_eq!((&third["appended"], &third["rolled_back"]), (&json!(0), &json!(0)));
    home.run(&["store", "check"]).ok();
}

#[test]
fn a_node_s_untidy_files_are_read() {
    let home = Home::blocks(HEIST);
    fs::remove_dir_all(home.block_dir()).unwrap();
    let layout = Layout {
        max_file: 900,
        xor: Some(*b"\x01\x02\x03\x04\x05\x06\x07\x08"),
        gap: 3,
        tail: 500,
        ..Layout::default()
    };
    let disorder = Disorder { shuffle: Some(5), twice: 2, orphans: 2 };
    write_blocks(&home.block_dir(), home.chain.blocks(), layout, disorder).unwrap();
    let done = home.index(&["-v"]);
    assert!(done.ok().contains("appended      8 blocks"), "{}{}", done.out, done.err);
    assert!(done.err.contains("without their parent"), "{}", done.err);
}

#[test]
fn a_reorganisation_is_followed() {
    let home = Home::new("block a\nblock b on a\ntx old: coinbase -> loser:50\n");
    assert_eq!(
        home.json(&["address", &home.chain.address("loser").unwrap()])["balance_sat"],
        5_000_000_000_u64
    );
    let longer = "block a\nblock b on a\ntx old: coinbase -> loser:50\nblock c on a\n\
                  tx new: coinbase -> winner:50\nblock d on c\n";
    let chain = Chain::parse(longer).unwrap();
    write_blocks(&home.block_dir(), chain.blocks(), Layout::default(), Disorder::default())
        .unwrap();
    let done = home.index(&[]);
    assert!(done.ok().contains("taken back    1 blocks"), "{}{}", done.out, done.err);
    home.run(&["address", &chain.address("loser").unwrap()]).fails(3, &["up to height 3"]);
    home.run(&["tx", &chain.txid("old").unwrap().to_string()]).fails(3, &["is not on this chain"]);
    home.run(&["address", &chain.address("winner").unwrap()]).ok();
}

#[test]
fn following_takes_in_new_blocks_until_it_is_told_to_stop() {
    let home = Home::blocks("blocks 3");
    let blocks = home.block_dir();
    let (mut child, _lines) = start(home.command(&[
        "index",
        "--blocks-dir",
        text(&blocks),
        "--follow",
        "--format",
        "json",
    ]));
    let height = || {
        let status = home.run(&["status", "--format", "json"]);
        serde_json::from_str::<serde_json::Value>(&status.out).ok()?["tip"]["height"].as_u64()
    };
    wait_until("block 3", || height() == Some(3));
    // A second writer is told who is in the way.
    home.index(&[]).fails(3, &["another process is writing to this store"]);
    let longer = Chain::parse("blocks 5").unwrap();
    write_blocks(&blocks, longer.blocks(), Layout::default(), Disorder::default()).unwrap();
    wait_until("block 5", || height() == Some(5));
    signal(&child, "-TERM");
    let output = child.wait().unwrap();
    assert_eq!(output.code(), Some(0));
    home.run(&["store", "check"]).ok();
    assert_eq!(home.json(&["status"])["blocks"], 6);
}

#[test]
fn a_broken_pipe_is_no_error() {
    let home = Home::new(HEIST);
    let theft = home.txid("theft");
    let mut command = home.command(&["trace", "--from", &theft, "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn quiet_means_quiet() {
    let home = Home::blocks(HEIST);
    assert_eq!(home.index(&["-q"]).err, "");
    let other = Home::blocks(HEIST);
    let noted = other.index(&[]);
    assert!(noted.err.contains("8 blocks with 12 transactions in"), "{}", noted.err);
}

#[test]
fn single_transactions_are_kept_and_used() {
    let home = Home::blocks(HEIST);
    let (funds, theft) = (home.chain.tx("funds").unwrap(), home.chain.tx("theft").unwrap());
    let lines = [funds, theft].map(hex).join("\n");
    let file = home.path("told.hex");
    fs::write(&file, lines).unwrap();
    let args = ["index", "--esplora", text(&file), "--network", "regtest"];
    let first = home.json(&args);
    assert_eq!(first["schema"], "chainhound.index.v1");
    assert_eq!(
        (&first["files"], &first["added"], &first["transactions"]),
        (&json!(1), &json!(1), &json!(2))
    );
    // The same again changes nothing.
    let again = home.json(&args);
    assert_eq!((&again["files"], &again["added"]), (&json!(1), &json!(0)));
    let split = hex(home.chain.tx("split").unwrap());
    fs::write(&file, split).unwrap();
    // Not on its own: the file does not say what it spends. Together with what is kept it does.
    assert_eq!(home.json(&args)["transactions"], 3);
    let status = home.json(&["status"]);
    assert_eq!((&status["network"], &status["transactions"]), (&json!("regtest"), &json!(3)));
    assert_eq!(status["provenance"]["source"], "sparse");
    let tx = home.json(&["tx", &home.txid("split")]);
    assert_eq!(
        (&tx["height"], &tx["outputs"][0]["status"]),
        (&serde_json::Value::Null, &json!("unknown"))
    );
    let thief = home.json(&["address", &home.address("thief")]);
    assert_eq!((&thief["sent_sat"], &thief["unknown_sat"]), (&json!(4_990_000_000_u64), &json!(0)));
    let one = home.json(&["address", &home.address("one")]);
    assert_eq!((&one["balance_sat"], &one["unknown_sat"]), (&json!(0), &json!(2_000_000_000_u64)));
    home.run(&["tx", &home.txid("join")]).fails(3, &["is not among the 3 transactions"]);
    // A whole chain is better than a part of it.
    let mut index = home.command(&["index", "--blocks-dir", text(&home.block_dir())]);
    index.arg("-q");
    run(index).ok();
    assert_eq!(home.json(&["status"])["provenance"]["source"], "store");
}
