//! The JSON of one transaction: Esplora's and BlockCypher's fields, and what they mean.
//!
//! Unknown fields are ignored. Fields that cannot be left out are required here, so that hostile
//! arrays of empty objects end at their first element.

use std::path::Path;

use bitcoin::{
    BlockHash, OutPoint, Sequence, Transaction, TxIn, TxOut, Txid, Witness, absolute::LockTime,
    transaction::Version,
};
use chain::{Flags, Height, Network, Sats, SparseSpend, script};
use serde::Deserialize;

use super::{
    Coin, Statement,
    fields::{Hex, Id, Value},
};
use crate::SourceError;

/// An object that is a transaction, or has some inside.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    txid: Option<Id<Txid>>,
    #[serde(alias = "ver")]
    version: Option<i64>,
    #[serde(alias = "lock_time")]
    locktime: Option<u32>,
    vin: Option<Vec<Vin>>,
    vout: Option<Vec<Vout>>,
    status: Option<Status>,
    outspends: Option<Vec<Option<Outspend>>>,

    // BlockCypher
    hash: Option<Id<Txid>>,
    inputs: Option<Vec<CypherInput>>,
    outputs: Option<Vec<CypherOutput>>,
    vin_sz: Option<usize>,
    vout_sz: Option<usize>,
    /// -1 where not confirmed.
    block_height: Option<i64>,

    // Wrappers
    tx: Option<Box<Document>>,
    #[serde(alias = "txs")]
    transactions: Option<Vec<Document>>,
}

