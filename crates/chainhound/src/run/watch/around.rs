//! What watches ask: stop rules, labels and clusters, as for every other verb.

use std::{cell::OnceCell, fs, path::Path, time::SystemTime};

use analyze::{
    cluster::Clustering,
    trace::{Query, Trace},
};
use chain::{AddressNum, Ledger, Overlay, ScriptBuf, script};
use intel::{TagSet, taxonomy::Role};
use store::StoreError;
use watch::{End, Party, Question, Surroundings, Tag, WatchError};

use crate::{
    clusters::{self, Shelf, Which},
    failure::Failure,
    ledger::Chain,
    names::{Lent, SERVICES, Selection},
    place::Place,
    run::{
        stops::{self, Rules},
        trace::{COINJOIN, SERVICE},
    },
};

/// Addresses of a cluster that can be watched: each is looked up at each block.
const MOST_MEMBERS: usize = 100_000;

/// When and how large labels and clusters are, as files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) labels: Option<(SystemTime, u64)>,
    pub(super) clusters: Option<(SystemTime, u64)>,
}

impl Stamp {
    /// Of the files as they are.
    pub(super) fn of(place: &Place) -> Self {
        Self {
            labels: file_stamp(&place.labels().join("tags.bin")),
            clusters: file_stamp(&Shelf::of(place).path(Which::MultiInput)),
        }
    }
}

/// When a file was replaced; `None` without one.
pub(super) fn file_stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// The answers of one moment.
pub(super) struct Around<'a> {
    pub(super) chain: &'a Chain,
    pub(super) place: &'a Place,
    pub(super) set: Option<&'a TagSet>,
    pub(super) lent: Option<&'a Lent<'a>>,
    pub(super) least: u8,
    clustering: OnceCell<Clustering>,
}

impl<'a> Around<'a> {
    pub(super) fn new(
        chain: &'a Chain,
        place: &'a Place,
        set: Option<&'a TagSet>,
        lent: Option<&'a Lent<'a>>,
        least: u8,
    ) -> Self {
        Self { chain, place, set, lent, least, clustering: OnceCell::new() }
    }

    fn names(&self) -> Selection<'_> {
        Selection { set: self.set, roles: SERVICES, least: self.least, lent: self.lent }
    }

    fn clustering(&self) -> Result<&Clustering, WatchError> {
        if let Some(clustering) = self.clustering.get() {
            return Ok(clustering);
        }
        let none =
            || "no clusters were built yet: `chainhound cluster build` makes them".to_owned();
        let read = Shelf::of(self.place).read(Which::MultiInput).map_err(surroundings)?;
        let clustering = read.ok_or_else(none).map_err(WatchError::Surroundings)?;
        if !clusters::is_on(self.chain.ledger(), clustering.basis())? {
            let detail = "the clusters are of a chain that was reorganised since: `chainhound cluster build`";
            return Err(WatchError::Surroundings(detail.to_owned()));
        }
        Ok(self.clustering.get_or_init(|| clustering))
    }
}

impl Surroundings for Around<'_> {
    fn digest(&self, question: &Question) -> String {
        let clusters = || {
            let Some((at, len)) = file_stamp(&Shelf::of(self.place).path(Which::MultiInput)) else {
                return "none".to_owned();
            };
            let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            format!("{}.{len}", at.as_nanos())
        };
        match question {
            Question::Trace(trace) if trace.stop_rules.iter().any(|rule| rule == SERVICE) => {
                let labels = self.set.map_or_else(String::new, |set| set.digest().to_string());
                let lent = self.lent.map_or_else(|| "none".to_owned(), |_| clusters());
                format!("labels {labels} of confidence {} or more, clusters {lent}", self.least)
            }
            Question::Clusters(_) => format!("clusters {}", clusters()),
            Question::Trace(_) | Question::Addresses(_) => String::new(),
        }
    }

    fn trace(
        &self,
        ledger: &Overlay<'_>,
        query: &Query,
        rules: &[String],
    ) -> Result<(Trace, Vec<End>), WatchError> {
        let rules = Rules {
            parties: rules.iter().any(|rule| rule == SERVICE),
            coinjoins: rules.iter().any(|rule| rule == COINJOIN),
            names: self.names(),
        };
        let (trace, met) = stops::trace(ledger, query, &rules).map_err(surroundings)?;
        let names = &trace.summary.named_stops;
        let end = |(at, name): (usize, &String)| End {
            name: name.clone(),
            before_transaction: met.is_coinjoin(at),
        };
        let ends = names.iter().enumerate().map(end).collect();
        Ok((trace, ends))
    }

    fn party(
        &self,
        _ledger: &Overlay<'_>,
        script: &bitcoin::Script,
        address: Option<AddressNum>,
    ) -> Result<Option<Party>, WatchError> {
        let names = self.names();
        let Some(note) = names.note(script.as_bytes(), address) else { return Ok(None) };
        let role = note.category.as_deref().and_then(intel::taxonomy::role);
        let basis = note.basis.unwrap_or_default();
        let (heuristic, source, confidence) = match &basis {
            report::model::Basis::Fact => (None, None, None),
            report::model::Basis::Inference { heuristic, confidence } => {
                (Some(heuristic.clone()), None, *confidence)
            }
            report::model::Basis::InferenceFromClaim { heuristic, source, confidence } => {
                (Some(heuristic.clone()), Some(source.clone()), *confidence)
            }
            report::model::Basis::Claim { source, confidence } => {
                (None, Some(source.clone()), *confidence)
            }
        };
        let tag = |tag: &report::model::Tag| {
            let (source, confidence) = match tag.basis() {
                report::model::Basis::Claim { source, confidence } => (source.clone(), *confidence),
                _ => (String::new(), None),
            };
            Tag { label: tag.label.clone(), basis: tag.basis().name(), source, confidence }
        };
        Ok(Some(Party {
            entity: note.entity,
            category: note.category,
            basis: basis.name(),
            heuristic,
            source,
            confidence,
            contact: names.contact(script.as_bytes(), address),
            can_freeze: role == Some(Role::Service),
            tags: note.tags.iter().map(tag).collect(),
        }))
    }

    fn cluster(
        &self,
        ledger: &Overlay<'_>,
        script: &bitcoin::Script,
    ) -> Result<Vec<ScriptBuf>, WatchError> {
        let mut members = vec![script.to_owned()];
        let Some(address) = ledger.find_script(script)? else { return Ok(members) };
        let clustering = self.clustering()?;
        // Newer than the clusters: alone until they are built again.
        let Some(cluster) = clustering.cluster_of(address) else { return Ok(members) };
        if clustering.size_of(cluster) as usize > MOST_MEMBERS {
            let name = script::address(script, ledger.network()).unwrap_or_default();
            return Err(WatchError::Surroundings(format!(
                "the cluster of {name} has more than {MOST_MEMBERS} addresses: too many to watch"
            )));
        }
        for member in clustering.page(cluster, None, usize::MAX) {
            members.push(ledger.script(member)?);
        }
        Ok(members)
    }

    fn ensure_current(&self) -> Result<(), WatchError> {
        match self.chain.ensure_current() {
            Ok(()) => Ok(()),
            Err(StoreError::Reorganised) => Err(WatchError::Reorganised),
            Err(error) => Err(WatchError::Surroundings(error.to_string())),
        }
    }
}

fn surroundings(failure: Failure) -> WatchError {
    WatchError::Surroundings(failure.to_string())
}
