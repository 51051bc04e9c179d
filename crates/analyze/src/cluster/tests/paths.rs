//! Proof paths: the shortest, each step true, the same from both ends.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{random::Text, *};

/// `A -b-> B -c-> D`: the steps in words.
#[track_caller]
fn check_why(text: &str, from: &str, to: &str, expected: &str) {
    let (chain, ledger) = parse(text);
    let built = build(&ledger, &CoinJoinsApart, &Options::default()).unwrap();
    let pair = (address(&chain, &ledger, from), address(&chain, &ledger, to));
    let found = match why(&ledger, &CoinJoinsApart, &built, pair, Limits::default()).unwrap() {
        Why::Joined(steps) => {
            let step = |step: &Step| {
                let tx = chain.tx_name(&ledger.txid(step.tx).unwrap()).unwrap();
                format!(" -{tx}-> {}", name(&chain, &ledger, step.to))
            };
            from.to_owned() + &steps.iter().map(step).collect::<String>()
        }
        other => format!("{other:?}"),
    };
    assert_eq!(found, expected);
}

const CHAIN: &str = "
    block
    tx a: coinbase -> A:1 B:1 B:1 C:1 C:1 D:1 A:1 C:1 E:1 F:1
    block
    tx ab: a:0 a:1 -> X:2
    tx bc: a:2 a:3 -> X:2
    tx cd: a:4 a:5 -> X:2
    block
    tx ac: a:6 a:7 -> X:2
    tx ef: a:8 a:9 -> X:2";

#[test]
fn the_shortest_chain_is_shown() {
    check_why(CHAIN, "A", "D", "A -ac-> C -cd-> D");
    check_why(CHAIN, "D", "A", "D -cd-> C -ac-> A");
    check_why(CHAIN, "A", "B", "A -ab-> B");
    check_why(CHAIN, "A", "A", "Same");
    check_why(CHAIN, "A", "E", "Apart");
    check_why(CHAIN, "A", "X", "Apart");
}

#[test]
fn of_several_transactions_the_oldest_is_shown() {
    let text = "
        block
        tx a: coinbase -> A:1 B:1 A:1 B:1 A:1 B:1
        block
        tx one: a:4 a:5 -> X:2
        tx two: a:0 a:1 -> X:2
        tx three: a:2 a:3 -> X:2";
    check_why(text, "A", "B", "A -one-> B");
    check_why(text, "B", "A", "B -one-> A");
}

#[test]
fn a_limit_ends_the_search() {
    let (chain, ledger) = parse(CHAIN);
    let built = build(&ledger, &CoinJoinsApart, &Options::default()).unwrap();
    let pair = (address(&chain, &ledger, "A"), address(&chain, &ledger, "D"));
    let limits = Limits { visits: 3 };
    let found = why(&ledger, &CoinJoinsApart, &built, pair, limits).unwrap();
    assert_eq!(found, Why::GaveUp(3));
}

#[test]
fn a_proof_goes_around_what_was_held_back() {
    let (chain, ledger) = parse(BRIDGE);
    let guard = Guard { large: 3, thin: 2, hold_back: true };
    let built = build(&ledger, &CoinJoinsApart, &on(1, Some(guard))).unwrap();
    let pair = (address(&chain, &ledger, "A"), address(&chain, &ledger, "D"));
    let Why::Joined(steps) =
        why(&ledger, &CoinJoinsApart, &built, pair, Limits::default()).unwrap()
    else {
        panic!("joined by `late`");
    };
    let txs: Vec<_> = steps.iter().map(|step| step.tx).collect();
    assert_eq!(txs, ["b", "late", "c"].map(|name| tx(&chain, &ledger, name)));
}

/// Distances from an address, transaction by transaction, until nothing changes.
fn distances(ledger: &MemoryLedger, from: AddressNum) -> BTreeMap<AddressNum, usize> {
    let mut found = BTreeMap::from([(from, 0)]);
    for distance in 1.. {
        let before = found.clone();
        for tx in 0..ledger.tx_count() {
            let mut inputs = Vec::new();
            ledger.inputs(TxNum(tx), &mut inputs).unwrap();
            let pay: Vec<_> = inputs.iter().filter_map(|input| input.address).collect();
            if pay.iter().any(|address| before.get(address) == Some(&(distance - 1))) {
                pay.iter().for_each(|address| {
                    found.entry(*address).or_insert(distance);
                });
            }
        }
        if found.len() == before.len() {
            break;
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(32)))]

    #[test]
    fn paths_are_shortest_true_and_symmetric(blocks in random::blocks(9)) {
        let mut text = Text::default();
        blocks.iter().for_each(|txs| text.block("", txs));
        let (_, ledger) = parse(&text.text);
        let built = build(&ledger, &AllInputs, &on(1, None)).unwrap();
        let ask = |from, to| why(&ledger, &AllInputs, &built, (from, to), Limits::default()).unwrap();
        for from in (0..built.addresses()).map(AddressNum) {
            let near = distances(&ledger, from);
            for to in (0..built.addresses()).map(AddressNum).filter(|to| *to != from) {
                let Why::Joined(steps) = ask(from, to) else {
                    prop_assert!(!near.contains_key(&to));
                    continue;
                };
                prop_assert_eq!(steps.len(), near[&to]);
                prop_assert_eq!((steps[0].from, steps[steps.len() - 1].to), (from, to));
                prop_assert!(steps.windows(2).all(|pair| pair[0].to == pair[1].from));
                for step in &steps {
                    let mut inputs = Vec::new();
                    ledger.inputs(step.tx, &mut inputs).unwrap();
                    for end in [step.from, step.to] {
                        prop_assert!(inputs.iter().any(|input| input.address == Some(end)));
                    }
                }
                let turned = |step: &Step| Step { from: step.to, to: step.from, ..*step };
                let back: Vec<_> = steps.iter().rev().map(turned).collect();
                prop_assert_eq!(ask(to, from), Why::Joined(back));
            }
        }
    }
}
