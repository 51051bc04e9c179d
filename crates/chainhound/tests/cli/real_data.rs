//! Real blocks and the real theft, where the data set is there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Run, command, run, text};

fn at(datadir: &Path, args: &[&str]) -> Run {
    let mut command = command(args);
    command.env("CHAINHOUND_DATADIR", datadir);
    run(command)
}

#[track_caller]
fn json_at(datadir: &Path, args: &[&str]) -> Value {
    at(datadir, &[args, &["--format", "json"]].concat()).json()
}

fn data(name: &str) -> Option<PathBuf> {
    Some(testkit::data_dir()?.join(name))
}

#[test]
fn mainnet_to_4312() {
    let Some(blocks) = data("blocks_jeffchan") else { return };
    let dir = tempfile::tempdir().unwrap();
    at(dir.path(), &["index", "--blocks-dir", text(&blocks)]).ok();
    let status = json_at(dir.path(), &["status"]);
    assert_eq!(status["network"], "mainnet");
    assert_eq!(
        status["tip"],
        json!({"height": 4312, "hash": "00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863"})
    );
    let counts = ["blocks", "transactions", "inputs"].map(|name| status[name].clone());
    assert_eq!(counts, [json!(4313), json!(4371), json!(247)]);
    at(dir.path(), &["store", "check"]).ok();

    // The first payment ever: block 9's coinbase, spent in block 170.
    let coinbase = "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9";
    let first = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    let tx = json_at(dir.path(), &["tx", first]);
    assert_eq!((&tx["height"], &tx["inputs"][0]["txid"]), (&json!(170), &json!(coinbase)));
    assert_eq!(tx["time"], "2009-01-12T03:30:25Z");
    for policy in ["haircut", "fifo", "lifo", "tiho"] {
        let trace = json_at(dir.path(), &["trace", "--from", coinbase, "--policy", policy]);
        assert_eq!(trace["totals"]["root_sat"], 5_000_000_000_u64);
        assert_eq!(trace["totals"]["booked_sat"], 5_000_000_000_u64);
        assert_eq!(trace["leaves"].as_array().unwrap().len(), 5);
        assert_eq!(trace["reach"]["transactions"], 8);
    }
}

#[test]
fn a_chain_over_two_files() {
    let Some(blocks) = data("blocks_nbitcoin") else { return };
    let dir = tempfile::tempdir().unwrap();
    at(dir.path(), &["index", "--blocks-dir", text(&blocks)]).ok();
    let status = json_at(dir.path(), &["status"]);
    assert_eq!((&status["blocks"], &status["tip"]["height"]), (&json!(600), &json!(599)));
    // The same chain, longer, from other files.
    let Some(more) = data("blocks_jeffchan") else { return };
    let done = json_at(dir.path(), &["index", "--blocks-dir", text(&more)]);
    assert_eq!((&done["appended"], &done["rolled_back"]), (&json!(3713), &json!(0)));
    at(dir.path(), &["store", "check"]).ok();
}

#[test]
fn the_theft_of_may_2024() {
    let Some(told) = data("dmm_theft") else { return };
    let dir = tempfile::tempdir().unwrap();
    let theft = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
    let funding = "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908";
    let esplora = ["--esplora", text(&told)];
    let tx = json_at(dir.path(), &[&["tx", theft][..], &esplora].concat());
    assert_eq!(tx["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(tx["outputs"][0]["value_sat"], 450_290_000_000_u64);
    assert_eq!(tx["outputs"][0]["address"], "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P");
    // Nobody said that it is unspent, so it is not said here.
    assert_eq!(tx["outputs"][0]["status"], "unknown");
    assert_eq!(tx["fee_sat"], 10_000_000);
    let inputs = tx["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 9);
    assert!(inputs.iter().all(|input| input["txid"] == funding));
    let mut values: Vec<_> =
        inputs.iter().map(|input| input["value_sat"].as_u64().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values[..8], [50_000_000_000; 8]);
    assert_eq!(values[8], 50_300_000_000);

    at(dir.path(), &["index", "--esplora", text(&told)]).ok();
    let trace = json_at(dir.path(), &["trace", "--from", theft]);
    assert_eq!(trace["totals"]["root_sat"], 450_290_000_000_u64);
    assert_eq!(trace["leaves"][0]["status"], "unknown");
    let back = json_at(dir.path(), &["trace", "--from", theft, "--backward", "--max-hops", "1"]);
    assert_eq!(back["leaves"].as_array().unwrap().len(), 9);
    assert_eq!(back["totals"]["booked_sat"], 450_290_000_000_u64);
}
