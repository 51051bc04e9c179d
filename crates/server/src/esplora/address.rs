//! `/address/...`.

use std::collections::BTreeSet;

use chain::{AddressNum, Ledger, Output, Spend, TxNum, script};

use super::{
    dto::{AddressStats, Sums, TxDocument, Unspent},
    tx,
};
use crate::{desk::View, error::Refusal};

/// Transactions on a page.
const PAGE: usize = 25;
/// Unspent outputs that are listed (Esplora: `utxos-limit`).
const LISTED: usize = 500;

/// The number of an address; nothing for one that nobody ever paid.
pub(super) fn find(view: &View<'_>, text: &str) -> Result<Option<AddressNum>, Refusal> {
    // Other spellings of scripts are ours, not Esplora's.
    let script = (!text.starts_with("script:")).then(|| script::parse(text, view.network()).ok());
    let script = script.flatten().ok_or(Refusal::Bad("this is no address of this network"))?;
    Ok(view.store.find_script(&script)?)
}

pub(super) fn stats(view: &View<'_>, text: &str) -> Result<AddressStats, Refusal> {
    let mut sums = Sums::default();
    let mut txs = BTreeSet::new();
    for output in outputs(view, text)? {
        sums.funded_txo_count += 1;
        // An address can receive the same coins often, but not 2⁶⁴ satoshis.
        sums.funded_txo_sum = sums.funded_txo_sum.saturating_add(output.value.0);
        txs.insert(view.store.tx_of(output.num)?);
        if let Spend::By(spender) = output.spend {
            sums.spent_txo_count += 1;
            sums.spent_txo_sum = sums.spent_txo_sum.saturating_add(output.value.0);
            txs.insert(spender);
        }
    }
    sums.tx_count = txs.len() as u64;
    let address = text.to_owned();
    Ok(AddressStats { address, chain_stats: sums, mempool_stats: Sums::default() })
}

/// A page of the transactions that pay to an address or spend from it, newest first.
pub(super) fn page(
    view: &View<'_>,
    text: &str,
    last_seen: Option<&str>,
) -> Result<Vec<TxDocument>, Refusal> {
    let before = last_seen.map(|txid| view.tx(txid)).transpose()?;
    let mut txs: BTreeSet<TxNum> = BTreeSet::new();
    for output in outputs(view, text)? {
        txs.insert(view.store.tx_of(output.num)?);
        if let Spend::By(spender) = output.spend {
            txs.insert(spender);
        }
    }
    let older = txs.into_iter().rev().filter(|tx| before.is_none_or(|before| *tx < before));
    older.take(PAGE).map(|tx| tx::document(view, tx)).collect()
}

pub(super) fn unspent(view: &View<'_>, text: &str) -> Result<Vec<Unspent>, Refusal> {
    let mut unspent = Vec::new();
    for output in outputs(view, text)? {
        if output.spend != Spend::Unspent {
            continue;
        }
        if unspent.len() == LISTED {
            return Err(Refusal::TooMuch("the address has more than 500 unspent outputs"));
        }
        let made = view.store.tx_of(output.num)?;
        unspent.push(Unspent {
            txid: view.store.txid(made)?,
            vout: output.vout,
            status: tx::in_block(&view.block_of(made)?),
            value: output.value.0,
        });
    }
    Ok(unspent)
}

/// All outputs of an address, newest first.
fn outputs(view: &View<'_>, text: &str) -> Result<Vec<Output>, Refusal> {
    let mut outputs = Vec::new();
    let Some(address) = find(view, text)? else { return Ok(outputs) };
    let mut next = view.store.last_output_of(address, None)?;
    while let Some(out) = next {
        if outputs.len() == view.history_limit() {
            return Err(Refusal::TooMuch("the address has too many outputs to list them here"));
        }
        outputs.push(view.store.output(out)?);
        next = view.store.last_output_of(address, Some(out))?;
    }
    Ok(outputs)
}
