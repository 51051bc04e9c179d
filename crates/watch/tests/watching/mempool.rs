//! Unconfirmed transactions, laid over chains of the test language.

use analyze::trace::{NoStops, Policy, Query, trace};
use bitcoin::Transaction;
use chain::{Ledger, Overlay, OverlayError, Sats, Unconfirmed};
use watch::{Bare, Engine, MempoolNews, Question};

use crate::chains::{Home, step};

const CHAIN: &str = "
block one
tx theft: coinbase -> thief:40 other:10
block two
tx clean: coinbase -> honest:50
block three
tx hop: theft:0 clean:0 -> mule:60 cash:29.9
tx next: hop:0 -> p2tr/far:30 data:\"x\" mule:29.9
block four
block rival on two
tx instead: theft:0 -> mule:*
";

fn unconfirmed(home: &Home, name: &str) -> Unconfirmed {
    let tx: Transaction = home.chain.tx(name).unwrap().clone();
    let prevouts =
        tx.input.iter().map(|input| home.chain.output(&input.previous_output).unwrap().clone());
    Unconfirmed { prevouts: prevouts.collect(), tx }
}

fn seen(home: &Home, name: &str) -> MempoolNews {
    MempoolNews::Seen(unconfirmed(home, name))
}

/// A trace over unconfirmed transactions says what it says when they are mined.
#[test]
fn a_trace_does_not_see_the_difference_between_above_and_below() {
    let home = Home::new(CHAIN);
    let (base, mined) = (home.up_to("two"), home.up_to("three"));
    let mut overlay = Overlay::new(&base).unwrap();
    for name in ["hop", "next"] {
        let number = overlay.push(&unconfirmed(&home, name)).unwrap();
        assert!(overlay.is_above(number));
        assert_eq!(overlay.push(&unconfirmed(&home, name)).unwrap(), number, "once");
    }
    for policy in Policy::ALL {
        let query = Query { policy, ..Query::new(vec![home.root("theft:0"), home.root("clean")]) };
        let [above, below] = [&overlay as &dyn Ledger, &mined]
            .map(|ledger| trace(ledger, &query, &mut NoStops).unwrap());
        assert_eq!(above.summary, below.summary, "{policy}");
        let taints = |trace: &analyze::trace::Trace| -> Vec<_> {
            trace
                .leaves
                .iter()
                .map(|leaf| (leaf.outpoint, leaf.value, leaf.taint.clone()))
                .collect()
        };
        assert_eq!(taints(&above), taints(&below), "{policy}");
    }
    // Everything else a ledger answers.
    let hop = home.chain.txid("hop").unwrap();
    let number = overlay.find_tx(&hop).unwrap().unwrap();
    assert_eq!(overlay.txid(number).unwrap(), hop);
    assert_eq!(overlay.height(number).unwrap(), None);
    assert_eq!(overlay.input_sum(number).unwrap(), Sats(9_000_000_000));
    let out = overlay.output_at(number, 0).unwrap().unwrap();
    assert_eq!(overlay.output_script(out).unwrap(), home.script("mule"));
    let far = overlay.find_script(&home.script("far")).unwrap().unwrap();
    assert_eq!(overlay.script(far).unwrap(), home.script("far"));
    let mule = overlay.find_script(&home.script("mule")).unwrap().unwrap();
    let newest = overlay.last_output_of(mule, None).unwrap().unwrap();
    assert_eq!(overlay.output(newest).unwrap().value, Sats(2_990_000_000));
    assert_eq!(overlay.last_output_of(mule, Some(newest)).unwrap(), Some(out));
    assert_eq!(overlay.last_output_of(mule, Some(out)).unwrap(), None);
    assert!(overlay.output(chain::OutNum(1_000_000)).is_err());
    assert!(overlay.txid(chain::TxNum(1_000_000)).is_err());
}

#[test]
fn what_is_spent_already_and_what_is_unknown() {
    let home = Home::new(CHAIN);
    let base = home.up_to("two");
    let mut overlay = Overlay::new(&base).unwrap();
    overlay.push(&unconfirmed(&home, "hop")).unwrap();
    let rival = overlay.push(&unconfirmed(&home, "instead"));
    assert!(matches!(rival, Err(OverlayError::Conflict { .. })), "{rival:?}");
    let mut short = unconfirmed(&home, "next");
    short.prevouts.clear();
    assert!(matches!(overlay.push(&short), Err(OverlayError::Prevouts { .. })));
    // Without its parent: the source is a stub, with value and script as they were given.
    let mut overlay = Overlay::new(&base).unwrap();
    let number = overlay.push(&unconfirmed(&home, "next")).unwrap();
    assert_eq!(overlay.input_sum(number).unwrap(), Sats(6_000_000_000));
    let mut inputs = Vec::new();
    overlay.inputs(number, &mut inputs).unwrap();
    let stub = overlay.tx_of(inputs[0].source).unwrap();
    assert!(overlay.flags(stub).unwrap().has(chain::Flags::STUB));
    // What two mined transactions spend cannot be spent above them.
    let mined = home.up_to("three");
    let mut overlay = Overlay::new(&mined).unwrap();
    assert!(matches!(
        overlay.push(&unconfirmed(&home, "instead")),
        Err(OverlayError::Conflict { .. })
    ));
}

