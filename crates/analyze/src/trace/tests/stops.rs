use super::*;

/// A peel chain: each hop pays somebody, with a fee of 1.
const PEEL: &str = "
    block
    tx theft: coinbase -> Thief:1000sat
    block
    tx p1: theft:0 -> A:100sat Thief:899sat
    block
    tx p2: p1:1 -> B:200sat Thief:698sat
    block
    tx p3: p2:1 -> C:300sat Thief:397sat
";

#[test]
fn without_rules_to_the_end() {
    check(
        PEEL,
        "haircut from theft",
        "p1:0 100 unspent
         p2:0 200 unspent
         p3:0 300 unspent
         p3:1 397 unspent
         = fee 3",
    );
}

#[test]
fn hops() {
    check(PEEL, "haircut from theft hops=0", "theft:0 1000 hops");
    check(
        PEEL,
        "haircut from theft hops=2",
        "p1:0 100 unspent
         p2:0 200 unspent
         p2:1 698 hops
         = fee 2",
    );
}

#[test]
fn value() {
    check(
        PEEL,
        "haircut from theft min=699",
        "p1:0 100 unspent
         p2:0 200 unspent
         p2:1 698 value
         = fee 2",
    );
    // The root itself is followed whatever its value.
    check(PEEL, "haircut from theft min=2000", "p1:0 100 unspent\n p1:1 899 value\n = fee 1");
}

#[test]
fn until_height_is_the_state_at_that_height() {
    check(
        PEEL,
        "haircut from theft until=3",
        "p1:0 100 unspent
         p2:0 200 unspent
         p2:1 698 unspent
         = fee 2",
    );
    check(PEEL, "haircut from theft until=1", "theft:0 1000 unspent");
    check(PEEL, "haircut from @Thief until=2", "p1:0 100 unspent\n p1:1 899 unspent\n = fee 1");
    check_error(
        PEEL,
        "haircut from p1:1 until=1",
        "output p1:1 is of block 2, after block 1, where the trace ends",
    );
}

#[test]
fn budget() {
    check(
        PEEL,
        "haircut from theft budget=1",
        "p1:0 100 unspent
         p1:1 899 budget
         = fee 1",
    );
    // A root that comes later than the budget lasts is still booked.
    check(
        PEEL,
        "haircut from theft p2:0 budget=0 apart",
        "p2:0 200 [1:200] unspent
         theft:0 1000 [0:1000] budget",
    );
}

#[test]
fn addresses() {
    // The thief's address is the root's own and the change's.
    check(
        PEEL,
        "haircut from theft stop=Thief",
        "p1:0 100 unspent
         p1:1 899 address
         = fee 1",
    );
    check(
        PEEL,
        "haircut from theft stop=B",
        "p1:0 100 unspent
         p2:0 200 address
         p3:0 300 unspent
         p3:1 397 unspent
         = fee 3",
    );
}

#[test]
fn burned() {
    check(
        "block
         tx theft: coinbase -> Thief:1000sat
         block
         tx burn: theft:0 -> data:\"bye\":300sat A:700sat data:\"!\"",
        "haircut from theft",
        "burn:0 300 op_return
         burn:1 700 unspent",
    );
}

struct Services;

impl StopAt for Services {
    fn output(&mut self, _: TxNum, output: &Output) -> Option<u32> {
        (output.value == Sats(200)).then_some(1)
    }

    fn transaction(&mut self, _: TxNum, _: &[chain::Input], outputs: &[Output]) -> Option<u32> {
        outputs.iter().any(|output| output.value == Sats(300)).then_some(0)
    }

    fn names(&self) -> Vec<String> {
        vec!["coinjoin".to_owned(), "service".to_owned()]
    }
}

#[test]
fn rules_of_the_caller() {
    let chain = Chain::parse(PEEL).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    let query = query(&chain, &ledger, "haircut from theft");
    let trace = trace(&ledger, &query, &mut Services).unwrap();
    let expected = ["p1:0 100 unspent", "p2:0 200 service", "p2:1 698 coinjoin", "= fee 2"];
    assert_eq!(words(&chain, &trace), expected);
    let coinjoin = trace.leaves.iter().find(|leaf| leaf.reason == StopReason::Named(0)).unwrap();
    assert_eq!((coinjoin.status, coinjoin.hops), (Status::Spent, 2));
}

#[test]
fn limits_cut_the_lists_and_not_the_sums() {
    let chain = Chain::parse(PEEL).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    let mut query = query(&chain, &ledger, "haircut from theft");
    let whole = trace(&ledger, &query, &mut NoStops).unwrap();
    assert!(!whole.flows_truncated && !whole.leaves_truncated);
    query.limits = Limits { flows: 4, leaves: 1 };
    let cut = trace(&ledger, &query, &mut NoStops).unwrap();
    assert!(cut.flows_truncated && cut.leaves_truncated);
    assert_eq!(cut.summary, whole.summary);
    assert_eq!(cut.flows[..], whole.flows[..4]);
    assert_eq!(cut.leaves[..], whole.leaves[..1]);
    for flow in &cut.flows {
        for place in [flow.from, flow.to] {
            assert!(!matches!(place, Place::Output(out) if cut.node(out).is_none()));
        }
    }
}
