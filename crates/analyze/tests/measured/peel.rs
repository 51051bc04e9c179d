//! Peel chains: hops and payments against the truth of a generated chain, and what the follow rule
//! says about ordinary payments.

use std::collections::{BTreeMap, BTreeSet};

use analyze::{
    change::Heuristic,
    peel::{Evidence, Options, Peeling, Stop, follow},
    trace::NoStops,
};
use chain::{Ledger, MemoryLedger, OutNum, OutPoint, TxNum};
use testkit::generate::{Class, SideFiles};

use crate::{generated, sets, tables::percent};

struct World {
    ledger: MemoryLedger,
    truth: SideFiles,
}

impl World {
    fn class(&self, tx: TxNum) -> Option<Class> {
        self.truth.class(tx.0 as usize)
    }

    fn change(&self, tx: TxNum) -> Option<u32> {
        self.truth.change(tx.0 as usize).map(u32::from)
    }

    /// The transactions of a class, with the first output that each spends.
    fn spends(&self, wanted: impl Fn(Class) -> bool) -> Vec<(TxNum, OutNum)> {
        let mut inputs = Vec::new();
        let mut found = Vec::new();
        for tx in (0..self.ledger.tx_count()).map(TxNum) {
            if self.class(tx).is_some_and(&wanted) {
                self.ledger.inputs(tx, &mut inputs).unwrap();
                found.extend(inputs.first().map(|input| (tx, input.source)));
            }
        }
        found
    }

    fn follow(&self, from: OutNum, options: &Options) -> Peeling {
        let maker = self.ledger.tx_of(from).unwrap();
        let vout = self.ledger.output(from).unwrap().vout;
        let start = OutPoint::new(self.ledger.txid(maker).unwrap(), vout);
        let peeling = follow(&self.ledger, start, options, &mut NoStops).unwrap();
        let sums = peeling.totals;
        let out = sums.paid + sums.fees + sums.burned + sums.left;
        assert_eq!(sums.start + sums.added, out, "every satoshi is somewhere");
        peeling
    }
}

/// Hops and payments of all chains against the truth.
#[derive(Debug, Default)]
struct Score {
    chains: usize,
    /// Hops that go on with the rest, with the payment, with both.
    right: usize,
    wrong: usize,
    ambiguous: usize,
    /// Hops in transactions that are no part of a peel chain.
    beyond: usize,
    /// Peels that are recorded, that are not, and payments that are recorded and are none.
    found: usize,
    missed: usize,
    false_payments: usize,
    /// Chains that were followed to where the thief left the rest, in one branch.
    whole: usize,
    stops: BTreeMap<&'static str, usize>,
}

impl Score {
    fn of(world: &World, options: &Options) -> Self {
        let mut score = Self::default();
        let peels = world.spends(|class| class == Class::Peel);
        let chained: BTreeSet<TxNum> = peels.iter().map(|(tx, _)| *tx).collect();
        let mut recorded = BTreeSet::new();
        for (_, source) in &peels {
            if chained.contains(&world.ledger.tx_of(*source).unwrap()) {
                continue;
            }
            score.chains += 1;
            score.add(world, &world.follow(*source, options), &mut recorded);
        }
        for (tx, _) in &peels {
            let mut outputs = Vec::new();
            world.ledger.outputs(*tx, &mut outputs).unwrap();
            let paid = outputs.iter().filter(|out| Some(out.vout) != world.change(*tx));
            for output in paid {
                if recorded.contains(&output.num) { score.found += 1 } else { score.missed += 1 }
            }
        }
        score
    }

    fn add(&mut self, world: &World, peeling: &Peeling, recorded: &mut BTreeSet<OutNum>) {
        for hop in peeling.branches.iter().flat_map(|branch| &branch.hops) {
            match (world.class(hop.tx), &hop.next[..]) {
                (Some(Class::Peel), [next]) => {
                    let right = world.change(hop.tx) == Some(next.outpoint.vout);
                    if right {
                        self.right += 1
                    } else {
                        self.wrong += 1
                    }
                    let paid = hop.payments.iter().map(|payment| payment.out);
                    if right { recorded.extend(paid) } else { self.false_payments += 1 }
                }
                (Some(Class::Peel), _) => self.ambiguous += 1,
                _ => {
                    self.beyond += 1;
                    self.false_payments += hop.payments.len();
                }
            }
        }
        for branch in &peeling.branches {
            *self.stops.entry(branch.stop.name()).or_default() += 1;
        }
        if let [only] = &peeling.branches[..] {
            let last = only.hops.last().is_some_and(|hop| world.class(hop.tx) == Some(Class::Peel));
            self.whole += usize::from(last && only.stop == Stop::Unspent);
        }
    }

    fn row(&self, name: &str) {
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} of {} |",
            self.right,
            self.wrong,
            percent(self.right, self.right + self.wrong),
            self.ambiguous,
            self.beyond,
            percent(self.found, self.found + self.missed),
            percent(self.found, self.found + self.false_payments),
            self.whole,
            self.chains,
        );
    }
}

fn options(signs: usize, max_ambiguous: u32) -> Options {
    Options { signs, max_ambiguous, ..Options::default() }
}

