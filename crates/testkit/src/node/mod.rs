//! A real node for tests: Bitcoin Core or Knots on regtest, on loopback, in a directory of its own.
//!
//! The program is that of the environment variable `BITCOIND_EXE`, or `.node/bin/bitcoind` in the
//! workspace, where `cargo xtask node` puts it. Without one, tests say "skipped" and pass:
//!
//! ```no_run
//! # fn main() -> Result<(), testkit::node::NodeError> {
//! let Some(node) = testkit::node::Node::start_or_skip(&[])? else { return Ok(()) };
//! let address = node.new_address()?;
//! node.mine(101, &address)?;
//! assert_eq!(node.rpc("getblockcount", &[])?, 101);
//! # Ok(())
//! # }
//! ```

mod fake;
mod http;

use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub use fake::{FakeNode, Knowledge};

/// How long a start may take, a reindex included.
const START: Duration = Duration::from_secs(300);
/// How long a stop may take before the process is killed.
const STOP: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Why a node did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// There is no such program, directory or file.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The node ended before it was ready.
    #[error("the node ended early ({status}); its last words:\n{log}")]
    Ended {
        /// How it ended.
        status: String,
        /// The end of what it said.
        log: String,
    },
    /// The node did not get ready in time.
    #[error("the node was not ready after {} seconds", START.as_secs())]
    Late,
    /// The connection failed or did not speak HTTP.
    #[error("no answer from the node: {0}")]
    Connection(io::Error),
    /// HTTP says no.
    #[error("the node answers {status} to {request}: {body}")]
    Http {
        /// What was asked.
        request: String,
        /// The status.
        status: u16,
        /// The answer's text.
        body: String,
    },
    /// JSON-RPC says no.
    #[error("{method}: {message} ({code})")]
    Rpc {
        /// What was asked.
        method: String,
        /// Core's code (`rpc/protocol.h`).
        code: i64,
        /// Its message.
        message: String,
    },
}

/// A running node. Dropped, it stops.
#[derive(Debug)]
pub struct Node {
    child: Child,
    port: u16,
    datadir: PathBuf,
    /// Goes last, when the node has stopped.
    _temporary: Option<tempfile::TempDir>,
}

/// The node's program, if this machine has one.
pub fn find() -> Option<PathBuf> {
    let path = match std::env::var_os("BITCOIND_EXE") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.node/bin/bitcoind"),
    };
    path.is_file().then_some(path)
}

/// The node's program; `None`, after a line on standard error, where there is none.
pub fn find_or_skip() -> Option<PathBuf> {
    let exe = find();
    if exe.is_none() {
        crate::data::skipped("no node installed: set BITCOIND_EXE or run cargo xtask node");
    }
    exe
}

impl Node {
    /// Starts a node with an empty directory and these further arguments. `None`, after a line on
    /// standard error, where no node is installed.
    ///
    /// # Errors
    /// [`NodeError`] where there is one, but it does not start.
    pub fn start_or_skip(args: &[&str]) -> Result<Option<Self>, NodeError> {
        let Some(exe) = find_or_skip() else { return Ok(None) };
        let temporary = tempfile::tempdir()
            .map_err(|error| NodeError::Io { path: std::env::temp_dir(), error })?;
        let mut node = Self::start(&exe, temporary.path(), args)?;
        node._temporary = Some(temporary);
        Ok(Some(node))
    }

