//! Heuristics as one-liners: a small chain in which `t` is the transaction in question.

use std::collections::BTreeSet;

use chain::{MemoryLedger, Network};
use proptest::prelude::*;

use super::*;

fn ledger(text: &str) -> (testkit::Chain, MemoryLedger) {
    let chain = testkit::Chain::parse(text).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    (chain, ledger)
}

/// Coins to spend, `t`, and whatever comes after it. `expected`: `HEURISTIC:VOUT,…` of all
/// opinions, then `=> VERDICT`.
#[track_caller]
fn check(t: &str, later: &str, expected: &str) {
    let (chain, ledger) = ledger(&format!(
        "block
         tx a: coinbase -> A:10 B:10 p2tr/C:10 A:2.5
         block
         tx t: {t}
         {later}"
    ));
    let tx = ledger.find_tx(&chain.txid("t").unwrap()).unwrap().unwrap();
    let verdict = Judge::default().verdict(&ledger, tx).unwrap();
    let shown = verdict.map_or("nothing to ask".to_owned(), |verdict| {
        let mut words: Vec<String> = verdict
            .opinions
            .iter()
            .map(|opinion| {
                let places: Vec<String> = opinion.change.iter().map(u32::to_string).collect();
                assert!(!opinion.why.is_empty());
                format!("{}:{}", opinion.heuristic, places.join(","))
            })
            .collect();
        words.push("=>".to_owned());
        words.push(match (verdict.change, verdict.cleared) {
            (Some((vout, strength)), None) => format!("{vout} {}", strength.name()),
            (None, Some(Cleared::CoinJoin(protocol))) => protocol.name().to_owned(),
            (None, Some(Cleared::Contradiction)) => "contradiction".to_owned(),
            (None, None) => "-".to_owned(),
            (Some(_), Some(_)) => panic!("a verdict that was cleared"),
        });
        words.join(" ")
    });
    assert_eq!(shown, expected);
}

#[test]
fn the_transaction_alone() {
    check("a:0 -> A:9.1234 D:0.8765", "", "address_reuse:0 client_behaviour:1 => 0 same_address");
    check("a:0 -> D:9.12345678 p2pkh/E:0.87654321", "", "address_type:0 one_time:0 => 0 weak");
    check("a:0 a:3 -> D:11.1234 E:1.37651234", "", "optimal_change:1 one_time:1 => 1 weak");
    check("a:0 -> D:9 E:0.98765432", "", "power_of_ten:1 one_time:1 => 1 weak");
    check(
        "a:0 -> D:9 A:0.98765432",
        "",
        "address_reuse:1 power_of_ten:1 client_behaviour:0 => 1 same_address",
    );
    check(
        "a:0 -> C:9.1234 E:0.87651234",
        "",
        "address_type:1 client_behaviour:1 one_time:1 => 1 strong",
    );
    check(
        "a:0 -> p2pkh/D:9 E:0.98765432",
        "",
        "address_type:1 power_of_ten:1 one_time:1 => 1 strong",
    );
    check("a:0 -> D:9.1 p2pkh/E:0.89", "", "address_type:0 => 0 weak");
    check("a:0 -> p2pkh/D:9.1234567 E:0.87", "", "address_type:1 power_of_ten:0 => contradiction");
    // Nothing tells them apart; nothing to ask.
    check("a:0 -> D:9.12345 E:0.87654", "", "=> -");
    check("a:0 -> D:9.9", "", "nothing to ask");
    check("a:0 -> D:9.9 data:\"memo\"", "", "nothing to ask");
    check("a:0 a:2 -> D:19.12345 E:0.8765", "", "optimal_change:1 => 1 weak");
}

