//! Change heuristics: right and wrong on a generated chain, and on real blocks against payments
//! back to the sender's own address.

use std::collections::BTreeMap;

use analyze::change::{Cleared, Heuristic, Judge, Strength, Verdict};
use chain::{Ledger, TxNum};

use crate::{generated, sets, tables::percent};

/// Opinions and verdicts against the truth.
#[derive(Default)]
struct Tally {
    asked: usize,
    /// By heuristic: named the change alone, named another output alone, left several of them
    /// with the change, left several without it.
    opinions: BTreeMap<Heuristic, [usize; 4]>,
    /// By strength: right and wrong.
    verdicts: BTreeMap<Strength, [usize; 2]>,
    contradictions: usize,
    cleared: usize,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict, change: u32) {
        self.asked += 1;
        for opinion in &verdict.opinions {
            let column = match (opinion.change.as_slice(), opinion.change.contains(&change)) {
                ([_], true) => 0,
                ([_], false) => 1,
                (_, true) => 2,
                (_, false) => 3,
            };
            self.opinions.entry(opinion.heuristic).or_default()[column] += 1;
        }
        match (verdict.change, verdict.cleared) {
            (Some((vout, strength)), _) => {
                self.verdicts.entry(strength).or_default()[usize::from(vout != change)] += 1;
            }
            (None, Some(Cleared::Contradiction)) => self.contradictions += 1,
            (None, Some(Cleared::CoinJoin(_))) => self.cleared += 1,
            (None, None) => {}
        }
    }

    fn print(&self, title: &str) {
        println!("{title}: {} payments with known change", self.asked);
        println!("| heuristic | right | wrong | several, with it | several, without | precision |");
        for (heuristic, [right, wrong, with, without]) in &self.opinions {
            println!(
                "| `{heuristic}` | {right} | {wrong} | {with} | {without} | {} |",
                percent(*right, right + wrong)
            );
        }
        println!("| verdict | right | wrong | precision | share of all |");
        for (strength, [right, wrong]) in &self.verdicts {
            println!(
                "| {} | {right} | {wrong} | {} | {} |",
                strength.name(),
                percent(*right, right + wrong),
                percent(right + wrong, self.asked)
            );
        }
        println!("contradictions {}, CoinJoins {}", self.contradictions, self.cleared);
    }
}

#[test]
fn signs_on_a_generated_chain() {
    let (ledger, truth) = generated::chain("change", 30_000);
    let (mut judge, mut tally) = (Judge::default(), Tally::default());
    let mut without = BTreeMap::<Strength, usize>::new();
    for number in 0..ledger.tx_count() {
        let Some(verdict) = judge.verdict(&ledger, TxNum(number)).unwrap() else { continue };
        match truth.change(number as usize) {
            Some(change) => tally.add(&verdict, u32::from(change)),
            None => {
                if let Some((_, strength)) = verdict.change {
                    *without.entry(strength).or_default() += 1;
                }
            }
        }
    }
    tally.print("generated chain");
    println!("verdicts about transactions without change: {without:?}");
    let [right, wrong] = tally.verdicts[&Strength::Strong];
    assert!(right * 100 >= 97 * (right + wrong), "strong verdicts: {right} right, {wrong} wrong");
}

/// Payments of real blocks with exactly one output back to an address that paid. That output is
/// change; it says nothing about freshness, so heuristics that ask for it are left out.
#[test]
fn signs_on_payments_back_to_the_sender() {
    let Some(data) = testkit::data_dir() else { return };
    let asked = vec![Heuristic::AddressType, Heuristic::OptimalChange, Heuristic::PowerOfTen];
    let options = analyze::change::Options { heuristics: asked, ..Default::default() };
    let (mut judge, mut tally) = (Judge::new(options), Tally::default());
    for (_, txs) in sets::blocks(&data) {
        let ledger = sets::sparse(&txs);
        for tx in &txs {
            let own: Vec<u32> = (0..)
                .zip(&tx.outputs)
                .filter(|(_, out)| tx.inputs.iter().any(|coin| coin.script == out.script))
                .map(|(vout, _)| vout)
                .collect();
            let [change] = own[..] else { continue };
            let number = ledger.find_tx(&tx.txid).unwrap().unwrap();
            if let Some(verdict) = judge.verdict(&ledger, number).unwrap() {
                tally.add(&verdict, change);
            }
        }
    }
    tally.print("real blocks");
    assert!(tally.asked > 500);
}
