//! `/tx/...`.

use bitcoin::{OutPoint, consensus::encode};
use chain::{Block, Flags, Input, Ledger, OutNum, Output, Spend, TxNum, Txid};

use super::dto::{Outspend, Spender, Status, TxDocument, Unlocking, Vin, Vout};
use crate::{desk::View, error::Refusal};

/// The transaction in all that is known of it: without blocks it lacks versions, lock times, scripts
/// that unlock, sequences, witnesses and sizes.
pub(super) fn document(view: &View<'_>, tx: TxNum) -> Result<TxDocument, Refusal> {
    let (store, network) = (view.store, view.network());
    let whole = view.whole_if_any(tx)?;
    let coinbase = store.flags(tx)?.has(Flags::COINBASE);
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    store.inputs(tx, &mut inputs)?;
    store.outputs(tx, &mut outputs)?;
    let unlocking = |vin: usize| whole.as_ref()?.input.get(vin).map(Unlocking::of);
    let mut vin = Vec::new();
    if coinbase {
        let OutPoint { txid, vout } = OutPoint::null();
        let unlocking = unlocking(0);
        vin.push(Vin { txid, vout, prevout: None, unlocking, is_coinbase: true });
    }
    for (place, Input { source, value, .. }) in inputs.iter().enumerate() {
        let made = store.output(*source)?;
        vin.push(Vin {
            txid: store.txid(store.tx_of(*source)?)?,
            vout: made.vout,
            prevout: Some(Vout::new(&store.output_script(*source)?, *value, network)),
            unlocking: unlocking(place),
            is_coinbase: false,
        });
    }
    let mut vout = Vec::new();
    for output in &outputs {
        vout.push(Vout::new(&store.output_script(output.num)?, output.value, network));
    }
    let taken: u64 = inputs.iter().map(|input| input.value.0).sum();
    let paid: u64 = outputs.iter().map(|output| output.value.0).sum();
    Ok(TxDocument {
        txid: store.txid(tx)?,
        version: whole.as_ref().map(|whole| whole.version.0),
        locktime: whole.as_ref().map(|whole| whole.lock_time.to_consensus_u32()),
        vin,
        vout,
        size: whole.as_ref().map(|whole| whole.total_size()),
        weight: whole.as_ref().map(|whole| whole.weight().to_wu()),
        fee: if coinbase { 0 } else { taken.saturating_sub(paid) },
        status: in_block(&view.block_of(tx)?),
    })
}

pub(super) fn hex(view: &View<'_>, txid: &str) -> Result<String, Refusal> {
    Ok(encode::serialize_hex(&view.whole(view.tx(txid)?)?))
}

pub(super) fn raw(view: &View<'_>, txid: &str) -> Result<Vec<u8>, Refusal> {
    Ok(encode::serialize(&view.whole(view.tx(txid)?)?))
}

/// Where a transaction is; of one that is not here, that it is in no block.
pub(super) fn status(view: &View<'_>, txid: &str) -> Result<serde_json::Value, Refusal> {
    let status = match view.tx(txid) {
        Ok(tx) => serde_json::to_value(in_block(&view.block_of(tx)?)),
        Err(Refusal::Missing(_)) => Ok(serde_json::json!({ "confirmed": false })),
        Err(refusal) => return Err(refusal),
    };
    status.map_err(|error| Refusal::Inside(error.to_string()))
}

pub(super) fn outspends(view: &View<'_>, txid: &str) -> Result<Vec<Outspend>, Refusal> {
    let mut outputs = Vec::new();
    view.store.outputs(view.tx(txid)?, &mut outputs)?;
    outputs.iter().map(|output| fate(view, output)).collect()
}

pub(super) fn outspend(view: &View<'_>, txid: &str, vout: &str) -> Result<Outspend, Refusal> {
    let vout = vout.parse().map_err(|_| Refusal::Bad("an output has a number, from 0"))?;
    match view.store.output_at(view.tx(txid)?, vout)? {
        Some(out) => fate(view, &view.store.output(out)?),
        None => Err(Refusal::Missing("Output not found")),
    }
}

/// The status of what is in this block.
pub(super) fn in_block(block: &Block) -> Status {
    Status {
        confirmed: true,
        block_height: block.height.0,
        block_hash: block.hash,
        block_time: block.time,
    }
}

fn fate(view: &View<'_>, output: &Output) -> Result<Outspend, Refusal> {
    let Spend::By(spender) = output.spend else { return Ok(Outspend { spent: false, by: None }) };
    let vin = place_of(view, spender, output.num)?;
    let status = in_block(&view.block_of(spender)?);
    let by = Spender { txid: view.store.txid(spender)?, vin, status };
    Ok(Outspend { spent: true, by: Some(by) })
}

/// Which input of a transaction spends an output.
fn place_of(view: &View<'_>, spender: TxNum, output: OutNum) -> Result<usize, Refusal> {
    let mut inputs = Vec::new();
    view.store.inputs(spender, &mut inputs)?;
    inputs.iter().position(|input| input.source == output).ok_or(Refusal::Again)
}

/// The ids of a block's transactions.
pub(super) fn txids(view: &View<'_>, block: &Block) -> Result<Vec<Txid>, Refusal> {
    block.txs.clone().map(|tx| Ok(view.store.txid(TxNum(tx))?)).collect()
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;

    use super::*;

    #[test]
    fn the_input_of_a_coinbase_is_written_as_others_write_it() {
        let OutPoint { txid, vout } = OutPoint::null();
        assert_eq!((txid, vout), (Txid::all_zeros(), u32::MAX));
    }
}
