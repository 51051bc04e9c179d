//! Shapes that do not tell a protocol: equal outputs in general, Stonewall, PayJoin.

use super::{
    era::Era,
    facts::{Facts, small},
    finding::{Finding, Participants, Protocol},
    shape::Shape,
};

pub(super) const EQUAL_OUTPUTS: &str = "equal_outputs";
pub(super) const MANY_GROUPS: &str = "many_groups";
pub(super) const EQUAL_PAIR: &str = "equal_pair";
pub(super) const STONEWALL: &str = "stonewall_shape";
pub(super) const PAYJOIN: &str = "payjoin_unnecessary_input";

/// Equal outputs of a generic finding at least, and their share of all outputs: a third.
const FEWEST: u32 = 3;
pub(super) const SHARE: usize = 3;
/// Inputs and outputs from which on many small groups are a finding too.
const FEWEST_MANY: usize = 10;
/// Outputs of a transaction whose equal pair says something at most.
const MOST_BESIDE_PAIR: usize = 5;
/// Below this (satoshis) equal outputs of a Stonewall shape are carriers of something else
/// (counterparty protocols, ordinals), not money.
const LEAST_STONEWALL: u64 = 5_000;

/// Equal outputs that as many people may own. High recall: it only keeps inputs apart.
pub(super) fn generic(facts: &Facts) -> Option<Finding> {
    let base = *facts.groups.first()?;
    let n = base.outputs as usize;
    let people = facts.distinct_inputs();
    let equal = base.outputs >= FEWEST && n * SHARE >= facts.outputs() && people >= n;
    let grouped = facts.outputs() - facts.unique();
    let many = facts.inputs() >= FEWEST_MANY
        && facts.outputs() >= FEWEST_MANY
        && grouped * 2 >= facts.outputs()
        && facts.groups.len() >= 3
        && people * 2 >= facts.inputs()
        && facts.all_outputs_distinct();
    if !equal && !many {
        return None;
    }
    Some(Finding {
        protocol: Protocol::Generic,
        rule: if equal { EQUAL_OUTPUTS } else { MANY_GROUPS },
        parameters: vec![("amount_sat", base.value.0), ("equal_outputs", n as u64)],
        participants: Participants { lower: 2, upper: small(people.min(facts.outputs())) },
        denominations: facts.groups.clone(),
        era: Era::Unchecked,
        label: false,
        do_not_union: true,
    })
}

/// Two equal outputs and two changes: a wallet's imitation of a CoinJoin, or one of two people
/// (Samourai's Stonewall and StonewallX2 look the same on purpose).
pub(super) fn stonewall(facts: &Facts) -> Option<Finding> {
    let [pair] = facts.groups.as_slice() else { return None };
    let shaped = pair.outputs == 2
        && pair.value.0 >= LEAST_STONEWALL
        && (3..=4).contains(&facts.outputs())
        && facts.carriers == 0
        && facts.distinct_inputs() >= 2
        && facts.all_outputs_distinct()
        && facts.shared == 0;
    if !shaped || !splits(facts, pair.value.0) {
        return None;
    }
    Some(Finding {
        protocol: Protocol::Stonewall,
        rule: STONEWALL,
        parameters: vec![("amount_sat", pair.value.0), ("inputs", facts.inputs() as u64)],
        participants: Participants { lower: 1, upper: 2 },
        denominations: facts.groups.clone(),
        era: Era::Unchecked,
        label: false,
        do_not_union: true,
    })
}

/// Two equal outputs among a few, whatever their value: a CoinJoin of two in other clothes than
/// Stonewall's, or a sale, whose inputs are those of seller and buyer. It only keeps inputs apart.
pub(super) fn pair(facts: &Facts) -> Option<Finding> {
    let [pair] = facts.groups.as_slice() else { return None };
    let few = pair.outputs == 2 && (3..=MOST_BESIDE_PAIR).contains(&facts.outputs());
    let people = facts.distinct_inputs();
    if !few || people < 2 || !splits(facts, pair.value.0) {
        return None;
    }
    Some(Finding {
        protocol: Protocol::Generic,
        rule: EQUAL_PAIR,
        parameters: vec![("amount_sat", pair.value.0), ("equal_outputs", 2)],
        participants: Participants { lower: 1, upper: small(people.min(facts.outputs())) },
        denominations: facts.groups.clone(),
        era: Era::Unchecked,
        label: false,
        do_not_union: true,
    })
}

/// Whether two parties could have brought the amount each: the inputs without the largest must
/// pay for one equal output, and the largest alone, or with others, for the other.
fn splits(facts: &Facts, amount: u64) -> bool {
    let total = facts.spent.iter().fold(0, |sum: u64, value| sum.saturating_add(*value));
    let largest = facts.spent.last().copied().unwrap_or(0);
    largest <= total.saturating_sub(amount)
}

/// A payment with an input that it did not need: either output could have been paid, and the
/// change made, without the smallest input. The payee may have added it (BIP-0078). Many
/// wallets do this without a PayJoin, so it decides nothing.
pub(super) fn payjoin(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    if facts.outputs() != 2 || facts.carriers != 0 || facts.distinct_inputs() < 2 {
        return None;
    }
    let [low, high] = *facts.values.as_slice() else { return None };
    let kind = facts.input_kind(shape)?;
    // BIP-0078 asks for inputs of one kind.
    let alike = facts.of_kinds(&[kind]).1 == 2;
    if !alike || facts.shared != 0 || low == high || !unnecessary_input(&facts.spent, low) {
        return None;
    }
    Some(Finding {
        protocol: Protocol::PayJoin,
        rule: PAYJOIN,
        parameters: vec![("larger_output_sat", high), ("inputs", facts.inputs() as u64)],
        participants: Participants { lower: 1, upper: 2 },
        denominations: Vec::new(),
        era: Era::Unchecked,
        label: false,
        do_not_union: false,
    })
}

/// Unnecessary input heuristic 2: without the smallest input the others still pay the larger
/// output and the fee. With two outputs that is the same as: the smaller output is at least the
/// smallest input. `spent` is ascending.
fn unnecessary_input(spent: &[u64], smaller: u64) -> bool {
    spent.first().is_some_and(|least| *least <= smaller)
}
