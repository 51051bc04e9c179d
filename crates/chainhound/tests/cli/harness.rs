//! Runs the binary; makes small chains for it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{
    Chain,
    blkfile::{Disorder, Layout, write_blocks},
};

/// A theft of 49.9 bitcoin, a split, a join with clean coins, a bridge deposit.
pub(crate) const HEIST: &str = r#"
block
tx funds: coinbase -> victim:50
block
tx clean: coinbase -> p2tr/honest:50
block
tx theft: funds:0 -> thief:49.9
block
tx split: theft:0 -> p2tr/one:20 p2wsh/two:29.8
block
tx join: split:0 clean:0 -> p2sh/three:30 p2pkh/four:39.9
tx cash: split:1 -> bridge:29 data:"=:ETH.ETH:0xabc" p2pk/key:0.7
blocks 2
"#;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Its stdout, if it exited with 0.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        &self.out
    }

    /// Its stdout as JSON, if it exited with 0.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.ok()).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Checks the exit code and that all of these words are on stderr, and none of stdout.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "no '{word}' in: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.out, "");
    }
}

/// The command, with nothing of the developer's environment that would change it.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainhound"));
    command.args(args).stdin(Stdio::null());
    // Nor of the machine's and the developer's settings.
    command.env("CHAINHOUND_SYSTEM_CONFIG", "/nowhere").env("XDG_CONFIG_HOME", "/nowhere");
    for name in [
        "CHAINHOUND_DATADIR",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "XDG_DATA_HOME",
        "CHAINHOUND_RPC_USER",
        "CHAINHOUND_RPC_PASSWORD_FILE",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it without any data.
pub(crate) fn chainhound(args: &[&str]) -> Run {
    run(command(args))
}

/// A chain, its block files, and a datadir.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) chain: Chain,
}

impl Home {
    /// Block files of this chain, not indexed yet.
    pub(crate) fn blocks(text: &str) -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), chain: Chain::parse(text).unwrap() };
        home.write(Layout::default());
        home
    }

    /// An indexed chain.
    pub(crate) fn new(text: &str) -> Self {
        let home = Self::blocks(text);
        home.index(&[]).ok();
        home
    }

    /// Writes the block files once more.
    pub(crate) fn write(&self, layout: Layout) {
        write_blocks(&self.block_dir(), self.chain.blocks(), layout, Disorder::default()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn block_dir(&self) -> PathBuf {
        self.path("blocks")
    }

    pub(crate) fn block_file(&self) -> PathBuf {
        self.block_dir().join("blk00000.dat")
    }

    pub(crate) fn graph(&self) -> PathBuf {
        self.path("data/regtest/graph")
    }

    /// The command with this home's datadir.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.env("CHAINHOUND_DATADIR", self.path("data"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        run(self.command(args))
    }

    pub(crate) fn index(&self, more: &[&str]) -> Run {
        let blocks = self.block_dir();
        let args = ["index", "--blocks-dir", text(&blocks)];
        self.run(&[&args[..], more].concat())
    }

    /// The JSON document of a command.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--format", "json"]].concat()).json()
    }

    pub(crate) fn txid(&self, name: &str) -> String {
        self.chain.txid(name).unwrap().to_string()
    }

    pub(crate) fn address(&self, name: &str) -> String {
        self.chain.address(name).unwrap()
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A raw transaction.
pub(crate) fn hex(tx: &bitcoin::Transaction) -> String {
    bitcoin::consensus::encode::serialize_hex(tx)
}

/// Changes a file's bytes.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Starts a command whose stderr is read line by line.
pub(crate) fn start(mut command: Command) -> (Child, impl Iterator<Item = String>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, lines.map_while(Result::ok))
}

/// Waits for a condition, for a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
