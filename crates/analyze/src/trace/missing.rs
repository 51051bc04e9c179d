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
