//! The bytes of a tag set: a header, a table of sections, the sections.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | `CHNDTAGS` |
//! | 8–11 | version of the format |
//! | 12–15 | network, its place in `Network::ALL` |
//! | 16–47 | BLAKE3 over bytes 0–15 and 48–end: digest and checksum in one |
//! | 48– | for each [`Section`] its start and length (two u64), then the sections, each from a multiple of 8 |
//!
//! All integers are little-endian. A section is an array of u32 or plain bytes. Everything is
//! sorted, so equal sets have equal bytes, whatever the order of imports.

use std::ops::Range;

use chain::Network;

use super::Digest;
use crate::IntelError;

pub(super) const MAGIC: &[u8; 8] = b"CHNDTAGS";
pub(super) const VERSION: u32 = 1;
/// Where the digest stands.
const DIGEST: Range<usize> = 16..48;
/// First byte of the table of sections.
const TABLE: usize = 48;
/// "Nothing" where a number of a string or record is expected.
pub(super) const NONE: u32 = u32::MAX;

/// The sections, in their order in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Where each string ends in the next section. Strings are sorted, each once.
    StringEnds,
    StringBytes,
    /// Lists of numbers, referred to by start and length.
    Lists,
    /// Records of [`pack`](super::record::PackField).
    Packs,
    /// Records of [`statement`](super::record::StatementField), sorted.
    Statements,
    /// For each kind of subject the number of subjects up to its end.
    KindEnds,
    /// Where each subject ends in the next section. Sorted by kind and bytes, each once.
    SubjectEnds,
    SubjectBytes,
    /// For each subject the number of tags up to its end, in the next section.
    TagEnds,
    /// The statement of each tag.
    TagStatements,
    /// Hash table of subjects: for each bucket the number of entries up to its end.
    BucketEnds,
    /// Pairs: lower half of the hash, subject.
    BucketEntries,
    /// For each statement the number of tags up to its end, in the next section.
    StatementEnds,
    /// The subject of each tag, by statement.
    StatementSubjects,
    /// Pairs: folded label (string), statement. Sorted.
    Labels,
    /// Pairs: concept (string), statement. Sorted.
    Concepts,
    /// Pairs: actor id (string), statement. Sorted.
    ActorTags,
    /// Records of [`actor`](super::record::ActorField), sorted.
    Actors,
    /// Quadruples: folded name (string), actor, how it is named, source (string). Sorted.
    Names,
}

impl Section {
    pub(super) const COUNT: usize = Self::Names as usize + 1;
}

/// Glues sections to a file.
pub(super) fn assemble(network: Network, sections: [Vec<u8>; Section::COUNT]) -> Vec<u8> {
    let padded = |len: usize| len.next_multiple_of(8);
    let start = padded(TABLE + 16 * Section::COUNT);
    let total = sections.iter().fold(start, |sum, section| sum + padded(section.len()));
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&number_of(network).to_le_bytes());
    bytes.extend_from_slice(&[0; 32]);
    let mut at = start;
    for section in &sections {
        bytes.extend_from_slice(&(at as u64).to_le_bytes());
        bytes.extend_from_slice(&(section.len() as u64).to_le_bytes());
        at += padded(section.len());
    }
    bytes.resize(start, 0);
    for section in sections {
        bytes.extend_from_slice(&section);
        bytes.resize(padded(bytes.len()), 0);
    }
    let digest = digest_of(&bytes);
    if let Some(place) = bytes.get_mut(DIGEST) {
        place.copy_from_slice(&digest.0);
    }
    bytes
}

/// What [`assemble`] wrote: network, digest and where the sections are.
pub(super) struct Opened {
    pub(super) network: Network,
    pub(super) digest: Digest,
    pub(super) sections: [Range<usize>; Section::COUNT],
}

/// Checks a file and finds its sections.
pub(super) fn open(bytes: &[u8]) -> Result<Opened, IntelError> {
    let damaged = IntelError::Snapshot;
    if bytes.get(..8) != Some(MAGIC) {
        return Err(damaged("it does not begin like one"));
    }
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or(damaged("it is cut off"))
    };
    let found = word(8)?;
    if found != VERSION {
        return Err(IntelError::SnapshotVersion { found, known: VERSION });
    }
    let stored = bytes.get(DIGEST).and_then(|bytes| bytes.try_into().ok()).map(Digest);
    let stored = stored.ok_or(damaged("it is cut off"))?;
    if stored != digest_of(bytes) {
        return Err(damaged("its checksum does not hold"));
    }
    let network = Network::ALL.get(word(12)? as usize).copied();
    let network = network.ok_or(damaged("it is of an unknown network"))?;
    let long = |at: usize| {
        let bytes = bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        let value = bytes.map(u64::from_le_bytes).and_then(|value| usize::try_from(value).ok());
        value.ok_or(damaged("it is cut off"))
    };
    let mut sections = [const { 0..0 }; Section::COUNT];
    for (number, section) in sections.iter_mut().enumerate() {
        let start = long(TABLE + 16 * number)?;
        let end = start.checked_add(long(TABLE + 16 * number + 8)?);
        let end = end.filter(|end| *end <= bytes.len()).ok_or(damaged("a section is cut off"))?;
        *section = start..end;
    }
    Ok(Opened { network, digest: stored, sections })
}

fn number_of(network: Network) -> u32 {
    Network::ALL.iter().position(|known| *known == network).unwrap_or_default() as u32
}

fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes.get(..DIGEST.start).unwrap_or_default());
    hasher.update(bytes.get(DIGEST.end..).unwrap_or_default());
    Digest(*hasher.finalize().as_bytes())
}

/// An array of little-endian u32. Reading past its end gives [`NONE`].
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(pub(super) &'a [u8]);

impl Words<'_> {
    pub(super) fn len(self) -> usize {
        self.0.len() / 4
    }

    pub(super) fn get(self, at: usize) -> u32 {
        let bytes = at.checked_mul(4).and_then(|start| self.0.get(start..start.checked_add(4)?));
        bytes.and_then(|bytes| bytes.try_into().ok()).map_or(NONE, u32::from_le_bytes)
    }

    /// The range of another array that belongs to entry `at` of an array of ends.
    pub(super) fn range(self, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.get(at - 1) as usize };
        let end = self.get(at);
        if end == NONE { 0..0 } else { start..(end as usize).max(start) }
    }
}
