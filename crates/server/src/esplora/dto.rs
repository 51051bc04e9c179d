//! The shapes of the answers. Names are a promise: they are Esplora's.
//!
//! Fields that only a whole transaction or block has are left out where there is none.

use bitcoin::{BlockHash, Script, ScriptBuf, TxMerkleNode, Txid, hex::DisplayHex};
use chain::{Network, Sats, script};
use serde::{Serialize, Serializer};

/// A transaction.
#[derive(Serialize)]
pub(super) struct TxDocument {
    #[serde(serialize_with = "text")]
    pub(super) txid: Txid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) locktime: Option<u32>,
    pub(super) vin: Vec<Vin>,
    pub(super) vout: Vec<Vout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    pub(super) fee: u64,
    pub(super) status: Status,
}

/// An input.
#[derive(Serialize)]
pub(super) struct Vin {
    #[serde(serialize_with = "text")]
    pub(super) txid: Txid,
    pub(super) vout: u32,
    pub(super) prevout: Option<Vout>,
    #[serde(flatten)]
    pub(super) unlocking: Option<Unlocking>,
    pub(super) is_coinbase: bool,
}

/// What only the whole transaction has of an input.
#[derive(Serialize)]
pub(super) struct Unlocking {
    scriptsig: String,
    scriptsig_asm: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    witness: Vec<String>,
    sequence: u32,
}

impl Unlocking {
    pub(super) fn of(input: &bitcoin::TxIn) -> Self {
        Self {
            scriptsig: input.script_sig.to_hex_string(),
            scriptsig_asm: input.script_sig.to_asm_string(),
            witness: input.witness.iter().map(|item| item.to_lower_hex_string()).collect(),
            sequence: input.sequence.0,
        }
    }
}

/// An output.
#[derive(Serialize)]
pub(super) struct Vout {
    scriptpubkey: String,
    scriptpubkey_asm: String,
    scriptpubkey_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scriptpubkey_address: Option<String>,
    value: u64,
}

impl Vout {
    pub(super) fn new(script: &ScriptBuf, Sats(value): Sats, network: Network) -> Self {
        Self {
            scriptpubkey: script.to_hex_string(),
            scriptpubkey_asm: script.to_asm_string(),
            scriptpubkey_type: kind(script),
            scriptpubkey_address: script::address(script, network),
            value,
        }
    }
}

/// The kinds of scripts by Esplora's names.
fn kind(script: &Script) -> &'static str {
    if script.is_empty() {
        "empty"
    } else if script.is_op_return() {
        "op_return"
    } else if script.is_p2pk() {
        "p2pk"
    } else if script.is_p2pkh() {
        "p2pkh"
    } else if script.is_p2sh() {
        "p2sh"
    } else if script.is_p2wpkh() {
        "v0_p2wpkh"
    } else if script.is_p2wsh() {
        "v0_p2wsh"
    } else if script.is_p2tr() {
        "v1_p2tr"
    } else {
        "unknown"
    }
}

/// Where a transaction is. Everything in the store is in a block.
#[derive(Clone, Serialize)]
pub(super) struct Status {
    pub(super) confirmed: bool,
    pub(super) block_height: u32,
    #[serde(serialize_with = "text")]
    pub(super) block_hash: BlockHash,
    pub(super) block_time: u32,
}

/// What became of an output.
#[derive(Serialize)]
pub(super) struct Outspend {
    pub(super) spent: bool,
    #[serde(flatten)]
    pub(super) by: Option<Spender>,
}

/// Who spent it.
#[derive(Serialize)]
pub(super) struct Spender {
    #[serde(serialize_with = "text")]
    pub(super) txid: Txid,
    pub(super) vin: usize,
    pub(super) status: Status,
}

/// An address in sums.
#[derive(Serialize)]
pub(super) struct AddressStats {
    pub(super) address: String,
    pub(super) chain_stats: Sums,
    pub(super) mempool_stats: Sums,
}

/// What was received and spent.
#[derive(Default, Serialize)]
pub(super) struct Sums {
    pub(super) funded_txo_count: u64,
    pub(super) funded_txo_sum: u64,
    pub(super) spent_txo_count: u64,
    pub(super) spent_txo_sum: u64,
    pub(super) tx_count: u64,
}

/// An output that nobody has spent.
#[derive(Serialize)]
pub(super) struct Unspent {
    #[serde(serialize_with = "text")]
    pub(super) txid: Txid,
    pub(super) vout: u32,
    pub(super) status: Status,
    pub(super) value: u64,
}

/// A block.
#[derive(Serialize)]
pub(super) struct BlockInfo {
    #[serde(serialize_with = "text")]
    pub(super) id: BlockHash,
    pub(super) height: u32,
    pub(super) version: i32,
    pub(super) timestamp: u32,
    pub(super) tx_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<u64>,
    #[serde(serialize_with = "text")]
    pub(super) merkle_root: TxMerkleNode,
    #[serde(serialize_with = "maybe_text")]
    pub(super) previousblockhash: Option<BlockHash>,
    pub(super) mediantime: u32,
    pub(super) nonce: u32,
    pub(super) bits: u32,
    /// For people; nothing is computed with it.
    pub(super) difficulty: f64,
}

/// Whether a block is in the best chain.
#[derive(Default, Serialize)]
pub(super) struct BlockStatus {
    pub(super) in_best_chain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u32>,
    #[serde(serialize_with = "maybe_text")]
    pub(super) next_best: Option<BlockHash>,
}

fn text<S: Serializer>(value: &impl ToString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_string())
}

fn maybe_text<S: Serializer>(value: &Option<BlockHash>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(hash) => to.collect_str(hash),
        None => to.serialize_none(),
    }
}
