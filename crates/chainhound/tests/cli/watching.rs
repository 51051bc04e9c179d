//! `watch`: from a question to an alert, across blocks, reorganisations and kills.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{HEIST, Home, Run, text};

/// Blocks of a theft, the last of which are replaced.
pub(crate) const REPLACED: &str = "
block one
tx funds: coinbase -> victim:50
block two
tx theft: funds:0 -> thief:49.9
block three
tx hop: theft:0 -> p2tr/mule:20 exchange:29.9
block three_b on two
tx other: theft:0 -> p2tr/mule:49.8
block four_b
";

fn lines(run: &Run) -> Vec<Value> {
    run.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Indexes up to this height of the blocks as they are.
fn index_to(home: &Home, height: u32) {
    home.index(&["--until-height", &height.to_string(), "-q"]).ok();
}

/// Gives the block files only what was mined up to this block, in order of the text.
fn mine_to(home: &Home, blocks: usize) {
    use testkit::blkfile::{Disorder, Layout, write_blocks};
    let _ = fs::remove_dir_all(home.block_dir());
    let known = &home.chain.blocks()[..blocks];
    write_blocks(&home.block_dir(), known, Layout::default(), Disorder::default()).unwrap();
    home.index(&["-q"]).ok();
}

fn once(home: &Home) -> Vec<Value> {
    lines(&home.run(&["watch", "run", "--once", "--format", "json", "-q"]))
}

#[test]
fn from_a_theft_to_an_alert() {
    let home = Home::blocks(HEIST);
    index_to(&home, 3);
    let theft = format!("{}:0", home.txid("theft"));
    home.run(&["watch", "add", "heist", "--from", &theft]).ok();
    assert_eq!(once(&home), Vec::<Value>::new());
    index_to(&home, 4);
    let alerts = once(&home);
    assert_eq!(alerts.len(), 1);
    let alert = &alerts[0];
    assert_eq!(alert["schema"], "chainhound.alert.v1");
    assert_eq!((&alert["watch"], &alert["kind"]), (&"heist".into(), &"moved".into()));
    assert_eq!(alert["txid"], home.txid("split").as_str());
    assert_eq!(alert["height"], 4);
    assert_eq!(alert["tainted_sat"], 4_990_000_000_u64);
    assert_eq!(alert["to"][0]["address"], home.address("one").as_str());
    // The rest at once: one join, one payment to a bridge.
    index_to(&home, 7);
    let kinds: Vec<_> = once(&home).iter().map(|alert| alert["txid"].clone()).collect();
    assert_eq!(kinds, [home.txid("join"), home.txid("cash")].map(Value::from));
    assert_eq!(once(&home), Vec::<Value>::new());
    let list = home.json(&["watch", "list"]);
    assert_eq!(list["watches"][0]["alerts"], 3);
    assert_eq!(list["undelivered"]["stdout"], 0);
    let show = home.json(&["watch", "show", "heist"]);
    assert_eq!(show["frontier"].as_array().unwrap().len(), 4);
    home.run(&["watch", "ack", "heist/1"]).ok();
    let open = home.json(&["watch", "alerts", "--open"]);
    assert_eq!(open["alerts"].as_array().unwrap().len(), 2);
    home.run(&["watch", "remove", "heist"]).ok();
    assert_eq!(home.json(&["watch", "list"])["watches"], Value::Array(vec![]));
}

#[test]
fn a_reorganisation_between_two_runs() {
    let home = Home::blocks(REPLACED);
    mine_to(&home, 3);
    home.run(&["watch", "add", "heist", "--from", &home.txid("theft"), "--policy", "fifo"]).ok();
    mine_to(&home, 4);
    let first = once(&home);
    assert_eq!(first[0]["txid"], home.txid("hop").as_str());
    mine_to(&home, 6);
    let then = once(&home);
    assert_eq!(then.len(), 2);
    assert_eq!(then[0]["kind"], "withdrawn");
    assert_eq!(then[0]["refers_to"], first[0]["id"]);
    assert_eq!(then[1]["kind"], "moved");
    assert_eq!(then[1]["txid"], home.txid("other").as_str());
    assert_eq!(then[1]["policy"], "fifo");
}

#[test]
fn labels_say_whom_to_call_and_where_the_watch_ends() {
    let home = Home::blocks(REPLACED);
    mine_to(&home, 3);
    let tags = format!(
        "title: t\ncreator: c\nlastmod: 2024-06-03\ncurrency: BTC\nconfidence: ownership\n\
         source: https://example.org\ntags:\n\
         - {{address: {}, label: Example Exchange, category: exchange}}\n",
        home.address("exchange")
    );
    fs::write(home.path("tags.yaml"), tags).unwrap();
    home.run(&["tags", "import", text(&home.path("tags.yaml"))]).ok();
    let theft = home.txid("theft");
    home.run(&["watch", "add", "heist", "--from", &theft, "--stop-at", "service"]).ok();
    mine_to(&home, 4);
    let alerts = once(&home);
    assert_eq!(alerts.len(), 1);
    let cash = &alerts[0]["to"][1];
    assert_eq!(cash["party"]["entity"], "Example Exchange");
    assert_eq!(cash["party"]["basis"], "claim");
    assert_eq!(cash["stop_reason"], "service");
    assert_eq!(alerts[0]["advice"][0]["action"], "request_freeze");
    assert_eq!(alerts[0]["advice"][0]["who"], "Example Exchange");
    // Only the mule's output is waited for.
    let show = home.json(&["watch", "show", "heist"]);
    assert_eq!(show["frontier"].as_array().unwrap().len(), 1);
}

#[test]
fn clusters_are_watched_as_they_are_built() {
    let text = "
block
tx a: coinbase -> A:10 B:10
block
tx j: a:0 a:1 -> C:20
block
tx b: j:0 -> B:15 X:5
block
tx c: b:0 -> Y:15
";
    let home = Home::blocks(text);
    index_to(&home, 2);
    let name = home.address("A");
    home.run(&["watch", "add", "gang", "--cluster", &name]).ok();
    // Without clusters the watch cannot be looked at, and says why.
    let run = home.run(&["watch", "run", "--once"]);
    assert!(run.err.contains("cluster build"), "{}", run.err);
    home.run(&["cluster", "build", "-q"]).ok();
    assert_eq!(once(&home), Vec::<Value>::new());
    index_to(&home, 4);
    let told: Vec<_> =
        once(&home).iter().map(|alert| (alert["kind"].clone(), alert["txid"].clone())).collect();
    let expected = [("received", home.txid("b")), ("moved", home.txid("c"))];
    assert_eq!(told, expected.map(|(kind, txid)| (kind.into(), txid.into())));
}

#[test]
fn mistakes_are_named() {
    let home = Home::new(HEIST);
    home.run(&["watch", "list"]).fails(3, &["no watches", "watch add"]);
    home.run(&["watch", "add", "x"]).fails(2, &["--from"]);
    home.run(&["watch", "add", "a b", "--address", &home.address("one")]).fails(2, &["letters"]);
    home.run(&["watch", "add", "x", "--from", "nonsense"]).fails(2, &["nonsense"]);
    let theft = home.txid("theft");
    let add = ["watch", "add", "heist", "--from", theft.as_str()];
    home.run(&[&add[..], &["--since", "99"]].concat()).fails(2, &["--since 99"]);
    home.run(&[&add[..], &["--stop-at", "service"]].concat()).fails(3, &["needs labels"]);
    home.run(&[&add[..], &["--address", "x"]].concat()).fails(2, &["cannot be used with"]);
    home.run(&add).ok();
    home.run(&add).fails(2, &["heist", "watch remove"]);
    home.run(&["watch", "show", "hiest"]).fails(2, &["did you mean 'heist'"]);
    home.run(&["watch", "ack", "heist/7"]).fails(2, &["no alert"]);
    let sinks = home.path("watch.toml");
    fs::write(&sinks, "[webhook.desk]\nurl = \"http://127.0.0.1:1\"\nsecret_fil = \"x\"\n")
        .unwrap();
    let with = ["watch", "run", "--once", "--sinks", text(&sinks)];
    home.run(&with).fails(2, &["line 3", "did you mean `secret_file`"]);
    fs::write(&sinks, "[webhook.desk]\nurl = \"http://127.0.0.1:1\"\nsecret_file = \"key\"\n")
        .unwrap();
    home.run(&with).fails(2, &["key", "desk"]);
    let file = home.path("data/regtest/watch/watch.sqlite");
    fs::write(&file, "not a database, and long enough to be read as one".repeat(40)).unwrap();
    let _ = fs::remove_file(file.with_extension("sqlite-wal"));
    home.run(&["watch", "list"]).fails(3, &["watch.sqlite", "damaged"]);
}

/// A running `watch run`, and the alerts that it prints.
struct Watcher {
    child: Child,
    lines: mpsc::Receiver<String>,
    stderr: PathBuf,
}

impl Watcher {
    fn start(home: &Home, more: &[&str]) -> Self {
        let args = [&["watch", "run", "--format", "json", "-v", "--poll", "0.05"], more].concat();
        let stderr = home.path("watch.err");
        let mut child = home
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
        Self { child, lines, stderr }
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_secs(40)).unwrap_or_else(|error| {
            panic!("{error}: {}", fs::read_to_string(&self.stderr).unwrap())
        });
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: '{line}'"))
    }

    /// Lines up to the kill, whole ones.
    fn kill(&mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.iter().filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_running_watch_tells_of_each_new_tip() {
    let home = Home::blocks(REPLACED);
    mine_to(&home, 3);
    home.run(&["watch", "add", "heist", "--from", &home.txid("theft")]).ok();
    let mut watcher = Watcher::start(&home, &[]);
    mine_to(&home, 4);
    assert_eq!(watcher.next()["txid"], home.txid("hop").as_str());
    mine_to(&home, 6);
    assert_eq!(watcher.next()["kind"], "withdrawn");
    assert_eq!(watcher.next()["txid"], home.txid("other").as_str());
    // Only one at a time; and a watch that is added meanwhile is looked at.
    home.run(&["watch", "run", "--once"]).fails(3, &["locked by another program"]);
    home.run(&["watch", "add", "all", "--from", &home.txid("theft"), "--since", "1"]).ok();
    assert_eq!(watcher.next()["kind"], "received");
    assert_eq!(watcher.next()["txid"], home.txid("other").as_str());
    watcher.kill();
}

/// A chain of moves, one a block, of two thefts.
fn chain_of_moves(blocks: u32) -> String {
    let mut text = "block\ntx a0: coinbase -> A:50\nblock\ntx b0: coinbase -> B:50\n".to_owned();
    for n in 1..=blocks {
        let before = n - 1;
        text += &format!("block\ntx a{n}: a{before}:0 -> A:*\ntx b{n}: b{before}:0 -> B:*\n");
    }
    text
}

#[test]
fn heavy_kills_lose_no_alert_and_no_order() {
    let rounds = testkit::cases(6);
    let moves = 12;
    let home = Home::blocks(&chain_of_moves(moves));
    index_to(&home, 2);
    let [a, b] = ["a0", "b0"].map(|name| home.txid(name));
    home.run(&["watch", "add", "a", "--from", &a]).ok();
    home.run(&["watch", "add", "b", "--from", &b, "--policy", "fifo"]).ok();
    let got = home.path("got.jsonl");
    // A command that is slow enough to be killed in the middle of a delivery.
    let script = home.path("take.sh");
    fs::write(&script, format!("#!/bin/sh\ncat >> {}\nsleep 0.02\n", text(&got))).unwrap();
    let sinks = home.path("watch.toml");
    let toml = format!("[command.log]\nargv = [\"/bin/sh\", \"{}\"]\n", text(&script));
    fs::write(&sinks, toml).unwrap();
    let with = ["--sinks", text(&sinks)];
    let mut printed = Vec::new();
    for round in 0..rounds {
        let height = 2 + (round + 1) * moves / rounds;
        let mut watcher = Watcher::start(&home, &with);
        index_to(&home, height.min(2 + moves));
        // At different moments: while it starts, looks, commits, delivers.
        let wait = Duration::from_millis(u64::from(round * 37 % 150));
        let start = Instant::now();
        while start.elapsed() < wait {
            std::thread::yield_now();
        }
        printed.extend(watcher.kill());
    }
    index_to(&home, 2 + moves);
    let last =
        home.run(&["watch", "run", "--once", "--format", "json", "-q", "--sinks", text(&sinks)]);
    printed.extend(lines(&last));
    // A kill may cut the command's own line: what is whole counts.
    let taken: Vec<Value> = fs::read_to_string(&got)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    for delivered in [printed, taken] {
        let mut ids = BTreeMap::new();
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        for alert in delivered {
            let watch = alert["watch"].as_str().unwrap().to_owned();
            let sequence = alert["sequence"].as_u64().unwrap();
            let last = newest.entry(watch.clone()).or_default();
            // In order: a repetition is allowed, a gap is not.
            assert!(sequence <= *last + 1, "{watch}/{sequence} after {last}");
            *last = (*last).max(sequence);
            let id = alert["id"].as_str().unwrap().to_owned();
            assert_eq!(ids.entry((watch, sequence)).or_insert(id.clone()), &id, "one id each");
        }
        for watch in ["a", "b"] {
            assert_eq!(newest[watch], u64::from(moves), "{watch}");
        }
    }
    let list = home.json(&["watch", "list"]);
    assert_eq!(list["undelivered"]["log"], 0);
}

/// A theft on regtest: before it is mined, in a block, replaced, and out of the block again.
#[test]
fn real_node_from_the_mempool_to_a_reorganisation() {
    let Some(node) = testkit::node::Node::start_or_skip(&[]).unwrap() else { return };
    let home = Home::blocks("block");
    let url = node.url();
    let cookie = node.cookie();
    let login = ["--node", url.as_str(), "--cookie-file", text(&cookie), "--network", "regtest"];
    let address = node.new_address().unwrap();
    node.mine(101, &address).unwrap();
    let send = |to: &str, bitcoin: u32, inputs: Value| -> String {
        let outputs = json!([{ to: bitcoin }]);
        let options = json!({
            "inputs": inputs, "add_inputs": false, "fee_rate": 5, "replaceable": true,
            "change_position": 1,
        });
        let params = [outputs, Value::Null, Value::Null, Value::Null, options];
        let sent = node.wallet_rpc("test", "send", &params).unwrap();
        sent["txid"].as_str().unwrap().to_owned()
    };
    let coins = node.wallet_rpc("test", "listunspent", &[]).unwrap();
    let coin = json!([{ "txid": coins[0]["txid"], "vout": coins[0]["vout"] }]);
    let thief = node.new_address().unwrap();
    let theft = send(&thief, 20, coin);
    node.mine(1, &address).unwrap();
    home.run(&[&["index"], &login[..]].concat()).ok();
    home.run(&["watch", "add", "heist", "--from", &format!("{theft}:0"), "--policy", "fifo"]).ok();

    let mut watcher = Watcher::start(&home, &login);
    let kind = |alert: &Value| alert["kind"].as_str().unwrap().to_owned();
    // Seen before any block has it.
    let hop = send(&node.new_address().unwrap(), 15, json!([{ "txid": theft, "vout": 0 }]));
    let unconfirmed = watcher.next();
    assert_eq!((kind(&unconfirmed).as_str(), &unconfirmed["txid"]), ("unconfirmed", &json!(hop)));
    assert_eq!(unconfirmed["tainted_sat"], 2_000_000_000_u64);
    assert_eq!(unconfirmed["height"], Value::Null);
    // Replaced by one that pays more.
    let bumped = node.wallet_rpc("test", "bumpfee", &[json!(hop)]).unwrap();
    let bumped = bumped["txid"].as_str().unwrap();
    let mut both = [watcher.next(), watcher.next()];
    both.sort_by_key(kind);
    assert_eq!(both.each_ref().map(kind), ["replaced", "unconfirmed"]);
    assert_eq!(both[0]["refers_to"], unconfirmed["id"]);
    assert_eq!(both[1]["txid"], bumped);
    // In a block.
    let mined = node.mine(1, &address).unwrap();
    let confirmed = watcher.next();
    assert_eq!(
        (kind(&confirmed).as_str(), &confirmed["block_hash"]),
        ("confirmed", &json!(mined[0]))
    );
    assert_eq!(confirmed["refers_to"], both[1]["id"]);
    // The block is replaced by two others that do not have it.
    node.rpc("invalidateblock", &[json!(mined[0])]).unwrap();
    for _ in 0..2 {
        node.rpc("generateblock", &[json!(address), json!([])]).unwrap();
    }
    let withdrawn = watcher.next();
    assert_eq!(kind(&withdrawn), "withdrawn");
    assert_eq!(withdrawn["refers_to"], confirmed["id"]);
    let again = watcher.next();
    assert_eq!((kind(&again).as_str(), &again["txid"]), ("unconfirmed", &json!(bumped)));
    let mined = node.mine(1, &address).unwrap();
    let moved = watcher.next();
    assert_eq!((kind(&moved).as_str(), &moved["block_hash"]), ("confirmed", &json!(mined[0])));
    watcher.kill();
}
