//! Traces held against the truth. Definitions: [`crate::output::Score`].

use std::collections::HashMap;

use report::model::{Leaf, TraceDocument};

use super::truth::Holdings;
use crate::output::{Amount, BeforeMixing, BoundsScore, DemoDestination, PolicyScore, Share};

/// Whether each policy finds exactly what the truth says while no coins were mixed.
pub(super) fn before_mixing(documents: &[TraceDocument], truth: &Holdings) -> BeforeMixing {
    let exact = |document: &TraceDocument| {
        let same = |leaf: &Leaf| {
            let stolen = truth.outputs.get(&name(leaf)).map(|(value, _)| *value);
            stolen == Some(leaf.amount.lower()) && stolen == Some(leaf.amount.upper())
        };
        // Data carriers hold nothing, but poison marks them.
        let leaves = || document.leaves.iter().filter(|leaf| leaf.output.value_sat > 0);
        leaves().count() == truth.outputs.len()
            && leaves().all(same)
            && booked(document, "fee").1 == truth.fees
    };
    let found = |document: &&TraceDocument| exact(document);
    BeforeMixing {
        height: truth.height,
        outputs: truth.outputs.len() as u64,
        exact: documents.iter().filter(found).map(policy).collect(),
        inexact: documents.iter().filter(|document| !exact(document)).map(policy).collect(),
    }
}

/// How much each policy that conserves value puts where it really is.
pub(super) fn policies(documents: &[TraceDocument], truth: &Holdings) -> Vec<PolicyScore> {
    let conserving = documents.iter().filter(|document| document.totals.equal.is_some());
    let scored = conserving.map(|document| {
        let mut placed = booked(document, "fee").1.min(truth.fees);
        let (mut mixed, mut mixed_true) = (0, 0);
        for leaf in &document.leaves {
            let Some((value, at)) = truth.outputs.get(&name(leaf)) else { continue };
            let found = leaf.amount.upper().min(*value);
            placed += found;
            if is_mixed(truth, *at) {
                mixed += found;
            }
        }
        for destination in &truth.destinations {
            if destination.kind == "unspent_mixed" {
                mixed_true += destination.stolen;
            }
        }
        let root = document.totals.root_sat;
        PolicyScore {
            policy: policy(document),
            placed_sat: placed,
            misplaced_sat: root.saturating_sub(placed),
            placed_share: Share::of(placed, root),
            mixed_found_share: Share::of(mixed, mixed_true),
        }
    });
    scored.collect()
}

/// Whether the intervals hold, and what they say for certain.
pub(super) fn bounds(documents: &[TraceDocument], truth: &Holdings) -> Option<BoundsScore> {
    let document = documents.iter().find(|document| policy(document) == "bounds")?;
    let mut score =
        BoundsScore { stolen_outputs: truth.outputs.len() as u64, ..BoundsScore::default() };
    let mut reached = 0;
    for leaf in &document.leaves {
        let stolen = truth.outputs.get(&name(leaf)).map_or(0, |(value, _)| *value);
        let (lower, upper) = (leaf.amount.lower(), leaf.amount.upper());
        score.intervals += 1;
        score.intervals_true += u64::from(lower <= stolen && stolen <= upper);
        score.certain_sat += lower;
        if upper > 0 {
            score.possible_outputs += 1;
            reached += u64::from(stolen > 0);
        }
        if lower > 0 {
            score.certain_outputs += 1;
            score.certain_true += u64::from(stolen >= lower);
        }
    }
    score.possible_precision = Share::of(reached, score.possible_outputs);
    score.possible_recall = Share::of(reached, score.stolen_outputs);
    score.certain_precision = Share::of(score.certain_true, score.certain_outputs);
    score.certain_share = Share::of(score.certain_sat, document.totals.root_sat);
    Some(score)
}

/// Every true destination with what each policy books there; then fees, and what is booked to
/// others.
pub(super) fn destinations(documents: &[TraceDocument], truth: &Holdings) -> Vec<DemoDestination> {
    let mut rows: Vec<DemoDestination> = Vec::new();
    for place in &truth.destinations {
        rows.push(DemoDestination::new(&place.name, place.kind, place.stolen));
    }
    rows.push(DemoDestination::new("miners", "fee", truth.fees));
    rows.push(DemoDestination::new("others", "elsewhere", 0));
    let (fees, elsewhere) = (truth.destinations.len(), truth.destinations.len() + 1);
    for document in documents {
        let mut sums: HashMap<usize, (u64, u64)> = HashMap::new();
        let mut add = |at: usize, (lower, upper): (u64, u64)| {
            let sum = sums.entry(at).or_default();
            *sum = (sum.0.saturating_add(lower), sum.1.saturating_add(upper));
        };
        for leaf in &document.leaves {
            let at = truth.outputs.get(&name(leaf)).map_or(elsewhere, |(_, at)| *at);
            add(at, (leaf.amount.lower(), leaf.amount.upper()));
        }
        add(fees, booked(document, "fee"));
        for reason in ["op_return", "unclaimed"] {
            add(elsewhere, booked(document, reason));
        }
        let bounds = policy(document) == "bounds";
        for (at, row) in rows.iter_mut().enumerate() {
            let (lower, upper) = sums.get(&at).copied().unwrap_or_default();
            let amount = if bounds {
                Amount::Between { lower_sat: lower, upper_sat: upper }
            } else {
                Amount::Exact { tainted_sat: upper }
            };
            row.booked.insert(policy(document).to_owned(), amount);
        }
    }
    rows
}

fn is_mixed(truth: &Holdings, destination: usize) -> bool {
    truth.destinations.get(destination).is_some_and(|place| place.kind == "unspent_mixed")
}

fn policy(document: &TraceDocument) -> &'static str {
    document.provenance.parameters.policy
}

fn name(leaf: &Leaf) -> String {
    format!("{}:{}", leaf.output.txid, leaf.output.vout)
}

/// What is booked for a reason that has no leaves.
fn booked(document: &TraceDocument, reason: &str) -> (u64, u64) {
    let booking = document.bookings.iter().find(|booking| booking.stop_reason == reason);
    booking.map_or((0, 0), |booking| (booking.amount.lower(), booking.amount.upper()))
}
