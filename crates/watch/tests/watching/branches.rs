//! Random trees of blocks, seen in random order.

use std::collections::{BTreeMap, BTreeSet};

use analyze::trace::{Fees, Policy};
use chain::{Ledger, Network};
use proptest::prelude::*;
use serde_json::Value;
use watch::{Bare, Engine, NewWatch, Question, State};

use crate::chains::{Home, step};

/// Where a number comes from: those that proptest drew, over and over.
struct Draws<'a> {
    numbers: &'a [u32],
    at: usize,
}

impl Draws<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.at += 1;
        let step = (self.at as u32).wrapping_mul(2_654_435_761);
        let number = self.numbers[self.at % self.numbers.len()].wrapping_add(step);
        (number >> 8) as usize % end
    }
}

/// Name, inputs, values of outputs: a transaction may be mined again on another branch.
type Made = (String, Vec<(String, u32)>, Vec<u64>);
type Coins = BTreeMap<(String, u32), u64>;

/// A tree of blocks in the test language, and the names of its blocks.
fn tree(draws: &mut Draws<'_>, blocks: usize) -> (String, Vec<String>) {
    let mut text = "block root\ntx theft: coinbase -> A:10 B:20 C:20\n".to_owned();
    let coins: Coins = [(0, 10u64), (1, 20), (2, 20)]
        .map(|(n, btc)| (("theft".to_owned(), n), btc * 100_000_000))
        .into();
    let mut states = vec![("root".to_owned(), coins, BTreeSet::new())];
    let mut pool: Vec<Made> = Vec::new();
    for block in 0..blocks {
        // Mostly on one of the newest.
        let parent = states.len() - 1 - draws.below(states.len().min(4));
        let (parent, mut coins, mut mined) = states[parent].clone();
        let name = format!("k{block}");
        text += &format!("block {name} on {parent}\n");
        for _ in 0..draws.below(4) {
            let again = pool.iter().find(|(tx, inputs, _)| {
                !mined.contains(tx) && inputs.iter().all(|input| coins.contains_key(input))
            });
            if let Some((tx, inputs, values)) = again.filter(|_| draws.below(2) == 0).cloned() {
                text += &format!("tx {tx}\n");
                for input in &inputs {
                    coins.remove(input);
                }
                for (n, value) in (0..).zip(values) {
                    coins.insert((tx.clone(), n), value);
                }
                mined.insert(tx);
                continue;
            }
            let mut inputs = Vec::new();
            for _ in 0..=draws.below(3) {
                if coins.is_empty() {
                    break;
                }
                let key = coins.keys().nth(draws.below(coins.len())).unwrap().clone();
                let value = coins.remove(&key).unwrap();
                inputs.push((key, value));
            }
            let total: u64 = inputs.iter().map(|(_, value)| value).sum();
            if total < 10_000 {
                for (key, value) in inputs {
                    coins.insert(key, value);
                }
                continue;
            }
            let fee = draws.below(1000) as u64;
            let first = (total - fee) * (1 + draws.below(9) as u64) / 10;
            let mut values = vec![first, total - fee - first];
            if draws.below(3) == 0 {
                values = vec![total - fee];
            }
            let tx = format!("t{}", pool.len());
            let from: Vec<_> = inputs.iter().map(|((tx, n), _)| format!("{tx}:{n}")).collect();
            let to: Vec<_> = values
                .iter()
                .map(|value| {
                    format!("{}:{value}sat", ["A", "B", "C", "D", "E", "F"][draws.below(6)])
                })
                .collect();
            text += &format!("tx {tx}: {} -> {}\n", from.join(" "), to.join(" "));
            for (n, value) in (0..).zip(&values) {
                coins.insert((tx.clone(), n), *value);
            }
            mined.insert(tx.clone());
            pool.push((tx, inputs.into_iter().map(|(key, _)| key).collect(), values));
        }
        states.push((name, coins, mined));
    }
    (text, states.into_iter().map(|(name, ..)| name).collect())
}

/// What a watch tells that still holds: for each movement its content, without numbers.
fn net(state: &State, watch: i64) -> BTreeSet<String> {
    let mut standing = BTreeMap::new();
    for alert in state.alerts(Some(watch), false, u32::MAX).unwrap() {
        let mut body: Value = serde_json::from_str(&alert.body).unwrap();
        if let Some(earlier) = body["refers_to"].as_str() {
            assert!(standing.remove(earlier).is_some(), "withdrawn twice, or before it was told");
        }
        if alert.kind == "withdrawn" {
            continue;
        }
        for key in ["id", "sequence", "refers_to", "provenance", "watch"] {
            body.as_object_mut().unwrap().remove(key);
        }
        standing.insert(alert.id, body.to_string());
    }
    let told: BTreeSet<String> = standing.values().cloned().collect();
    assert_eq!(told.len(), standing.len(), "told twice");
    told
}

