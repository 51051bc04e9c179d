//! Which transactions prove the traces of a case, found by walking them on the whole chain.

use std::collections::{BTreeMap, BTreeSet};

use analyze::{
    exposure::{AtCoinJoin, Ends, Holder, Naming},
    trace::{Ended, NoStops, Policy, Status, Summary},
};
use chain::{AddressNum, Flags, Height, Ledger, OutPoint, Output, ScriptBuf, Spend, TxNum};

use super::Role;
use crate::{
    Case, Error, Result,
    labels::{LabelSource, Labels},
    question::{Asked, SERVICE},
};

/// More transactions than these are not put into a bundle.
const MAX_TRANSACTIONS: usize = 500_000;

/// What a bundle of a case has to hold.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// The transactions, and what each is there for.
    pub transactions: BTreeMap<TxNum, Role>,
    /// Outputs where traces ended that nobody had spent.
    pub unspent: BTreeSet<OutPoint>,
    /// Labels of the addresses that traces reached.
    pub labels: Labels,
    /// The sums on the whole chain, which the bundle's own transactions must give again.
    pub summaries: Vec<(Policy, Summary)>,
}

/// Walks the traces of a case.
///
/// # Errors
/// A root that is not there; a trace that leads too far; what the ledger reports.
pub fn gather<L: Ledger>(
    case: &Case,
    ledger: &L,
    until: Height,
    source: &mut dyn LabelSource,
) -> Result<Needed> {
    let mut needed = Needed::default();
    let mut passed: BTreeSet<TxNum> = BTreeSet::new();
    let mut named: BTreeSet<TxNum> = BTreeSet::new();
    let mut collecting = Collecting {
        ledger,
        source,
        holders: BTreeMap::new(),
        names: Vec::new(),
        found: BTreeMap::new(),
    };
    for &policy in &case.policies {
        let query = case.query(ledger, policy, until)?;
        let coinjoins = if case.stops.coinjoins { AtCoinJoin::Stop } else { AtCoinJoin::Pass };
        // The same walk as a bundle's check makes, but with every label asked for.
        let stops = case.stops.services;
        let naming = Ending { collecting: &mut collecting, stops };
        let ends =
            Ends::new(ledger, naming, analyze::trace::Direction::Forward, coinjoins, SERVICE);
        let mut asked = Asked { rules: ends, transactions: &mut passed, most: MAX_TRANSACTIONS };
        let mut fates =
            Fates { ledger, spenders: &mut named, unspent: &mut needed.unspent, failed: None };
        let summary =
            analyze::trace::sweep(ledger, &query, &mut asked, |ended| fates.look(&ended))?;
        fates.failed.map_or(Ok(()), Err)?;
        asked.rules.check()?;
        if asked.is_full() || named.len() > MAX_TRANSACTIONS {
            let (policy, what) = (policy.name(), "transactions");
            return Err(Error::TooMuch { policy, what, most: MAX_TRANSACTIONS });
        }
        needed.summaries.push((policy, summary));

        // Roots are nobody's leaf and are asked about by no rule.
        let mut start = query.clone();
        start.stops.max_transactions = Some(0);
        for root in analyze::trace::trace(ledger, &start, &mut NoStops)?.roots {
            named.insert(ledger.tx_of(root.out)?);
            if let Some(address) = root.address {
                collecting.labels(address)?;
            }
        }
    }
    let mut inputs = Vec::new();
    for &tx in &passed {
        ledger.inputs(tx, &mut inputs)?;
        for input in &inputs {
            needed.transactions.insert(ledger.tx_of(input.source)?, Role::Source);
        }
    }
    needed.transactions.extend(named.into_iter().map(|tx| (tx, Role::Named)));
    needed.transactions.extend(passed.into_iter().map(|tx| (tx, Role::Passed)));
    for (script, labels) in collecting.found {
        needed.labels.keep(script, labels);
    }
    for (&tx, &role) in &needed.transactions {
        let stub = ledger.flags(tx)?.has(Flags::STUB);
        if role != Role::Source && (stub || ledger.height(tx)?.is_none()) {
            return Err(Error::Unconfirmed(ledger.txid(tx)?));
        }
    }
    Ok(needed)
}

/// What became of the outputs where traces end.
struct Fates<'a, L> {
    ledger: &'a L,
    spenders: &'a mut BTreeSet<TxNum>,
    unspent: &'a mut BTreeSet<OutPoint>,
    failed: Option<Error>,
}

impl<L: Ledger> Fates<'_, L> {
    fn look(&mut self, ended: &Ended) {
        match (ended.status, ended.output.spend) {
            (Status::Spent, Spend::By(tx)) => _ = self.spenders.insert(tx),
            (Status::Unspent, _) => match self.outpoint(ended.tx, &ended.output) {
                Ok(outpoint) => _ = self.unspent.insert(outpoint),
                Err(error) => _ = self.failed.get_or_insert(error),
            },
            _ => {}
        }
    }

    fn outpoint(&self, tx: TxNum, output: &Output) -> Result<OutPoint> {
        Ok(OutPoint::new(self.ledger.txid(tx)?, output.vout))
    }
}

/// Asks for the labels of every address that is reached, once.
struct Collecting<'a, L> {
    ledger: &'a L,
    source: &'a mut dyn LabelSource,
    holders: BTreeMap<AddressNum, Option<Holder>>,
    /// Entity and category of each party.
    names: Vec<(String, Option<String>)>,
    found: BTreeMap<ScriptBuf, Vec<crate::Label>>,
}

impl<L: Ledger> Collecting<'_, L> {
    fn labels(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        if let Some(known) = self.holders.get(&address) {
            return Ok(*known);
        }
        let script = self.ledger.script(address)?;
        let labels = self.source.labels(&script, address)?;
        let holder = labels.iter().find(|label| label.ends).map(|label| {
            let name = (label.entity.clone(), label.category.clone());
            let number = self.names.iter().position(|known| *known == name);
            let number = number.unwrap_or_else(|| {
                self.names.push(name);
                self.names.len() - 1
            });
            Holder { party: number as u32, confidence: label.confidence }
        });
        if !labels.is_empty() {
            self.found.insert(script, labels);
        }
        self.holders.insert(address, holder);
        Ok(holder)
    }
}

/// Ends walks at labelled addresses, or only asks for their labels.
struct Ending<'c, 'a, L> {
    collecting: &'c mut Collecting<'a, L>,
    stops: bool,
}

impl<L: Ledger> Naming for Ending<'_, '_, L> {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        let holder = self.collecting.labels(address)?;
        Ok(holder.filter(|_| self.stops))
    }
}
