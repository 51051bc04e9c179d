//! Random chains against the naive oracle.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::Hash;
use chain::{
    BlockHash, Flags, Height, OutPoint, ScriptBuf, SparseInput, SparseOutput, SparseSpend, SparseTx,
};
use proptest::prelude::*;

use super::{
    oracle::{self, CLEAN, Line, Naive, Origin, Poisoned, Share},
    *,
};

/// Regtest's subsidy is 4 satoshis at this height, so that fees matter.
const FIRST: u32 = 4_500;

/// Which of the unspent outputs to spend, what to pay out of a thousand (the rest is the fee), and
/// what to bring in from unknown transactions.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    spend: Vec<u16>,
    fresh: Vec<u8>,
    pay: Vec<u16>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    blocks: Vec<(Vec<Draft>, u8)>,
    roots: Vec<(u16, u8)>,
    follow: bool,
    seed: u64,
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let draft = (
        prop::collection::vec(any::<u16>(), 0..5),
        prop::collection::vec(0..30u8, 0..3),
        prop::collection::vec(0..400u16, 1..5),
    );
    let draft = draft.prop_map(|(spend, fresh, pay)| Draft { spend, fresh, pay });
    let block = (prop::collection::vec(draft, 0..6), 0..4u8);
    let blocks = prop::collection::vec(block, 1..8);
    let roots = prop::collection::vec((any::<u16>(), 0..3u8), 1..5);
    (blocks, roots, any::<bool>(), 1..u64::MAX).prop_map(|(blocks, roots, follow, seed)| World {
        blocks,
        roots,
        follow,
        seed,
    })
}

/// A ledger of the drafts: every transaction in a block with a coinbase that claims subsidy and
/// fees or a little less.
pub(crate) fn ledger(world: &World) -> MemoryLedger {
    let script = |tag: u64| ScriptBuf::from_bytes(vec![0x51, (tag % 5) as u8]);
    let mut txs: Vec<SparseTx> = Vec::new();
    let mut unspent: Vec<(OutPoint, u64)> = Vec::new();
    let mut count = 0u64;
    let mut id = || {
        count += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&count.to_be_bytes());
        Txid::from_byte_array(bytes)
    };
    let outputs = |values: &[u64]| -> Vec<SparseOutput> {
        let output = |value: &u64| SparseOutput {
            value: Sats(*value),
            script: script(*value),
            spend: SparseSpend::Unknown,
        };
        values.iter().map(output).collect()
    };
    for (height, (drafts, unclaimed)) in (FIRST..).zip(&world.blocks) {
        let tx = |txid, position: usize, inputs, values: &[u64]| SparseTx {
            txid,
            flags: Flags::default(),
            height: Some(Height(height)),
            time: Some(height),
            block_hash: Some(BlockHash::from_byte_array([(height % 251) as u8; 32])),
            position: Some(position as u32),
            coinbase: position == 0,
            inputs,
            outputs: outputs(values),
        };
        let mut claim = Network::Regtest.subsidy(height);
        for (position, draft) in (1..).zip(drafts) {
            let mut inputs: Vec<(OutPoint, u64)> = Vec::new();
            for value in &draft.fresh {
                inputs.push((OutPoint { txid: id(), vout: 0 }, u64::from(*value)));
            }
            for pick in &draft.spend {
                if !unspent.is_empty() {
                    inputs.push(unspent.swap_remove(usize::from(*pick) % unspent.len()));
                }
            }
            let taken: u64 = inputs.iter().map(|(_, value)| value).sum();
            let mut left = taken;
            let mut values = Vec::new();
            for share in &draft.pay {
                let value = (taken * u64::from(*share) / 1_000).min(left);
                left -= value;
                values.push(value);
            }
            claim += left;
            let txid = id();
            let input = |(outpoint, value): &(OutPoint, u64)| SparseInput {
                outpoint: *outpoint,
                value: Sats(*value),
                script: script(*value),
            };
            txs.push(tx(txid, position, inputs.iter().map(input).collect(), &values));
            for (vout, value) in (0..).zip(values) {
                unspent.push((OutPoint { txid, vout }, value));
            }
        }
        let claim = claim.saturating_sub(u64::from(*unclaimed));
        let txid = id();
        txs.push(tx(txid, 0, Vec::new(), &[claim / 3, claim - claim / 3]));
        for (vout, value) in [(0, claim / 3), (1, claim - claim / 3)] {
            unspent.push((OutPoint { txid, vout }, value));
        }
    }
    let unspent: BTreeSet<OutPoint> = unspent.into_iter().map(|(outpoint, _)| outpoint).collect();
    for tx in &mut txs {
        for (vout, output) in (0..).zip(&mut tx.outputs) {
            if unspent.contains(&OutPoint { txid: tx.txid, vout }) {
                output.spend = SparseSpend::Unspent;
            }
        }
    }
    MemoryLedger::from_sparse(Network::Regtest, txs).unwrap()
}

