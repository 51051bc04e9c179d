//! `index --node`: a node played by a server, its states and its silence.

use std::{process::Child, thread::JoinHandle};

use serde_json::{Value, json};
use testkit::{Chain, node::FakeNode};

use crate::harness::{HEIST, Home, Run, signal, start, text, wait_until};

/// A home without block files, and a node with its chain that wants the cookie in a file.
fn scene(chain: &str) -> (Home, FakeNode) {
    let home = Home::blocks(chain);
    let fake = FakeNode::start(home.chain.best()).unwrap();
    std::fs::write(home.path("cookie"), "__cookie__:secret").unwrap();
    fake.knowledge().authorization = Some("Basic X19jb29raWVfXzpzZWNyZXQ=".to_owned());
    (home, fake)
}

fn index(home: &Home, fake: &FakeNode, more: &[&str]) -> Run {
    let (url, cookie) = (fake.url(), home.path("cookie"));
    let args = ["index", "--node", &url, "--cookie-file", text(&cookie)];
    home.run(&[&args[..], more].concat())
}

fn height(home: &Home) -> Option<u64> {
    let status = home.run(&["status", "--format", "json"]);
    serde_json::from_str::<Value>(&status.out).ok()?["tip"]["height"].as_u64()
}

/// `index --node … --follow` in the background, what it says in a file.
pub(crate) struct Following(Child, std::path::PathBuf, Option<JoinHandle<()>>);

impl Following {
    fn start(home: &Home, url: &str) -> Self {
        let cookie = home.path("cookie");
        Self::of(home, &["index", "--node", url, "--cookie-file", text(&cookie), "--follow"])
    }

    pub(crate) fn of(home: &Home, args: &[&str]) -> Self {
        let log = home.path("follow.log");
        let (child, lines) = start(home.command(args));
        let mut file = std::fs::File::create(&log).unwrap();
        let reader = std::thread::spawn(move || {
            lines.for_each(|line| {
                std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes()).unwrap()
            });
        });
        Self(child, log, Some(reader))
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.1).unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, words: &str) {
        wait_until(words, || self.said().contains(words));
    }

    /// Asks it to stop, which is its normal end.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        signal(&self.0, "-TERM");
        let code = self.0.wait().unwrap().code();
        self.2.take().unwrap().join().unwrap();
        assert_eq!(code, Some(0), "{}", self.said());
        self.said()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_node_s_chain_is_indexed_like_its_files() {
    let (home, fake) = scene(HEIST);
    let done = index(&home, &fake, &["--format", "json"]).json();
    assert_eq!((&done["tip"]["height"], &done["appended"]), (&json!(7), &json!(8)));
    assert_eq!(done["provenance"]["parameters"]["node"], json!(fake.url()));
    let files = Home::new(HEIST);
    for name in ["out.value", "in.source", "tx.id"] {
        let bytes = |home: &Home| std::fs::read(home.graph().join(name)).ok();
        assert_eq!(bytes(&home), bytes(&files), "{name}");
    }
    let again = index(&home, &fake, &["--format", "json"]).json();
    assert_eq!(again["appended"], 0);
    home.run(&["store", "check"]).ok();
}

#[test]
fn what_is_wrong_with_a_node_is_said() {
    let (home, fake) = scene("blocks 3");
    // The secret in the URL is neither taken nor repeated.
    let run = home.run(&["index", "--node", "http://anna:hunter2@127.0.0.1:1"]);
    run.fails(2, &["--cookie-file", "CHAINHOUND_RPC_USER"]);
    assert!(!run.err.contains("hunter2"), "{}", run.err);
    home.run(&["index", "--node", "https://127.0.0.1:1"]).fails(2, &["speaks no https"]);
    home.run(&["index", "--cookie-file", "x"]).fails(2, &[]);

    let cookie = home.path("cookie");
    let gone = ["index", "--node", "http://127.0.0.1:1", "--cookie-file", text(&cookie)];
    home.run(&gone).fails(3, &["cannot be reached", "server=1"]);
    let missing = ["index", "--node", "http://127.0.0.1:1", "--cookie-file", "/nowhere/.cookie"];
    home.run(&missing).fails(3, &["/nowhere/.cookie", "--bitcoin-datadir"]);

    index(&home, &fake, &["--network", "signet"]).fails(2, &["a node of regtest, not of signet"]);
    fake.knowledge().authorization = Some("Basic other".to_owned());
    index(&home, &fake, &[]).fails(3, &["refuses our credentials"]);
    fake.knowledge().authorization = None;
    fake.knowledge().pruned_below = 2;
    index(&home, &fake, &[]).fails(3, &["has pruned block", "prune=0"]);
    fake.knowledge().pruned_below = 0;
    index(&home, &fake, &[]).ok();
}

