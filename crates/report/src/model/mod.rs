//! A trace as one document for the outside: schema `chainhound.trace.v1`.
//!
//! The names of the fields here are the names in JSON and a promise to other programs. Amounts are
//! whole satoshis, times UTC, lists in the order that the trace gives them (chain order), so that
//! the same trace gives the same bytes. What does not apply is `null` if it might have been there
//! (an address, a height), and absent if the kind of trace has no such thing (`lower_sat` under
//! haircut).

mod amount;
mod basis;
mod build;
mod output;
mod text;

use std::collections::BTreeMap;

use chain::{BlockHash, Txid};
use serde::Serialize;

pub use amount::{Amount, Share};
pub use basis::{AddressNote, Basis, CoinJoin, EndNote, Notes, Tag, TxNote};
pub use build::Context;
pub use output::{Mined, Output};
pub use text::{Address, UtcTime};

/// The `schema` of [`TraceDocument`].
pub const TRACE_SCHEMA: &str = "chainhound.trace.v1";

/// A trace, its question, and where its answers come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceDocument {
    /// [`TRACE_SCHEMA`].
    pub schema: &'static str,
    /// What made this document, from what.
    pub provenance: Provenance,
    /// The outputs started from.
    pub roots: Vec<Root>,
    /// The outputs where the trace ended: unspent or stopped. Fees are only in `flows` and
    /// `bookings`.
    pub leaves: Vec<Leaf>,
    /// Whether `leaves` was cut off at the limit. `bookings` and `totals` never are.
    pub leaves_truncated: bool,
    /// Every step.
    pub flows: Vec<Flow>,
    /// Whether `flows` was cut off at the limit.
    pub flows_truncated: bool,
    /// What is said about transactions of the trace beyond their amounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transactions: Vec<Transaction>,
    /// Sums by destination.
    pub bookings: Vec<Booking>,
    /// What was started with and what was booked.
    pub totals: Totals,
    /// How far the trace got.
    pub reach: Reach,
}

/// What made a document, from what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// `chainhound`.
    pub tool: &'static str,
    /// Its version.
    pub tool_version: String,
    /// The network's name.
    pub network: &'static str,
    /// The last block known; `null` for transactions without blocks.
    pub tip: Option<Tip>,
    /// Digest of the labels used; `null` when none were.
    pub tag_set_digest: Option<String>,
    /// Everything that the answer depends on, defaults included.
    pub parameters: Parameters,
}

/// The last block known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// Its height.
    pub height: u32,
    /// Its hash.
    #[serde(serialize_with = "text::shown")]
    pub hash: BlockHash,
}

/// The question. See [`analyze::trace::Query`] for the meaning of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    /// What was named: `TXID:VOUT`, `TXID`, an address, or `script:HEX`.
    pub roots: Vec<String>,
    /// The policy's name.
    pub policy: &'static str,
    /// `forward` or `backward`.
    pub direction: &'static str,
    /// `drop` or `follow`.
    pub fees: &'static str,
    /// Whether amounts are also given per root.
    pub keep_roots_apart: bool,
    /// Stop rule, `null` for none.
    pub until_height: Option<u32>,
    /// Stop rule, `null` for none.
    pub max_hops: Option<u32>,
    /// Stop rule, 0 for none.
    pub min_tainted_sat: u64,
    /// Stop rule, `null` for none.
    pub max_transactions: Option<u64>,
    /// Stop rule: arrived there.
    pub stop_addresses: Vec<String>,
    /// Stop rules of other origin (a CoinJoin, a service), by the name that bookings give them.
    pub stop_rules: Vec<StopRule>,
    /// At most this many flows are listed.
    pub flows_limit: usize,
    /// At most this many leaves are listed.
    pub leaves_limit: usize,
    /// Further parameters, of the stop rules for example.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

/// A stop rule that is not arithmetic on the chain alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopRule {
    /// Its name, as in `stop_reason`.
    pub name: String,
    /// What it rests on.
    #[serde(flatten)]
    pub basis: Basis,
}

/// An output started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Root {
    /// Index into `provenance.parameters.roots`.
    pub root: u32,
    /// The output.
    #[serde(flatten)]
    pub output: Output,
    /// What it adds to the trace: its value, less what reached it from an earlier root.
    #[serde(flatten)]
    pub amount: Amount,
    /// Its block.
    #[serde(flatten)]
    pub mined: Mined,
    /// On what this rests.
    #[serde(flatten)]
    pub basis: Basis,
}