    /// Starts a program in a data directory, which stays when the node has stopped.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn start(exe: &Path, datadir: &Path, args: &[&str]) -> Result<Self, NodeError> {
        let port = free_port().map_err(NodeError::Connection)?;
        Self::start_on(port, exe, datadir, args)
    }

    /// Starts a program on the port that an earlier node had, in the same or another directory.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn start_on(
        port: u16,
        exe: &Path,
        datadir: &Path,
        args: &[&str],
    ) -> Result<Self, NodeError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |error| NodeError::Io { path, error }
        };
        fs::create_dir_all(datadir).map_err(io(datadir))?;
        let log = datadir.join("output.log");
        let output = File::create(&log).map_err(io(&log))?;
        let errors = output.try_clone().map_err(io(&log))?;
        // A cookie of an earlier run would be refused.
        let _ = fs::remove_file(datadir.join("regtest/.cookie"));
        let child = Command::new(exe)
            .arg("-regtest")
            .arg(format!("-datadir={}", datadir.display()))
            .arg(format!("-rpcport={port}"))
            .args(["-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-server=1", "-rest=1"])
            .args(["-listen=0", "-connect=0", "-dnsseed=0", "-fallbackfee=0.0001"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(io(exe))?;
        let mut node = Self { child, port, datadir: datadir.to_owned(), _temporary: None };
        node.wait_until_ready()?;
        Ok(node)
    }

    fn wait_until_ready(&mut self) -> Result<(), NodeError> {
        let start = Instant::now();
        while start.elapsed() < START {
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = fs::read_to_string(self.datadir.join("output.log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().rev().take(12).collect();
                let log = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(NodeError::Ended { status: status.to_string(), log });
            }
            // Until it is ready it refuses the connection, or answers -28 ("warming up").
            if self.rpc("getblockcount", &[]).is_ok() {
                return Ok(());
            }
            sleep(PAUSE);
        }
        Err(NodeError::Late)
    }

    /// The data directory, as `-datadir` had it.
    pub fn datadir(&self) -> &Path {
        &self.datadir
    }

    /// Where its `blk*.dat` are.
    pub fn blocks_dir(&self) -> PathBuf {
        self.datadir.join("regtest/blocks")
    }

    /// The file with user and password for JSON-RPC.
    pub fn cookie(&self) -> PathBuf {
        self.datadir.join("regtest/.cookie")
    }

    /// Where JSON-RPC and REST are, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of that.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`NodeError::Rpc`] with the node's own code and words; others where it does not answer.
    pub fn rpc(&self, method: &str, params: &[Value]) -> Result<Value, NodeError> {
        self.call("/", method, params)
    }

    /// Calls a method of a wallet.
    ///
    /// # Errors
    /// As for [`Self::rpc`].
    pub fn wallet_rpc(
        &self,
        wallet: &str,
        method: &str,
        params: &[Value],
    ) -> Result<Value, NodeError> {
        self.call(&format!("/wallet/{wallet}"), method, params)
    }

    fn call(&self, path: &str, method: &str, params: &[Value]) -> Result<Value, NodeError> {
        let cookie = fs::read_to_string(self.cookie())
            .map_err(|error| NodeError::Io { path: self.cookie(), error })?;
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params });
        let answer = http::post(self.port, path, &cookie, body.to_string().as_bytes());
        let answer = answer.map_err(NodeError::Connection)?;
        // Errors of JSON-RPC 1 come with a status of HTTP that says less than they do.
        let Ok(mut json) = serde_json::from_slice::<Value>(&answer.body) else {
            return Err(answer.refused(method));
        };
        match json.get("error").filter(|error| !error.is_null()) {
            None => Ok(json.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(error) => Err(NodeError::Rpc {
                method: method.to_owned(),
                code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
                message: error.get("message").and_then(Value::as_str).unwrap_or("").to_owned(),
            }),
        }
    }

    /// Reads a path of the REST interface, like `/rest/chaininfo.json`.
    ///
    /// # Errors
    /// [`NodeError::Http`] where the node does not have it.
    pub fn rest(&self, path: &str) -> Result<Vec<u8>, NodeError> {
        let answer = http::get(self.port, path).map_err(NodeError::Connection)?;
        if answer.status == 200 { Ok(answer.body) } else { Err(answer.refused(path)) }
    }

    /// A new address of the wallet `test`, which is made on first use: P2WPKH, whatever the node's
    /// default is.
    ///
    /// # Errors
    /// As for [`Self::rpc`].
    pub fn new_address(&self) -> Result<String, NodeError> {
        let wallets = self.rpc("listwallets", &[])?;
        if !wallets.as_array().is_some_and(|list| list.contains(&json!("test"))) {
            self.rpc("createwallet", &[json!("test")])?;
        }
        let address = self.wallet_rpc("test", "getnewaddress", &[json!(""), json!("bech32")])?;
        Ok(address.as_str().unwrap_or_default().to_owned())
    }

    /// Mines so many blocks to an address, and returns their hashes.
    ///
    /// # Errors
    /// As for [`Self::rpc`].
    pub fn mine(&self, blocks: u32, address: &str) -> Result<Vec<String>, NodeError> {
        let hashes = self.rpc("generatetoaddress", &[json!(blocks), json!(address)])?;
        let hashes = hashes.as_array().into_iter().flatten();
        Ok(hashes.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Stops the node and waits until everything is on disk. A temporary data directory is gone then.
    pub fn stop(self) {
        drop(self);
    }

    /// Kills the node on the spot, as a loss of power would. Its data directory stays, where it was
    /// not a temporary one.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.rpc("stop", &[]).is_ok() {
            let start = Instant::now();
            while start.elapsed() < STOP {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                sleep(PAUSE);
            }
        }
        // Only our own child, and only when asking did not help; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