#[test]
fn a_user_and_a_password_come_from_the_environment() {
    let (home, fake) = scene("blocks 2");
    fake.knowledge().authorization = Some("Basic YW5uYTpzZWNyZXQ=".to_owned());
    std::fs::write(home.path("password"), "secret\n").unwrap();
    let url = fake.url();
    let mut command = home.command(&["index", "--node", &url, "--network", "regtest", "-v"]);
    command.env("CHAINHOUND_RPC_USER", "anna");
    let alone = crate::harness::run({
        let mut command = home.command(&["index", "--node", &url]);
        command.env("CHAINHOUND_RPC_USER", "anna");
        command
    });
    alone.fails(2, &["CHAINHOUND_RPC_PASSWORD_FILE is not"]);
    command.env("CHAINHOUND_RPC_PASSWORD_FILE", home.path("password"));
    let done = crate::harness::run(command);
    done.ok();
    assert!(!done.err.contains("secret") && !done.out.contains("secret"));
}

#[test]
fn following_says_every_state_once_and_loses_nothing() {
    let (home, fake) = scene("blocks 6");
    let url = fake.url();
    let blocks = home.chain.best();
    // The node has not written its cookie yet.
    let cookie = std::fs::read(home.path("cookie")).unwrap();
    std::fs::remove_file(home.path("cookie")).unwrap();
    let following = Following::start(&home, &url);
    following.wait_for("waiting for it");
    std::fs::write(home.path("cookie"), cookie).unwrap();
    wait_until("block 6", || height(&home) == Some(6));
    following.wait_for("the node answers");

    // Clusters that are built meanwhile follow from then on.
    home.run(&["cluster", "build"]).ok();

    // Set back: nothing is taken back.
    fake.knowledge().set_chain(blocks[..3].iter().copied());
    following.wait_for("the node is behind the store");
    assert_eq!(height(&home), Some(6));
    // The longer branch wins.
    let other = Chain::parse("blocks 2\ntx a: coinbase -> x:50\nblocks 7").unwrap();
    fake.knowledge().set_chain(other.best());
    let tip = other.best().len() as u64 - 1;
    wait_until("the other branch", || height(&home) == Some(tip));

    // Another cookie, as after a restart of the node.
    std::fs::write(home.path("cookie"), "__cookie__:next").unwrap();
    fake.knowledge().authorization = Some("Basic X19jb29raWVfXzpuZXh0".to_owned());
    let longer = Chain::parse("blocks 2\ntx a: coinbase -> x:50\nblocks 8").unwrap();
    fake.knowledge().set_chain(longer.best());
    wait_until("one block more", || height(&home) == Some(tip + 1));

    let said = following.stop();
    for words in ["waiting for it", "the node is behind the store", "reorganised"] {
        assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
    }
    assert!(!said.contains("secret"), "{said}");
    home.run(&["store", "check"]).ok();
    let built = home.json(&["cluster", "build"]);
    assert_eq!(built["how"], "unchanged", "{built}");
    assert_eq!(home.json(&["cluster", "build", "--rebuild"])["digest"], built["digest"]);
}

#[test]
fn a_signal_ends_the_waiting_for_a_node() {
    let (home, fake) = scene("blocks 2");
    drop(fake);
    let following = Following::start(&home, "http://127.0.0.1:1");
    following.wait_for("waiting for it");
    following.stop();
}
