//! Exposure of small chains, worked by hand.

use chain::{Height, Sats};

use super::{Known, ledger};
use crate::{
    exposure::{EndsAt, Question, Side, exposure},
    trace::{Policy, RootSpec},
};

/// `NAME:VOUT`, `NAME` (a transaction) or `@NAME` (an address), `sending` or `receiving`, then
/// `hops=N` `until=H` `policy=P`. A line for each end: `AT direct indirect hops confidence`, then
/// the rest.
#[track_caller]
fn check(text: &str, question: &str, known: &str, expected: &[&str]) {
    let (chain, ledger) = ledger(text);
    let known = Known::parse(&chain, &ledger, known);
    let mut words = question.split_whitespace();
    let subject = words.next().unwrap();
    let subject = match (subject.strip_prefix('@'), subject.split_once(':')) {
        (Some(name), _) => RootSpec::Script(chain.script(name).unwrap().into()),
        (None, Some((tx, vout))) => {
            RootSpec::Output(chain.outpoint(tx, vout.parse().unwrap()).unwrap())
        }
        (None, None) => RootSpec::Transaction(chain.txid(subject).unwrap()),
    };
    let mut question = Question::new(subject, Side::Sending);
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("sending", _) => {}
            ("receiving", _) => question.side = Side::Receiving,
            ("hops", n) => question.stops.max_hops = n.parse().ok(),
            ("until", n) => question.stops.until_height = n.parse().ok().map(Height),
            ("min", n) => question.stops.min_tainted = Sats(n.parse().unwrap()),
            ("policy", name) => question.policy = name.parse().unwrap(),
            (other, _) => panic!("{other}"),
        }
    }
    let found = exposure(&ledger, &question, known).unwrap();
    let mut lines = Vec::new();
    for share in &found.ends {
        let at = match share.at {
            EndsAt::Party(number) => number.to_string(),
            EndsAt::CoinJoin(protocol) => protocol.to_string(),
        };
        let hops = format!("{}..{}", share.min_hops, share.max_hops);
        lines.push(format!("{at} {} {} {hops} {}", share.direct, share.indirect, share.confidence));
    }
    let rest = found.rest.iter().map(|rest| format!("{} {}", rest.reason.name(), rest.amount));
    lines.extend(rest);
    assert_eq!(lines, expected);
    let ends: u128 = found.ends.iter().map(|share| share.amount()).sum();
    let rest: u128 = found.rest.iter().map(|rest| rest.amount).sum();
    assert_eq!(ends + rest, found.total);
}

/// Alice pays a shop (3) and a mule (6), keeps 1; the mule pays the shop and a market.
const SHOPPING: &str = "
    block
    tx funds: coinbase -> alice:1000sat
    block
    tx pay: funds:0 -> shop:300sat mule:600sat alice:100sat
    block
    tx on: pay:1 -> shop2:200sat market:250sat mule2:150sat
";
const SHOPS: &str = "shop=1*60 shop2=1*50 market=2*20";

#[test]
fn direct_and_indirect() {
    let expected = ["1 300 200 1..2 50", "2 0 250 2..2 20", "unspent 250"];
    check(SHOPPING, "@alice sending", SHOPS, &expected);
    // The output alone: its change is no root of its own, and the sums are the same.
    check(SHOPPING, "funds:0 sending", SHOPS, &expected);
    check(SHOPPING, "pay sending", SHOPS, &expected);
    check(SHOPPING, "on sending", SHOPS, &["2 250 0 1..1 20", "1 200 0 1..1 50", "unspent 150"]);
    check(SHOPPING, "@shop sending", SHOPS, &["unspent 300"]);
}

#[test]
fn from_whom() {
    check(SHOPPING, "@market receiving", "alice=7*60", &["7 0 250 2..2 60"]);
    check(SHOPPING, "@shop receiving", "alice=7*60", &["7 300 0 1..1 60"]);
    check(SHOPPING, "on receiving", "mule=9*5", &["9 600 0 1..1 5"]);
    check(SHOPPING, "@market receiving", "", &["coinbase 250"]);
}

#[test]
fn the_rest_has_a_reason() {
    check(SHOPPING, "@alice hops=1", SHOPS, &["1 300 0 1..1 60", "unspent 100", "hops 600"]);
    check(SHOPPING, "@alice until=2", SHOPS, &["1 300 0 1..1 60", "unspent 700"]);
    check(SHOPPING, "@alice min=700", SHOPS, &["1 300 0 1..1 60", "unspent 100", "value 600"]);
    check(SHOPPING, "@alice sending", "", &["unspent 1000"]);
}

#[test]
fn nobody_goes_past_a_party() {
    // What the mule paid is the mule's service's affair.
    check(SHOPPING, "@alice sending", "mule=4*60", &["4 600 0 1..1 60", "unspent 400"]);
    check(SHOPPING, "@market receiving", "mule=4 alice=7", &["4 250 0 1..1 100"]);
}

const MIXED: &str = "
    block
    tx a: coinbase -> a1:0.01005 a2:0.01 a3:0.01 a4:0.01 a5:0.01
    block
    tx mix: a:0 a:1 a:2 a:3 a:4 -> b1:0.01 b2:0.01 b3:0.01 b4:0.01 b5:0.01
    block
    tx on: mix:0 -> c1:0.004 c2:0.006
";

#[test]
fn a_coinjoin_is_one_transaction_away() {
    check(MIXED, "@a1 sending", "", &["whirlpool 1005000 0 1..1 100"]);
    check(MIXED, "@c1 receiving", "", &["whirlpool 0 400000 2..2 100"]);
    check(MIXED, "@b1 receiving", "", &["whirlpool 1000000 0 1..1 100"]);
}

#[test]
fn other_policies_and_those_that_say_nothing() {
    check(
        SHOPPING,
        "pay:1 sending policy=fifo",
        SHOPS,
        &["2 250 0 1..1 20", "1 200 0 1..1 50", "unspent 150"],
    );
    let (chain, ledger) = ledger(SHOPPING);
    let subject = RootSpec::Transaction(chain.txid("pay").unwrap());
    for policy in [Policy::Poison, Policy::Bounds] {
        let question = Question { policy, ..Question::new(subject.clone(), Side::Sending) };
        let error = exposure(&ledger, &question, Known::default()).unwrap_err().to_string();
        assert!(error.contains(policy.name()), "{error}");
    }
}
