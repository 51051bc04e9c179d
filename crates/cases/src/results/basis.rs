//! On what a line rests.

use analyze::coinjoin::{FALSE_POSITIVES, Finding, MEASURED};
use serde::{Deserialize, Serialize};

use crate::labels::{Label, Party};

/// On what a statement rests: `basis` is `fact`, `inference` or `claim`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// It is on the chain, or follows from it by arithmetic.
    Fact {},
    /// A named rule says so.
    Inference {
        /// The rule.
        heuristic: String,
        /// What it found, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parameters: Vec<(String, u64)>,
        /// How often it was right on real transactions, where that was measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measured: Option<Measured>,
        /// Who says what the rule carries over, where it carries a claim over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// How far that source is trusted, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    },
    /// A source outside of the chain says so.
    Claim {
        /// Who.
        source: String,
        /// How far it is trusted, 0 to 100.
        confidence: u8,
    },
}

/// What was measured of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Real transactions that others call this.
    pub labelled: u32,
    /// Those of them that the rules find, under whatever name.
    pub found: u32,
    /// Those of them that they call by this name.
    pub named: u32,
    /// Transactions of whole blocks that are none and are called so.
    pub false_positives: u32,
    /// Out of so many.
    pub out_of: u32,
}

impl Basis {
    /// `fact`, `inference` or `claim`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fact {} => "fact",
            Self::Inference { .. } => "inference",
            Self::Claim { .. } => "claim",
        }
    }

    pub(super) fn of_label(label: &Label) -> Self {
        match &label.rule {
            None => Self::Claim { source: label.source.clone(), confidence: label.confidence },
            Some(rule) => Self::Inference {
                heuristic: rule.clone(),
                parameters: Vec::new(),
                measured: None,
                source: Some(label.said_by()),
                confidence: Some(label.confidence),
            },
        }
    }

    pub(super) fn of_party(party: &Party) -> Self {
        let source = party.sources.join(" ; ");
        match &party.rule {
            None => Self::Claim { source, confidence: party.confidence },
            Some(rule) => Self::Inference {
                heuristic: rule.clone(),
                parameters: Vec::new(),
                measured: None,
                source: Some(source),
                confidence: Some(party.confidence),
            },
        }
    }

    pub(super) fn of_finding(finding: &Finding) -> Self {
        let parameters = finding.parameters.iter();
        Self::Inference {
            heuristic: finding.rule.to_owned(),
            parameters: parameters.map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            measured: measured(finding.protocol),
            source: None,
            confidence: None,
        }
    }

    pub(super) fn of_protocol(protocol: analyze::coinjoin::Protocol) -> Self {
        Self::Inference {
            heuristic: protocol.name().to_owned(),
            parameters: Vec::new(),
            measured: measured(protocol),
            source: None,
            confidence: None,
        }
    }
}

fn measured(protocol: analyze::coinjoin::Protocol) -> Option<Measured> {
    let row = MEASURED.iter().find(|row| row.protocol == protocol)?;
    let (false_positives, out_of) = FALSE_POSITIVES;
    let (labelled, found, named) = (row.labelled, row.found, row.named);
    Some(Measured { labelled, found, named, false_positives, out_of })
}
