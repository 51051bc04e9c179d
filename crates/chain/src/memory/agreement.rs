//! Whether statements about transactions can all be true.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, ScriptBuf, Txid};

use super::{
    MemoryLedgerError,
    sparse::{SparseSpend, SparseTx},
};
use crate::Sats;

pub(super) fn contradiction(tx: &SparseTx, detail: impl Into<String>) -> MemoryLedgerError {
    let detail = detail.into();
    MemoryLedgerError::Contradiction { txid: tx.txid, height: tx.height, detail }
}

pub(super) fn agree<T: Copy + PartialEq>(
    tx: &SparseTx,
    known: &mut Option<T>,
    said: Option<T>,
    what: &str,
) -> Result<(), MemoryLedgerError> {
    match (*known, said) {
        (Some(known), Some(said)) if known != said => {
            Err(contradiction(tx, format!("two different {what}")))
        }
        (None, said) => {
            *known = said;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// One transaction from two statements about it.
pub(super) fn merge(mut one: SparseTx, two: SparseTx) -> Result<SparseTx, MemoryLedgerError> {
    agree(&two, &mut one.height, two.height, "heights")?;
    agree(&two, &mut one.time, two.time, "block times")?;
    agree(&two, &mut one.block_hash, two.block_hash, "block hashes")?;
    agree(&two, &mut one.position, two.position, "places in the block")?;
    let paid = |tx: &SparseTx| -> Vec<(Sats, ScriptBuf)> {
        tx.outputs.iter().map(|out| (out.value, out.script.clone())).collect()
    };
    if one.inputs != two.inputs || one.coinbase != two.coinbase || paid(&one) != paid(&two) {
        return Err(contradiction(&two, "given twice with different inputs or outputs"));
    }
    one.flags = one.flags.with(two.flags);
    for (vout, (mine, theirs)) in one.outputs.iter_mut().zip(&two.outputs).enumerate() {
        match (mine.spend, theirs.spend) {
            (SparseSpend::Unknown, said) => mine.spend = said,
            (_, SparseSpend::Unknown) => {}
            (mine, theirs) if mine == theirs => {}
            _ => return Err(contradiction(&two, format!("two different fates of output {vout}"))),
        }
    }
    Ok(one)
}

/// Who spends what (txid and `vin`), once each input agrees with the output that it names.
pub(super) fn match_inputs(
    known: &BTreeMap<Txid, SparseTx>,
) -> Result<BTreeMap<OutPoint, (Txid, usize)>, MemoryLedgerError> {
    let mut spenders: BTreeMap<OutPoint, (Txid, usize)> = BTreeMap::new();
    for tx in known.values() {
        if tx.coinbase && !tx.inputs.is_empty() {
            return Err(contradiction(tx, "a coinbase with inputs"));
        }
        let (txid, height) = (tx.txid, tx.height);
        for (vin, input) in tx.inputs.iter().enumerate() {
            let prevout = input.outpoint;
            if let Some((by, _)) = spenders.insert(prevout, (txid, vin)) {
                return Err(MemoryLedgerError::DoubleSpend { txid, height, vin, prevout, by });
            }
            let Some(source) = known.get(&prevout.txid) else { continue };
            let Some(output) = source.outputs.get(prevout.vout as usize) else {
                return Err(MemoryLedgerError::UnknownPrevout { txid, height, vin, prevout });
            };
            if (output.value, &output.script) != (input.value, &input.script) {
                let detail = format!("input {vin} gives {prevout} another value or script");
                return Err(contradiction(tx, detail));
            }
        }
    }
    Ok(spenders)
}

/// No output is said to be spent by one transaction and seen spent by another.
pub(super) fn check_spends(
    known: &BTreeMap<Txid, SparseTx>,
    spenders: &BTreeMap<OutPoint, (Txid, usize)>,
) -> Result<(), MemoryLedgerError> {
    for tx in known.values() {
        for (vout, output) in (0..).zip(&tx.outputs) {
            let seen = spenders.get(&OutPoint::new(tx.txid, vout)).map(|(by, _)| *by);
            let detail = match (output.spend, seen) {
                (SparseSpend::Unspent, Some(by)) => {
                    format!("output {vout} is said to be unspent, but {by} spends it")
                }
                (SparseSpend::By(said), Some(by)) if said != by => {
                    format!("output {vout} is said to be spent by {said}, but {by} spends it")
                }
                (SparseSpend::By(said), None) if known.contains_key(&said) => {
                    format!("output {vout} is said to be spent by {said}, which does not spend it")
                }
                _ => continue,
            };
            return Err(contradiction(tx, detail));
        }
    }
    Ok(())
}
