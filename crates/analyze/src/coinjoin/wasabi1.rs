//! Wasabi 1 (ZeroLink): one output of the same value for each participant, around 0.1 bitcoin, more
//! at twice, four times … of it for those who brought more, everybody's change, and the
//! coordinator's fee.

use chain::script::ScriptKind;

use super::{
    era::{self, Era},
    facts::Facts,
    finding::{Denomination, Finding, Participants, Protocol},
    shape::Shape,
};

pub(super) const COORDINATOR: &str = "wasabi1_coordinator";
pub(super) const DENOMINATION: &str = "wasabi1_denomination";

/// The witness programs that the coordinator published: `bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew`
/// and `bc1qa24tsgchvuxsaccp8vrnkfd85hrcpafg20kmjw` (Wasabi's source; Dumplings).
const COORDINATORS: [[u8; 20]; 2] = [
    [
        0x86, 0x9f, 0x5c, 0x7a, 0x4c, 0xd7, 0x77, 0x6a, 0xe0, 0xc0, 0xfc, 0xd9, 0xc3, 0x31, 0x5a,
        0xbb, 0x23, 0x9a, 0x9f, 0x0d,
    ],
    [
        0xea, 0xaa, 0xb8, 0x23, 0x17, 0x67, 0x0d, 0x0e, 0xe3, 0x01, 0x3b, 0x07, 0x3b, 0x25, 0xa7,
        0xa5, 0xc7, 0x80, 0xf5, 0x28,
    ],
];

/// The base denomination without a known coordinator: 0.1 ± 0.02 bitcoin (Dumplings).
const BASE: std::ops::RangeInclusive<u64> = 8_000_000..=12_000_000;
/// Equal outputs that a round has at least: without and with a known coordinator.
const FEWEST: u32 = 10;
const FEWEST_WITH_COORDINATOR: u32 = 3;
/// Up to so many equal outputs, a transaction with exactly JoinMarket's counts is JoinMarket's.
const AMBIGUOUS: usize = 20;

/// Whether a locking script is one that the coordinator of Wasabi 1 published.
pub(super) fn is_coordinator(script: &[u8]) -> bool {
    matches!(script, [0x00, 0x14, program @ ..]
        if COORDINATORS.iter().any(|known| known.as_slice() == program))
}

pub(super) fn round(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    let native = facts.only(&[ScriptKind::P2wpkh]) && facts.carriers == 0;
    if !native || !facts.all_outputs_distinct() {
        return None;
    }
    let paid =
        shape.pays_coordinator && era::WASABI1_FIXED_COORDINATOR.at(shape.when) != Era::Outside;
    let (base, rule) = if paid {
        let base = facts.groups.first().filter(|base| base.outputs >= FEWEST_WITH_COORDINATOR)?;
        (base, COORDINATOR)
    } else {
        let base = facts.groups.first().filter(|base| base.outputs >= FEWEST)?;
        // Somebody has change, and the coordinator takes a fee.
        if !BASE.contains(&base.value.0) || facts.unique() < 2 || is_joinmarket(base, facts) {
            return None;
        }
        (base, DENOMINATION)
    };
    // Everybody brings an input.
    if facts.inputs() < base.outputs as usize {
        return None;
    }
    let era = era::WASABI1.at(shape.when);
    Some(Finding {
        protocol: Protocol::Wasabi1,
        rule,
        parameters: vec![
            ("base_sat", base.value.0),
            ("levels", levels(base, facts)),
            ("inputs", facts.inputs() as u64),
        ],
        // One output of the base value each.
        participants: Participants { lower: base.outputs, upper: base.outputs },
        denominations: facts.groups.clone(),
        era,
        label: era != Era::Outside,
        do_not_union: true,
    })
}

/// JoinMarket's counts: each of `n` has an equal output and a change, one perhaps no change.
fn is_joinmarket(base: &Denomination, facts: &Facts) -> bool {
    let n = base.outputs as usize;
    let counts = facts.outputs() == 2 * n || facts.outputs() + 1 == 2 * n;
    n < AMBIGUOUS && counts && facts.groups.len() == 1
}

/// How many of base, 2·base, 4·base … occur at least twice. Levels differ from exact multiples by
/// their fees (under 1 %).
fn levels(base: &Denomination, facts: &Facts) -> u64 {
    let near = |level: u64, value: u64| value.abs_diff(level) <= level / 100;
    (0..10)
        .filter(|doublings| {
            let level = base.value.0.saturating_mul(1 << doublings);
            facts.groups.iter().any(|group| near(level, group.value.0))
        })
        .count() as u64
}
