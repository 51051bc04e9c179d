//! `serve`, and `trace --esplora URL` against it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::harness::{HEIST, Home, Run, edit, run, text};

/// A running `chainhound serve`. Dropped, it is killed.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(home: &Home, more: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"][..], more].concat();
        let mut child = home.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("{line}")).trim_end_matches(';').to_owned();
        // Nobody must stop reading, or the server waits for room.
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Self { child, url }
    }

    /// Asks it to stop, and waits for its end.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        run({
            let mut kill = std::process::Command::new("kill");
            kill.args(["-TERM", &id]);
            kill
        });
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A trace through a server, from a datadir that has no chain.
pub(crate) fn trace(data: &Path, url: &str, from: &str, more: &[&str]) -> Run {
    let args = ["trace", "--network", "regtest", "--from", from, "--esplora", url];
    let mut command = crate::harness::command(&[&args[..], more].concat());
    command.env("CHAINHOUND_DATADIR", data);
    run(command)
}

/// What a trace says, apart from where it has it from.
fn said(mut document: Value) -> Value {
    document.as_object_mut().unwrap().remove("provenance");
    document
}

#[test]
fn a_trace_through_a_server_is_that_of_the_store_and_needs_it_once() {
    let home = Home::new(HEIST);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let data = tempfile::tempdir().unwrap();
    let theft = home.txid("theft");
    let json = ["--format", "json"];
    for more in [
        &["--policy", "haircut"][..],
        &["--policy", "fifo"],
        &["--policy", "bounds"],
        &["--max-hops", "1"],
    ] {
        let from_store = home.json(&[&["trace", "--from", &theft], more].concat());
        let from_server = trace(data.path(), &served.url, &theft, &[more, &json].concat()).json();
        let parameters = &from_server["provenance"]["parameters"];
        assert_eq!(parameters["server"], served.url.as_str());
        assert_eq!(parameters["unspent"], "claimed by the server at the tip");
        assert_eq!(from_server["provenance"]["tip"], from_store["provenance"]["tip"]);
        if more[0] == "--policy" {
            assert_eq!(said(from_server), said(from_store), "{more:?}");
        }
    }
    // From an address, and back to where it came from.
    let thief = home.address("thief");
    let from_server = trace(data.path(), &served.url, &thief, &json).json();
    assert_eq!(said(from_server), said(home.json(&["trace", "--from", &thief])));
    let back = ["--backward", "--format", "json"];
    let from_server = trace(data.path(), &served.url, &home.txid("cash"), &back).json();
    assert_eq!(
        said(from_server),
        said(home.json(&["trace", "--from", &home.txid("cash"), "--backward"]))
    );

    // Said once, and not with every question.
    let other = tempfile::tempdir().unwrap();
    let first = trace(other.path(), &served.url, &theft, &[]);
    assert!(first.err.contains("learns which transactions you look at"), "{}", first.err);
    let second = trace(other.path(), &served.url, &theft, &[]);
    assert!(!second.err.contains("learns"), "{}", second.err);
    assert_eq!(first.ok(), second.ok());

    let url = served.url.clone();
    assert_eq!(served.stop(), Some(0));
    let offline = trace(other.path(), &url, &theft, &["--offline"]);
    assert_eq!(offline.ok(), first.ok());
    assert!(offline.err.contains("0 answers fetched"), "{}", offline.err);
    let unasked = trace(other.path(), &url, &home.txid("clean"), &["--offline"]);
    unasked.fails(3, &["was not asked before", "--offline"]);
}

#[test]
fn tx_and_address_look_at_a_server() {
    let home = Home::new(HEIST);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let data = tempfile::tempdir().unwrap();
    let look = |args: &[&str]| {
        let more = ["--network", "regtest", "--esplora", &served.url, "--format", "json"];
        let mut command = crate::harness::command(&[args, &more].concat());
        command.env("CHAINHOUND_DATADIR", data.path());
        run(command).json()
    };
    for name in ["theft", "split", "join", "cash"] {
        let txid = home.txid(name);
        let (mut told, mut stored) = (look(&["tx", &txid]), home.json(&["tx", &txid]));
        assert_eq!(told["provenance"]["parameters"]["server"], served.url.as_str());
        assert_eq!(told["provenance"]["tip"], stored["provenance"]["tip"]);
        for said in [&mut told, &mut stored] {
            // Who spends an output is not fetched, nor where its inputs were made, so the heuristics for
            // change have less to go by; place in the block and confirmations are told of whole chains.
            for output in said["outputs"].as_array_mut().unwrap() {
                if output["status"] != "unspent" {
                    *output = output["value_sat"].clone();
                }
            }
            for input in said["inputs"].as_array_mut().unwrap() {
                input.as_object_mut().unwrap().remove("height");
            }
            for whole in ["position", "confirmations", "change", "heuristics"] {
                said.as_object_mut().unwrap().remove(whole);
            }
        }
        assert_eq!(said(told), said(stored), "{name}");
    }
    let one = home.address("three");
    let (told, stored) = (look(&["address", &one]), home.json(&["address", &one]));
    assert_eq!(told["history"], stored["history"]);
    assert_eq!(told["totals"], stored["totals"]);
}

#[test]
fn damage_to_what_is_kept_is_healed_online_and_named_offline() {
    let home = Home::new(HEIST);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let data = tempfile::tempdir().unwrap();
    let theft = home.txid("theft");
    let first = trace(data.path(), &served.url, &theft, &[]);
    let servers = data.path().join("regtest/servers");
    let kept = std::fs::read_dir(servers).unwrap().next().unwrap().unwrap().path();
    let hex = kept.join(format!("tx/{theft}/hex.answer"));
    let whole = std::fs::read(&hex).unwrap();
    edit(&hex, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let offline = trace(data.path(), &served.url, &theft, &["--offline"]);
    offline.fails(3, &["hex.answer: damaged", "without --offline"]);
    assert_eq!(trace(data.path(), &served.url, &theft, &[]).ok(), first.ok());
    assert_eq!(std::fs::read(&hex).unwrap(), whole);
}

#[test]
fn what_cannot_be_meant_with_a_server_is_refused() {
    let home = Home::new(HEIST);
    home.run(&["serve", "--listen", "0.0.0.0:0"]).fails(2, &["only loopback"]);
    let nobody = ["serve", "--listen", "127.0.0.1:0", "--node", "http://127.0.0.1:1"];
    let cookie = ["--cookie-file", "nothing"];
    home.run(&[&nobody[..], &cookie].concat()).fails(3, &["nothing"]);
    let data = tempfile::tempdir().unwrap();
    let theft = home.txid("theft");
    // Port 9 is nobody's; the tries are few because connections are refused at once.
    trace(data.path(), "http://127.0.0.1:9", &theft, &["--proxy", "socks5://127.0.0.1:1"])
        .fails(3, &["socks5h://"]);
    trace(data.path(), "http://127.0.0.1:9", &theft, &["--offline"])
        .fails(3, &["--offline forbids"]);
    home.run(&["trace", "--from", &theft, "--offline"]).fails(2, &["--esplora"]);
    let peel = format!("{theft}:0");
    home.run(&["peel", &peel, "--esplora", "http://127.0.0.1:9"]).fails(2, &["does not fetch"]);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let mut mainnet =
        crate::harness::command(&["trace", "--from", &theft, "--esplora", &served.url]);
    mainnet.env("CHAINHOUND_DATADIR", data.path());
    run(mainnet).fails(3, &["is not mainnet", "--network"]);
}
