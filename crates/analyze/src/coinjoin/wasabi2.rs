//! Wasabi 2 (WabiSabi): everybody's coins are cut into standard denominations, so that most outputs
//! have one of some eighty values, and no value is everybody's.

use std::collections::BTreeSet;

use chain::script::ScriptKind;

use super::{
    era::{self, Era},
    facts::{Facts, small},
    finding::{Finding, Participants, Protocol},
    shape::Shape,
};

pub(super) const DENOMINATIONS: &str = "wasabi2_denominations";
pub(super) const SMALL: &str = "wasabi2_small_round";

/// Smallest and largest denomination (Wasabi's source; Dumplings).
const LEAST: u64 = 5_000;
const MOST: u64 = 134_375_000_000;
/// Inputs and outputs of a round: for the label, and for the shape.
const FEWEST: usize = 15;
const FEWEST_SMALL: usize = 5;
/// So many of five outputs have a standard denomination.
const STANDARD_OF_FIVE: usize = 4;
/// Inputs that one participant registers at most.
const MOST_INPUTS_EACH: usize = 10;

pub(super) fn round(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    let (inputs, outputs) = (facts.inputs(), facts.outputs());
    if inputs < FEWEST_SMALL || outputs < FEWEST_SMALL || facts.carriers != 0 {
        return None;
    }
    let segwit = [ScriptKind::P2wpkh, ScriptKind::P2tr];
    if facts.of_kinds(&segwit).0 != inputs || !facts.all_outputs_distinct() {
        return None;
    }
    let (mut standard, mut kinds, mut unround) = (0, 0, 0);
    for run in facts.values.chunk_by(|a, b| a == b) {
        if let Some(series) = series(run[0]) {
            standard += run.len();
            kinds += 1;
            unround += usize::from(series == Series::Unround);
        }
    }
    // Payments of round amounts have only the decimal ones of the denominations.
    if standard * 5 < outputs * STANDARD_OF_FIVE || kinds < 3 || unround < 2 {
        return None;
    }
    // Where no two outputs are equal, nobody hides among others (and `possible` says no).
    if facts.groups.is_empty() {
        return None;
    }
    let era = era::WASABI2.at(shape.when);
    let full = inputs >= FEWEST && outputs >= FEWEST;
    Some(Finding {
        protocol: Protocol::Wasabi2,
        rule: if full { DENOMINATIONS } else { SMALL },
        parameters: vec![
            ("inputs", inputs as u64),
            ("standard_outputs", standard as u64),
            ("denominations", kinds),
            ("standard_inputs", standard_inputs(facts) as u64),
        ],
        participants: Participants {
            lower: small(inputs.div_ceil(MOST_INPUTS_EACH)),
            upper: small(facts.distinct_inputs().min(outputs)),
        },
        denominations: facts.groups.clone(),
        era,
        label: full && era != Era::Outside,
        do_not_union: true,
    })
}

/// Inputs that look like outputs of an earlier round.
fn standard_inputs(facts: &Facts) -> usize {
    facts.spent.iter().filter(|value| series(**value).is_some()).count()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Series {
    /// 10^k, 2·10^k, 5·10^k: people pay such amounts too.
    Decimal,
    /// 2^k, 3^k, 2·3^k.
    Unround,
}

/// The series that a value belongs to, if it is a standard denomination.
fn series(value: u64) -> Option<Series> {
    if !(LEAST..=MOST).contains(&value) {
        return None;
    }
    let strip = |mut n: u64, factor: u64| {
        while n.is_multiple_of(factor) {
            n /= factor;
        }
        n
    };
    if matches!(strip(value, 10), 1 | 2 | 5) {
        return Some(Series::Decimal);
    }
    let unround = value.is_power_of_two() || matches!(strip(value, 3), 1 | 2);
    unround.then_some(Series::Unround)
}

/// All standard denominations, ascending, satoshis.
pub fn denominations() -> Vec<u64> {
    let powers = |base: u64| {
        std::iter::successors(Some(1_u64), move |n| n.checked_mul(base))
            .take_while(|power| *power <= MOST)
    };
    let all: BTreeSet<u64> = powers(2)
        .chain(powers(3))
        .chain(powers(3).map(|power| 2 * power))
        .chain(powers(10).flat_map(|power| [power, 2 * power, 5 * power]))
        .filter(|value| (LEAST..=MOST).contains(value))
        .collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_are_the_standard_denominations() {
        let all = denominations();
        assert_eq!(all.first(), Some(&5_000));
        assert_eq!(all.last(), Some(&100_000_000_000));
        assert!(all.iter().all(|value| series(*value).is_some()));
        for value in [4_374, 4_999, 5_001, 30_000, 123_456, 200_000_000_000] {
            assert!(series(value).is_none(), "{value}");
        }
        let around = all.iter().flat_map(|value| [value - 1, value + 1]);
        assert!(around.filter(|value| !all.contains(value)).all(|value| series(value).is_none()));
    }
}
