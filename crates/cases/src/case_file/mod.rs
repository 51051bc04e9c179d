//! The case file: what an investigator knows and asks, in one text that people write and read.

mod reading;
mod template;
#[cfg(test)]
mod tests;

use analyze::trace::{Policy, RootSpec};
use chain::{Network, ScriptBuf};

use crate::Result;

pub use template::template;

/// Every policy, in the order in which results are given.
pub const POLICIES: [Policy; 6] =
    [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho, Policy::Poison, Policy::Bounds];

/// A case as its file says it. The file itself stays beside it: a bundle has its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// In one line, what was taken from whom.
    pub title: String,
    /// The chain.
    pub network: Network,
    /// From whom it was taken.
    pub victim: Option<String>,
    /// Files with labels, relative to the case file; empty for those that were imported.
    pub labels: Vec<String>,
    /// Whatever else is to be known.
    pub notes: Vec<String>,
    /// Where the money was taken, each root with what is said about it.
    pub thefts: Vec<Theft>,
    /// The policy that the case is argued with, then the alternatives.
    pub policies: Vec<Policy>,
    /// Where traces end before the money does.
    pub stops: CaseStops,
    /// Who said what is said here.
    pub sources: Vec<Source>,
}

/// A root of the traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theft {
    /// As it was written.
    pub text: String,
    /// What it means.
    pub root: RootSpec,
    /// How much was taken there according to a source; compared with the chain.
    pub amount_sat: Option<u64>,
    /// Who says so: [`Source::id`].
    pub source: Option<String>,
    /// In words.
    pub note: Option<String>,
}

/// Where traces end before the money does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseStops {
    /// At the addresses of labelled services, mixers and bridges.
    pub services: bool,
    /// Where a label of another address of the same cluster says so, too: an inference that a bundle
    /// states and does not prove.
    pub clusters: bool,
    /// Before transactions that a rule recognises as CoinJoins.
    pub coinjoins: bool,
    /// At these addresses: as written, and their locking scripts.
    pub addresses: Vec<(String, ScriptBuf)>,
    /// After this block.
    pub until_height: Option<u32>,
    /// After so many transactions on a path.
    pub max_hops: Option<u32>,
    /// At outputs with less than this tainted.
    pub min_tainted_sat: u64,
    /// When so many transactions were passed.
    pub max_transactions: Option<u64>,
    /// Labels with a lower confidence end nothing.
    pub min_confidence: u8,
}

/// A publication that the case rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// How the case file calls it.
    pub id: String,
    /// Its title, and who published it.
    pub title: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// When it was published, as written.
    pub date: Option<String>,
    /// What it says, in its own words where words matter.
    pub says: Option<String>,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// [`crate::Error::CaseFile`] with line and column, and for a key that is unknown the one that was
    /// probably meant.
    pub fn parse(text: &str) -> Result<Self> {
        reading::read(text)
    }

    /// The policy that the case is argued with.
    pub fn policy(&self) -> Policy {
        self.policies.first().copied().unwrap_or_default()
    }

    /// The roots, in the order of the file.
    pub fn roots(&self) -> Vec<RootSpec> {
        self.thefts.iter().map(|theft| theft.root.clone()).collect()
    }
}
