//! Signs for which output is the rest, and what evidence each rests on.

use chain::Ledger;

use super::Options;
use crate::change::{Family, Payment};

/// What a sign rests on. Signs of one kind of evidence are one sign, however many they are: a
/// wallet that sets lock times also has its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// As [`crate::change`] groups its heuristics.
    Change(Family),
    /// Which output is larger.
    Size,
}

impl Evidence {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Change(family) => family.name(),
            Self::Size => "size",
        }
    }
}

/// Something that speaks for one of two outputs being the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// For which output (`vout`).
    pub vout: u32,
    /// What it rests on.
    pub evidence: Evidence,
    /// The heuristic: a change heuristic's name, or `larger_output`.
    pub heuristic: &'static str,
    /// Why, in a few words.
    pub why: String,
}

/// All signs of a payment with two outputs, by evidence.
pub(super) fn signs(
    ledger: &impl Ledger,
    payment: &Payment,
    options: &Options,
) -> chain::Result<Vec<Sign>> {
    let mut signs = Vec::new();
    for heuristic in &options.change.heuristics {
        // It combines what others look at.
        if heuristic.family() == Family::Composite {
            continue;
        }
        let Some(opinion) = heuristic.apply(ledger, payment, &options.change)? else { continue };
        if let [vout] = opinion.change[..] {
            signs.push(Sign {
                vout,
                evidence: Evidence::Change(heuristic.family()),
                heuristic: heuristic.name(),
                why: opinion.why,
            });
        }
    }
    signs.extend(options.larger.and_then(|times| larger(payment, times)));
    signs.sort_by_key(|sign| (sign.evidence, sign.vout));
    Ok(signs)
}

fn larger(payment: &Payment, times: u64) -> Option<Sign> {
    let [one, two] = payment.outputs() else { return None };
    let (small, large) = if one.value < two.value { (one, two) } else { (two, one) };
    let least = small.value.0.saturating_mul(times);
    (large.value.0 >= least && small.value < large.value).then(|| Sign {
        vout: large.vout,
        evidence: Evidence::Size,
        heuristic: "larger_output",
        why: format!("at least {times} times the other output"),
    })
}

/// The output that enough independent signs name, and none the other.
pub(super) fn decide(signs: &[Sign], wanted: usize) -> Option<u32> {
    let vout = signs.first()?.vout;
    if signs.iter().any(|sign| sign.vout != vout) {
        return None;
    }
    // Sorted by evidence.
    let kinds = signs.chunk_by(|one, two| one.evidence == two.evidence).count();
    (kinds >= wanted.max(1)).then_some(vout)
}