/// The question, and the roots as the oracle wants them.
pub(crate) fn question(world: &World, ledger: &MemoryLedger) -> (Query, BTreeMap<OutNum, u32>) {
    let mut count = 0;
    while ledger.output(OutNum(count)).is_ok() {
        count += 1;
    }
    let mut roots = BTreeMap::new();
    let mut specs = Vec::new();
    for (pick, _) in &world.roots {
        let out = OutNum(u64::from(*pick) % count);
        roots.entry(out).or_insert(specs.len() as u32);
        let txid = ledger.txid(ledger.tx_of(out).unwrap()).unwrap();
        let vout = ledger.output(out).unwrap().vout;
        specs.push(RootSpec::Output(OutPoint { txid, vout }));
    }
    let mut query = Query::new(specs);
    query.fees = if world.follow { Fees::Follow } else { Fees::Drop };
    query.keep_roots_apart = true;
    (query, roots)
}

fn ask(ledger: &MemoryLedger, query: &Query, policy: Policy, apart: bool) -> Trace {
    let query = Query { policy, keep_roots_apart: apart, ..query.clone() };
    let trace = trace(ledger, &query, &mut NoStops).unwrap();
    assert_sound(ledger, &trace);
    trace
}

/// By output: how much of each root is there, from the labels of its satoshis.
fn count(labels: &[u64]) -> Vec<(u32, u64)> {
    let mut sums = BTreeMap::new();
    for label in labels.iter().filter(|label| **label < CLEAN) {
        *sums.entry(*label as u32).or_insert(0) += 1;
    }
    sums.into_iter().collect()
}

fn shares(taint: &Taint) -> Vec<(u32, u64)> {
    taint.by_root.iter().map(|share| (share.root, share.upper.0)).collect()
}