/// An output where the trace ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leaf {
    /// The output.
    #[serde(flatten)]
    pub output: Output,
    /// How much of it is tainted.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same per root, where roots are kept apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// `unspent`, `spent`, `unspendable` or `unknown`.
    pub status: &'static str,
    /// Why the trace ended here.
    pub stop_reason: String,
    /// Transactions between it and the nearest root.
    pub hops: u32,
    /// Its block.
    #[serde(flatten)]
    pub mined: Mined,
    /// On what `stop_reason` rests.
    #[serde(flatten)]
    pub basis: Basis,
    /// Who it belongs to, where that is said.
    pub entity: Option<String>,
    /// What kind of party that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Labels of its address.
    pub tags: Vec<Tag>,
    /// The CoinJoin before which the trace ended.
    #[serde(flatten)]
    pub coinjoin: Option<CoinJoin>,
    /// How sure the weakest step of the way there is, where not all of them are facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_confidence: Option<u8>,
}

/// What passed through one transaction from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// The transaction that made this step.
    #[serde(serialize_with = "text::shown")]
    pub txid: Txid,
    /// Its block's height.
    pub height: Option<u32>,
    /// Its block's time.
    pub time: Option<UtcTime>,
    /// From here.
    pub from: Place,
    /// To there.
    pub to: Place,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same per root, where roots are kept apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// On what the step rests.
    #[serde(flatten)]
    pub basis: Basis,
}

/// An end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// An output.
    Output {
        /// The transaction that made it.
        #[serde(serialize_with = "text::shown")]
        txid: Txid,
        /// Its place there.
        vout: u32,
        /// Its address, where its script has one.
        address: Option<Address>,
        /// Its whole value.
        value_sat: u64,
    },
    /// The fee of a transaction.
    Fee {
        /// The transaction.
        #[serde(serialize_with = "text::shown")]
        txid: Txid,
    },
    /// What a coinbase left unclaimed.
    Unclaimed {
        /// The coinbase.
        #[serde(serialize_with = "text::shown")]
        txid: Txid,
    },
    /// The subsidy of a coinbase.
    Subsidy {
        /// The coinbase.
        #[serde(serialize_with = "text::shown")]
        txid: Txid,
    },
}

impl Place {
    /// The transaction that made it, or whose fee it is.
    pub const fn txid(&self) -> Txid {
        match self {
            Self::Output { txid, .. }
            | Self::Fee { txid }
            | Self::Unclaimed { txid }
            | Self::Subsidy { txid } => *txid,
        }
    }

    /// Its name among all places: `TXID:VOUT`, `TXID:fee`, `TXID:unclaimed` or `TXID:subsidy`.
    pub fn name(&self) -> String {
        match self {
            Self::Output { txid, vout, .. } => format!("{txid}:{vout}"),
            Self::Fee { txid } => format!("{txid}:fee"),
            Self::Unclaimed { txid } => format!("{txid}:unclaimed"),
            Self::Subsidy { txid } => format!("{txid}:subsidy"),
        }
    }
}

/// What is said about a transaction beyond its amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transaction {
    /// The transaction.
    #[serde(serialize_with = "text::shown")]
    pub txid: Txid,
    /// What is said.
    #[serde(flatten)]
    pub note: TxNote,
}

/// The sum of what ended for one reason, at one party or before CoinJoins of one protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Booking {
    /// The reason, as in leaves; `fee` and `unclaimed` have no leaves.
    pub stop_reason: String,
    /// The party where it ended, where that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// What kind of party that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The protocol of the CoinJoins before which it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    /// Outputs (or fees) booked here.
    pub count: u64,
    /// The sum. Under poison: of whole values.
    #[serde(flatten)]
    pub amount: Amount,
    /// The same per root, where roots are kept apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_root: Vec<Share>,
    /// On what the reason rests.
    #[serde(flatten)]
    pub basis: Basis,
}

impl Booking {
    /// What tells it from the other bookings of a trace, and is the same in another trace.
    pub fn end(&self) -> (&str, Option<&str>, Option<&str>, Option<&str>) {
        let (entity, category) = (self.entity.as_deref(), self.category.as_deref());
        (&self.stop_reason, entity, category, self.protocol)
    }
}

/// What was started with and what was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sum of what the roots add.
    pub root_sat: u64,
    /// Sum of the bookings. Under bounds the most that it can be.
    pub booked_sat: u64,
    /// Under bounds: the least that the sum can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked_lower_sat: Option<u64>,
    /// Whether the two are equal: always, under a policy that conserves value. `null` under
    /// poison and bounds, which do not.
    pub equal: Option<bool>,
}

/// How far a trace got. Under poison this is the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Transactions that taint passed through.
    pub transactions: u64,
    /// Outputs that taint reached, roots included.
    pub outputs: u64,
    /// The whole value of those outputs; the same coins count each time they move.
    pub value_sat: u64,
    /// Most hops of any of them.
    pub max_hops: u32,
}
