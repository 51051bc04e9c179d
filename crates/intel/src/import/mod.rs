//! Documents of tags and actors, from bytes to rows that can enter a set.
//!
//! An import is transactional: a document that is broken as a whole gives an [`IntelError`] and
//! nothing else; rows that are broken are listed in the [`Report`], and the rest is taken. Nothing
//! is in a set before [`TagSetBuilder::build`](crate::TagSetBuilder::build) has made a new one.

mod actorpack;
mod fields;
mod list;
mod pools;
pub mod report;
mod table;
mod tagpack;

use std::{fmt, sync::Arc};

use chain::Network;
use rustc_hash::{FxHashMap, FxHashSet};

pub use report::{Note, NoteKind, Reason, Rejected, Report};

use crate::{Actor, IntelError, Statement, Subject, Tag, yaml};

/// A document: its bytes, and what to call it.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// File name or path: appears in messages, helps to tell the format, and is the title of lists
    /// and tables without one. Otherwise it is not kept.
    pub name: &'a str,
    /// The content.
    pub bytes: &'a [u8],
}

/// What a document is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// GraphSense's tags in YAML.
    TagPack,
    /// GraphSense's actors in YAML, with sources of aliases and memberships as we add them.
    ActorPack,
    /// One address a line; `#` begins a comment.
    Lines,
    /// A JSON array of addresses.
    Array,
    /// A table with a header line.
    Csv,
    /// Mining pools: `pools-v2.json`, or the older `pools.json`.
    Pools,
}

/// How to read a document.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The network of the set that the tags are for.
    pub network: Network,
    /// What the document is; `None` to find out from its name and content.
    pub format: Option<Format>,
    /// What holds where the document says nothing.
    pub defaults: Defaults,
}

/// A header for documents that have none. A document's own words win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of Statement and Pack, by the same names")]
pub struct Defaults {
    pub title: Option<String>,
    pub creator: Option<String>,
    pub uri: Option<String>,
    pub description: Option<String>,
    pub label: Option<String>,
    pub source: Option<String>,
    pub category: Option<String>,
    pub abuse: Option<String>,
    pub concepts: Vec<String>,
    pub actor: Option<String>,
    pub confidence: Option<String>,
    pub lastmod: Option<String>,
    pub currency: Option<String>,
}

/// The rows of a document that were taken, and the report about all of them.
#[derive(Clone, Debug)]
pub struct Import {
    /// The network the tags were read for.
    pub network: Network,
    /// Tags, each once.
    pub tags: Vec<Tag>,
    /// Actors.
    pub actors: Vec<Actor>,
    /// What happened.
    pub report: Report,
}

/// Reads a document.
///
/// # Errors
/// [`IntelError`] when the document as a whole cannot be read; it names file, line and, for
/// YAML and JSON, column.
pub fn import(document: Document<'_>, settings: &Settings) -> Result<Import, IntelError> {
    let name = document.name;
    if document.bytes.len() as u64 > yaml::MOST_BYTES {
        let (what, limit) = ("bytes", yaml::MOST_BYTES);
        return Err(IntelError::TooLarge { name: name.to_owned(), what, limit });
    }
    let bytes = document.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document.bytes);
    let format = settings.format.or_else(|| Format::by_name(name));
    if format == Some(Format::Csv) {
        return table::read(name, bytes, settings);
    }
    let text = text(name, bytes)?;
    if format == Some(Format::Lines) {
        return list::lines(name, text, settings);
    }
    let root = yaml::parse(name, text)?;
    let format = settings.format.or_else(|| Format::by_content(name, root.as_ref()));
    match (format, root) {
        (Some(Format::TagPack), root) => tagpack::read(name, root.as_ref(), settings),
        (Some(Format::ActorPack), root) => actorpack::read(name, root.as_ref(), settings),
        (Some(Format::Array), root) => list::array(name, root.as_ref(), settings),
        (Some(Format::Pools), root) => pools::read(name, root.as_ref(), settings),
        _ => Err(IntelError::UnknownFormat { name: name.to_owned() }),
    }
}

impl Settings {
    /// Formats found out from the document, no defaults.
    pub fn new(network: Network) -> Self {
        Self { network, format: None, defaults: Defaults::default() }
    }
}

