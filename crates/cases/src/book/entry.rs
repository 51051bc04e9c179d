//! An entry of the log, and what can be done.

use std::{fmt, str::FromStr};

use chain::{Network, OutPoint, Txid, script};
use serde::{Deserialize, Serialize};

use super::Status;
use crate::{Error, Result, sha256_hex};

/// What comes before the first entry.
pub(super) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A case was taken into the book.
    Add {
        /// Its title.
        title: String,
        /// Its network.
        network: String,
        /// Its case file.
        case_file: String,
    },
    /// Something was noted.
    Note {
        /// About what; nothing for the case as a whole.
        on: Option<String>,
        /// In words.
        text: String,
    },
    /// How the case stands.
    Status {
        /// From now on.
        status: Status,
    },
    /// Who works on it.
    Assign {
        /// From now on; nobody for nothing.
        to: Vec<String>,
    },
    /// A file was attached. The book knows it by its digest.
    Attach {
        /// Its name.
        name: String,
        /// Its length.
        bytes: u64,
        /// Its SHA-256.
        sha256: String,
    },
    /// An evidence bundle was made.
    Bundle {
        /// Its SHA-256.
        sha256: String,
        /// The last block that it looks at.
        as_of_height: u32,
    },
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1 on.
    pub n: u64,
    /// When, seconds since 1970 UTC, as the computer of who did it says.
    pub at: u64,
    /// Who did it, as that person says.
    pub by: String,
    /// The name of the case.
    pub case: String,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
    /// Digest of the entry before.
    pub before: String,
}

impl Entry {
    /// What is hashed: JSON without spaces.
    pub(super) fn to_line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::proof("case book", error))
    }

    /// The digest of its line.
    ///
    /// # Errors
    /// None that can happen.
    pub fn digest(&self) -> Result<String> {
        Ok(sha256_hex(self.to_line()?.as_bytes()))
    }
}

/// What a note can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address, or `script:HEX`.
    Address(String),
    /// A transaction.
    Transaction(Txid),
    /// An output.
    Output(OutPoint),
    /// What a transaction does with an output: `TXID:VOUT>TXID`.
    Edge(OutPoint, Txid),
}

impl Subject {
    /// As people write it.
    ///
    /// # Errors
    /// [`Error::Question`] for what is none of these on this network.
    pub fn parse(text: &str, network: Network) -> Result<Self> {
        let wrong = || {
            Error::Question(format!(
                "'{text}' is no address of {network}, TXID, TXID:VOUT or TXID:VOUT>TXID"
            ))
        };
        if let Some((from, to)) = text.split_once('>') {
            let from = OutPoint::from_str(from.trim()).map_err(|_| wrong())?;
            return Ok(Self::Edge(from, to.trim().parse().map_err(|_| wrong())?));
        }
        if let Ok(txid) = text.parse() {
            return Ok(Self::Transaction(txid));
        }
        if let Ok(outpoint) = text.parse() {
            return Ok(Self::Output(outpoint));
        }
        script::parse(text, network).map_err(|_| wrong())?;
        Ok(Self::Address(text.to_owned()))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => f.write_str(text),
            Self::Transaction(txid) => write!(f, "{txid}"),
            Self::Output(outpoint) => write!(f, "{outpoint}"),
            Self::Edge(from, to) => write!(f, "{from}>{to}"),
        }
    }
}
