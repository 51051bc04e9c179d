//! What a watch asks its caller: stop rules, labels and clusters.

use analyze::trace::{NoStops, Query, Trace, trace};
use bitcoin::Script;
use chain::{AddressNum, Overlay, ScriptBuf};
use serde::Serialize;

use crate::{Question, Result};

/// What the caller knows besides the chain. Each has a sensible answer for who knows nothing.
pub trait Surroundings {
    /// Names the labels and clusters that the answer to a question depends on. When it changes, the
    /// question is put again.
    fn digest(&self, _question: &Question) -> String {
        String::new()
    }

    /// A trace under the stop rules of these names (`service`, `coinjoin`), and what its
    /// [`analyze::trace::StopReason::Named`] stand for.
    ///
    /// # Errors
    /// What the trace reports.
    fn trace(
        &self,
        ledger: &Overlay<'_>,
        query: &Query,
        _rules: &[String],
    ) -> Result<(Trace, Vec<End>)> {
        Ok((trace(ledger, query, &mut NoStops)?, Vec::new()))
    }

    /// Who an address belongs to, as far as anybody says.
    ///
    /// # Errors
    /// What the ledger reports.
    fn party(
        &self,
        _ledger: &Overlay<'_>,
        _script: &Script,
        _address: Option<AddressNum>,
    ) -> Result<Option<Party>> {
        Ok(None)
    }

    /// All locking scripts of the cluster of an address, its own among them.
    ///
    /// # Errors
    /// Where there are no clusters, or too many addresses.
    fn cluster(&self, _ledger: &Overlay<'_>, script: &Script) -> Result<Vec<ScriptBuf>> {
        Ok(vec![script.to_owned()])
    }

    /// Asked before anything is believed that was read: whether the chain is still the one that was
    /// opened.
    ///
    /// # Errors
    /// [`crate::WatchError::Reorganised`].
    fn ensure_current(&self) -> Result<()> {
        Ok(())
    }
}

/// A caller that knows nothing besides the chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bare;

impl Surroundings for Bare {}

/// What a stop rule that a trace met stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its name, as in bookings.
    pub name: String,
    /// Whether it ends the trace before a transaction, and not at an output.
    pub before_transaction: bool,
}

/// Who an address belongs to, as far as anybody says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Its name.
    pub entity: Option<String>,
    /// What kind of party it is.
    pub category: Option<String>,
    /// On what that rests: `claim` or `inference`.
    pub basis: &'static str,
    /// By which heuristic an inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heuristic: Option<String>,
    /// Who says so.
    pub source: Option<String>,
    /// How far that source is trusted, 0 to 100.
    pub confidence: Option<u8>,
    /// Where to reach it, as a source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether it holds other people's money, and so may be able to freeze this.
    #[serde(skip)]
    pub can_freeze: bool,
    /// All labels of the address.
    pub tags: Vec<Tag>,
}

/// A label: always a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The label.
    pub label: String,
    /// `claim`.
    pub basis: &'static str,
    /// Who says so.
    pub source: String,
    /// How far that source is trusted, 0 to 100.
    pub confidence: Option<u8>,
}

/// What to do about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// `request_freeze`, `look`, or `disregard`.
    pub action: &'static str,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Where to reach them, as a source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// In a sentence.
    pub text: String,
}
