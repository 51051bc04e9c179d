//! What a document says about every output that it lists, root or leaf.

use chain::{BlockHash, Height, OutPoint, Sats, Txid, script::ScriptKind};
use serde::Serialize;

use super::{
    Place,
    text::{self, Address, UtcTime},
};

/// An output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The transaction that made it.
    #[serde(serialize_with = "text::shown")]
    pub txid: Txid,
    /// Its place there.
    pub vout: u32,
    /// Its address, where its script has one.
    pub address: Option<Address>,
    /// The kind of its script.
    pub script_type: &'static str,
    /// Its whole value.
    pub value_sat: u64,
}

impl Output {
    pub(super) fn new(
        outpoint: OutPoint,
        (address, kind): (Option<Address>, ScriptKind),
        value: Sats,
    ) -> Self {
        let OutPoint { txid, vout } = outpoint;
        Self { txid, vout, address, script_type: kind.name(), value_sat: value.0 }
    }

    /// Itself as the end of a flow.
    pub fn place(&self) -> Place {
        let Self { txid, vout, value_sat, .. } = *self;
        Place::Output { txid, vout, address: self.address.clone(), value_sat }
    }
}

/// The block that an output was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mined {
    /// Its height.
    pub height: Option<u32>,
    /// Its hash.
    #[serde(serialize_with = "text::shown_or_null")]
    pub block_hash: Option<BlockHash>,
    /// Its time.
    pub time: Option<UtcTime>,
}

impl Mined {
    pub(super) fn new(height: Option<Height>, block: Option<(BlockHash, UtcTime)>) -> Self {
        Self {
            height: height.map(|height| height.0),
            block_hash: block.map(|(hash, _)| hash),
            time: block.map(|(_, time)| time),
        }
    }
}
