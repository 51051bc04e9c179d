//! An immutable set of claims, ready to be asked.
//!
//! A set *is* its bytes: what [`TagSet::as_bytes`] gives is what the caller writes to a file, and
//! [`TagSet::from_bytes`] checks the digest and is done, without parsing. A change makes a new set,
//! see [`TagSetBuilder`].

mod actors;
mod build;
mod claim;
mod encode;
mod hashing;
mod layout;
mod record;
mod search;
mod strings;

use std::{fmt, ops::Range};

use chain::Network;

pub use actors::{ActorRef, NamedAs, Naming};
pub use build::TagSetBuilder;
pub use claim::{Claim, Claims, PackRef, StatementRef};
pub use search::Disagreement;

use crate::IntelError;
use layout::{Section, Words};

/// The name of a tag set: the same claims give the same digest, whatever the order in which they
/// were imported, and however often.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// An immutable set of tags and actors of one network.
pub struct TagSet {
    bytes: Vec<u8>,
    network: Network,
    digest: Digest,
    sections: [Range<usize>; Section::COUNT],
}

/// How much a set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tags: claims about subjects.
    pub tags: u64,
    /// Distinct subjects.
    pub subjects: u64,
    /// Distinct scripts of the own network among them.
    pub scripts: u64,
    /// Distinct statements.
    pub statements: u64,
    /// Packs.
    pub packs: u64,
    /// Descriptions of actors.
    pub actors: u64,
}

impl TagSet {
    /// A set from its bytes. Milliseconds for 5·10⁵ tags: the checksum is all the work.
    ///
    /// # Errors
    /// [`IntelError::Snapshot`] for damaged bytes, [`IntelError::SnapshotVersion`] for a later format.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, IntelError> {
        let layout::Opened { network, digest, sections } = layout::open(&bytes)?;
        Ok(Self { bytes, network, digest, sections })
    }

    /// The set with the built-in actors and nothing else.
    ///
    /// # Errors
    /// None in practice, see [`builtin()`](crate::builtin()).
    pub fn initial(network: Network) -> Result<Self, IntelError> {
        let mut builder = TagSetBuilder::new(network);
        builder.add(&crate::builtin(network)?)?;
        builder.build()
    }

    /// The bytes to keep: the same as [`Self::from_bytes`] takes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The network whose addresses are found by script.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The set's name in provenance.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How much is in it.
    pub fn counts(&self) -> Counts {
        let len = |section| self.words(section).len() as u64;
        let scripts = self.words(Section::KindEnds).get(0);
        Counts {
            tags: len(Section::TagStatements),
            subjects: len(Section::SubjectEnds),
            scripts: if scripts == layout::NONE { 0 } else { scripts.into() },
            statements: len(Section::Statements) / record::STATEMENT_WIDTH as u64,
            packs: len(Section::Packs) / record::PACK_WIDTH as u64,
            actors: len(Section::Actors) / record::ACTOR_WIDTH as u64,
        }
    }

    fn section(&self, section: Section) -> &[u8] {
        let range = self.sections.get(section as usize).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }

    fn words(&self, section: Section) -> Words<'_> {
        Words(self.section(section))
    }

    /// A string by its number; empty where there is none.
    fn string(&self, number: u32) -> &str {
        self.some_string(number).unwrap_or("")
    }

    fn some_string(&self, number: u32) -> Option<&str> {
        if number == layout::NONE {
            return None;
        }
        let range = self.words(Section::StringEnds).range(number as usize);
        std::str::from_utf8(self.section(Section::StringBytes).get(range)?).ok()
    }

    /// The number of a string; `None` where no claim uses it.
    fn find_string(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.words(Section::StringEnds).len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.string(middle).cmp(text) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The part of an array of records, sorted by its first word, that begins with `key`.
    fn run(&self, section: Section, width: usize, key: u32) -> Range<usize> {
        let words = self.words(section);
        let records = words.len() / width;
        let bound = |beyond: bool| {
            let (mut low, mut high) = (0, records);
            while low < high {
                let middle = low + (high - low) / 2;
                let word = words.get(middle * width);
                if word < key || (beyond && word == key) { low = middle + 1 } else { high = middle }
            }
            low
        };
        bound(false)..bound(true)
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagSet")
            .field("network", &self.network)
            .field("digest", &self.digest)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