#[derive(Debug, Deserialize)]
struct Vin {
    txid: Id<Txid>,
    vout: u32,
    prevout: Option<Vout>,
    scriptsig: Option<Hex>,
    #[serde(default)]
    witness: Vec<Hex>,
    #[serde(default)]
    is_coinbase: bool,
    sequence: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Vout {
    scriptpubkey: Hex,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Status {
    confirmed: bool,
    block_height: Option<u32>,
    block_hash: Option<Id<BlockHash>>,
    block_time: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Outspend {
    spent: bool,
    txid: Option<Id<Txid>>,
}

#[derive(Debug, Deserialize)]
struct CypherInput {
    prev_hash: Id<Txid>,
    output_index: i64,
    output_value: Option<Value>,
    /// The script that unlocks.
    script: Option<Hex>,
    /// Those of the output spent.
    addresses: Option<Vec<String>>,
    script_type: Option<String>,
    sequence: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct CypherOutput {
    value: Value,
    script: Hex,
    spent_by: Option<Id<Txid>>,
}

/// Where a document stands, and whose addresses it has.
#[derive(Clone, Copy)]
struct Context<'a> {
    path: &'a Path,
    line: u64,
    network: Network,
}

impl Context<'_> {
    fn text(self, detail: &str) -> SourceError {
        let (path, detail) = (self.path.to_owned(), detail.to_owned());
        SourceError::Text { path, line: self.line, detail }
    }

    fn refuse(self, txid: Txid, detail: String) -> SourceError {
        SourceError::Transaction { path: self.path.to_owned(), line: self.line, txid, detail }
    }
}

/// What both formats say, in the form of a transaction, with what may be missing beside it.
struct Told {
    txid: Txid,
    tx: Transaction,
    /// Whether `tx` has all that the id is the hash of.
    whole: bool,
    coins: Vec<Option<Coin>>,
    fates: Vec<SparseSpend>,
    coinbase: bool,
}

impl Document {
    /// Hands on the transactions in this document.
    pub(super) fn statements(
        self,
        path: &Path,
        line: u64,
        network: Network,
        each: &mut dyn FnMut(Statement) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        self.walk(Context { path, line, network }, each)
    }

    fn walk(
        mut self,
        context: Context<'_>,
        each: &mut dyn FnMut(Statement) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let (inner, inside) = (self.tx.take(), self.transactions.take());
        if inner.is_some() || inside.is_some() {
            for document in inner.map(|boxed| *boxed).into_iter().chain(inside.unwrap_or_default())
            {
                document.walk(context, each)?;
            }
            return Ok(());
        }
        each(self.statement(context)?)
    }

    fn statement(mut self, context: Context<'_>) -> Result<Statement, SourceError> {
        let status = self.status.take().filter(|status| status.confirmed);
        let cypher_height = self.block_height.and_then(|height| u32::try_from(height).ok());
        let height = status.as_ref().and_then(|status| status.block_height).or(cypher_height);
        let height = height.map(Height);
        let told = match (self.vin.take(), self.inputs.take()) {
            (Some(vin), _) => self.esplora(context, vin)?,
            (None, Some(inputs)) => self.block_cypher(context, inputs)?,
            (None, None) => {
                return Err(context.text("no transaction: it has neither `vin` nor `inputs`"));
            }
        };
        let Told { txid, tx, whole, mut coins, fates, coinbase } = told;
        if whole && tx.compute_txid() != txid {
            let detail = format!("its fields hash to {}: they were changed", tx.compute_txid());
            return Err(context.refuse(txid, detail));
        }
        let mut inputs = Vec::new();
        if !coinbase {
            let outpoints = tx.input.iter().map(|input| input.previous_output);
            inputs.extend(outpoints.zip(coins.drain(..)));
        }
        let output = |output: &TxOut| (Sats(output.value.to_sat()), output.script_pubkey.clone());
        Ok(Statement {
            path: context.path.to_owned(),
            line: context.line,
            txid,
            checked: whole,
            flags: Flags::of(&tx, height),
            height,
            time: status.as_ref().and_then(|status| status.block_time),
            block_hash: status.and_then(|status| status.block_hash).map(|id| id.0),
            coinbase,
            inputs,
            outputs: tx.output.iter().map(output).collect(),
            fates,
        })
    }

    fn esplora(self, context: Context<'_>, vin: Vec<Vin>) -> Result<Told, SourceError> {
        let txid = self.txid.ok_or_else(|| context.text("no transaction: `txid` is missing"))?.0;
        let Some(vout) = self.vout else {
            return Err(context.refuse(txid, "`vout` is missing".into()));
        };
        let mut whole = self.version.is_some() && self.locktime.is_some();
        let mut tx = shell(self.version, self.locktime);
        let (mut coins, mut coinbase) = (Vec::new(), false);
        for vin in vin {
            whole &= vin.scriptsig.is_some() && vin.sequence.is_some();
            let previous_output = OutPoint::new(vin.txid.0, vin.vout);
            coinbase |= vin.is_coinbase || previous_output.is_null();
            let mut witness = Witness::new();
            vin.witness.iter().for_each(|item| witness.push(item.0.as_bytes()));
            let script_sig = vin.scriptsig.unwrap_or_default().0;
            let sequence = sequence(vin.sequence);
            tx.input.push(TxIn { previous_output, script_sig, sequence, witness });
            coins.push(vin.prevout.map(|out| (out.value.0, out.scriptpubkey.0)));
        }
        if coinbase && tx.input.len() != 1 {
            return Err(context.refuse(txid, "a coinbase with more than one input".into()));
        }
        for output in vout {
            tx.output.push(self::output(output.value, output.scriptpubkey));
        }
        let fates: Vec<SparseSpend> =
            self.outspends.unwrap_or_default().into_iter().map(fate).collect();
        if !fates.is_empty() && fates.len() != tx.output.len() {
            let (fates, outputs) = (fates.len(), tx.output.len());
            let detail = format!("`outspends` has {fates} entries for {outputs} outputs");
            return Err(context.refuse(txid, detail));
        }
        Ok(Told { txid, tx, whole, coins, fates, coinbase })
    }

    fn block_cypher(
        self,
        context: Context<'_>,
        inputs: Vec<CypherInput>,
    ) -> Result<Told, SourceError> {
        let txid = self.txid.or(self.hash);
        let txid = txid.ok_or_else(|| context.text("no transaction: `hash` is missing"))?.0;
        let Some(outputs) = self.outputs else {
            return Err(context.refuse(txid, "`outputs` is missing".into()));
        };
        for (name, said, count) in
            [("inputs", self.vin_sz, inputs.len()), ("outputs", self.vout_sz, outputs.len())]
        {
            if let Some(said) = said
                && said != count
            {
                let detail = format!("it has {said} {name}, and {count} are here");
                return Err(context.refuse(txid, detail));
            }
        }
        // Zeroes are left out there.
        let mut tx = shell(self.version, Some(self.locktime.unwrap_or(0)));
        let mut whole = self.version.is_some();
        let (mut coins, mut coinbase) = (Vec::new(), false);
        for (vin, input) in inputs.into_iter().enumerate() {
            whole &= input.script.is_some() && input.sequence.is_some();
            coins.push(input.coin(context, txid, vin)?);
            let vout = u32::try_from(input.output_index).unwrap_or(u32::MAX);
            let previous_output = OutPoint::new(input.prev_hash.0, vout);
            coinbase |= previous_output.is_null();
            let script_sig = input.script.unwrap_or_default().0;
            let sequence = sequence(input.sequence);
            let witness = Witness::new();
            tx.input.push(TxIn { previous_output, script_sig, sequence, witness });
        }
        let mut fates = Vec::new();
        for output in outputs {
            fates.push(output.spent_by.map_or(SparseSpend::Unknown, |id| SparseSpend::By(id.0)));
            tx.output.push(self::output(output.value, output.script));
        }
        Ok(Told { txid, tx, whole, coins, fates, coinbase })
    }
}

impl CypherInput {
    /// What is spent: there is no script, but an address stands for one where it is the only one
    /// and not the hash of a bare key.
    fn coin(
        &self,
        context: Context<'_>,
        txid: Txid,
        vin: usize,
    ) -> Result<Option<Coin>, SourceError> {
        let kind = self.script_type.as_deref().unwrap_or("");
        let named = matches!(
            kind,
            "pay-to-pubkey-hash"
                | "pay-to-script-hash"
                | "pay-to-witness-pubkey-hash"
                | "pay-to-witness-script-hash"
                | "pay-to-taproot"
        );
        let (Some(value), Some([address]), true) =
            (self.output_value, self.addresses.as_deref(), named)
        else {
            return Ok(None);
        };
        let script = script::parse(address, context.network)
            .map_err(|error| context.refuse(txid, format!("input {vin}: {error}")))?;
        Ok(Some((value.0, script)))
    }
}

fn shell(version: Option<i64>, locktime: Option<u32>) -> Transaction {
    Transaction {
        // Some explorers print it unsigned: the bits are the same. Missing: 0, which sets no flag.
        version: Version(version.unwrap_or(0) as i32),
        lock_time: LockTime::from_consensus(locktime.unwrap_or(0)),
        input: Vec::new(),
        output: Vec::new(),
    }
}

/// Missing: a number that is neither final nor replaceable, and so sets no flag.
fn sequence(said: Option<u32>) -> Sequence {
    Sequence(said.unwrap_or(0xffff_fffe))
}

fn output(Value(Sats(value)): Value, script: Hex) -> TxOut {
    TxOut { value: bitcoin::Amount::from_sat(value), script_pubkey: script.0 }
}

fn fate(outspend: Option<Outspend>) -> SparseSpend {
    match outspend {
        Some(Outspend { spent: true, txid: Some(txid) }) => SparseSpend::By(txid.0),
        Some(Outspend { spent: false, .. }) => SparseSpend::Unspent,
        _ => SparseSpend::Unknown,
    }
}
