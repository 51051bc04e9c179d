//! What can go wrong with a file of tags or a tag set, and where.

/// Why a document or a snapshot cannot be used at all. Rows that cannot be used are not errors:
/// they are listed in the [`Report`](crate::Report), and the rest is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntelError {
    /// The text breaks the rules of YAML (or JSON, which is read as YAML).
    #[error("{name}: line {line}, column {column}: {detail}")]
    Syntax {
        /// The document.
        name: String,
        /// Line, counted from 1.
        line: u64,
        /// Column, counted from 1.
        column: u64,
        /// What the parser says.
        detail: String,
    },
    /// The text is well formed and is not what it should be.
    #[error("{name}: line {line}: {detail}")]
    Structure {
        /// The document.
        name: String,
        /// Line, counted from 1.
        line: u64,
        /// What was expected.
        detail: String,
    },
    /// The text is not UTF-8.
    #[error("{name}: line {line}: not UTF-8: save the file as UTF-8 text")]
    NotText {
        /// The document.
        name: String,
        /// Line of the first bad byte, counted from 1.
        line: u64,
    },
    /// A document beyond what is read: an accident or a decompression bomb.
    #[error("{name}: more than {limit} {what}: split the file")]
    TooLarge {
        /// The document.
        name: String,
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: u64,
    },
    /// Neither name nor content tell the format.
    #[error(
        "{name}: unknown format: expected a TagPack or ActorPack (.yaml), a list of addresses \
         (.txt, .json), a table (.csv) or a list of mining pools (.json)"
    )]
    UnknownFormat {
        /// The document.
        name: String,
    },
    /// A list without a header of its own needs it from outside.
    #[error("{name}: the list does not say its {field}: give it with the import")]
    MissingDefault {
        /// The document.
        name: String,
        /// The field.
        field: &'static str,
    },
    /// The bytes are no tag set.
    #[error("not a tag set: {0}: import the tags again")]
    Snapshot(&'static str),
    /// A tag set of a later version of the program.
    #[error(
        "tag set format {found}, and this program reads {known}: use a newer program, or import the tags again"
    )]
    SnapshotVersion {
        /// Version in the bytes.
        found: u32,
        /// Version that is read here.
        known: u32,
    },
    /// More than 2³² of something. 5·10⁵ tags are public today; a set of 10⁹ claims is beyond a file.
    #[error("too many {0} for one tag set")]
    Full(&'static str),
    /// Tags of one network added to a set of another.
    #[error("tags read for {found} cannot enter the tag set of {expected}")]
    OtherNetwork {
        /// Network the tags were read for.
        found: chain::Network,
        /// Network of the set.
        expected: chain::Network,
    },
}
