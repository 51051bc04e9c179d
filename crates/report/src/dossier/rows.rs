//! The long tables of a report: timeline, steps, ends.

use std::collections::HashMap;

use super::{
    page::money,
    words::{Words, fill},
};
use crate::{
    escape,
    model::{Address, Amount, Basis, Flow, Leaf, Mined, Place, TraceDocument, UtcTime},
    words,
};

/// At most so many rows of a table are shown: more than that nobody reads, and a browser is slow with.
pub(super) const ROWS: usize = 150;

/// On what something rests, marked by sign, word and frame, so that a print in black and white says it.
pub(super) struct Rests {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    /// Rule, source, confidence.
    pub(super) detail: String,
}

impl Rests {
    pub(super) fn new(basis: &Basis, w: &Words) -> Self {
        let (sign, word) = match basis {
            Basis::Fact => ("■", w.fact),
            Basis::Inference { .. } | Basis::InferenceFromClaim { .. } => ("◇", w.inference),
            Basis::Claim { .. } => ("“”", w.claim),
        };
        let by_rule = |rule: &str| fill(w.rule, &[("rule", &escape::plain(rule))]);
        let by_source = |source: &str| fill(w.by_source, &[("source", &escape::plain(source))]);
        let sure = |n: &Option<u8>| n.map(|n| fill(w.confidence, &[("n", &n.to_string())]));
        let parts = match basis {
            Basis::Fact => vec![],
            Basis::Inference { heuristic, confidence } => {
                vec![Some(by_rule(heuristic)), sure(confidence)]
            }
            Basis::InferenceFromClaim { heuristic, source, confidence } => {
                vec![Some(by_rule(heuristic)), Some(by_source(source)), sure(confidence)]
            }
            Basis::Claim { source, confidence } => vec![Some(by_source(source)), sure(confidence)],
        };
        let detail = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        Self { class: basis.name(), sign, word, detail }
    }

    /// In one line of text.
    pub(super) fn text(&self) -> String {
        match self.detail.is_empty() {
            true => self.word.to_owned(),
            false => format!("{}; {}", self.word, self.detail),
        }
    }
}

/// One transaction, or one theft.
pub(super) struct Event {
    pub(super) time: String,
    pub(super) height: String,
    pub(super) txid: String,
    pub(super) what: String,
    pub(super) amount: String,
}

/// One step.
pub(super) struct Hop {
    pub(super) txid: String,
    pub(super) from: Spot,
    pub(super) to: Spot,
    pub(super) amount: String,
    pub(super) rests: Rests,
}

/// A place of a step.
pub(super) struct Spot {
    pub(super) name: String,
    pub(super) address: String,
}

/// One output in which the trace ends.
pub(super) struct EndRow {
    pub(super) output: String,
    pub(super) address: String,
    pub(super) amount: String,
    pub(super) value: String,
    pub(super) status: &'static str,
    pub(super) unproven: bool,
    pub(super) why: String,
    pub(super) hops: u32,
    pub(super) rests: Rests,
    /// Label, and on what it rests.
    pub(super) labels: Vec<(String, Rests)>,
}

/// A table that may be cut.
pub(super) struct Cut<T> {
    pub(super) rows: Vec<T>,
    /// What is said where it is cut.
    pub(super) folded: Option<String>,
}

impl<T> Cut<T> {
    /// The rows with the largest amounts, in their own order.
    fn new<R>(
        mut all: Vec<R>,
        amount: impl Fn(&R) -> u64,
        row: impl Fn(&R) -> T,
        (policy, w): (&str, &Words),
    ) -> Self {
        let whole = all.len();
        if whole > ROWS {
            let mut largest: Vec<(usize, R)> = all.into_iter().enumerate().collect();
            largest.sort_by_key(|(place, one)| (std::cmp::Reverse(amount(one)), *place));
            largest.truncate(ROWS);
            largest.sort_by_key(|(place, _)| *place);
            all = largest.into_iter().map(|(_, one)| one).collect();
        }
        let rows: Vec<T> = all.iter().map(row).collect();
        let folded = (rows.len() < whole).then(|| {
            let (shown, all) = (number(rows.len()), number(whole));
            let file = format!("results/{policy}.jsonl");
            fill(w.folded, &[("shown", &shown), ("all", &all), ("file", &file)])
        });
        Self { rows, folded }
    }
}

fn number(n: usize) -> String {
    words::thousands(n as u64)
}

pub(super) fn when(time: Option<UtcTime>, w: &Words) -> String {
    match time {
        Some(time) => time.to_string().replace('T', " ").replace('Z', ""),
        None => w.unknown.to_owned(),
    }
}

pub(super) fn block(mined: Option<u32>, w: &Words) -> String {
    mined.map_or_else(|| w.unknown.to_owned(), |height| words::thousands(height.into()))
}

