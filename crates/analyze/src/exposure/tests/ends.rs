//! Where [`Ends`] ends a trace, and how sure it calls the way.

use chain::{AddressNum, LedgerError, OutPoint};

use super::{Known, ledger};
use crate::{
    exposure::{AtCoinJoin, Ends, EndsAt, Holder, Naming},
    trace::{Direction, Query, RootSpec, trace},
};

/// Leaves as `OUTPOINT REASON CONFIDENCE` of a haircut trace from `root`.
#[track_caller]
fn check(text: &str, root: &str, known: &str, at: AtCoinJoin, expected: &[&str]) {
    let (chain, ledger) = ledger(text);
    let (name, direction) = match root.strip_prefix('<') {
        Some(name) => (name, Direction::Backward),
        None => (root, Direction::Forward),
    };
    let (tx, vout) = name.split_once(':').unwrap();
    let outpoint = OutPoint::new(chain.txid(tx).unwrap(), vout.parse().unwrap());
    let query = Query { direction, ..Query::new(vec![RootSpec::Output(outpoint)]) };
    let known = Known::parse(&chain, &ledger, known);
    let mut ends = Ends::new(&ledger, known, direction, at, "service");
    let found = trace(&ledger, &query, &mut ends).unwrap();
    ends.check().unwrap();
    assert_eq!(found.summary.totals.booked_lower, found.summary.totals.root_lower);
    let mut leaves: Vec<String> = Vec::new();
    for leaf in &found.leaves {
        let reason = found.summary.reason_name(leaf.reason);
        let name = chain.outpoint_name(&leaf.outpoint);
        leaves.push(format!("{name} {reason} {}", leaf.confidence));
    }
    leaves.sort();
    assert_eq!(leaves, expected);
}

const SHOPPING: &str = "
    block
    tx theft: coinbase -> thief:10
    block
    tx split: theft:0 -> shop:2 mule:7.9
    block
    tx on: split:1 -> shop:1 market:3 rest:3.8
    tx shopping: split:0 -> elsewhere:1.9
";

#[test]
fn parties_end_the_walk() {
    check(
        SHOPPING,
        "theft:0",
        "shop=7*60 market=3*20",
        AtCoinJoin::Stop,
        &["on:0 service 60", "on:1 service 20", "on:2 unspent 100", "split:0 service 60"],
    );
    check(SHOPPING, "<on:2", "thief=1*5", AtCoinJoin::Stop, &["theft:0 service 5"]);
}

#[test]
fn the_same_party_is_one_number() {
    let (chain, ledger) = ledger(SHOPPING);
    let known = Known::parse(&chain, &ledger, "shop=7*60 market=7*20");
    let mut ends = Ends::new(&ledger, known, Direction::Forward, AtCoinJoin::Stop, "service");
    let query = Query::new(vec![RootSpec::Transaction(chain.txid("theft").unwrap())]);
    let found = trace(&ledger, &query, &mut ends).unwrap();
    assert_eq!(ends.met(), [EndsAt::Party(7)]);
    assert_eq!(found.summary.named_stops, ["service"]);
    assert_eq!(ends.holders().len(), 2);
    let booked: Vec<_> = found.summary.bookings.iter().map(|booking| booking.count).collect();
    assert_eq!(booked, [1, 2, 3], "unspent, fees, party");
}

/// Five equal outputs of Whirlpool's size; what was put in goes on.
const MIX: &str = "
    block
    tx a: coinbase -> a1:0.01005 a2:0.01 a3:0.01 a4:0.01 a5:0.01
    block
    tx mix: a:0 a:1 a:2 a:3 a:4 -> b1:0.01 b2:0.01 b3:0.01 b4:0.01 b5:0.01
    block
    tx on: mix:0 -> c1:0.004 c2:0.0055
    tx other: mix:1 mix:2 -> d1:0.0195
";

#[test]
fn coinjoins_end_the_walk_on_both_sides() {
    check(MIX, "a:0", "", AtCoinJoin::Stop, &["a:0 coinjoin 100"]);
    check(MIX, "<on:0", "", AtCoinJoin::Stop, &["mix:0 coinjoin 100"]);
    let (chain, ledger) = ledger(MIX);
    let known = Known::default();
    let mut ends = Ends::new(&ledger, known, Direction::Forward, AtCoinJoin::Stop, "service");
    let root = RootSpec::Transaction(chain.txid("a").unwrap());
    trace(&ledger, &Query::new(vec![root]), &mut ends).unwrap();
    let rules: Vec<_> = ends.findings().values().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["whirlpool_mix"]);
}

#[test]
fn a_way_is_as_sure_as_its_weakest_step() {
    // Through the mix: one of five. A label of 60 further on is not the weakest.
    check(
        MIX,
        "a:0",
        "d1=1*60 c1=2*10",
        AtCoinJoin::Pass,
        &[
            "mix:3 unspent 20",
            "mix:4 unspent 20",
            "on:0 service 10",
            "on:1 unspent 20",
            "other:0 service 20",
        ],
    );
}

/// An output where the walk ended is spent together with one where it did not: what it was is no
/// matter any more.
#[test]
fn ends_weaken_nothing_behind_them() {
    check(
        "block
         tx theft: coinbase -> thief:10
         block
         tx split: theft:0 -> shop:2 mule:7.9
         block
         tx both: split:0 split:1 -> next:9.8",
        "theft:0",
        "shop=1*5",
        AtCoinJoin::Stop,
        &["both:0 unspent 100", "split:0 service 5"],
    );
}

struct Broken;

impl Naming for Broken {
    fn holder(&mut self, _: AddressNum) -> chain::Result<Option<Holder>> {
        Err(LedgerError::OutOfRange { what: "address", number: 7, count: 1 })
    }
}

#[test]
fn an_error_is_told_afterwards() {
    let (chain, ledger) = ledger(SHOPPING);
    let mut ends = Ends::new(&ledger, Broken, Direction::Forward, AtCoinJoin::Stop, "service");
    let query = Query::new(vec![RootSpec::Transaction(chain.txid("theft").unwrap())]);
    trace(&ledger, &query, &mut ends).unwrap();
    assert!(ends.check().unwrap_err().to_string().contains("address 7"));
}
