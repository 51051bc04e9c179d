//! What the change heuristics say about a transaction: parts of `chainhound.tx.v1`.

use analyze::change::{Cleared, Opinion, Verdict};
use report::model::Basis;
use serde::Serialize;

use super::{Facts, Rows};

/// What one heuristic says: an inference.
#[derive(Debug, Serialize)]
pub(crate) struct HeuristicField {
    #[serde(flatten)]
    basis: Basis,
    /// The outputs that may be change by it (`vout`).
    change: Vec<u32>,
    /// Why.
    why: String,
}

impl From<Opinion> for HeuristicField {
    fn from(opinion: Opinion) -> Self {
        let heuristic = opinion.heuristic.name().to_owned();
        let basis = Basis::Inference { heuristic, confidence: None };
        Self { basis, change: opinion.change, why: opinion.why }
    }
}

impl HeuristicField {
    /// Rows for a table.
    pub(crate) fn rows(all: &[Self], colour: bool) -> String {
        let mut rows = Rows::new(&["change by", "outputs", "because"], colour);
        for field in all {
            let name = match &field.basis {
                Basis::Inference { heuristic, .. }
                | Basis::InferenceFromClaim { heuristic, .. } => heuristic.clone(),
                Basis::Fact | Basis::Claim { .. } => String::new(),
            };
            let outputs: Vec<String> = field.change.iter().map(ToString::to_string).collect();
            rows.push([name, outputs.join(" "), field.why.clone()]);
        }
        rows.to_text()
    }
}

/// What the heuristics say together: an inference.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeField {
    #[serde(flatten)]
    basis: Basis,
    /// The output that is probably change.
    vout: Option<u32>,
    /// `same_address`, `strong` or `weak`.
    strength: Option<&'static str>,
    /// Independent signs by output.
    signs: Vec<Signs>,
    /// Why there is no output in spite of signs: `contradiction`, or the shape of a CoinJoin.
    cleared: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Signs {
    vout: u32,
    signs: usize,
}

impl ChangeField {
    /// The sum and the parts of a verdict.
    pub(crate) fn of(verdict: Verdict) -> (Self, Vec<HeuristicField>) {
        let sum = Self {
            basis: Basis::Inference { heuristic: "change".to_owned(), confidence: None },
            vout: verdict.change.map(|(vout, _)| vout),
            strength: verdict.change.map(|(_, strength)| strength.name()),
            signs: verdict.votes.iter().map(|&(vout, signs)| Signs { vout, signs }).collect(),
            cleared: verdict.cleared.map(|reason| match reason {
                Cleared::CoinJoin(protocol) => protocol.name(),
                Cleared::Contradiction => "contradiction",
            }),
        };
        (sum, verdict.opinions.into_iter().map(Into::into).collect())
    }

    /// For people.
    pub(crate) fn list(&self, facts: &mut Facts) {
        let text = match (self.vout, self.strength, self.cleared) {
            (Some(vout), Some(strength), _) => {
                format!("probably output {vout} (inference, {strength})")
            }
            (.., Some("contradiction")) => "unknown: the signs contradict each other".to_owned(),
            (.., Some(protocol)) => format!("none is named: the shape is that of {protocol}"),
            _ => "unknown: no signs".to_owned(),
        };
        facts.push("change", text);
    }
}
