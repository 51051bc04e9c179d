//! What a cluster lends to its addresses: the label of one of them, where its source says that it is
//! about the whole cluster.
//!
//! Two things stand behind a lent label: the claim, and the inference that the addresses belong together.
//! Both are named wherever it is shown.

use std::{collections::HashMap, fs};

use analyze::cluster::Clustering;
use chain::{AddressNum, Ledger, script};
use intel::{Claim, TagSet};
use screen::{LentLabels, Rules};

use crate::{
    clusters::{self, Shelf, Which},
    failure::Failure,
    ledger::Chain,
    place::Place,
    say::Say,
};

/// A clustering's file is read as a whole, so that damage cannot pass: larger ones take longer than an
/// answer may.
const MOST_BYTES: u64 = 256 << 20;

/// A claim about an address, which means the address's whole cluster.
#[derive(Clone)]
pub(crate) struct LentClaim<'a> {
    /// What is said.
    pub(crate) claim: Claim<'a>,
    /// About which address.
    pub(crate) about: String,
}

/// The labels of clusters.
pub(crate) struct Lent<'a> {
    clustering: Clustering,
    /// By cluster; those with the highest confidence first, among equals by address.
    claims: HashMap<AddressNum, Vec<LentClaim<'a>>>,
}

impl<'a> Lent<'a> {
    /// Of the multi-input clustering that was built of this chain, where there is one.
    ///
    /// Participants of mixes lend nothing ([`intel::set::StatementRef::defines_cluster`]).
    ///
    /// # Errors
    /// A damaged clustering, and what the ledger reports.
    pub(crate) fn find(
        set: Option<&'a TagSet>,
        chain: &Chain,
        place: &Place,
        say: &Say,
    ) -> Result<Option<Self>, Failure> {
        let (which, shelf) = (Which::MultiInput, Shelf::of(place));
        let (Some(set), Chain::Whole(store)) = (set, chain) else { return Ok(None) };
        let Ok(file) = fs::metadata(shelf.path(which)) else { return Ok(None) };
        if file.len() > MOST_BYTES {
            say.warning(format_args!(
                "{}: too large to be read for one answer: labels count for their own addresses only",
                shelf.path(which).display()
            ));
            return Ok(None);
        }
        let Some(clustering) = shelf.read(which)? else { return Ok(None) };
        if !clusters::is_on(store.as_ref(), clustering.basis())? {
            say.warning(
                "the clusters are of a chain that was reorganised since: labels count for their own \
                 addresses only; `chainhound cluster build` makes them again",
            );
            return Ok(None);
        }
        Self::new(set, store.as_ref(), clustering).map(Some)
    }

    fn new(set: &'a TagSet, ledger: &impl Ledger, clustering: Clustering) -> Result<Self, Failure> {
        let mut claims: HashMap<AddressNum, Vec<LentClaim<'a>>> = HashMap::new();
        for script in set.scripts() {
            let mut defining =
                set.of_script(script.as_bytes()).filter(|claim| claim.defines_cluster()).peekable();
            if defining.peek().is_none() {
                continue;
            }
            let Some(address) = ledger.find_script(script)? else { continue };
            let Some(cluster) = clustering.cluster_of(address) else { continue };
            let about = script::address(script, ledger.network())
                .unwrap_or_else(|| format!("script:{}", script.to_hex_string()));
            let lent = claims.entry(cluster).or_default();
            lent.extend(defining.map(|claim| LentClaim { claim, about: about.clone() }));
        }
        for lent in claims.values_mut() {
            lent.sort_by_key(|one| std::cmp::Reverse(one.claim.confidence().level));
        }
        Ok(Self { clustering, claims })
    }

    /// What the cluster of an address lends to it.
    pub(crate) fn of(&self, address: AddressNum) -> &[LentClaim<'a>] {
        let cluster = self.clustering.cluster_of(address);
        cluster.and_then(|cluster| self.claims.get(&cluster)).map_or(&[], Vec::as_slice)
    }

    /// The same, judged by the rules of a screening.
    pub(crate) fn judged(self, rules: &Rules, set: &TagSet) -> LentLabels<'a> {
        let mut clusters: Vec<_> = self.claims.iter().collect();
        clusters.sort_unstable_by_key(|(cluster, _)| **cluster);
        let claims = clusters.into_iter().map(|(cluster, claims)| {
            (*cluster, claims.iter().map(|lent| (lent.claim, lent.about.as_str())))
        });
        LentLabels::new(self.clustering, claims, (rules, set))
    }

    /// By what the addresses are joined, and up to which block.
    pub(crate) fn clustering(&self) -> &Clustering {
        &self.clustering
    }
}
