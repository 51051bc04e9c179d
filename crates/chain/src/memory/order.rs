//! Chain order of single transactions, as far as heights, places and spends tell.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use bitcoin::Txid;

use super::{MemoryLedgerError, agreement::contradiction, sparse::SparseTx};
use crate::Height;

/// Checks that nobody spends from a later block, and fills in heights that leave no choice.
pub(super) fn infer_heights(known: &mut BTreeMap<Txid, SparseTx>) -> Result<(), MemoryLedgerError> {
    let mut edges = Vec::new();
    for tx in known.values() {
        for input in &tx.inputs {
            if known.contains_key(&input.outpoint.txid) {
                edges.push((input.outpoint.txid, tx.txid));
            }
        }
    }
    // Relaxed until nothing changes: quadratic at worst, and at most a few thousand transactions.
    let mut lowest: BTreeMap<Txid, Option<Height>> = BTreeMap::new();
    let mut highest: BTreeMap<Txid, Option<Height>> = BTreeMap::new();
    for tx in known.values() {
        lowest.insert(tx.txid, tx.height);
        highest.insert(tx.txid, tx.height);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for (source, spender) in &edges {
            let low = lowest[source].max(lowest[spender]);
            changed |= lowest.insert(*spender, low) != Some(low);
            let high = match (highest[source], highest[spender]) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            };
            changed |= highest.insert(*source, high) != Some(high);
        }
    }
    for tx in known.values_mut() {
        match (lowest[&tx.txid], highest[&tx.txid]) {
            (Some(low), Some(high)) if low > high => {
                let detail =
                    format!("must be in block {low} or later, but in block {high} or earlier");
                return Err(contradiction(tx, detail));
            }
            (Some(low), Some(high)) if low == high => tx.height = Some(low),
            // For a transaction without a height this is only a bound, kept for the order.
            _ => {}
        }
    }
    Ok(())
}

/// Where a transaction wants to stand: block (or before it), place in it, txid.
type Place = (u32, bool, u32, Txid);

/// The transactions in chain order.
pub(super) fn order(known: &BTreeMap<Txid, SparseTx>) -> Result<Vec<Txid>, MemoryLedgerError> {
    let mut before: BTreeMap<Txid, BTreeSet<Txid>> = BTreeMap::new();
    let mut after: BTreeMap<Txid, BTreeSet<Txid>> = BTreeMap::new();
    let mut edge = |first: Txid, then: Txid| {
        before.entry(then).or_default().insert(first);
        after.entry(first).or_default().insert(then);
    };
    let mut placed: BTreeMap<(Height, u32), Txid> = BTreeMap::new();
    for tx in known.values() {
        for input in &tx.inputs {
            if known.contains_key(&input.outpoint.txid) {
                edge(input.outpoint.txid, tx.txid);
            }
        }
        let position = if tx.coinbase { Some(0) } else { tx.position };
        if let (Some(height), Some(position)) = (tx.height, position)
            && let Some(other) = placed.insert((height, position), tx.txid)
        {
            let detail = format!("stands at place {position} of its block, like {other}");
            return Err(contradiction(tx, detail));
        }
    }
    let chain: Vec<_> = placed.iter().collect();
    for pair in chain.windows(2) {
        if pair[0].0.0 == pair[1].0.0 {
            edge(*pair[0].1, *pair[1].1);
        }
    }
    for tx in known.values().filter(|tx| !tx.coinbase) {
        if let Some(height) = tx.height
            && let Some(&coinbase) = placed.get(&(height, 0))
            && coinbase != tx.txid
        {
            edge(coinbase, tx.txid);
        }
    }

    let limits = limits(known, &after);
    let place = |txid: Txid| -> Place {
        let tx = &known[&txid];
        let position = if tx.coinbase { 0 } else { tx.position.unwrap_or(u32::MAX) };
        (limits[&txid], tx.height.is_some(), position, txid)
    };
    let mut ready: BinaryHeap<Reverse<Place>> = BinaryHeap::new();
    let free = known.keys().copied().filter(|txid| !before.contains_key(txid));
    ready.extend(free.map(|txid| Reverse(place(txid))));
    let mut order = Vec::new();
    while let Some(Reverse((.., txid))) = ready.pop() {
        order.push(txid);
        for then in after.remove(&txid).unwrap_or_default() {
            let waits = before.entry(then).or_default();
            waits.remove(&txid);
            if waits.is_empty() {
                before.remove(&then);
                ready.push(Reverse(place(then)));
            }
        }
    }
    match before.keys().next() {
        Some(&txid) => Err(MemoryLedgerError::Cycle { txid }),
        None => Ok(order),
    }
}

/// Each transaction's height or, where it has none, that of its first spender with one.
fn limits(
    known: &BTreeMap<Txid, SparseTx>,
    after: &BTreeMap<Txid, BTreeSet<Txid>>,
) -> BTreeMap<Txid, u32> {
    let own = |tx: &SparseTx| tx.height.map_or(u32::MAX, |height| height.0);
    let mut limits: BTreeMap<Txid, u32> = known.values().map(|tx| (tx.txid, own(tx))).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for (first, then) in after {
            if known[first].height.is_none() {
                let limit = then.iter().map(|txid| limits[txid]).min().unwrap_or(u32::MAX);
                changed |= limits.insert(*first, limit) != Some(limit);
            }
        }
    }
    limits
}
