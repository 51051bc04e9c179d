//! Blocks and headers: over REST, which is binary, else over JSON-RPC.

use std::sync::atomic::Ordering;

use bitcoin::{BlockHash, hashes::Hash, hex::FromHex};
use chain::Height;
use serde_json::json;

use super::{
    Node, NodeError,
    http::Bounds,
    rpc::{PATIENCE, SMALL},
};
use crate::{blkdir::MAX_BLOCK, hash::sha256d};

/// Headers in one request: as many as REST gives (Core: `MAX_REST_HEADERS_RESULTS`).
const HEADERS: u32 = 2000;

impl Node {
    /// A block's bytes; `None` where the node does not know it or has only its header.
    ///
    /// # Errors
    /// [`NodeError::Pruned`], [`NodeError::Nonsense`] where the bytes are another block's header,
    /// and those of the connection.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, NodeError> {
        let block = match self.block_by_rest(hash)? {
            Some(block) => Some(block),
            None => self.block_by_rpc(hash)?,
        };
        let Some(block) = block else { return Ok(None) };
        let found = block.first_chunk::<80>().map(|header| sha256d(&[header]));
        if found != Some(hash.to_byte_array()) {
            return Err(self.nonsense(&format!("block {hash}"), "another block"));
        }
        Ok(Some(block))
    }

    /// Up to 2000 headers of the best chain from a height on; none above the node's tip.
    ///
    /// They are as the node gave them: nothing about them is checked.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn headers(&self, from: Height) -> Result<Vec<[u8; 80]>, NodeError> {
        if self.rest_is_on() {
            let Some(first) = self.block_hash(from)? else { return Ok(Vec::new()) };
            let path = format!("/rest/headers/{HEADERS}/{first}.bin");
            let most = u64::from(HEADERS) * 80;
            if let Some(bytes) = self.rest(&path, most)? {
                let (headers, rest) = bytes.as_chunks::<80>();
                if !rest.is_empty() {
                    return Err(self.nonsense(&path, "not whole headers"));
                }
                return Ok(headers.to_vec());
            }
        }
        self.headers_by_rpc(from)
    }

    /// Whether blocks come over REST: not known to be off.
    pub fn rest_is_on(&self) -> bool {
        !self.rest_off.load(Ordering::Relaxed)
    }

    /// Asks for no more over REST, as where it was found to be off.
    pub fn without_rest(&self) {
        self.rest_off.store(true, Ordering::Relaxed);
    }

    /// Asks whether the node serves REST.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn probe_rest(&self) -> Result<bool, NodeError> {
        let bounds = Bounds { patience: PATIENCE, body: SMALL };
        let on = self.http.get("/rest/chaininfo.json", bounds)?.status == 200;
        self.rest_off.store(!on, Ordering::Relaxed);
        Ok(on)
    }

    /// `None` where REST does not give it: then JSON-RPC is asked, which gives it or says why not.
    fn block_by_rest(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, NodeError> {
        self.rest(&format!("/rest/block/{hash}.bin"), u64::from(MAX_BLOCK))
    }

    fn rest(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, NodeError> {
        if !self.rest_is_on() {
            return Ok(None);
        }
        let answer = self.http.get(path, Bounds { patience: PATIENCE, body: most })?;
        match answer.status {
            200 => return Ok(Some(answer.body)),
            // With REST on, "… not found" says why. Without it there is no such path, and no body.
            404 if !answer.body.is_empty() => {}
            401 | 403 | 404 | 405 => self.rest_off.store(true, Ordering::Relaxed),
            _ => {}
        }
        Ok(None)
    }

    fn headers_by_rpc(&self, from: Height) -> Result<Vec<[u8; 80]>, NodeError> {
        const METHOD: &str = "getblockheader";
        let hashes = self.block_hashes(from.0..from.0.saturating_add(HEADERS))?;
        let calls: Vec<_> =
            hashes.iter().map(|hash| (METHOD, json!([hash.to_string(), false]))).collect();
        let answers = self.batch::<String>(&calls, 2 * SMALL)?;
        let bytes =
            |hex: String| <[u8; 80]>::from_hex(&hex).map_err(|error| self.nonsense(METHOD, error));
        answers.into_iter().map(|answer| answer.and_then(bytes)).collect()
    }
}