#[test]
fn from_the_mempool_into_a_block() {
    let home = Home::new(CHAIN);
    home.add("heist", &Question::Trace(home.trace(&["theft:0"])), Some(2));
    home.add("mule", &Question::Addresses(vec![home.script("mule")]), Some(2));
    let mut engine = Engine::new(&home.state);
    let two = home.up_to("two");
    step(&mut engine, &two);
    let (outpoints, scripts) = engine.watched();
    assert!(outpoints.contains(&home.chain.outpoint("theft", 0).unwrap()));
    assert!(scripts.contains(&home.script("mule")));
    let news = [seen(&home, "hop")];
    assert_eq!(engine.unconfirmed(&two, &Bare, &news).unwrap().alerts, 2);
    // Its outputs are watched from now on, and it is told once.
    assert!(engine.watched().0.contains(&home.chain.outpoint("hop", 0).unwrap()));
    assert_eq!(engine.unconfirmed(&two, &Bare, &[]).unwrap().alerts, 0);
    assert_eq!(engine.unconfirmed(&two, &Bare, &[seen(&home, "next")]).unwrap().alerts, 3);
    // Another process goes on.
    drop(engine);
    let mut engine = Engine::new(&home.state);
    step(&mut engine, &two);
    let unsettled = engine.unsettled().unwrap();
    assert_eq!(unsettled.len(), 2);
    assert_eq!(unsettled[0].1, [home.chain.outpoint("theft", 0).unwrap()]);
    step(&mut engine, &home.up_to("three"));
    assert_eq!(engine.unsettled().unwrap(), Vec::new());
    assert_eq!(
        home.told(),
        [
            "1 unconfirmed hop @-=4000000000: theft:0=4000000000 -> hop:0=2666666667 \
             hop:1=1328888889 fee=4444444",
            "2 unconfirmed next @-=2666666667: hop:0=2666666667 -> next:0=1333333334 \
             next:2=1328888889 fee=4444444",
            "3 confirmed hop @3=4000000000: theft:0=4000000000 -> hop:0=2666666667 \
             hop:1=1328888889 fee=4444444",
            "4 confirmed next @3=2666666667: hop:0=2666666667 -> next:0=1333333334 \
             next:2=1328888889 fee=4444444",
            "1 unconfirmed hop @-:  -> hop:0",
            "2 unconfirmed next @-: hop:0 -> next:0 next:1 next:2",
            "3 unconfirmed next @-:  -> next:2",
            "4 confirmed hop @3:  -> hop:0",
            "5 confirmed next @3: hop:0 -> next:0 next:1 next:2",
            "6 confirmed next @3:  -> next:2",
        ]
    );
    let alerts = home.alerts();
    assert_eq!(alerts[0].ended_by.as_ref(), Some(&alerts[2].id));
    // And out of the block again: withdrawn, and unconfirmed once more, though the mempool knows first.
    let settled = ["hop", "next"].map(|name| MempoolNews::Settled(home.chain.txid(name).unwrap()));
    engine.unconfirmed(&home.up_to("three"), &Bare, &settled).unwrap();
    engine.unconfirmed(&home.up_to("three"), &Bare, &[seen(&home, "hop")]).unwrap();
    step(&mut engine, &two);
    engine.unconfirmed(&two, &Bare, &[]).unwrap();
    let heist: Vec<_> = home.alerts().into_iter().filter(|a| a.name == "heist").collect();
    let kinds: Vec<&str> = heist.iter().skip(4).map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["withdrawn", "withdrawn", "unconfirmed"]);
}

#[test]
fn replaced_and_dropped() {
    let home = Home::new(CHAIN);
    home.add("heist", &Question::Trace(home.trace(&["theft:0"])), Some(2));
    let mut engine = Engine::new(&home.state);
    let two = home.up_to("two");
    step(&mut engine, &two);
    let [hop, instead] = ["hop", "instead"].map(|name| home.chain.txid(name).unwrap());
    engine.unconfirmed(&two, &Bare, &[seen(&home, "hop")]).unwrap();
    // As a node tells it: the new one first, then the end of the old one.
    let news = [seen(&home, "instead"), MempoolNews::Replaced { txid: hop, by: instead }];
    engine.unconfirmed(&two, &Bare, &news).unwrap();
    engine.unconfirmed(&two, &Bare, &[MempoolNews::Dropped(instead)]).unwrap();
    step(&mut engine, &home.up_to("rival"));
    let kinds: Vec<String> = home.alerts().into_iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, ["unconfirmed", "replaced", "unconfirmed", "dropped", "moved"]);
    let alerts = home.alerts();
    assert!(alerts[1].body.contains(&format!("\"replaced_by\":\"{instead}\"")));
    assert!(alerts[1].body.contains(&format!("\"refers_to\":\"{}\"", alerts[0].id)));
    assert!(alerts[3].body.contains(&format!("\"refers_to\":\"{}\"", alerts[2].id)));
}
