//! Floor 2: what sources say about addresses, who the actors are, and which addresses are made to
//! look alike.
//!
//! * [`import()`] reads TagPacks, ActorPacks, sanctions lists, CSV and lists of mining pools from
//!   bytes, with a [`Report`] that names every row it could not take.
//! * [`TagSet`] is an immutable set of claims: found by script, transaction, label, actor and
//!   category in constant or logarithmic time. Its bytes are its file, and their hash its name.
//! * [`export()`] writes a set as TagPacks and an ActorPack again.
//! * [`lookalike`] scores, in bits, how much two addresses resemble each other.
//!
//! What comes out of a set is a [`Claim`]: some source says so. It is neither a fact of the chain
//! nor an inference from it. Claims that contradict each other stay side by side.
//!
//! No I/O, no clock, no randomness: files are opened by the caller.

mod actor;
mod address;
mod builtin;
mod confidence;
mod error;
mod export;
pub mod import;
pub mod lookalike;
pub mod set;
mod tag;
pub mod taxonomy;
mod yaml;

pub use actor::{Actor, Alias, Membership};
pub use builtin::builtin;
pub use confidence::{CONFIDENCES, Confidence};
pub use error::IntelError;
pub use export::{Exported, export};
pub use import::{Defaults, Document, Format, Import, Report, Settings, import};
pub use set::{Claim, Claims, Digest, TagSet, TagSetBuilder};
pub use tag::{Pack, Statement, Subject, Tag};
