//! Small chains whose peels are known, and random ones whose sums must hold.

use chain::{AddressNum, Input, Ledger, MemoryLedger, Network, OutPoint, Output, Sats, TxNum};
use testkit::Chain;

use super::*;
use crate::trace::NoStops;

/// `NAME:VOUT`, and options as words: `signs=N`, `ambiguous=N`, `hops=N`, `min=SATS`, `budget=N`.
/// The answer has a line for each branch: its start, `>` and the outputs that were followed, `=`
/// and the reason, and `+` before each payment.
#[track_caller]
fn check(text: &str, question: &str, expected: &[&str]) {
    assert_eq!(ask(text, question, &mut NoStops), expected, "{question}");
}

fn ask(text: &str, question: &str, stops: &mut impl StopAt) -> Vec<String> {
    let (chain, ledger) = ledger(text);
    let mut options = Options::default();
    let mut words = question.split_whitespace();
    let (tx, vout) = words.next().unwrap().split_once(':').unwrap();
    let start = OutPoint::new(chain.txid(tx).unwrap(), vout.parse().unwrap());
    for word in words {
        let (name, number) = word.split_once('=').unwrap();
        match name {
            "signs" => options.signs = number.parse().unwrap(),
            "ambiguous" => options.max_ambiguous = number.parse().unwrap(),
            "hops" => options.max_hops = number.parse().unwrap(),
            "min" => options.min_value = Sats(number.parse().unwrap()),
            "budget" => options.max_transactions = number.parse().unwrap(),
            other => panic!("{other}"),
        }
    }
    let peeling = follow(&ledger, start, &options, stops).unwrap();
    assert_sums(&peeling);
    let name = |coin: &Coin| chain.outpoint_name(&coin.outpoint);
    let line = |branch: &Branch| {
        let mut line = name(&branch.start);
        for hop in &branch.hops {
            for payment in &hop.payments {
                line += &format!(" +{}", name(payment));
            }
            for next in &hop.next {
                line += &format!(" >{}", name(next));
            }
        }
        line + " =" + peeling.stop_name(branch.stop)
    };
    peeling.branches.iter().map(line).collect()
}

fn ledger(text: &str) -> (Chain, MemoryLedger) {
    let chain = Chain::parse(text).unwrap();
    let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
    (chain, ledger)
}

#[track_caller]
fn assert_sums(peeling: &Peeling) {
    let Totals { start, added, paid, fees, burned, left } = peeling.totals;
    assert_eq!(start + added, paid + fees + burned + left);
    let payments: u128 = peeling.payments().map(|(_, coin)| u128::from(coin.value.0)).sum();
    assert_eq!(payments, paid);
}

/// Three peels: the rest is large and of the inputs' kind, the payments are not.
const PEELS: &str = "
    block
    tx theft: coinbase -> t0:50
    block
    tx p1: theft:0 -> p2pkh/A:2 t1:47.9
    block
    tx p2: p1:1 -> t2:45.7 p2sh/B:2.1
    block
    tx p3: p2:0 -> p2pkh/C:3 t3:42.6
";

#[test]
fn a_chain_is_followed_to_its_end() {
    let line = "theft:0 +p1:0 >p1:1 +p2:1 >p2:0 +p3:0 >p3:1 =unspent";
    check(PEELS, "theft:0", &[line]);
    check(PEELS, "p2:0", &["p2:0 +p3:0 >p3:1 =unspent"]);
    check(PEELS, "p3:0", &["p3:0 =unspent"]);
}

#[test]
fn limits() {
    check(PEELS, "theft:0 hops=1", &["theft:0 +p1:0 >p1:1 =hops"]);
    check(PEELS, "theft:0 hops=0", &["theft:0 =hops"]);
    check(PEELS, "theft:0 budget=2", &["theft:0 +p1:0 >p1:1 +p2:1 >p2:0 =budget"]);
    check(PEELS, "theft:0 min=4600000000", &["theft:0 +p1:0 >p1:1 +p2:1 >p2:0 =value"]);
}

#[test]
fn each_end_has_its_reason() {
    let end = |last: &str| format!("{PEELS}\n    block\n    tx last: {last}\n");
    let followed = "theft:0 +p1:0 >p1:1 +p2:1 >p2:0 +p3:0 >p3:1";
    let check = |last: &str, reason: &str| {
        check(&end(last), "theft:0", &[&format!("{followed} ={reason}")])
    };
    check("p3:1 -> D:42", "sweep");
    check("p3:1 -> D:10 E:10 F:22", "fan_out");
}

/// No kind, no size, no roundness: nothing tells the two apart.
const FORK: &str = "
    block
    tx theft: coinbase -> t0:50
    block
    tx fork: theft:0 -> x:25.1 y:24.8
    block
    tx a: fork:0 -> p2pkh/A:2 a1:23
    tx b: fork:1 -> p2pkh/B:3 b1:21.5
";

#[test]
fn without_signs_both_are_followed() {
    check(
        FORK,
        "theft:0",
        &[
            "theft:0 >fork:0 >fork:1 =branched",
            "fork:0 +a:0 >a:1 =unspent",
            "fork:1 +b:0 >b:1 =unspent",
        ],
    );
    check(FORK, "theft:0 ambiguous=0", &["theft:0 =ambiguous"]);
    // Kind and size: two signs, and not three.
    check(FORK, "fork:0 ambiguous=0 signs=3", &["fork:0 =ambiguous"]);
    let (chain, ledger) = ledger(FORK);
    let options = Options { max_ambiguous: 0, signs: 3, ..Options::default() };
    let start = OutPoint::new(chain.txid("fork").unwrap(), 0);
    let peeling = follow(&ledger, start, &options, &mut NoStops).unwrap();
    let evidence: Vec<_> =
        peeling.branches[0].signs.iter().map(|sign| sign.evidence.name()).collect();
    assert_eq!(evidence, ["script", "size"]);
    assert_eq!(peeling.branches[0].before, chain.txid("a"));
}

