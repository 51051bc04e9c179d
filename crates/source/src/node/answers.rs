//! What a node says, as far as we need it.

use std::str::FromStr;

use bitcoin::{BlockHash, OutPoint, Txid};
use serde::{Deserialize, Deserializer, de::Error};

/// `getblockchaininfo`, and `/rest/chaininfo.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ChainInfo {
    /// `main`, `test`, `testnet4`, `signet` or `regtest`.
    pub chain: String,
    /// Height of the last block that the node has checked.
    pub blocks: u32,
    /// Height of the best header that it knows.
    pub headers: u32,
    /// Hash of the block at `blocks`.
    #[serde(deserialize_with = "text")]
    pub bestblockhash: BlockHash,
    /// Seconds since 1970 of that block; 0 where the node does not say.
    #[serde(default)]
    pub time: u64,
    /// The median time of the last eleven blocks.
    #[serde(default)]
    pub mediantime: u64,
    /// Whether it is still catching up.
    #[serde(default)]
    pub initialblockdownload: bool,
    /// How far, from 0 to 1, as the node estimates.
    #[serde(default)]
    pub verificationprogress: f64,
    /// Whether it throws old blocks away.
    #[serde(default)]
    pub pruned: bool,
    /// The lowest block that it still has, where it prunes.
    #[serde(default)]
    pub pruneheight: Option<u32>,
    /// Bytes of block and undo files.
    #[serde(default)]
    pub size_on_disk: u64,
}

/// `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NetworkInfo {
    /// 290100 is 29.1.0.
    pub version: u32,
    /// `/Satoshi:29.1.0/`.
    #[serde(default)]
    pub subversion: String,
    /// Peers.
    #[serde(default)]
    pub connections: u32,
}

impl NetworkInfo {
    /// The first number of the version: 29.
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// `getblockheader` with verbosity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct HeaderInfo {
    /// Its hash.
    #[serde(deserialize_with = "text")]
    pub hash: BlockHash,
    /// Blocks on top of it and one; −1 beside the best chain.
    pub confirmations: i64,
    /// Its height.
    pub height: u32,
    /// Seconds since 1970.
    #[serde(default)]
    pub time: u64,
    /// Expected hashes up to here, as 64 hexadecimal digits.
    #[serde(default)]
    pub chainwork: String,
    /// The block before; `None` for block 0.
    #[serde(default, deserialize_with = "some_text")]
    pub previousblockhash: Option<BlockHash>,
}

/// `waitfornewblock`, `waitforblockheight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct NodeTip {
    /// Hash of the node's last block.
    #[serde(deserialize_with = "text")]
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
}

/// One answer of `gettxspendingprevout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Spending {
    /// Of the output asked about.
    #[serde(deserialize_with = "text")]
    pub txid: Txid,
    /// Of the output asked about.
    pub vout: u32,
    /// The transaction in the mempool that spends it.
    #[serde(default, deserialize_with = "some_text")]
    pub spendingtxid: Option<Txid>,
}

impl Spending {
    /// The output asked about.
    pub fn outpoint(&self) -> OutPoint {
        OutPoint { txid: self.txid, vout: self.vout }
    }
}

/// `getrawmempool` with the sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Mempool {
    /// All transactions, in no order.
    #[serde(deserialize_with = "texts")]
    pub txids: Vec<Txid>,
    /// Counts additions and removals: unchanged means nothing happened.
    pub mempool_sequence: u64,
}

/// One of `getzmqnotifications`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ZmqNotification {
    /// `pubhashblock` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where to subscribe.
    pub address: String,
}

/// A hash, written in hexadecimal digits.
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromStr> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text(from).map(Self)
    }
}

fn text<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| D::Error::custom("not a hash"))
}

fn some_text<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Text<T>>::deserialize(from)?.map(|text| text.0))
}

fn texts<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Text<T>>::deserialize(from)?.into_iter().map(|text| text.0).collect())
}
