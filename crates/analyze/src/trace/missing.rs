//! What a sparse ledger lacks for the answer to a question.

use std::collections::BTreeSet;

use chain::{Flags, Ledger, OutPoint, Spend, Txid};

use super::{Direction, Ended, Query, StopAt, StopReason, sweep};
use crate::Result;

/// What would change the trace, or what it says of its leaves, if it were known. Empty for a ledger
/// of the whole chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Forward: outputs where the trace ends only because their spender is not known.
    pub spenders: BTreeSet<OutPoint>,
    /// Forward: transactions with leaves of which it is not known whether they are spent.
    pub fates: BTreeSet<Txid>,
    /// Backward: transactions where the trace ends only because nothing is known of their inputs.
    pub makers: BTreeSet<Txid>,
}

/// Follows the query's roots and says what the ledger lacks on the way. Where a stop rule ends the
/// trace nothing is missing behind it.
///
/// # Errors
/// As [`super::trace`].
pub fn missing(ledger: &dyn Ledger, query: &Query, stops: &mut dyn StopAt) -> Result<Missing> {
    let mut ended: Vec<Ended> = Vec::new();
    sweep(ledger, query, stops, |end| {
        let unknown = end.reason == StopReason::Unknown || end.output.spend == Spend::Unknown;
        if unknown && end.output.address.is_some() {
            ended.push(end);
        }
    })?;
    let mut missing = Missing::default();
    for Ended { output, tx, reason, .. } in ended {
        let txid = ledger.txid(tx)?;
        let stub = ledger.flags(tx)?.has(Flags::STUB);
        match query.direction {
            Direction::Backward if stub && reason == StopReason::Unknown => {
                missing.makers.insert(txid);
            }
            Direction::Forward if output.spend == Spend::Unknown => {
                if reason == StopReason::Unknown {
                    missing.spenders.insert(OutPoint::new(txid, output.vout));
                }
                missing.fates.insert(txid);
            }
            _ => {}
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use chain::{MemoryLedger, Network, Sats, SparseInput, SparseOutput, SparseSpend, SparseTx};
    use testkit::Chain;

    use super::*;
    use crate::trace::{NoStops, RootSpec, Stops};

    const CHAIN: &str = "
        block
        tx funds: coinbase -> victim:50
        block
        tx theft: funds:0 -> thief:30 small:1 rest:18.9
        block
        tx split: theft:0 -> one:10 two:19.9
        tx other: theft:1 -> three:0.9";

    /// What is missing of the trace from the theft, when only these transactions are known, each with what
    /// is said of its outputs.
    #[track_caller]
    fn check(
        known: &[(&str, SparseSpend)],
        stops: Stops,
        spenders: &[(&str, u32)],
        fates: &[&str],
    ) {
        let chain = Chain::parse(CHAIN).unwrap();
        let sparse = |&(name, spend): &(&str, SparseSpend)| {
            let tx = chain.tx(name).unwrap();
            let input = |input: &bitcoin::TxIn| {
                let made = chain.output(&input.previous_output).unwrap();
                let (value, script) = (Sats(made.value.to_sat()), made.script_pubkey.clone());
                SparseInput { outpoint: input.previous_output, value, script }
            };
            let output = |out: &bitcoin::TxOut| {
                let (value, script) = (Sats(out.value.to_sat()), out.script_pubkey.clone());
                SparseOutput { value, script, spend }
            };
            SparseTx {
                txid: chain.txid(name).unwrap(),
                flags: Flags::default(),
                height: None,
                time: None,
                block_hash: None,
                position: None,
                coinbase: false,
                inputs: tx.input.iter().map(input).collect(),
                outputs: tx.output.iter().map(output).collect(),
            }
        };
        let txs = known.iter().map(sparse).collect();
        let ledger = MemoryLedger::from_sparse(Network::Regtest, txs).unwrap();
        let root = RootSpec::Transaction(chain.txid("theft").unwrap());
        let query = Query { stops, ..Query::new(vec![root]) };
        let found = missing(&ledger, &query, &mut NoStops).unwrap();
        let outpoint = |&(name, vout): &(&str, u32)| chain.outpoint(name, vout).unwrap();
        assert_eq!(found.spenders, spenders.iter().map(outpoint).collect());
        assert_eq!(found.fates, fates.iter().map(|name| chain.txid(name).unwrap()).collect());
        assert_eq!(found.makers, BTreeSet::new());
    }

    #[test]
    fn what_is_known_is_not_missing_nor_what_nobody_would_follow() {
        use SparseSpend::{Unknown, Unspent};
        let theft = [("theft", 0), ("theft", 1), ("theft", 2)];
        check(&[("theft", Unknown)], Stops::default(), &theft, &["theft"]);
        check(&[("theft", Unspent)], Stops::default(), &[], &[]);
        let split = [("theft", Unknown), ("split", Unspent)];
        check(&split, Stops::default(), &theft[1..], &["theft"]);
        let split = [("theft", Unknown), ("split", Unknown)];
        // The roots are followed whatever they are worth.
        let small = Stops { min_tainted: Sats(1_500_000_000), ..Stops::default() };
        check(&split, small, &[("theft", 1), ("theft", 2), ("split", 1)], &["theft", "split"]);
        let near = Stops { max_hops: Some(1), ..Stops::default() };
        check(&split, near, &theft[1..], &["theft", "split"]);
        let here = Stops { max_hops: Some(0), ..Stops::default() };
        check(&split, here, &[], &["theft"]);
    }
}
