//! What an import took, what it did not take and why, and what is worth knowing about the rest.

use std::{collections::BTreeMap, fmt};

use chain::script::AddressError;

use super::Format;

/// How many kinds of notes are told apart; a file with more has a broken column.
const MOST_NOTES: usize = 1_000;

/// What happened to a document's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The document, as the caller calls it.
    pub name: String,
    /// What it was read as.
    pub format: Format,
    /// Rows of the document: tags, actors, lines.
    pub rows: u64,
    /// Rows that were taken.
    pub accepted: u64,
    /// Rows that were not, in the order of the document.
    pub rejected: Vec<Rejected>,
    /// What is worth knowing about the rows that were taken.
    pub notes: Vec<Note>,
}

/// A row that was not taken. Shown as `FILE:LINE: why` with [`Report::line_of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Line in the document, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// Something about rows that were taken: what, how often, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// In how many rows.
    pub count: u64,
    /// Line of the first one, counted from 1.
    pub first_line: u64,
}

/// Why a row was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not a Bitcoin address: checksum, length or alphabet.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Not an address of the other chain that the row names.
    #[error("'{address}' is not an address of {network}")]
    Elsewhere {
        /// What stands there.
        address: String,
        /// The chain.
        network: String,
    },
    /// Not a transaction hash.
    #[error("'{0}' is not a transaction hash")]
    TxHash(String),
    /// A field without which a claim is worth nothing.
    #[error("no {0}, neither here nor in the header")]
    Missing(&'static str),
    /// Neither address nor transaction.
    #[error("neither address nor tx_hash")]
    NoSubject,
    /// Address and transaction at once.
    #[error("address and tx_hash at once: make two rows of it")]
    TwoSubjects,
    /// The same field twice.
    #[error("field '{0}' twice")]
    Twice(String),
    /// A list or a map where text should be, or the other way round.
    #[error("field '{field}' should be {expected}")]
    Shape {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A row of a table with more or fewer cells than its header.
    #[error("{found} cells, and the header has {expected}")]
    Width {
        /// Cells of the row.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A quote that does not end.
    #[error("a quote that does not end")]
    OpenQuote,
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotText,
}

/// What a note is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NoteKind {
    /// A category, abuse or concept that the taxonomy does not have. Kept.
    UnknownConcept(String),
    /// A confidence that the scale does not have. Kept, at level 0.
    UnknownConfidence(String),
    /// A row without confidence. Taken as `unknown`, level 5.
    NoConfidence,
    /// A field that nobody knows. Left out.
    UnknownField(String),
    /// An address of another Bitcoin network than the set's. Kept as text, not found by script.
    OtherNetwork(String),
    /// An address of another chain whose checksum is not checked here. Kept.
    Unchecked,
    /// No chain named, or a token of several chains: the address's shape decided.
    ChainFromShape,
    /// `is_cluster_definer` on the address of a mixer or CoinJoin. Kept, and not believed.
    ClusterOfMixer,
    /// `lastmod` that does not begin like `2024-05-31`. Kept.
    OddDate(String),
    /// A flag that is neither true nor false. Left out.
    OddFlag(String),
    /// The same tag twice in the document. Taken once.
    Repeated,
    /// More kinds of notes than are told apart.
    Others,
}

impl Report {
    pub(crate) fn new(name: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            format,
            rows: 0,
            accepted: 0,
            rejected: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A rejected row as one line with file and line number.
    pub fn line_of(&self, rejected: &Rejected) -> String {
        format!("{}:{}: {}", self.name, rejected.line, rejected.reason)
    }

    pub(crate) fn reject(&mut self, line: u64, reason: Reason) {
        self.rejected.push(Rejected { line, reason });
    }
}

/// Notes while they are counted.
#[derive(Default)]
pub(crate) struct Notes(BTreeMap<NoteKind, (u64, u64)>);

impl Notes {
    pub(crate) fn add(&mut self, kind: NoteKind, line: u64) {
        let kind = if self.0.len() < MOST_NOTES || self.0.contains_key(&kind) {
            kind
        } else {
            NoteKind::Others
        };
        self.0.entry(kind).or_insert((0, line)).0 += 1;
    }

    pub(crate) fn finish(self) -> Vec<Note> {
        let note = |(kind, (count, first_line))| Note { kind, count, first_line };
        self.0.into_iter().map(note).collect()
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownConcept(id) => write!(f, "'{id}' is not in the taxonomy: kept"),
            Self::UnknownConfidence(id) => {
                write!(f, "confidence '{id}' is not on the scale: kept, at level 0")
            }
            Self::NoConfidence => f.write_str("no confidence: taken as 'unknown'"),
            Self::UnknownField(name) => write!(f, "field '{name}' is unknown: left out"),
            Self::OtherNetwork(network) => write!(f, "address of {network}: kept as text"),
            Self::Unchecked => f.write_str("address of another chain: its checksum is not checked"),
            Self::ChainFromShape => f.write_str("no chain named: taken from the address's shape"),
            Self::ClusterOfMixer => {
                f.write_str("is_cluster_definer of a mixer's address: kept, not believed")
            }
            Self::OddDate(text) => write!(f, "lastmod '{text}' is not a date: kept"),
            Self::OddFlag(text) => write!(f, "'{text}' is neither true nor false: left out"),
            Self::Repeated => f.write_str("the same tag again: taken once"),
            Self::Others => f.write_str("more remarks of other kinds"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.count == 1 { "row" } else { "rows" };
        write!(f, "{} ({} {rows}, first at line {})", self.kind, self.count, self.first_line)
    }
}
