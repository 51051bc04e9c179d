//! `chainhound.tx.v1`.

use report::model::UtcTime;
use serde::Serialize;

use super::{Body, ChangeField, CoinJoinField, Facts, HeuristicField, Rows, status::coins};

/// A transaction.
#[derive(Debug, Serialize)]
pub(crate) struct TxDocument {
    /// Its id.
    pub(crate) txid: String,
    /// Its block's height; `null` where that is not known.
    pub(crate) height: Option<u32>,
    /// Its block's hash.
    pub(crate) block_hash: Option<String>,
    /// Its block's time.
    pub(crate) time: Option<UtcTime>,
    /// Its place in its block, 0 for the coinbase.
    pub(crate) position: Option<u32>,
    /// Blocks from its own to the tip, both counted.
    pub(crate) confirmations: Option<u32>,
    /// `coinbase`, `stub` (known only as the source of somebody's input), `witness`, `rbf`, ….
    pub(crate) flags: Vec<&'static str>,
    /// What it paid; `null` for coinbases and stubs.
    pub(crate) fee_sat: Option<u64>,
    /// What it spends; none for a coinbase.
    pub(crate) inputs: Vec<TxInput>,
    /// What it makes. Of a stub only what was seen being spent.
    pub(crate) outputs: Vec<TxOutput>,
    /// What it looks like; `null` where nothing speaks for a CoinJoin.
    pub(crate) coinjoin: Option<CoinJoinField>,
    /// Which output is change, by all heuristics together; `null` where there is no question.
    pub(crate) change: Option<ChangeField>,
    /// What each change heuristic says that says anything.
    pub(crate) heuristics: Vec<HeuristicField>,
}

/// An input: the output that it spends.
#[derive(Debug, Serialize)]
pub(crate) struct TxInput {
    /// The transaction that made the output.
    pub(crate) txid: String,
    /// Its place there.
    pub(crate) vout: u32,
    /// Who could spend it.
    #[serde(flatten)]
    pub(crate) lock: Lock,
    /// How much.
    pub(crate) value_sat: u64,
    /// The height where it was made.
    pub(crate) height: Option<u32>,
}

/// A locking script.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Lock {
    /// Its address, where its kind has one.
    pub(crate) address: Option<String>,
    /// Its kind.
    pub(crate) script_type: &'static str,
    /// Itself in hexadecimal, where it has no address: look it up as `script:HEX`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
}

impl Lock {
    /// The address, or `script:HEX`.
    pub(crate) fn shown(&self) -> String {
        match (&self.address, &self.script) {
            (Some(address), _) => address.clone(),
            (None, Some(script)) => format!("script:{script}"),
            (None, None) => String::new(),
        }
    }
}

/// An output.
#[derive(Debug, Serialize)]
pub(crate) struct TxOutput {
    /// Its place.
    pub(crate) vout: u32,
    /// Who can spend it.
    #[serde(flatten)]
    pub(crate) lock: Lock,
    /// How much.
    pub(crate) value_sat: u64,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) fate: OutputFate,
    /// What a data carrier carries.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) carried: Option<Carried>,
}

/// What became of an output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutputFate {
    /// `unspent`, `spent`, `unknown` or `unspendable`.
    pub(crate) status: &'static str,
    /// Who spent it.
    pub(crate) spent_by: Option<SpentBy>,
}

/// The input that spent an output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SpentBy {
    /// The transaction.
    pub(crate) txid: String,
    /// Its input.
    pub(crate) vin: Option<u32>,
    /// Its height.
    pub(crate) height: Option<u32>,
}

/// The content of an `OP_RETURN`.
#[derive(Debug, Serialize)]
pub(crate) struct Carried {
    /// The pushed bytes in hexadecimal.
    pub(crate) data: String,
    /// The same as text, where it is printable.
    pub(crate) text: Option<String>,
}

impl Body for TxDocument {
    const SCHEMA: &'static str = "chainhound.tx.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("txid", &self.txid);
        facts.push("block", self.block_text());
        facts.push_some("time", self.time);
        facts.push_some("fee", self.fee_sat.map(|fee| format!("{} BTC", coins(fee))));
        facts.push("flags", self.flags.join(" "));
        facts.push_some(
            "looks like",
            self.coinjoin.as_ref().map(|found| format!("{} (inference)", found.shown())),
        );
        if let Some(change) = &self.change {
            change.list(&mut facts);
        }
        let mut inputs = Rows::new(&[">input", ">BTC", "address", "type", "spends"], colour);
        for (vin, input) in self.inputs.iter().enumerate() {
            inputs.push([
                vin.to_string(),
                coins(input.value_sat),
                input.lock.shown(),
                input.lock.script_type.to_owned(),
                format!("{}:{}", input.txid, input.vout),
            ]);
        }
        let mut outputs = Rows::new(&[">output", ">BTC", "address", "type", "status"], colour);
        for output in &self.outputs {
            let who = match &output.carried {
                Some(Carried { text: Some(text), .. }) => format!("\"{text}\""),
                Some(Carried { data, .. }) => format!("0x{data}"),
                None => output.lock.shown(),
            };
            outputs.push([
                output.vout.to_string(),
                coins(output.value_sat),
                who,
                output.lock.script_type.to_owned(),
                output.fate.shown(),
            ]);
        }
        let inputs = match self.inputs.len() {
            0 => "no inputs\n".to_owned(),
            _ => inputs.to_text(),
        };
        let heuristics = match self.heuristics.as_slice() {
            [] => String::new(),
            said => format!("\n{}", HeuristicField::rows(said, colour)),
        };
        format!("{}\n{inputs}\n{}{heuristics}", facts.to_text(), outputs.to_text())
    }
}

impl TxDocument {
    fn block_text(&self) -> String {
        match (self.height, self.position, self.confirmations) {
            (None, ..) => "unknown".to_owned(),
            (Some(height), position, confirmations) => {
                let mut text = height.to_string();
                if let Some(position) = position {
                    text.push_str(&format!(", transaction {position} of it"));
                }
                if let Some(confirmations) = confirmations {
                    text.push_str(&format!(", {confirmations} confirmations"));
                }
                text
            }
        }
    }
}

impl OutputFate {
    /// For people.
    pub(crate) fn shown(&self) -> String {
        match &self.spent_by {
            None => self.status.to_owned(),
            Some(by) => {
                let vin = by.vin.map_or_else(String::new, |vin| format!(":{vin}"));
                let at = by.height.map_or_else(String::new, |height| format!(" at {height}"));
                format!("{} by {}{vin}{at}", self.status, by.txid)
            }
        }
    }
}
