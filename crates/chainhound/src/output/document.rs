//! What all answers have: a schema's name, and where the answer comes from.

use intel::TagSet;
use report::model::Tip;
use serde::Serialize;

use crate::ledger::Chain;

/// What a verb answers: its fields are JSON, and it makes a table of itself.
pub(crate) trait Body: Serialize {
    /// `chainhound.<verb>.v1`.
    const SCHEMA: &'static str;

    /// For people.
    fn to_table(&self, colour: bool) -> String;
}

/// A document: `schema`, `provenance`, and the fields of the body.
#[derive(Debug, Serialize)]
pub(crate) struct Document<P, B> {
    schema: &'static str,
    provenance: Provenance<P>,
    #[serde(flatten)]
    body: B,
}

impl<P: Serialize, B: Serialize> Document<P, B> {
    /// Schemas are called `chainhound.<verb>.v1`.
    pub(crate) fn new(schema: &'static str, provenance: Provenance<P>, body: B) -> Self {
        Self { schema, provenance, body }
    }
}

/// What made a document, from what. The same names as in traces ([`report::model::Provenance`]).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Provenance<P> {
    tool: &'static str,
    tool_version: &'static str,
    network: &'static str,
    /// `store`: the whole chain up to the tip; `sparse`: some transactions, the rest unknown.
    source: &'static str,
    tip: Option<Tip>,
    /// The labels that the answer used.
    tag_set_digest: Option<String>,
    parameters: P,
}

impl<P> Provenance<P> {
    /// Of an answer from this chain.
    pub(crate) fn new(chain: &Chain, parameters: P) -> Self {
        let ledger = chain.ledger();
        Self::of(chain.kind(), ledger.network(), ledger.tip(), parameters)
    }

    /// Of an answer about a chain that is not open.
    pub(crate) fn of(
        source: &'static str,
        network: chain::Network,
        tip: Option<chain::Tip>,
        parameters: P,
    ) -> Self {
        Self {
            tool: "chainhound",
            tool_version: env!("CARGO_PKG_VERSION"),
            network: network.name(),
            source,
            tip: tip.map(|tip| Tip { height: tip.height.0, hash: tip.hash }),
            tag_set_digest: None,
            parameters,
        }
    }

    /// Of an answer that used these labels.
    pub(crate) fn with_labels(mut self, set: Option<&TagSet>) -> Self {
        self.tag_set_digest = set.map(|set| set.digest().to_string());
        self
    }
}
