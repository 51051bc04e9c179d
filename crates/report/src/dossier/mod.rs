//! A case as people read it: one page of HTML, and a letter for each service that can freeze.
//!
//! A [`Dossier`] is plain data: a trace document for each policy, and what the case file and the bundle
//! say beside them. Page and letters are functions of it and of a [`Language`], the same bytes on every
//! machine. Every amount is a number of the documents, or a sum of such; text from outside is escaped.
//!
//! Money is written in bitcoin only. A value in another currency needs a price with a source; amounts
//! on the page all pass through `page::money`, which is where it would be added.

mod destinations;
mod language;
mod letter;
mod methods;
mod page;
mod rows;
#[cfg(test)]
mod tests;
mod words;

pub use language::{Language, UnknownLanguage};
pub use letter::Letter;

use crate::{Error, Result, model::TraceDocument};

/// What a report is made of.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// In one line, what was taken from whom.
    pub title: String,
    /// From whom.
    pub victim: Option<String>,
    /// Whatever else the case file says.
    pub notes: Vec<String>,
    /// What was taken, in the order of the case file.
    pub thefts: Vec<Theft>,
    /// Publications that the case rests on.
    pub sources: Vec<Source>,
    /// One trace for each policy, the one that the case is argued with first. At least one.
    pub traces: Vec<TraceDocument>,
    /// What was measured of the rules that the traces met.
    pub measured: Vec<Measured>,
    /// The evidence.
    pub bundle: Bundle,
}

/// What was taken at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theft {
    /// As the case file names it.
    pub text: String,
    /// What a source says was taken, in satoshis.
    pub claimed_sat: Option<u64>,
    /// What the chain says, in satoshis.
    pub chain_sat: u64,
    /// The id of the source.
    pub source: Option<String>,
    /// In words.
    pub note: Option<String>,
}

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// How thefts call it.
    pub id: String,
    /// Title and publisher.
    pub title: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// When it was published, as written.
    pub date: Option<String>,
    /// What it says.
    pub says: Option<String>,
}

/// How often a rule was right on real transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What the rule finds, as traces name it.
    pub heuristic: String,
    /// Real transactions that others call this.
    pub labelled: u32,
    /// Those of them that were found, under whatever name.
    pub found: u32,
    /// Those of them that were called by this name.
    pub named: u32,
    /// Transactions that are none and were called so.
    pub false_positives: u32,
    /// Out of so many.
    pub out_of: u32,
}

/// The evidence that a report rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its file's name, without a path.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// SHA-256 of its manifest, which is what a signature is of.
    pub manifest_sha256: String,
    /// The key of the signature, where there is one.
    pub signer: Option<String>,
    /// SHA-256 of the program that made it, where it is known.
    pub binary_sha256: Option<String>,
    /// Whether the results were computed again and were the same. If not, a program of another version
    /// made them.
    pub computed_again: bool,
}

impl Dossier {
    /// The page.
    ///
    /// # Errors
    /// [`Error::NothingToReport`] without traces, [`Error::Page`] where a page cannot be written.
    pub fn html(&self, language: Language) -> Result<String> {
        page::html(self, self.argued()?, language)
    }

    /// A letter for each service that the money reached under any policy, largest amount first.
    ///
    /// # Errors
    /// The same.
    pub fn letters(&self, language: Language) -> Result<Vec<Letter>> {
        letter::letters(self, self.argued()?, language)
    }

    /// The trace that the case is argued with.
    fn argued(&self) -> Result<&TraceDocument> {
        self.traces.first().ok_or(Error::NothingToReport)
    }
}
