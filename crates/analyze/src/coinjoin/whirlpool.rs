//! Whirlpool: mixes of equal inputs and outputs, and the Tx0 before them.
//!
//! Pools, fees and the form of a Tx0 are published in the client's source and documentation. A mix
//! has as many outputs as inputs, all of the pool's size; coins that were mixed before come in with
//! exactly that size, new ones with a little more, which pays the miner for everybody.

use chain::script::ScriptKind;

use super::{
    era::{self, Era, Span},
    facts::{Facts, small},
    finding::{Finding, Participants, Protocol},
    shape::Shape,
};

pub(super) const MIX: &str = "whirlpool_mix";
pub(super) const TX0: &str = "whirlpool_tx0";

/// A pool: its size and the coordinator's fee for entering it, satoshis.
struct Pool {
    size: u64,
    fee: u64,
    span: Span,
}

const fn pool(size: u64, fee: u64, span: Span) -> Pool {
    Pool { size, fee, span }
}

/// The pools of Samourai, smallest first, and those that Ashigaru opened. The latter's fees follow
/// the same 5 % here, or less.
const POOLS: [Pool; 6] = [
    pool(100_000, 5_000, era::WHIRLPOOL),
    pool(1_000_000, 50_000, era::WHIRLPOOL),
    pool(2_500_000, 125_000, era::ASHIGARU),
    pool(5_000_000, 175_000, era::WHIRLPOOL),
    pool(25_000_000, 1_250_000, era::ASHIGARU),
    pool(50_000_000, 1_750_000, era::WHIRLPOOL),
];

/// Participants of a mix: 5 at first, up to 8 since 2023, some room above.
const SIZES: std::ops::RangeInclusive<usize> = 5..=10;
/// What a new coin may hold above the pool's size: the mix's whole miner fee (Dumplings).
const MOST_EXCESS: u64 = 110_000;
/// Premix outputs of one Tx0 (client's limit).
const MOST_PREMIX: usize = 70;
/// Outputs beside the premix ones: the fee, the change and, in a Tx0 made by two or with a decoy,
/// one more change.
const MOST_OTHERS: usize = 3;
/// `OP_RETURN` and a push of 64 bytes, or 80 since 2021: the fee's masked payload.
const CARRIER_BYTES: [usize; 2] = [66, 83];

pub(super) fn mix(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    let n = facts.inputs();
    let size = *facts.values.first()?;
    if !SIZES.contains(&n) || facts.outputs() != n || facts.carriers != 0 {
        return None;
    }
    // Coins come from the client's own accounts; they may go to another wallet, of any native
    // segwit kind.
    let (own, _) = facts.of_kinds(&[ScriptKind::P2wpkh]);
    let (_, native) = facts.of_kinds(&[ScriptKind::P2wpkh, ScriptKind::P2wsh, ScriptKind::P2tr]);
    if facts.values.last() != Some(&size) || (own, native) != (n, n) {
        return None;
    }
    let pool = POOLS.iter().find(|pool| pool.size == size)?;
    let distinct = facts.distinct_inputs() == n && facts.distinct_outputs() == n;
    let fits = facts.spent.iter().all(|value| (size..=size + MOST_EXCESS).contains(value));
    if !distinct || facts.shared != 0 || !fits {
        return None;
    }
    let remixed = facts.spent.iter().filter(|value| **value == size).count();
    let era = pool.span.at(shape.when);
    Some(Finding {
        protocol: Protocol::Whirlpool,
        rule: MIX,
        parameters: vec![
            ("pool_sat", size),
            ("remixed_inputs", remixed as u64),
            ("new_inputs", (n - remixed) as u64),
        ],
        participants: Participants { lower: small(n), upper: small(n) },
        denominations: facts.groups.clone(),
        era,
        // Everybody new pays; were nobody new, nobody would pay the miner.
        label: era != Era::Outside && remixed < n,
        do_not_union: true,
    })
}

pub(super) fn tx0(shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    if facts.carriers != 1 || !CARRIER_BYTES.contains(&shape.carrier_bytes) {
        return None;
    }
    let carried = shape.outputs.iter().find(|coin| coin.kind == ScriptKind::OpReturn)?;
    let only = facts.of_kinds(&[ScriptKind::P2wpkh]).1 == facts.outputs();
    if carried.value.0 != 0 || !only || !facts.all_outputs_distinct() {
        return None;
    }
    POOLS.iter().find_map(|pool| tx0_of(pool, shape, facts))
}

fn tx0_of(pool: &Pool, shape: &Shape<'_>, facts: &Facts) -> Option<Finding> {
    let window = pool.size + 1..=pool.size + MOST_EXCESS;
    // The premix value: the most frequent in the window. With a single premix output the change
    // may lie there too; then the smaller, which is the one whose excess is the miner's fee alone.
    let (premix, count) = facts
        .values
        .chunk_by(|a, b| a == b)
        .filter(|run| window.contains(&run[0]))
        .map(|run| (run[0], run.len()))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let others = facts.outputs() - count;
    if count > MOST_PREMIX || !(1..=MOST_OTHERS).contains(&others) {
        return None;
    }
    // The coordinator's fee, in full or discounted. A client without a fee to pay puts change of
    // like value there instead.
    let is_fee = |value: &&u64| **value != premix && (pool.fee / 2..=pool.fee).contains(*value);
    let fee = facts.values.iter().filter(is_fee).max()?;
    let era = pool.span.at(shape.when);
    // One wallet funds it: its inputs belong together. Two changes may be those of two wallets.
    let of_two = others == MOST_OTHERS && facts.distinct_inputs() > 1;
    Some(Finding {
        protocol: Protocol::WhirlpoolTx0,
        rule: TX0,
        parameters: vec![
            ("pool_sat", pool.size),
            ("premix_sat", premix),
            ("premix_outputs", count as u64),
            ("fee_sat", *fee),
        ],
        participants: Participants { lower: 1, upper: if of_two { 2 } else { 1 } },
        denominations: facts.groups.clone(),
        era,
        label: era != Era::Outside,
        do_not_union: of_two,
    })
}