#[test]
fn what_happens_later() {
    let t = "a:0 -> D:6.12345678 E:3.8 | locktime=1 sequence=0xfffffffe";
    let later = "block
         tx u: t:0 -> F:6 | locktime=2 sequence=0xfffffffe
         tx v: t:1 -> G:3 | version=1";
    check(t, later, "power_of_ten:0 one_time:0 locktime:0 fingerprint:0 => 0 strong");
    let t = "a:0 -> D:6.12345 E:3.87654";
    check(
        t,
        "block
         tx u: t:0 -> F:5 G:1.12344
         tx v: t:1 -> G:3.87653",
        "peeling:0 => 0 weak",
    );
    check(
        t,
        "block
         tx u: t:0 -> F:6
         tx v: t:1 a:1 -> G:13.87653",
        "fixed_fee:1 => 1 weak",
    );
    // A spender that differs, and one that is not known to agree.
    check(t, "block\ntx u: t:0 -> F:6 | locktime=2 sequence=0", "=> -");
}

#[test]
fn coinjoins_clear_the_verdict() {
    check("a:0 a:1 a:2 -> D:2 E:2 F:2 G:7.9 H:7.8 I:8.1", "", "=> joinmarket");
}

#[test]
fn names_lead_back() {
    let names: BTreeSet<_> = Heuristic::ALL.map(Heuristic::name).into();
    assert_eq!(names.len(), Heuristic::ALL.len());
    for heuristic in Heuristic::ALL {
        assert_eq!(heuristic.name().parse(), Ok(heuristic));
    }
    assert_eq!("direct_change".parse(), Ok(Heuristic::AddressReuse));
    assert!("shadow".parse::<Heuristic>().is_err());
}

#[test]
fn a_heuristic_that_is_off_has_no_opinion() {
    let (chain, ledger) = ledger(
        "block
         tx a: coinbase -> A:10
         block
         tx t: a:0 -> p2pkh/D:9 E:0.98765432",
    );
    let tx = ledger.find_tx(&chain.txid("t").unwrap()).unwrap().unwrap();
    let options = Options { heuristics: vec![Heuristic::PowerOfTen], ..Options::default() };
    let verdict = Judge::new(options).verdict(&ledger, tx).unwrap().unwrap();
    assert_eq!(verdict.opinions.len(), 1);
    assert_eq!(verdict.change, Some((1, Strength::Weak)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
    /// Turning the outputs round turns the places round, and nothing else.
    #[test]
    fn places_follow_the_outputs(
        outputs in prop::collection::vec((0_usize..6, 1_u64..400_000_000), 2..6),
        inputs in 1_usize..4,
    ) {
        let names = ["A", "C", "D", "E", "p2pkh/F", "G"];
        let spend: Vec<String> = (0..inputs).map(|place| format!("a:{place}")).collect();
        let verdict = |outputs: &[(usize, u64)]| {
            let paid: Vec<String> =
                outputs.iter().map(|(name, value)| format!("{}:{value}sat", names[*name])).collect();
            let (chain, ledger) = ledger(&format!(
                "block
                 tx a: coinbase -> A:20 B:20 p2tr/C:10
                 block
                 tx t: {} -> {}",
                spend.join(" "),
                paid.join(" "),
            ));
            let tx = ledger.find_tx(&chain.txid("t").unwrap()).unwrap().unwrap();
            Judge::default().verdict(&ledger, tx).unwrap().unwrap()
        };
        let last = outputs.len() as u32 - 1;
        let turned: Vec<_> = outputs.iter().rev().copied().collect();
        let (one, other) = (verdict(&outputs), verdict(&turned));
        prop_assert_eq!(one.change, other.change.map(|(vout, strength)| (last - vout, strength)));
        prop_assert_eq!(one.cleared, other.cleared);
        let places = |verdict: &Verdict, turn: bool| -> Vec<(Heuristic, BTreeSet<u32>)> {
            let place = |vout: &u32| if turn { last - vout } else { *vout };
            let one = |opinion: &Opinion| {
                (opinion.heuristic, opinion.change.iter().map(place).collect())
            };
            verdict.opinions.iter().map(one).collect()
        };
        prop_assert_eq!(places(&one, false), places(&other, true));
    }
}
