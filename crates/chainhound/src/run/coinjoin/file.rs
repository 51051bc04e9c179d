//! A scan of a file that may be larger than memory.
//!
//! The first pass keeps what it finds and forgets the rest. The second pass looks for what the
//! findings spend and for who spends them: only those are recognised once more. Memory grows with
//! the findings, not with the file.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use analyze::coinjoin::{
    Class, Detector, Finding, ShapeBuf,
    lineage::{Lineage, apply, judge},
};
use chain::{Height, Network, OutPoint, Sats, SparseTx, Txid};
use report::model::UtcTime;
use source::Single;

use super::{scan::Heights, tally::Tally};
use crate::{
    failure::Failure,
    output::{CoinJoinField, FoundTransaction, ScanDocument},
    run::progress::Counter,
    say::Say,
};

/// Scans a file, or the files of a directory.
pub(super) fn scan(
    path: &Path,
    network: Network,
    range: Option<&Heights>,
    say: &Say,
) -> Result<ScanDocument, Failure> {
    let mut eye = Eye { network, detector: Detector::default(), buffer: ShapeBuf::default() };
    let mut first = First::default();
    let mut counter = Counter::new(say, "transactions", None);
    source::each_transaction(path, network, &mut |single| {
        counter.at(first.tally.scanned());
        first.look(&mut eye, single, range);
    })?;
    counter.finish();
    first.warn(path, say);

    let First { tally, found, .. } = first;
    let mut second = Second::of(&found);
    if !found.is_empty() {
        source::each_transaction(path, network, &mut |single| {
            if let Single::Whole(tx) = single {
                second.look(&mut eye, &tx);
            }
        })?;
    }
    Ok(tally.finish(second.judged(found)))
}

/// Recognises.
struct Eye {
    network: Network,
    detector: Detector,
    buffer: ShapeBuf,
}

impl Eye {
    fn find(&mut self, tx: &SparseTx) -> Option<Finding> {
        let shape = self.buffer.load_sparse(self.network, tx)?;
        self.detector.classify(&shape)
    }
}

/// A finding, and what of its transaction the second pass needs.
struct Found {
    txid: Txid,
    height: Option<Height>,
    time: Option<u32>,
    finding: Finding,
    inputs: Vec<(Txid, Sats)>,
}

#[derive(Default)]
struct First {
    tally: Tally,
    found: Vec<Found>,
    listed: HashSet<Txid>,
    incomplete: u64,
    first_incomplete: Option<(Txid, OutPoint)>,
    /// Left out because heights were asked for.
    without_height: u64,
}

impl First {
    fn look(&mut self, eye: &mut Eye, single: Single, range: Option<&Heights>) {
        let tx = match single {
            Single::Whole(tx) => tx,
            Single::Incomplete { txid, prevout } => {
                self.incomplete += 1;
                self.first_incomplete.get_or_insert((txid, prevout));
                return;
            }
        };
        if range.is_some_and(|range| !range.has(tx.height)) {
            self.without_height += u64::from(tx.height.is_none());
            return;
        }
        // Told twice, listed once.
        if self.listed.contains(&tx.txid) {
            return;
        }
        let finding = eye.find(&tx);
        if self.tally.count(finding.as_ref())
            && let Some(finding) = finding
        {
            let inputs = tx.inputs.iter().map(|input| (input.outpoint.txid, input.value));
            self.listed.insert(tx.txid);
            self.found.push(Found {
                txid: tx.txid,
                height: tx.height,
                time: tx.time,
                finding,
                inputs: inputs.collect(),
            });
        }
    }

    fn warn(&self, path: &Path, say: &Say) {
        if let Some((txid, prevout)) = self.first_incomplete {
            say.warning(format_args!(
                "{}: {} transactions are left out, since what they spend does not stand beside them \
                 (the first: {txid} spends {prevout}); `chainhound index --esplora` puts statements \
                 about different transactions together",
                path.display(),
                self.incomplete
            ));
        }
        if self.without_height > 0 {
            say.warning(format_args!(
                "{} transactions without a height are left out",
                self.without_height
            ));
        }
    }
}

/// What the file knows about the neighbours of the findings.
struct Second {
    /// The place of each finding.
    places: HashMap<Txid, usize>,
    /// The transactions that the findings spend, with their classes once they were seen.
    sources: HashMap<Txid, Option<Class>>,
    /// One for each finding.
    around: Vec<Lineage>,
    protocols: Vec<analyze::coinjoin::Protocol>,
    /// Outputs of findings whose spenders were seen.
    spent: HashSet<OutPoint>,
}

impl Second {
    fn of(found: &[Found]) -> Self {
        let sources = found.iter().flat_map(|found| &found.inputs);
        Self {
            places: found.iter().enumerate().map(|(place, found)| (found.txid, place)).collect(),
            sources: sources.map(|(txid, _)| (*txid, None)).collect(),
            around: vec![Lineage::default(); found.len()],
            protocols: found.iter().map(|found| found.finding.protocol).collect(),
            spent: HashSet::new(),
        }
    }

    fn look(&mut self, eye: &mut Eye, tx: &SparseTx) {
        let spends = |places: &HashMap<Txid, usize>| {
            tx.inputs.iter().any(|input| places.contains_key(&input.outpoint.txid))
        };
        if !self.sources.contains_key(&tx.txid) && !spends(&self.places) {
            return;
        }
        let class = eye.find(tx).map_or(Class::NONE, |finding| finding.class());
        if let Some(source) = self.sources.get_mut(&tx.txid) {
            *source = Some(class);
        }
        for input in &tx.inputs {
            let Some(&place) = self.places.get(&input.outpoint.txid) else { continue };
            if self.spent.insert(input.outpoint)
                && let (Some(around), Some(protocol)) =
                    (self.around.get_mut(place), self.protocols.get(place))
            {
                around.add_output(*protocol, input.value, class);
            }
        }
    }

    fn judged(mut self, found: Vec<Found>) -> Vec<FoundTransaction> {
        let mut listed = Vec::with_capacity(found.len());
        for (found, mut around) in found.into_iter().zip(std::mem::take(&mut self.around)) {
            let mut finding = found.finding;
            for (source, value) in &found.inputs {
                let class = self.sources.get(source).copied().flatten();
                around.add_input(finding.protocol, *value, class);
            }
            let judgement = judge(&finding, &around);
            apply(&mut finding, judgement);
            listed.push(FoundTransaction {
                txid: found.txid.to_string(),
                height: found.height.map(|height| height.0),
                time: found.time.map(UtcTime),
                finding: CoinJoinField::new(finding, &around, judgement),
            });
        }
        listed
    }
}