#[test]
fn peel_chains_of_a_generated_chain() {
    let (ledger, truth) = generated::chain("peel", 60_000);
    let world = World { ledger, truth };
    println!(
        "| rule | right | wrong | precision | ambiguous | beyond the chain | peels found | recorded \
         payments that are peels | chains whole |"
    );
    for (signs, ambiguous) in [(1, 0), (2, 0), (3, 0), (2, 1), (2, 2), (2, 4)] {
        let score = Score::of(&world, &options(signs, ambiguous));
        score.row(&format!("{signs} signs, {ambiguous} ambiguous hops"));
        println!("{:?}", score.stops);
        if (signs, ambiguous) == (2, 2) {
            assert!(score.right > 300, "{score:?}");
            assert!(score.wrong * 100 <= score.right, "{score:?}");
        }
    }
    let blind = Options { larger: None, ..options(2, 2) };
    Score::of(&world, &blind).row("2 signs without size, 2 ambiguous hops");
    evidence(&world);
    ordinary(&world);
}

/// Payments of real blocks with one input and two outputs, one of them back to the address that
/// paid. Whether addresses are the same or were seen before is left out.
#[test]
fn payments_back_to_the_sender_of_real_blocks() {
    let Some(data) = testkit::data_dir() else { return };
    let silent = [Heuristic::AddressReuse, Heuristic::ClientBehaviour, Heuristic::OneTime];
    let heuristics: Vec<_> =
        Heuristic::ALL.into_iter().filter(|one| !silent.contains(one)).collect();
    println!("| signs | change | payment | precision | undecided |");
    for signs in 1..=3 {
        let mut options = Options { max_hops: 1, ..options(signs, 0) };
        options.change.heuristics = heuristics.clone();
        let (mut right, mut wrong, mut undecided) = (0, 0, 0);
        for (_, txs) in sets::blocks(&data) {
            let ledger = sets::sparse(&txs);
            for tx in &txs {
                let ([input], [_, _]) = (&tx.inputs[..], &tx.outputs[..]) else { continue };
                let own = |vout: usize| tx.outputs[vout].script == input.script;
                let change = match (own(0), own(1)) {
                    (true, false) => 0,
                    (false, true) => 1,
                    _ => continue,
                };
                let number = ledger.find_tx(&tx.txid).unwrap().unwrap();
                let mut inputs = Vec::new();
                ledger.inputs(number, &mut inputs).unwrap();
                let source = inputs[0].source;
                let maker = ledger.txid(ledger.tx_of(source).unwrap()).unwrap();
                let start = OutPoint::new(maker, ledger.output(source).unwrap().vout);
                let peeling = follow(&ledger, start, &options, &mut NoStops).unwrap();
                let first = &peeling.branches[0];
                match first.hops.first() {
                    Some(hop) if hop.next[0].outpoint.vout == change => right += 1,
                    Some(_) => wrong += 1,
                    None => undecided += usize::from(first.stop == Stop::Ambiguous),
                }
            }
        }
        println!(
            "| {signs} | {right} | {wrong} | {} | {} |",
            percent(right, right + wrong),
            percent(undecided, right + wrong + undecided)
        );
        assert!(right + wrong + undecided > 200);
    }
}

/// Each kind of evidence by itself, in peels: votes for the rest and for the payment.
fn evidence(world: &World) {
    let mut votes: BTreeMap<Evidence, [usize; 2]> = BTreeMap::new();
    let peels = world.spends(|class| class == Class::Peel);
    for (tx, source) in &peels {
        let peeling = world.follow(*source, &Options { max_hops: 1, ..options(1, 1) });
        let Some(hop) = peeling.branches[0].hops.first() else { continue };
        let mut seen = BTreeSet::new();
        for sign in &hop.signs {
            if seen.insert((sign.evidence, sign.vout)) {
                let wrong = world.change(*tx) != Some(sign.vout);
                votes.entry(sign.evidence).or_default()[usize::from(wrong)] += 1;
            }
        }
    }
    println!("{} peels", peels.len());
    println!("| evidence | for the rest | for the payment | precision |");
    for (evidence, [right, wrong]) in votes {
        println!("| {} | {right} | {wrong} | {} |", evidence.name(), percent(right, right + wrong));
    }
}

/// Transactions of one input and two outputs that are no peels: what is taken for the rest.
fn ordinary(world: &World) {
    println!("| signs | change | payment | precision | undecided |");
    for signs in 1..=3 {
        let (mut right, mut wrong, mut undecided) = (0, 0, 0);
        for (tx, source) in world.spends(|class| class != Class::Peel) {
            let Some(change) = world.change(tx) else { continue };
            let peeling = world.follow(source, &Options { max_hops: 1, ..options(signs, 0) });
            let first = &peeling.branches[0];
            match (first.hops.first(), first.stop) {
                (Some(hop), _) if hop.next[0].outpoint.vout == change => right += 1,
                (Some(_), _) => wrong += 1,
                (None, Stop::Ambiguous) => undecided += 1,
                (None, _) => {}
            }
        }
        println!(
            "| {signs} | {right} | {wrong} | {} | {} |",
            percent(right, right + wrong),
            percent(undecided, right + wrong + undecided)
        );
        if signs == 2 {
            assert!(wrong * 20 <= right, "{right} right, {wrong} wrong");
        }
    }
}
