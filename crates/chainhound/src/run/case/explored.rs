//! Proofs out of what a server that speaks Esplora told, and the headers that link it to a checkpoint.

use std::collections::BTreeMap;

use cases::{
    Case, Error, Result,
    evidence::{Proofs, Shown},
};
use chain::{BlockHash, Header, Height, MemoryLedger, Transaction, Txid};
use source::esplora::explorer::{Explorer, Gathered, Start, Wanted};

use crate::{
    failure::Failure,
    names::{SERVICES, Selection},
    run::stops::{self, Rules},
};

/// Where a case starts, as a server is asked.
pub(super) fn starts(case: &Case) -> Vec<Start> {
    use analyze::trace::RootSpec;
    let start = |root: RootSpec| match root {
        RootSpec::Transaction(txid) => Start::Transaction(txid),
        RootSpec::Output(output) => Start::Transaction(output.txid),
        RootSpec::Script(script) => Start::Script(script),
    };
    case.roots().into_iter().map(start).collect()
}

/// What the traces of a case lack on what is known so far.
pub(super) fn wanted(
    case: &Case,
    ledger: &MemoryLedger,
    tags: Option<&intel::TagSet>,
    tip: Height,
) -> Result<Wanted, Failure> {
    let least = case.stops.min_confidence;
    let names = Selection { set: tags, roles: SERVICES, least, lent: None };
    let rules = Rules { parties: case.stops.services, coinjoins: case.stops.coinjoins, names };
    let until = case.stops.until_height.map_or(tip, |until| Height(until).min(tip));
    let mut wanted = Wanted::default();
    for policy in &case.policies {
        let lacks = stops::missing(ledger, &case.query(ledger, *policy, until)?, &rules)?;
        wanted.spends.extend(lacks.spenders);
        wanted.fates.extend(lacks.fates);
        wanted.transactions.extend(lacks.makers);
    }
    Ok(wanted)
}

/// What a server told. All of it is checked again when it is packed.
pub(super) struct FromServer<'a> {
    explorer: &'a Explorer,
    gathered: &'a Gathered,
    /// From the lowest that was asked for up to the tip.
    headers: BTreeMap<Height, Header>,
}

impl<'a> FromServer<'a> {
    pub(super) fn new(explorer: &'a Explorer, gathered: &'a Gathered) -> Self {
        Self { explorer, gathered, headers: BTreeMap::new() }
    }

    /// The header with this hash, from what was fetched for the transactions if it is there.
    fn fetch(&self, hash: BlockHash) -> Result<Header> {
        match self.gathered.headers.get(&hash) {
            Some(header) => Ok(*header),
            None => Ok(self.explorer.header(hash)?),
        }
    }
}

impl Proofs for FromServer<'_> {
    fn in_block(&mut self, height: Height, _: BlockHash, wanted: &[Txid]) -> Result<Vec<Shown>> {
        let show = |txid: &Txid| {
            let proven = self.gathered.transactions.get(txid);
            let block = proven.and_then(|proven| Some((proven, proven.block.as_ref()?)));
            match block {
                Some((proven, block)) if block.height == height => {
                    Ok(Shown { tx: proven.tx.clone(), path: block.path.clone() })
                }
                _ => Err(Error::Unconfirmed(*txid)),
            }
        };
        wanted.iter().map(show).collect()
    }

    fn alone(&mut self, txid: Txid) -> Result<Transaction> {
        match self.gathered.parents.get(&txid) {
            Some(tx) => Ok(tx.clone()),
            None => Ok(self.explorer.transaction(txid)?),
        }
    }

    /// A header says which one is before it, and no server can lie about that: so they are asked for from
    /// the tip down, one after the other. What was fetched once is kept.
    fn header(&mut self, height: Height) -> Result<Header> {
        if self.headers.is_empty() {
            let tip = self.gathered.tip;
            self.headers.insert(tip.height, self.fetch(tip.hash)?);
        }
        while let Some((&lowest, header)) = self.headers.first_key_value()
            && lowest > height
        {
            let before = self.fetch(header.prev_blockhash)?;
            self.headers.insert(Height(lowest.0 - 1), before);
        }
        self.headers.get(&height).copied().ok_or(Error::NoHeader(height))
    }
}