impl Format {
    /// Name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TagPack => "TagPack",
            Self::ActorPack => "ActorPack",
            Self::Lines => "address list",
            Self::Array => "address list (JSON)",
            Self::Csv => "CSV",
            Self::Pools => "mining pools",
        }
    }

    /// Whether a file of this name is worth reading when a whole folder is imported. Of the
    /// texts only sanctions lists are: others are notes as a rule.
    pub fn is_readable_name(name: &str) -> bool {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        [".yaml", ".yml", ".json", ".csv"].iter().any(|end| has_end(file, end))
            || (has_end(file, ".txt") && file.starts_with(list::OFAC_PREFIX))
    }

    /// Formats that the name alone tells.
    fn by_name(name: &str) -> Option<Self> {
        [(".csv", Self::Csv), (".txt", Self::Lines)]
            .into_iter()
            .find(|(end, _)| has_end(name, end))
            .map(|(_, format)| format)
    }

    fn by_content(name: &str, root: Option<&yaml::Node<'_>>) -> Option<Self> {
        let Some(root) = root else {
            // An empty file is an empty pack, if it is a pack's.
            return [".yaml", ".yml"].iter().any(|end| has_end(name, end)).then_some(Self::TagPack);
        };
        if root.get("tags").is_some() {
            return Some(Self::TagPack);
        }
        if root.get("actors").is_some() {
            return Some(Self::ActorPack);
        }
        if root.get("coinbase_tags").is_some() || root.get("payout_addresses").is_some() {
            return Some(Self::Pools);
        }
        match (&root.value, root.items().first()) {
            (yaml::Value::List(_), Some(first)) if first.text().is_some() => Some(Self::Array),
            (yaml::Value::List(_), Some(first)) if first.get("addresses").is_some() => {
                Some(Self::Pools)
            }
            (yaml::Value::List(_), None) => Some(Self::Array),
            (yaml::Value::Map(_), _) if root.get("title").is_some() => Some(Self::TagPack),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn has_end(name: &str, end: &str) -> bool {
    name.len() >= end.len()
        && name.get(name.len() - end.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// The bytes as text, or the line where they cease to be.
fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, IntelError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        IntelError::NotText { name: name.to_owned(), line }
    })
}

/// Rows while they are collected: statements shared, repetitions counted.
struct Collector {
    network: Network,
    statements: FxHashMap<Arc<Statement>, u32>,
    /// Statement and hash of the subject of each tag, for the note about repetitions alone: the
    /// set itself compares whole tags.
    seen: FxHashSet<(u32, u64)>,
    tags: Vec<Tag>,
    actors: Vec<Actor>,
    report: Report,
    notes: report::Notes,
}

/// The one copy of a statement in a document, with its number.
#[derive(Clone)]
struct Shared(Arc<Statement>, u32);

impl Collector {
    fn new(name: &str, format: Format, network: Network) -> Self {
        Self {
            network,
            statements: FxHashMap::default(),
            seen: FxHashSet::default(),
            tags: Vec::new(),
            actors: Vec::new(),
            report: Report::new(name, format),
            notes: report::Notes::default(),
        }
    }

    fn shared(&mut self, statement: Statement) -> Shared {
        if let Some((known, number)) = self.statements.get_key_value(&statement) {
            return Shared(Arc::clone(known), *number);
        }
        let statement = Arc::new(statement);
        let number = self.statements.len() as u32;
        self.statements.insert(Arc::clone(&statement), number);
        Shared(statement, number)
    }

    fn tag(&mut self, subject: Subject, Shared(statement, number): Shared, line: u64) {
        self.report.accepted += 1;
        let (kind, key) = subject.key();
        let hash = twox_hash::XxHash3_64::oneshot_with_seed(kind as u64, &key);
        if !self.seen.insert((number, hash)) {
            self.notes.add(NoteKind::Repeated, line);
        }
        self.tags.push(Tag { subject, statement });
    }

    fn note(&mut self, kind: NoteKind, line: u64) {
        self.notes.add(kind, line);
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.report.reject(line, reason);
    }

    fn finish(self) -> Import {
        let Self { network, tags, actors, mut report, notes, .. } = self;
        report.notes = notes.finish();
        Import { network, tags, actors, report }
    }
}
