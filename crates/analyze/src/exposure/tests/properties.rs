//! Exposure of random chains: the sums are exact, and it is the trace that it says it is.

use std::collections::BTreeMap;

use chain::{AddressNum, Flags, Ledger, MemoryLedger, OutNum, TxNum};
use proptest::prelude::*;

use super::Known;
use crate::{
    coinjoin::{Detector, ShapeBuf},
    exposure::{AtCoinJoin, Ends, EndsAt, Holder, Question, Side, exposure},
    trace::{
        CERTAIN, Direction, NoStops, Policy, Query, RootSpec, StopReason, Trace,
        tests::properties::{ledger, question, world},
        trace,
    },
};

const POLICIES: [Policy; 4] = [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho];

/// Some of the few addresses of these chains are parties.
fn known(picks: &[(u8, u8, u8)], ledger: &MemoryLedger) -> Known {
    let holder = |(address, party, confidence): &(u8, u8, u8)| {
        let address = AddressNum(u32::from(*address) % ledger.address_count().max(1));
        (address, Holder { party: u32::from(*party), confidence: *confidence })
    };
    Known(picks.iter().map(holder).collect())
}

fn picks() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0..5u8, 0..3u8, 1..=100u8), 0..4)
}

/// What a trace with these ends books, by where.
fn booked(trace: &Trace, met: &[EndsAt]) -> (BTreeMap<EndsAt, u128>, BTreeMap<StopReason, u128>) {
    let (mut ends, mut rest) = (BTreeMap::new(), BTreeMap::new());
    for booking in &trace.summary.bookings {
        match booking.reason {
            StopReason::Named(number) => _ = ends.insert(met[number as usize], booking.upper),
            reason => _ = rest.insert(reason, booking.upper),
        }
    }
    (ends, rest)
}

/// How sure the way to each output is, the slow way: every transaction, every input.
fn confidences(
    ledger: &MemoryLedger,
    trace: &Trace,
    known: &Known,
    direction: Direction,
) -> BTreeMap<OutNum, u8> {
    let mut sure: BTreeMap<OutNum, u8> = BTreeMap::new();
    let reached = |out: OutNum| trace.node(out).is_some();
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    let mut txs: Vec<TxNum> = (0..ledger.tx_count()).map(TxNum).collect();
    if direction == Direction::Backward {
        txs.reverse();
    }
    let ended: Vec<OutNum> = trace.leaves.iter().map(|leaf| leaf.out).collect();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for root in &trace.roots {
        sure.insert(root.out, CERTAIN);
    }
    for tx in txs {
        ledger.inputs(tx, &mut inputs).unwrap();
        ledger.outputs(tx, &mut outputs).unwrap();
        if ledger.flags(tx).unwrap().has(Flags::COINBASE) {
            continue;
        }
        let spent: Vec<_> = inputs.iter().map(|input| (input.source, input.address)).collect();
        let made: Vec<_> = outputs.iter().map(|output| (output.num, output.address)).collect();
        let (from, to) = match direction {
            Direction::Forward => (spent, made),
            Direction::Backward => (made, spent),
        };
        let from = from.iter().filter(|(out, _)| reached(*out) && !ended.contains(out));
        let Some(mut here) = from.map(|(out, _)| sure[out]).min() else { continue };
        let finding = detector.classify_tx(ledger, tx, &mut buffer).unwrap();
        if let Some(finding) = finding.filter(|found| found.do_not_union) {
            here = here.min((100 / finding.participants.upper.max(1)).max(1) as u8);
        }
        for (out, address) in to {
            if !sure.contains_key(&out) && reached(out) {
                let holder = address.and_then(|address| known.0.get(&address));
                sure.insert(out, here.min(holder.map_or(CERTAIN, |holder| holder.confidence)));
            }
        }
    }
    sure
}

