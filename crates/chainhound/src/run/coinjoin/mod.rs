//! `chainhound coinjoin`: one transaction, or a scan of many.

mod file;
mod one;
mod scan;
mod tally;

use std::collections::HashMap;

use analyze::coinjoin::{
    Class, Detector, Finding, ShapeBuf,
    lineage::{apply, judge, lineage},
};
use chain::{Ledger, TxNum};

pub(super) use self::one::inspect;
use super::Session;
use crate::{
    args::{CoinJoinArgs, CoinJoinVerb},
    failure::{Exit, Failure},
    output::CoinJoinField,
};

/// Looks, and prints.
pub(crate) fn run(args: &CoinJoinArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match (&args.verb, &args.txid) {
        (Some(CoinJoinVerb::Scan(args)), _) => scan::run(args, session),
        (None, Some(txid)) => one::run(txid, args, session),
        // The parser asks for one of them.
        (None, None) => Err(Failure::usage("which transaction? write its txid, or `scan`")),
    }
}

/// Classes kept from one look at the neighbours to the next, at most.
const REMEMBERED: usize = 1 << 20;

/// Recognises transactions of a ledger, and looks at their neighbours.
#[derive(Default)]
pub(super) struct Finder {
    detector: Detector,
    buffer: ShapeBuf,
    classes: HashMap<TxNum, Class>,
}

impl Finder {
    /// What a transaction looks like by itself.
    fn find(&mut self, ledger: &impl Ledger, tx: TxNum) -> chain::Result<Option<Finding>> {
        self.detector.classify_tx(ledger, tx, &mut self.buffer)
    }

    /// The finding with what the neighbours of the transaction say.
    fn judged(
        &mut self,
        ledger: &impl Ledger,
        tx: TxNum,
        mut finding: Finding,
    ) -> chain::Result<CoinJoinField> {
        let around = lineage(ledger, tx, finding.protocol, |other| self.class(ledger, other))?;
        let judgement = judge(&finding, &around);
        apply(&mut finding, judgement);
        Ok(CoinJoinField::new(finding, &around, judgement))
    }

    /// The class of a neighbour.
    fn class(&mut self, ledger: &impl Ledger, tx: TxNum) -> chain::Result<Class> {
        if let Some(class) = self.classes.get(&tx) {
            return Ok(*class);
        }
        let class = self.detector.class_of(ledger, tx, &mut self.buffer)?;
        if self.classes.len() >= REMEMBERED {
            self.classes.clear();
        }
        self.classes.insert(tx, class);
        Ok(class)
    }
}
