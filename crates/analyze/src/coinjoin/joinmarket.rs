//! JoinMarket: a taker and some makers each get an output of the taker's amount; every maker gets
//! change, and so does the taker unless he sweeps. Nothing else is paid, so `n` equal outputs
//! come with `n` or `n − 1` others.

use chain::script::ScriptKind;

use super::{
    era::{self, Era},
    facts::Facts,
    finding::{Denomination, Finding, Participants, Protocol},
    shape::Shape,
};

pub(super) const MAKER_TAKER: &str = "joinmarket_maker_taker";
pub(super) const LIKE: &str = "joinmarket_like";

/// A taker and two makers.
const FEWEST: u32 = 3;
/// Below this (satoshis) a JoinMarket wallet makes no output (its `DUST_THRESHOLD`).
const DUST: u64 = 27_300;
/// What a maker or all makers together may earn, as a share of the amount: 1/50.
const FEES: u64 = 50;

pub(super) fn round(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    let base = *facts.groups.first()?;
    if base.outputs < FEWEST || !has_shape(shape, facts, &base) {
        return None;
    }
    let wallet = made_by_wallets(shape, facts, &base);
    let era = era::JOINMARKET.at(shape.when);
    let rule = if wallet { MAKER_TAKER } else { LIKE };
    Some(Finding {
        protocol: Protocol::JoinMarket,
        rule,
        parameters: vec![
            ("amount_sat", base.value.0),
            ("changes", (facts.outputs() - base.outputs as usize) as u64),
            ("shared_scripts", facts.shared as u64),
        ],
        participants: Participants { lower: base.outputs, upper: base.outputs },
        denominations: facts.groups.clone(),
        era,
        label: wallet && era != Era::Outside,
        do_not_union: true,
    })
}

/// The counts and amounts of a round, whoever made it.
fn has_shape(shape: &Shape<'_>, facts: &Facts, base: &Denomination) -> bool {
    let n = base.outputs as usize;
    let others = facts.outputs() - n;
    if facts.carriers != 0 || facts.groups.len() != 1 || !(n - 1..=n).contains(&others) {
        return false;
    }
    if facts.distinct_inputs() < n || facts.distinct_outputs() < n {
        return false;
    }
    // Whoever brought the largest input got the amount and at most the largest change back, less
    // the miner's fee and what the others earned.
    let amount = base.value.0;
    let slack = shape.fee().0.saturating_add(amount / FEES);
    let most = facts.largest_other(amount).unwrap_or(0).saturating_add(amount);
    facts.spent.last().is_some_and(|largest| *largest <= most.saturating_add(slack))
}

/// Habits of JoinMarket's wallets that trades of several parties (sales of ordinals and the
/// like) do not share: one kind of script per round, fresh scripts only, no dust.
fn made_by_wallets(shape: &Shape<'_>, facts: &Facts, base: &Denomination) -> bool {
    let kinds = [ScriptKind::P2pkh, ScriptKind::P2sh, ScriptKind::P2wpkh];
    let Some(kind) = facts.input_kind(shape).filter(|kind| kinds.contains(kind)) else {
        return false;
    };
    let others = facts.outputs() - base.outputs as usize;
    // The taker pays whom he likes; all else goes to wallets of the same kind.
    let (_, same) = facts.of_kinds(&[kind]);
    same + 1 >= facts.outputs()
        && facts.all_outputs_distinct()
        && facts.shared == 0
        && base.value.0 >= DUST
        && facts.values.first().is_some_and(|least| *least >= DUST)
        && others >= 2
}