fn rest(trace: &Trace) -> u128 {
    let rests = [StopReason::Fee, StopReason::Unclaimed];
    let bookings = &trace.summary.bookings;
    bookings.iter().filter(|booking| rests.contains(&booking.reason)).map(|b| b.upper).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]

    #[test]
    fn queues_agree_with_single_satoshis(world in world()) {
        let ledger = ledger(&world);
        let (query, roots) = question(&world, &ledger);
        for (policy, reverse) in [(Policy::Fifo, false), (Policy::Lifo, true)] {
            let truth = oracle::run(&ledger, &mut Line::new(reverse, 0), world.follow, &roots);
            let apart = ask(&ledger, &query, policy, true);
            let together = ask(&ledger, &query, policy, false);
            for (out, labels) in &truth.outputs {
                let expected = count(labels);
                let found = apart.node(*out).map(|node| shares(&node.taint)).unwrap_or_default();
                prop_assert_eq!(&found, &expected);
                let sum = together.node(*out).map_or(0, |node| node.taint.upper.0);
                prop_assert_eq!(sum, expected.iter().map(|(_, amount)| amount).sum::<u64>());
            }
            let lost: usize =
                truth.rests.iter().map(|(_, x)| x.iter().filter(|l| **l < CLEAN).count()).sum();
            prop_assert_eq!(rest(&apart), lost as u128);
        }
    }

    #[test]
    fn pooled_policies_agree_with_their_formulas(world in world()) {
        let ledger = ledger(&world);
        let (query, roots) = question(&world, &ledger);
        for (policy, tiho) in [(Policy::Haircut, false), (Policy::Tiho, true)] {
            let truth = oracle::run(&ledger, &mut Share { tiho }, world.follow, &roots);
            for apart in [true, false] {
                let trace = ask(&ledger, &query, policy, apart);
                for (out, amount) in &truth.outputs {
                    let found = trace.node(*out).map_or(0, |node| node.taint.upper.0);
                    prop_assert_eq!(found, *amount, "{} {:?}", policy, out);
                }
                let lost: u64 = truth.rests.iter().map(|(_, amount)| amount).sum();
                prop_assert_eq!(rest(&trace), u128::from(lost));
            }
        }
    }

    #[test]
    fn poison_reaches_what_it_should(world in world()) {
        let ledger = ledger(&world);
        let (query, roots) = question(&world, &ledger);
        let truth = oracle::run(&ledger, &mut Poisoned, world.follow, &roots);
        let apart = ask(&ledger, &query, Policy::Poison, true);
        let together = ask(&ledger, &query, Policy::Poison, false);
        prop_assert_eq!(apart.summary.reach, together.summary.reach);
        for (out, tainted) in &truth.outputs {
            prop_assert_eq!(apart.node(*out).is_some(), *tainted);
            prop_assert_eq!(together.node(*out).is_some(), *tainted);
        }
        // Each root on its own reaches what it reaches among others.
        for (&out, &root) in &roots {
            let alone = BTreeMap::from([(out, root)]);
            let truth = oracle::run(&ledger, &mut Poisoned, world.follow, &alone);
            let same_root: Vec<_> =
                roots.iter().filter(|(_, other)| **other == root).map(|(out, _)| out).collect();
            if same_root.len() == 1 {
                for (out, tainted) in &truth.outputs {
                    let taint = apart.node(*out).map(|node| node.taint.clone());
                    let here = taint.is_some_and(|t| t.by_root.iter().any(|s| s.root == root));
                    prop_assert_eq!(here, *tainted);
                }
            }
        }
    }

    #[test]
    fn every_conserving_policy_is_inside_bounds(world in world()) {
        let ledger = ledger(&world);
        let (query, roots) = question(&world, &ledger);
        let bounds = ask(&ledger, &query, Policy::Bounds, true);
        let together = ask(&ledger, &query, Policy::Bounds, false);
        let inside = |trace: &Trace, out: OutNum, by_root: &[(u32, u64)]| {
            let none = Taint::default();
            let taint = trace.node(out).map_or(&none, |node| &node.taint);
            let amount = by_root.iter().map(|(_, amount)| amount).sum::<u64>();
            assert!((taint.lower.0..=taint.upper.0).contains(&amount), "{out:?} {by_root:?} {taint:?}");
            if trace.query.keep_roots_apart {
                for root in 0..4 {
                    let find = |(of, _): &&(u32, u64)| *of == root;
                    let amount = by_root.iter().find(find).map_or(0, |(_, amount)| *amount);
                    let share = taint.by_root.iter().find(|share| share.root == root);
                    let (lower, upper) =
                        share.map_or((0, 0), |share| (share.lower.0, share.upper.0));
                    assert!((lower..=upper).contains(&amount), "{out:?} {by_root:?} {taint:?}");
                }
            }
        };
        for policy in [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho] {
            let exact = ask(&ledger, &query, policy, true);
            for node in &exact.nodes {
                inside(&bounds, node.out, &shares(&node.taint));
                inside(&together, node.out, &shares(&node.taint));
            }
            for node in &bounds.nodes {
                let found = exact.node(node.out).map(|n| shares(&n.taint)).unwrap_or_default();
                inside(&bounds, node.out, &found);
            }
            for booking in &exact.summary.bookings {
                let same = |other: &&Booking| other.reason == booking.reason;
                let range = bounds.summary.bookings.iter().find(same).unwrap();
                prop_assert!(range.lower <= booking.lower && booking.upper <= range.upper);
            }
        }
        // And a policy that nobody has thought of.
        let mut any = Line::new(false, world.seed);
        for (out, labels) in oracle::run(&ledger, &mut any, world.follow, &roots).outputs {
            inside(&bounds, out, &count(&labels));
            inside(&together, out, &count(&labels));
        }
    }

    #[test]
    fn backward_finds_where_each_satoshi_came_from(world in world()) {
        let ledger = ledger(&world);
        let (mut query, roots) = question(&world, &ledger);
        query.direction = Direction::Backward;
        for (policy, reverse) in [(Policy::Fifo, false), (Policy::Lifo, true)] {
            let mut line = Line::new(reverse, 0);
            let truth = oracle::run(&ledger, &mut line, world.follow, &BTreeMap::new());
            // Each satoshi that passed through any root, once.
            let wanted: BTreeSet<u64> =
                roots.keys().flat_map(|out| truth.outputs[out].iter().copied()).collect();
            let mut expected: BTreeMap<Origin, u64> = BTreeMap::new();
            for label in &wanted {
                *expected.entry(line.origins[(label - CLEAN) as usize]).or_insert(0) += 1;
            }
            for apart in [true, false] {
                let trace = ask(&ledger, &query, policy, apart);
                prop_assert_eq!(trace.summary.totals.root_lower, wanted.len() as u128);
                let minted: u64 = expected
                    .iter()
                    .filter(|(origin, _)| matches!(origin, Origin::Subsidy(_)))
                    .map(|(_, amount)| amount)
                    .sum();
                let mut found: BTreeMap<Origin, u64> = BTreeMap::new();
                for leaf in &trace.leaves {
                    found.insert(Origin::Output(leaf.out), leaf.taint.upper.0);
                }
                let outputs: BTreeMap<Origin, u64> = expected
                    .iter()
                    .filter(|(origin, _)| matches!(origin, Origin::Output(_)))
                    .map(|(origin, amount)| (*origin, *amount))
                    .collect();
                prop_assert_eq!(found, outputs);
                if world.follow {
                    let coinbase = |b: &&Booking| b.reason == StopReason::Coinbase;
                    let booked = trace.summary.bookings.iter().find(coinbase);
                    prop_assert_eq!(booked.map_or(0, |b| b.upper), u128::from(minted));
                }
            }
        }
    }

    #[test]
    fn backward_conserves_and_stays_inside_bounds(world in world()) {
        let ledger = ledger(&world);
        let (mut query, _) = question(&world, &ledger);
        query.direction = Direction::Backward;
        let bounds = ask(&ledger, &query, Policy::Bounds, true);
        let poison = ask(&ledger, &query, Policy::Poison, true);
        for policy in [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho] {
            let exact = ask(&ledger, &query, policy, true);
            for node in &exact.nodes {
                prop_assert!(poison.node(node.out).is_some());
                let range = &bounds.node(node.out).unwrap().taint;
                prop_assert!(range.lower <= node.taint.lower && node.taint.upper <= range.upper);
            }
            for node in bounds.nodes.iter().filter(|node| node.taint.lower > Sats::ZERO) {
                let amount = exact.node(node.out).map_or(Sats::ZERO, |node| node.taint.upper);
                prop_assert!(node.taint.lower <= amount);
            }
        }
    }

    /// Stopping at a height is the same as tracing in a ledger that ends there.
    #[test]
    fn until_height_is_a_shorter_chain(world in world(), cut in 0..8u32) {
        let whole = ledger(&world);
        let (mut query, _) = question(&world, &whole);
        query.stops.until_height = Some(Height(FIRST + cut));
        let mut shorter = world.clone();
        shorter.blocks.truncate(cut as usize + 1);
        let short = ledger(&shorter);
        for policy in Policy::ALL {
            let query = Query { policy, ..query.clone() };
            // A root above the height is refused.
            let Ok(cut) = trace(&whole, &query, &mut NoStops) else { continue };
            assert_sound(&whole, &cut);
            let mut query = query.clone();
            query.stops.until_height = None;
            let Ok(short) = trace(&short, &query, &mut NoStops) else { continue };
            prop_assert_eq!(cut.summary.totals, short.summary.totals);
            prop_assert_eq!(&cut.summary.bookings, &short.summary.bookings);
            let leaves = |trace: &Trace| -> Vec<_> {
                let leaf = |leaf: &Leaf| (leaf.outpoint, leaf.taint.clone(), leaf.status);
                let mut leaves: Vec<_> = trace.leaves.iter().map(leaf).collect();
                leaves.sort_by_key(|(outpoint, ..)| *outpoint);
                leaves
            };
            prop_assert_eq!(leaves(&cut), leaves(&short));
        }
    }

    #[test]
    fn stop_rules_lose_nothing(
        world in world(),
        hops in prop::option::of(0..4u32),
        min in 0..12u64,
        budget in prop::option::of(0..5u64),
    ) {
        let ledger = ledger(&world);
        let (mut query, _) = question(&world, &ledger);
        query.stops.max_hops = hops;
        query.stops.min_tainted = Sats(min);
        query.stops.max_transactions = budget;
        query.stops.addresses.extend([chain::AddressNum(2)]);
        for direction in [Direction::Forward, Direction::Backward] {
            query.direction = direction;
            for policy in Policy::ALL {
                // `ask` checks the sums.
                let trace = ask(&ledger, &query, policy, true);
                let most = budget.unwrap_or(u64::MAX);
                let coinbases = world.blocks.len() as u64;
                prop_assert!(trace.summary.reach.transactions <= most.saturating_add(coinbases));
            }
        }
    }
}

/// The naive policies themselves conserve, or the tests above mean nothing.
#[test]
fn the_oracle_adds_up() {
    let parts = Share { tiho: false }.spread(vec![(7, 0), (3, 3)], &[3, 4, 2, 1]);
    assert_eq!(parts, [1, 1, 1, 0]);
    let parts = Line::new(true, 0).spread(vec![(2, vec![1, 2]), (1, vec![3])], &[1, 2]);
    assert_eq!(parts, [vec![3], vec![2, 1]]);
}