pub(super) fn address(address: Option<&Address>) -> String {
    address.map_or_else(String::new, |address| escape::plain(address.as_str()))
}

/// Thefts and transactions, by block; those of one block in the order in which the trace passed them.
pub(super) fn timeline(trace: &TraceDocument, w: &Words) -> Cut<Event> {
    let mut events: Vec<(Mined, String, String, Amount)> = Vec::new();
    for root in &trace.roots {
        let what = fill(w.event_theft, &[("place", &root.output.vout.to_string())]);
        events.push((root.mined, root.output.txid.to_string(), what, root.amount));
    }
    for moved in moves(&trace.flows) {
        let what = fill(w.event_moved, &[("n", &words::thousands(moved.places))]);
        let amount =
            moved.sum.map_or(Amount::Unmeasured {}, |tainted_sat| Amount::Exact { tainted_sat });
        let Flow { txid, height, time, .. } = moved.first;
        let mined = Mined { height: *height, block_hash: None, time: *time };
        events.push((mined, txid.to_string(), what, amount));
    }
    events.sort_by_key(|(mined, ..)| mined.height.unwrap_or(u32::MAX));
    let row = |(mined, txid, what, amount): &(Mined, String, String, Amount)| Event {
        time: when(mined.time, w),
        height: block(mined.height, w),
        txid: txid.clone(),
        what: what.clone(),
        amount: money(*amount, w),
    };
    Cut::new(events, |event| event.3.upper(), row, (trace.provenance.parameters.policy, w))
}

/// What one transaction did.
struct Move<'a> {
    first: &'a Flow,
    places: u64,
    /// What it moved, fees included. Intervals do not add up to a narrow one: then nothing.
    sum: Option<u64>,
}

fn moves(flows: &[Flow]) -> Vec<Move<'_>> {
    let mut moves: Vec<Move<'_>> = Vec::new();
    let mut number: HashMap<_, usize> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for flow in flows {
        let next = moves.len();
        let at = *number.entry(flow.txid).or_insert(next);
        if at == next {
            moves.push(Move { first: flow, places: 0, sum: Some(0) });
        }
        let Some(moved) = moves.get_mut(at) else { continue };
        let is_output = matches!(flow.to, Place::Output { .. });
        if is_output && seen.insert((flow.txid, flow.to.name())) {
            moved.places += 1;
        }
        moved.sum = match (moved.sum, flow.amount) {
            (Some(sum), Amount::Exact { tainted_sat }) => sum.checked_add(tainted_sat),
            _ => None,
        };
    }
    moves
}

/// Every step.
pub(super) fn hops(trace: &TraceDocument, w: &Words) -> Cut<Hop> {
    let spot = |place: &Place| match place {
        Place::Output { address: held, .. } => {
            Spot { name: place.name(), address: address(held.as_ref()) }
        }
        Place::Fee { .. } => Spot { name: w.fee.to_owned(), address: String::new() },
        _ => Spot { name: place.name(), address: String::new() },
    };
    let hop = |flow: &&Flow| Hop {
        txid: flow.txid.to_string(),
        from: spot(&flow.from),
        to: spot(&flow.to),
        amount: money(flow.amount, w),
        rests: Rests::new(&flow.basis, w),
    };
    let flows: Vec<&Flow> = trace.flows.iter().collect();
    Cut::new(flows, |flow| flow.amount.upper(), hop, (trace.provenance.parameters.policy, w))
}

/// Every end.
pub(super) fn ends(trace: &TraceDocument, w: &Words) -> Cut<EndRow> {
    let row = |leaf: &&Leaf| EndRow {
        output: format!("{}:{}", leaf.output.txid, leaf.output.vout),
        address: address(leaf.output.address.as_ref()),
        amount: money(leaf.amount, w),
        value: money(Amount::Exact { tainted_sat: leaf.output.value_sat }, w),
        status: w.status(leaf.status),
        unproven: leaf.status == "unspent",
        why: why(leaf, w),
        hops: leaf.hops,
        rests: Rests::new(&leaf.basis, w),
        labels: leaf
            .tags
            .iter()
            .map(|tag| (escape::plain(&tag.label), Rests::new(tag.basis(), w)))
            .collect(),
    };
    let leaves: Vec<&Leaf> = trace.leaves.iter().collect();
    Cut::new(leaves, |leaf| leaf.amount.upper(), row, (trace.provenance.parameters.policy, w))
}

fn why(leaf: &Leaf, w: &Words) -> String {
    let reason = w.reason(&leaf.stop_reason);
    match &leaf.entity {
        Some(entity) => format!("{}: {reason}", escape::plain(entity)),
        None => reason,
    }
}
