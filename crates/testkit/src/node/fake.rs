//! A node that is none: blocks of a test, served as a node serves them.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bitcoin::{Block, consensus::serialize};
use serde_json::{Value, json};

use crate::server::{Reply, Request, Server};

/// What the fake knows and how it behaves. Change it at any time.
#[derive(Debug)]
pub struct Knowledge {
    /// What it calls its chain.
    pub chain: String,
    /// 290000 for 29.0.
    pub version: u32,
    /// Whether it serves REST.
    pub rest: bool,
    /// The header that it wants (`Basic …`); `None` for any.
    pub authorization: Option<String>,
    /// Below this height blocks are pruned.
    pub pruned_below: u32,
    hashes: Vec<String>,
    headers: Vec<[u8; 80]>,
    blocks: HashMap<String, (u32, Vec<u8>)>,
}

impl Knowledge {
    /// Makes this the best chain, block 0 first. What it had before, it still knows by its hash.
    pub fn set_chain<'a>(&mut self, blocks: impl IntoIterator<Item = &'a Block>) {
        self.keep(0, blocks);
    }

    /// Replaces the best chain from a height on, where it becomes these blocks.
    pub fn keep<'a>(&mut self, from: u32, blocks: impl IntoIterator<Item = &'a Block>) {
        self.hashes.truncate(from as usize);
        self.headers.truncate(from as usize);
        for (height, block) in (from..).zip(blocks) {
            let (hash, bytes) = (block.block_hash().to_string(), serialize(block));
            self.headers.extend(bytes.first_chunk::<80>());
            self.blocks.insert(hash.clone(), (height, bytes));
            self.hashes.push(hash);
        }
    }

    fn block(&self, hash: &str) -> Result<&[u8], (i64, &'static str)> {
        match self.blocks.get(hash) {
            None => Err((-5, "Block not found")),
            Some((height, _)) if *height < self.pruned_below => {
                Err((-1, "Block not available (pruned data)"))
            }
            Some((_, bytes)) => Ok(bytes),
        }
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, (i64, &'static str)> {
        let text = || params.get(0).and_then(Value::as_str).unwrap_or_default();
        let tip = self.hashes.len().saturating_sub(1);
        match method {
            "getblockchaininfo" => Ok(json!({
                "chain": self.chain, "blocks": tip, "headers": tip,
                "bestblockhash": self.hashes.last(), "pruned": self.pruned_below > 0,
                "pruneheight": self.pruned_below,
            })),
            "getnetworkinfo" => Ok(json!({ "version": self.version, "subversion": "/fake/" })),
            "getblockcount" => Ok(json!(tip)),
            "getblockhash" => {
                let height = params.get(0).and_then(Value::as_u64).unwrap_or(u64::MAX);
                let hash = usize::try_from(height).ok().and_then(|height| self.hashes.get(height));
                hash.map(|hash| json!(hash)).ok_or((-8, "Block height out of range"))
            }
            "getblock" => self.block(text()).map(|bytes| json!(hex(bytes))),
            "getblockheader" => {
                let (_, bytes) = self.blocks.get(text()).ok_or((-5, "Block not found"))?;
                Ok(json!(hex(bytes.get(..80).unwrap_or_default())))
            }
            "waitforblockheight" | "waitfornewblock" => {
                Ok(json!({ "hash": self.hashes.last(), "height": tip }))
            }
            _ => Err((-32601, "Method not found")),
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        if request.method == "GET" {
            return self.get(&request.path);
        }
        if self.authorization.as_ref().is_some_and(|wanted| *wanted != request.authorization) {
            return Reply::new(401, "");
        }
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let one = |asked: &Value| {
            let method = asked.get("method").and_then(Value::as_str).unwrap_or_default();
            let params = asked.get("params").cloned().unwrap_or_default();
            let (result, error) = match self.call(method, &params) {
                Ok(result) => (result, Value::Null),
                Err((code, message)) => (Value::Null, json!({ "code": code, "message": message })),
            };
            json!({ "result": result, "error": error, "id": asked.get("id") })
        };
        let answer = match asked.as_array() {
            Some(calls) => calls.iter().map(one).collect(),
            None => one(&asked),
        };
        Reply::ok(answer.to_string())
    }

    fn get(&self, path: &str) -> Reply {
        let parts: Vec<&str> = path.trim_start_matches("/rest/").split(['/', '.', '?']).collect();
        match parts.as_slice() {
            _ if !self.rest => Reply::new(404, ""),
            ["chaininfo", ..] => match self.call("getblockchaininfo", &Value::Null) {
                Ok(info) => Reply::ok(info.to_string()),
                Err(_) => Reply::new(500, ""),
            },
            ["block", hash, ..] => match self.block(hash) {
                Ok(bytes) => Reply::ok(bytes),
                Err((_, message)) => Reply::new(404, format!("{hash}: {message}\r\n")),
            },
            ["headers", count, hash, ..] => {
                let from = self.hashes.iter().position(|known| known == hash);
                let from = from.unwrap_or(self.hashes.len());
                let count = count.parse().unwrap_or(0);
                let headers = self.headers.iter().skip(from).take(count);
                Reply::ok(headers.flatten().copied().collect::<Vec<u8>>())
            }
            _ => Reply::new(404, ""),
        }
    }
}

/// A server with that knowledge.
#[derive(Debug)]
pub struct FakeNode {
    server: Server,
    knowledge: Arc<Mutex<Knowledge>>,
}

impl FakeNode {
    /// Starts one on regtest, with REST, of version 29, that asks for no credentials.
    ///
    /// # Errors
    /// Where the operating system gives no port.
    pub fn start<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> io::Result<Self> {
        let mut knowledge = Knowledge {
            chain: "regtest".to_owned(),
            version: 290_000,
            rest: true,
            authorization: None,
            pruned_below: 0,
            hashes: Vec::new(),
            headers: Vec::new(),
            blocks: HashMap::new(),
        };
        knowledge.set_chain(blocks);
        let knowledge = Arc::new(Mutex::new(knowledge));
        let shared = knowledge.clone();
        let server = Server::start(move |request| lock(&shared).reply(request))?;
        Ok(Self { server, knowledge })
    }

    /// What it knows, for a look or a change.
    pub fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        lock(&self.knowledge)
    }

    /// Its answers, for a server that gives some of its own.
    pub fn answerer(&self) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
        let knowledge = self.knowledge.clone();
        move |request| lock(&knowledge).reply(request)
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// How many requests it has read.
    pub fn requests(&self) -> usize {
        self.server.requests()
    }
}

fn lock(knowledge: &Mutex<Knowledge>) -> MutexGuard<'_, Knowledge> {
    knowledge.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hex(bytes: &[u8]) -> String {
    bitcoin::hex::DisplayHex::to_lower_hex_string(bytes)
}
