//! On what a statement rests: the chain itself, a rule of ours, or somebody's word.

use std::collections::BTreeMap;

use chain::{OutPoint, Txid};
use serde::Serialize;

use super::text;

/// On what a statement rests. In JSON: `basis` and the fields of the variant beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// It is on the chain, or follows from it and the stated parameters by arithmetic alone.
    #[default]
    Fact,
    /// A named heuristic says so.
    Inference {
        /// The heuristic's name.
        heuristic: String,
        /// How sure it is, in per cent, where its error rate was measured.
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    },
    /// A named heuristic carries over what a source says about something else.
    #[serde(rename = "inference")]
    InferenceFromClaim {
        /// The heuristic's name.
        heuristic: String,
        /// Who or what says so, and about what.
        source: String,
        /// How sure the claim is, in per cent, where it says; not the heuristic.
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    },
    /// A source outside the chain says so.
    Claim {
        /// Who or what says so.
        source: String,
        /// How sure it is, in per cent, where it says.
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<u8>,
    },
}

impl Basis {
    /// `fact`, `inference` or `claim`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Inference { .. } | Self::InferenceFromClaim { .. } => "inference",
            Self::Claim { .. } => "claim",
        }
    }
}

/// A label that some source gives an address: a claim, or what a rule carries over from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The label.
    pub label: String,
    /// Who says so, and why we believe them: never a [`Basis::Fact`].
    #[serde(flatten)]
    basis: Basis,
}

impl Tag {
    /// A label and who gives it; `confidence` in per cent.
    pub fn new(label: String, source: String, confidence: Option<u8>) -> Self {
        Self { label, basis: Basis::Claim { source, confidence } }
    }

    /// The same where a rule carries over what a source says about another address.
    pub fn carried(
        label: String,
        heuristic: String,
        source: String,
        confidence: Option<u8>,
    ) -> Self {
        Self { label, basis: Basis::InferenceFromClaim { heuristic, source, confidence } }
    }

    /// The claim, or the inference from it.
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// What is said about addresses and transactions beyond what the trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// By address as text.
    pub addresses: BTreeMap<String, AddressNote>,
    /// The CoinJoin before which the trace ended at a leaf.
    pub coinjoins: BTreeMap<OutPoint, CoinJoin>,
    /// What each of the caller's stop rules stands for, by its number; may be shorter.
    pub ends: Vec<EndNote>,
    /// By transaction.
    pub transactions: BTreeMap<Txid, TxNote>,
}

/// What is said about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressNote {
    /// Who it belongs to.
    pub entity: Option<String>,
    /// What kind of party that is.
    pub category: Option<String>,
    /// The labels behind that.
    pub tags: Vec<Tag>,
    /// On what it rests that a trace ended there; `None` for what the rule rests on.
    pub basis: Option<Basis>,
}

/// What one of the caller's stop rules stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndNote {
    /// The party whose addresses end traces.
    pub entity: Option<String>,
    /// What kind of party that is.
    pub category: Option<String>,
    /// The protocol of the CoinJoins that end traces.
    pub protocol: Option<&'static str>,
    /// On what it rests.
    pub basis: Basis,
}

/// A CoinJoin, as far as it concerns one output that goes into it or comes out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CoinJoin {
    /// The transaction.
    #[serde(rename = "coinjoin_txid", serialize_with = "text::shown")]
    pub txid: Txid,
    /// As what it was recognised.
    pub protocol: &'static str,
    /// By which rule; not in JSON, where it is the `heuristic` of the basis.
    #[serde(skip)]
    pub rule: &'static str,
    /// Whether the rule is sure enough for a label: precision, not recall.
    pub label: bool,
    /// Forward: the outputs of the most frequent amount. Backward: those of the output's own amount.
    pub anonymity_set: u32,
    /// People who took part, at least.
    pub participants_lower: u32,
    /// The same, at most.
    pub participants_upper: u32,
}

/// What is said about a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TxNote {
    /// What it is: `coinjoin`, `bridge`, ….
    pub class: String,
    /// Who says so.
    #[serde(flatten)]
    pub basis: Basis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_basis_has_its_own_fields() {
        let json = |basis: &Basis| serde_json::to_string(basis).unwrap();
        assert_eq!(json(&Basis::Fact), r#"{"basis":"fact"}"#);
        let inference = Basis::Inference { heuristic: "wasabi_2".into(), confidence: Some(97) };
        assert_eq!(
            json(&inference),
            r#"{"basis":"inference","heuristic":"wasabi_2","confidence":97}"#
        );
        let tag = Tag::new("HuiOne".into(), "FinCEN".into(), None);
        assert_eq!(
            serde_json::to_string(&tag).unwrap(),
            r#"{"label":"HuiOne","basis":"claim","source":"FinCEN"}"#
        );
        assert_eq!(tag.basis().name(), "claim");
    }
}