fn questions(home: &Home) -> Vec<Question> {
    let trace = |policy, fees, roots: &[&str]| {
        let mut question = home.trace(roots);
        (question.policy, question.fees) = (policy, fees);
        Question::Trace(question)
    };
    vec![
        trace(Policy::Haircut, Fees::Drop, &["theft:0", "theft:1"]),
        trace(Policy::Fifo, Fees::Follow, &["theft:0"]),
        trace(Policy::Bounds, Fees::Drop, &["theft"]),
        trace(Policy::Poison, Fees::Drop, &["theft:1"]),
        trace(Policy::Lifo, Fees::Drop, &["A"]),
        Question::Addresses(vec![home.script("B"), home.script("C")]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: testkit::cases(12),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn alerts_are_those_of_the_final_chain(
        numbers in prop::collection::vec(any::<u32>(), 64),
        steps in prop::collection::vec((any::<u16>(), 0u8..4), 1..10),
        anchor in any::<u16>(),
    ) {
        let mut draws = Draws { numbers: &numbers, at: 0 };
        let (text, blocks) = tree(&mut draws, 14);
        let mut home = Home::new(&text);
        let questions = questions(&home);
        // Half of the watches are added at some tip, and tell what comes after it.
        let start = home.up_to(&blocks[anchor as usize % blocks.len()]);
        let old = start.tip().unwrap().height;
        for (n, question) in questions.iter().enumerate() {
            home.add(&format!("all{n}"), question, None);
            home.add(&format!("new{n}"), question, Some(old.0));
        }
        let mut tips: Vec<&String> = Vec::new();
        let mut known: Vec<_> = vec![start];
        let state = home.state.clone();
        let mut engine = Engine::new(&state);
        step(&mut engine, &known[0]);
        for (place, restart) in &steps {
            if *restart == 0 {
                home.reopen();
                break;
            }
            let tip = &blocks[*place as usize % blocks.len()];
            tips.push(tip);
            known.push(home.up_to(tip));
            step(&mut engine, known.last().unwrap());
        }
        // The rest after a restart.
        drop(engine);
        let state = home.state.clone();
        let mut engine = Engine::new(&state);
        for (place, _) in &steps {
            known.push(home.up_to(&blocks[*place as usize % blocks.len()]));
            step(&mut engine, known.last().unwrap());
        }
        let last = known.last().unwrap();
        let batch = Home::new(&text);
        for (n, question) in questions.iter().enumerate() {
            batch.add(&format!("all{n}"), question, None);
        }
        let mut once = Engine::new(&batch.state);
        step(&mut once, last);
        // Blocks that were on the chain all the time since the watches were added.
        let mut common = old.0;
        for ledger in &known {
            while !(0..=common).all(|height| {
                let at = |ledger: &dyn Ledger| {
                    ledger.block(chain::Height(height)).unwrap().map(|block| block.hash)
                };
                at(ledger).is_some() && at(ledger) == at(&known[0])
            }) {
                common -= 1;
            }
        }
        for (n, question) in (0..).zip(&questions) {
            let expected = net(&batch.state, n + 1);
            prop_assert_eq!(net(&home.state, 2 * n + 1), expected.clone(), "{:?}\n{}", question, text);
            let after = |body: &&String| {
                let body: Value = serde_json::from_str(body).unwrap();
                body["height"].as_u64().unwrap() > u64::from(common)
            };
            let later: BTreeSet<String> = expected.iter().filter(after).cloned().collect();
            prop_assert_eq!(net(&home.state, 2 * n + 2), later, "{:?}\n{}", question, text);
            let frontier = |state: &State, watch| state.frontier(watch).unwrap();
            prop_assert_eq!(frontier(&home.state, 2 * n + 1), frontier(&batch.state, n + 1));
        }
    }
}

#[test]
fn questions_are_read_as_they_are_written() {
    let home = Home::new("block\ntx theft: coinbase -> A:10 B:20 C:20\n");
    for question in questions(&home) {
        let text = question.to_json(Network::Regtest);
        assert_eq!(Question::from_json(&text, Network::Regtest).unwrap(), question, "{text}");
    }
    let wrong = r#"{"kind":"trace","roots":[]}"#;
    assert!(Question::from_json(wrong, Network::Regtest).is_err());
    let home = Home::new("block\ntx a: coinbase -> A:1\n");
    home.state
        .add(&NewWatch { name: "broken".into(), question: wrong.into(), anchor: None })
        .unwrap();
    let mut engine = Engine::new(&home.state);
    let outcome = engine.step(&home.up_to("b1"), &Bare).unwrap();
    assert_eq!(outcome.troubles.len(), 1);
    assert!(home.state.watch("broken").unwrap().trouble.is_some());
}
