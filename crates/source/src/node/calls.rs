//! The commands that we use, with types.

use std::time::Duration;

use bitcoin::{BlockHash, OutPoint, Transaction, Txid, consensus::deserialize, hex::FromHex};
use chain::Height;
use serde_json::{Value, json};

use super::{
    ChainInfo, HeaderInfo, Mempool, NetworkInfo, Node, NodeError, NodeTip, Spending,
    ZmqNotification,
    answers::Text,
    http::Bounds,
    rpc::{PATIENCE, SMALL},
};
use crate::blkdir::MAX_BLOCK;

/// Ids of a mempool are 67 bytes each; Core's default of 300 MB holds about a million.
const MEMPOOL: u64 = 256 << 20;
/// Core's codes (`rpc/protocol.h`).
const MISC_ERROR: i64 = -1;
const NOT_FOUND: i64 = -5;
const OUT_OF_RANGE: i64 = -8;

impl Node {
    /// What the node says of its chain.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn chain_info(&self) -> Result<ChainInfo, NodeError> {
        self.call("getblockchaininfo", json!([]))
    }

    /// The node's version and peers.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn network_info(&self) -> Result<NetworkInfo, NodeError> {
        self.call("getnetworkinfo", json!([]))
    }

    /// The hash of the block at a height of the node's best chain; `None` above its tip.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn block_hash(&self, height: Height) -> Result<Option<BlockHash>, NodeError> {
        Ok(none_if(OUT_OF_RANGE, self.call::<Text<_>>("getblockhash", json!([height.0])))?
            .map(|hash| hash.0))
    }

    /// The hashes at these heights, up to the node's tip.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn block_hashes(&self, heights: std::ops::Range<u32>) -> Result<Vec<BlockHash>, NodeError> {
        let calls: Vec<_> = heights.map(|height| ("getblockhash", json!([height]))).collect();
        let answers = self.batch::<Text<_>>(&calls, SMALL)?.into_iter();
        let answers = answers.map(|answer| none_if(OUT_OF_RANGE, answer));
        answers.map_while(|answer| Some(answer.transpose()?.map(|hash| hash.0))).collect()
    }

    /// What the node knows of a block; `None` where it does not know it.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn header_info(&self, hash: &BlockHash) -> Result<Option<HeaderInfo>, NodeError> {
        none_if(NOT_FOUND, self.call("getblockheader", json!([hash.to_string(), true])))
    }

    /// The ids of all unconfirmed transactions, and how often that has changed.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn mempool(&self) -> Result<Mempool, NodeError> {
        let bounds = Bounds { patience: PATIENCE, body: MEMPOOL };
        self.call_within("getrawmempool", json!([false, true]), bounds)
    }

    /// An unconfirmed transaction (any transaction, where the node has an index of them).
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn transaction(&self, txid: &Txid) -> Result<Option<Transaction>, NodeError> {
        Ok(self.transactions(&[*txid])?.pop().flatten())
    }

    /// Several transactions, in the order of their ids; `None` for those that the node has not.
    ///
    /// # Errors
    /// [`NodeError`]; also where a transaction is not the one asked for.
    pub fn transactions(&self, txids: &[Txid]) -> Result<Vec<Option<Transaction>>, NodeError> {
        /// Of a request: a large transaction is a block.
        const EACH: usize = 100;
        const METHOD: &str = "getrawtransaction";
        let mut found = Vec::with_capacity(txids.len());
        for txids in txids.chunks(EACH) {
            let calls: Vec<_> =
                txids.iter().map(|txid| (METHOD, json!([txid.to_string()]))).collect();
            let answers = self.batch::<String>(&calls, 16 * hex_of_a_block())?;
            for (txid, answer) in txids.iter().zip(answers) {
                let Some(hex) = none_if(NOT_FOUND, answer)? else {
                    found.push(None);
                    continue;
                };
                let bytes = Vec::from_hex(&hex).map_err(|error| self.nonsense(METHOD, error))?;
                let tx: Transaction =
                    deserialize(&bytes).map_err(|error| self.nonsense(METHOD, error))?;
                if tx.compute_txid() != *txid {
                    return Err(self.nonsense(METHOD, "another transaction"));
                }
                found.push(Some(tx));
            }
        }
        Ok(found)
    }

    /// Which transactions of the mempool spend these outputs; one answer for each, in their order.
    ///
    /// # Errors
    /// [`NodeError`]; [`NodeError::NoMethod`] before Core 24.
    pub fn spending(&self, outpoints: &[OutPoint]) -> Result<Vec<Option<Txid>>, NodeError> {
        /// Of a call: a megabyte of answers.
        const EACH: usize = 4000;
        const METHOD: &str = "gettxspendingprevout";
        let mut found = Vec::with_capacity(outpoints.len());
        for asked in outpoints.chunks(EACH) {
            let list: Vec<Value> = asked
                .iter()
                .map(|out| json!({ "txid": out.txid.to_string(), "vout": out.vout }))
                .collect();
            let answers: Vec<Spending> = self.call(METHOD, json!([list]))?;
            let same = answers.len() == asked.len()
                && answers.iter().zip(asked).all(|(answer, asked)| answer.outpoint() == *asked);
            if !same {
                return Err(self.nonsense(METHOD, "answers about other outputs"));
            }
            found.extend(answers.into_iter().map(|answer| answer.spendingtxid));
        }
        Ok(found)
    }

    /// Waits until the node's tip is another one than `known`, at most for so long; its tip then.
    ///
    /// A block that comes between the caller's last look and this call is not missed: Core 30 takes
    /// `known` as an argument (PR 30635), an older one is asked for the next height instead.
    ///
    /// # Errors
    /// [`NodeError`]; [`NodeError::NoMethod`] or [`NodeError::Forbidden`] where only polling is left.
    pub fn wait_for_block(&self, known: NodeTip, patience: Duration) -> Result<NodeTip, NodeError> {
        let milliseconds = patience.as_millis() as u64;
        let bounds = Bounds { patience: patience + PATIENCE, body: SMALL };
        if self.takes_known_tip()? {
            return self.call_within(
                "waitfornewblock",
                json!([milliseconds, known.hash.to_string()]),
                bounds,
            );
        }
        let next = known.height.saturating_add(1);
        self.call_within("waitforblockheight", json!([next, milliseconds]), bounds)
    }

    /// What the node publishes over ZMQ.
    ///
    /// # Errors
    /// [`NodeError`]; [`NodeError::NoMethod`] where the node was built without.
    pub fn zmq_notifications(&self) -> Result<Vec<ZmqNotification>, NodeError> {
        self.call("getzmqnotifications", json!([]))
    }

    /// A block's bytes over JSON-RPC.
    pub(super) fn block_by_rpc(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, NodeError> {
        const METHOD: &str = "getblock";
        let bounds = Bounds { patience: PATIENCE, body: hex_of_a_block() };
        let answer = self.call_within::<String>(METHOD, json!([hash.to_string(), 0]), bounds);
        match none_if(NOT_FOUND, answer) {
            Ok(hex) => hex
                .map(|hex| Vec::from_hex(&hex))
                .transpose()
                .map_err(|error| self.nonsense(METHOD, error)),
            Err(NodeError::Rpc { code: MISC_ERROR, message, .. }) if message.contains("pruned") => {
                Err(NodeError::Pruned { hash: *hash })
            }
            // "Block not found on disk", "Block not available (not fully downloaded)".
            Err(NodeError::Rpc { code: MISC_ERROR, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn none_if<T>(code: i64, answer: Result<T, NodeError>) -> Result<Option<T>, NodeError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(NodeError::Rpc { code: said, .. }) if said == code => Ok(None),
        Err(error) => Err(error),
    }
}

/// Two digits a byte, and the JSON around them.
const fn hex_of_a_block() -> u64 {
    2 * MAX_BLOCK as u64 + 1024
}
