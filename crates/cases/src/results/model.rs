//! The lines of results. Their names are a promise to other programs.

use serde::{Deserialize, Serialize};

use super::Basis;
use crate::Label;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// What was asked.
    Question(Question),
    /// An output started from.
    Root(Root),
    /// What ended for one reason.
    Booking(Booking),
    /// The sums.
    Totals(Totals),
    /// An output where the trace ended.
    Leaf(Leaf),
    /// What one transaction moved from one place to another.
    Step(Step),
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// How taint passes a transaction.
    pub policy: String,
    /// As the case file names them.
    pub roots: Vec<String>,
    /// `drop`: booked as fees.
    pub fees: String,
    /// The rules by name: `service`, `coinjoin`.
    pub stop_at: Vec<String>,
    /// Addresses that end traces.
    pub stop_addresses: Vec<String>,
    /// The last block looked at.
    pub until_height: u32,
    /// Most transactions on a path.
    pub max_hops: Option<u32>,
    /// Less than this is not followed.
    pub min_tainted_sat: u64,
    /// Most transactions passed.
    pub max_transactions: Option<u64>,
    /// Labels with less end nothing.
    pub min_confidence: u8,
}

/// How much: exactly, or under bounds between two amounts. Steps of poison have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// So much. Under poison the whole value.
    Exact {
        /// Satoshis.
        tainted_sat: u64,
    },
    /// At least and at most.
    Between {
        /// Satoshis, under every conserving policy.
        lower_sat: u64,
        /// The same.
        upper_sat: u64,
    },
    /// The policy does not say.
    Unmeasured {},
}

/// A root's part of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Place of the theft in the case file, from 0.
    pub root: u32,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
}

/// The block of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// Its height.
    pub height: Option<u32>,
    /// Its header's time, seconds since 1970 UTC: what the miner said.
    pub time: Option<u32>,
}

/// An output started from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Place of the theft in the case file, from 0.
    pub root: u32,
    /// The transaction that made it.
    pub txid: String,
    /// Its place there.
    pub vout: u32,
    /// Its address, or `script:HEX`.
    pub address: Option<String>,
    /// Its whole value.
    pub value_sat: u64,
    /// What it adds to the trace.
    #[serde(flatten)]
    pub amount: Amount,
    /// Its block.
    #[serde(flatten)]
    pub mined: Mined,
    /// On what that rests.
    #[serde(flatten)]
    pub basis: Basis,
    /// What is said about its address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// What ended for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booking {
    /// The reason.
    pub stop_reason: String,
    /// At whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// What kind of party that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The protocol of the CoinJoins before which it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Outputs, or fees.
    pub count: u64,
    /// The sum.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same by root, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// On what the reason rests.
    #[serde(flatten)]
    pub basis: Basis,
}

/// The sums. Under a conserving policy `root_sat` and `booked_sat` are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// What was started with, at most.
    pub root_sat: u64,
    /// What was booked, at most.
    pub booked_sat: u64,
    /// Under bounds: what was booked, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked_lower_sat: Option<u64>,
    /// Transactions that taint passed.
    pub transactions: u64,
    /// Outputs that it reached.
    pub outputs: u64,
    /// Most transactions on the shortest path to any of them.
    pub max_hops: u32,
}

/// An output where the trace ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// The transaction that made it.
    pub txid: String,
    /// Its place there.
    pub vout: u32,
    /// Its address, or `script:HEX`; nothing for data carriers.
    pub address: Option<String>,
    /// Its whole value.
    pub value_sat: u64,
    /// How much of it is tainted.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same by root, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// `unspent`, `spent`, `unspendable` or `unknown`.
    pub status: String,
    /// Whether the bundle proves the status. That nobody spent an output cannot be proven by what is in
    /// a bundle: ask a node.
    pub status_proven: bool,
    /// Why the trace ended.
    pub stop_reason: String,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The CoinJoin before which the trace ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coinjoin: Option<CoinJoin>,
    /// Transactions between it and the nearest root.
    pub hops: u32,
    /// How sure the weakest step of the way there is, where not all are facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_confidence: Option<u8>,
    /// Its block.
    #[serde(flatten)]
    pub mined: Mined,
    /// On what the reason rests.
    #[serde(flatten)]
    pub basis: Basis,
    /// What is said about its address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// A CoinJoin before which a trace ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinJoin {
    /// The transaction.
    pub txid: String,
    /// As what it was recognised.
    pub protocol: String,
    /// Outputs of its most frequent amount.
    pub anonymity_set: u32,
    /// People who took part, at least.
    pub participants_lower: u32,
    /// The same, at most.
    pub participants_upper: u32,
}

/// What one transaction moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The transaction.
    pub txid: String,
    /// Its block.
    #[serde(flatten)]
    pub mined: Mined,
    /// From there.
    pub from: Place,
    /// To there.
    pub to: Place,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same by root, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// On what it rests that it moved.
    #[serde(flatten)]
    pub basis: Basis,
}

/// An end of a step: `TXID:VOUT`, or `TXID:fee`.
pub type Place = String;
