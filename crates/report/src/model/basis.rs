//! On what a statement rests: the chain itself, a rule of ours, or somebody's word.

use std::collections::BTreeMap;

use chain::Txid;
use serde::Serialize;

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
            Self::Inference { .. } => "inference",
            Self::Claim { .. } => "claim",
        }
    }
}

/// A label that some source gives an address: always a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The label.
    pub label: String,
    /// Who says so, and why we believe them: a [`Basis::Claim`].
    #[serde(flatten)]
    basis: Basis,
}

impl Tag {
    /// A label and who gives it; `confidence` in per cent.
    pub fn new(label: String, source: String, confidence: Option<u8>) -> Self {
        Self { label, basis: Basis::Claim { source, confidence } }
    }

    /// The claim.
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// What is said about addresses and transactions beyond what the trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// By address as text.
    pub addresses: BTreeMap<String, AddressNote>,
    /// By transaction.
    pub transactions: BTreeMap<Txid, TxNote>,
}

/// What is said about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressNote {
    /// Who it belongs to.
    pub entity: Option<String>,
    /// The labels behind that.
    pub tags: Vec<Tag>,
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