/// The larger output is of another kind than the input, the smaller of the same.
#[test]
fn contradicting_signs_decide_nothing() {
    check(
        "block
         tx theft: coinbase -> t0:50
         block
         tx odd: theft:0 -> p2pkh/A:40 t1:9.9",
        "theft:0 signs=1 ambiguous=0",
        &["theft:0 =ambiguous"],
    );
}

#[test]
fn branches_that_meet_are_followed_once() {
    check(
        "block
         tx theft: coinbase -> t0:50
         block
         tx fork: theft:0 -> x:25.1 y:24.8
         block
         tx join: fork:0 fork:1 -> p2pkh/A:2 t1:47",
        "theft:0",
        &[
            "theft:0 >fork:0 >fork:1 =branched", // Two inputs: as a payment the smaller output would have needed only one.
            "fork:0 >join:0 >join:1 =branched",
            "fork:1 =joined",
            "join:0 =unspent",
            "join:1 =unspent",
        ],
    );
}

#[test]
fn other_peoples_coins_end_a_chain() {
    let with = |second: &str| {
        format!(
            "block
             tx theft: coinbase -> t0:50
             block
             tx other: coinbase -> {second}:50
             block
             tx p1: theft:0 other:0 -> p2pkh/A:2 t1:97"
        )
    };
    check(&with("stranger"), "theft:0", &["theft:0 =consolidation"]);
    // The same address once more is the sender's own.
    let line = "theft:0 >p1:0 >p1:1 =branched";
    check(&with("t0"), "theft:0", &[line, "p1:0 =unspent", "p1:1 =unspent"]);
}

#[test]
fn data_carriers_are_no_outputs_to_choose_from() {
    check(
        "block
         tx theft: coinbase -> t0:50
         block
         tx swap: theft:0 -> p2pkh/vault:2 data:\"=:ETH.ETH:0xabc\":7sat t1:47
         block
         tx burn: swap:2 -> data:\"gone\":1sat",
        "theft:0",
        &["theft:0 +swap:0 >swap:2 =op_return"],
    );
}

struct Shop(AddressNum);

impl StopAt for Shop {
    fn output(&mut self, _: TxNum, output: &Output) -> Option<u32> {
        (output.address == Some(self.0)).then_some(0)
    }

    fn transaction(&mut self, _: TxNum, _: &[Input], _: &[Output]) -> Option<u32> {
        None
    }

    fn names(&self) -> Vec<String> {
        vec!["service".to_owned()]
    }
}

#[test]
fn rules_of_the_caller_end_it_but_not_at_the_start() {
    let (chain, ledger) = ledger(PEELS);
    let at = |name: &str| ledger.find_script(chain.script(name).unwrap()).unwrap().unwrap();
    let found = ask(PEELS, "theft:0", &mut Shop(at("t2")));
    assert_eq!(found, ["theft:0 +p1:0 >p1:1 +p2:1 >p2:0 =service"]);
    let found = ask(PEELS, "p2:0", &mut Shop(at("t2")));
    assert_eq!(found, ["p2:0 +p3:0 >p3:1 =unspent"]);
}

#[test]
fn what_cannot_be_followed_is_an_error() {
    let (chain, ledger) = ledger(PEELS);
    let follow = |txid, vout| {
        let start = OutPoint::new(txid, vout);
        follow(&ledger, start, &Options::default(), &mut NoStops).unwrap_err().to_string()
    };
    assert!(follow(chain.txid("p1").unwrap(), 9).contains("no output 9"));
    let nobody = "00000000000000000000000000000000000000000000000000000000000000aa";
    assert!(follow(nobody.parse().unwrap(), 0).contains("is not in the ledger"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Whatever the outputs are spent for, every satoshi is somewhere and the walk ends.
    #[test]
    fn random_chains_lose_nothing(
        steps in proptest::collection::vec((0..4_u8, 1..9_u64, 0..3_u8), 1..25),
    ) {
        let mut text = "block\ntx t0: coinbase -> r:40\n".to_owned();
        let (mut left, mut from) = (4_000_000_000_u64, "t0:0".to_owned());
        for (number, (kind, tenth, place)) in (1..).zip(steps) {
            if left < 100_000 {
                break;
            }
            let part = left / 10 * tenth;
            let rest = left - part - 1_000;
            let payee = ["a", "p2pkh/b", "p2sh/c", "p2tr/d"][usize::from(kind)];
            let (one, two) = (format!("{payee}{number}:{part}sat"), format!("r{number}:{rest}sat"));
            let outputs = if place == 0 { format!("{one} {two}") } else { format!("{two} {one}") };
            text += &format!("block\ntx t{number}: {from} -> {outputs}\n");
            let rest_at = usize::from(place == 0);
            (left, from) = match place {
                2 => (part, format!("t{number}:1")),
                _ => (rest, format!("t{number}:{rest_at}")),
            };
        }
        for ambiguous in 0..4 {
            // `ask` checks the sums.
            let lines = ask(&text, &format!("t0:0 ambiguous={ambiguous}"), &mut NoStops);
            proptest::prop_assert!(lines.iter().all(|line| line.contains('=')));
        }
    }
}
