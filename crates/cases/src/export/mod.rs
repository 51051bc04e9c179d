//! What a bundle says, in the formats in which others keep such things: STIX 2.1, MISP, TagPack.
//!
//! All of them are functions of a bundle: no clock, no chance, the same bytes for the same bundle. Amounts
//! are those of its results. What is a fact, an inference or a claim stays marked as that.

mod misp;
mod source;
mod stix;
mod tagpack;
mod tlp;
mod uuid;

use std::{fmt, str::FromStr};

pub use self::{source::Source, tlp::Tlp};
use crate::{Error, Result};

/// Which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A bundle of STIX 2.1 (OASIS).
    Stix,
    /// An event of MISP, as its JSON.
    Misp,
    /// The labels that the case met, as a TagPack.
    TagPack,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stix, Self::Misp, Self::TagPack];

    /// The name in flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stix => "stix",
            Self::Misp => "misp",
            Self::TagPack => "tagpack",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |format: &Self| format.name() == text;
        let unknown = || format!("unknown format '{text}': use stix, misp or tagpack");
        Self::ALL.into_iter().find(named).ok_or_else(unknown)
    }
}

/// The text of an export. A TagPack has no place for `tlp`.
///
/// # Errors
/// [`Error::Proof`] where the results name what the bundle does not have, which a check finds before.
pub fn write(source: &Source, format: Format, tlp: Tlp) -> Result<String> {
    match format {
        Format::Stix => json(&stix::bundle(source, tlp)?),
        Format::Misp => json(&misp::event(source, tlp)?),
        Format::TagPack => tagpack::pack(source),
    }
}

fn json(value: &serde_json::Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::proof("an export", error))? + "\n")
}