proptest! {
    #[test]
    fn exposure_is_a_trace_with_its_sums(world in world(), picks in picks(), pass in any::<bool>()) {
        let ledger = ledger(&world);
        let known = known(&picks, &ledger);
        let coinjoins = if pass { AtCoinJoin::Pass } else { AtCoinJoin::Stop };
        let (query, _) = question(&world, &ledger);
        for subject in query.roots.into_iter().take(2) {
            for side in [Side::Sending, Side::Receiving] {
                for policy in POLICIES {
                    let asked = Question {
                        policy, coinjoins, ..Question::new(subject.clone(), side)
                    };
                    let Ok(found) = exposure(&ledger, &asked, known.clone()) else { continue };
                    let ends: u128 = found.ends.iter().map(|share| share.amount()).sum();
                    let rest: u128 = found.rest.iter().map(|rest| rest.amount).sum();
                    prop_assert_eq!(ends + rest, found.total, "sums are exact");
                    if matches!((&subject, side), (RootSpec::Transaction(_), Side::Sending)) {
                        continue;
                    }
                    let direction = side.direction();
                    let query = Query {
                        policy, direction, keep_roots_apart: false,
                        ..Query::new(vec![subject.clone()])
                    };
                    let mut rules =
                        Ends::new(&ledger, known.clone(), direction, coinjoins, "party");
                    let traced = trace(&ledger, &query, &mut rules).unwrap();
                    let (ends, rest) = booked(&traced, rules.met());
                    let shares: BTreeMap<EndsAt, u128> =
                        found.ends.iter().map(|share| (share.at, share.amount())).collect();
                    prop_assert_eq!(shares, ends);
                    let others: BTreeMap<StopReason, u128> =
                        found.rest.iter().map(|rest| (rest.reason, rest.amount)).collect();
                    prop_assert_eq!(others, rest);
                    // Nothing goes past a party: no leaf or node beyond one is reached from it.
                    for leaf in &traced.leaves {
                        let at_party = leaf.address.is_some_and(|at| known.0.contains_key(&at));
                        let root = traced.roots.iter().any(|root| root.out == leaf.out);
                        let named = matches!(leaf.reason, StopReason::Named(_));
                        prop_assert!(!at_party || root || named);
                    }
                }
            }
        }
    }

    /// Whom nobody knows gets nothing: without parties it is the plain trace.
    #[test]
    fn without_names_it_is_the_plain_trace(world in world()) {
        let ledger = ledger(&world);
        let (query, _) = question(&world, &ledger);
        for direction in [Direction::Forward, Direction::Backward] {
            let query = Query { direction, ..query.clone() };
            let mut rules =
                Ends::new(&ledger, Known::default(), direction, AtCoinJoin::Pass, "party");
            let one = trace(&ledger, &query, &mut rules).unwrap();
            let two = trace(&ledger, &query, &mut NoStops).unwrap();
            prop_assert_eq!(one.summary, two.summary);
            prop_assert_eq!(one.flows, two.flows);
        }
    }

    /// The weakest link, kept on the way, is the one that is found when everything is looked at.
    #[test]
    fn path_confidence_is_the_weakest_link(world in world(), picks in picks()) {
        let ledger = ledger(&world);
        let known = known(&picks, &ledger);
        let (query, _) = question(&world, &ledger);
        for direction in [Direction::Forward, Direction::Backward] {
            let query = Query { direction, fees: Default::default(), ..query.clone() };
            let mut rules =
                Ends::new(&ledger, known.clone(), direction, AtCoinJoin::Pass, "party");
            let traced = trace(&ledger, &query, &mut rules).unwrap();
            let sure = confidences(&ledger, &traced, &known, direction);
            for leaf in &traced.leaves {
                prop_assert_eq!(Some(&leaf.confidence), sure.get(&leaf.out), "{:?}", leaf);
            }
        }
    }

    /// What is so many hops from a root forward, has the root as many hops behind it.
    #[test]
    fn the_way_back_is_as_long(world in world()) {
        let ledger = ledger(&world);
        let (query, _) = question(&world, &ledger);
        let Some(subject) = query.roots.first().cloned() else { return Ok(()) };
        let forward = Query { policy: Policy::Poison, ..Query::new(vec![subject]) };
        let there = trace(&ledger, &forward, &mut NoStops).unwrap();
        for node in there.nodes.iter().filter(|node| node.root.is_none()).take(4) {
            let root = RootSpec::Output(node.outpoint);
            let direction = Direction::Backward;
            let back = Query { policy: Policy::Poison, direction, ..Query::new(vec![root]) };
            let back = trace(&ledger, &back, &mut NoStops).unwrap();
            let hops = there.roots.iter().filter_map(|root| back.node(root.out)).map(|n| n.hops);
            prop_assert_eq!(hops.min(), Some(node.hops));
        }
    }
}
