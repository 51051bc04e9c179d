use chain::{Flags, Height, SparseInput, SparseOutput, SparseSpend, SparseTx};

use super::*;

const REUSE: &str = "
    block
    tx theft: coinbase -> Thief:100sat data:\"x\":5sat data:\"y\"
    block
    tx move: theft:0 -> A:40sat Thief:60sat
    block
    tx fresh: coinbase -> Thief:7sat
    block
    tx last: move:1 fresh:0 -> B:60sat C:7sat
";

#[test]
fn a_transaction_is_all_its_outputs() {
    check(
        REUSE,
        "fifo from theft",
        "last:0 60 unspent
         move:0 40 unspent
         theft:1 5 op_return",
    );
}

#[test]
fn an_address_is_all_it_received_without_counting_twice() {
    // move:1 came back to the thief and is covered by what was stolen first.
    check(
        REUSE,
        "fifo from @Thief",
        "last:0 60 unspent
         last:1 7 unspent
         move:0 40 unspent",
    );
    let chain = Chain::parse(REUSE).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    let query = query(&chain, &ledger, "bounds from @Thief");
    let trace = trace(&ledger, &query, &mut NoStops).unwrap();
    let covered: Vec<_> =
        trace.roots.iter().map(|root| (root.covered_lower.0, root.covered_upper.0)).collect();
    assert_eq!(covered, [(0, 0), (60, 60), (0, 0)]);
}

#[test]
fn a_later_root_gets_what_earlier_ones_left() {
    let text = "
        block
        tx one: coinbase -> X:30sat
        block
        tx clean: coinbase -> Y:70sat
        block
        tx mix: one:0 clean:0 -> A:50sat B:50sat
        block
        tx out: mix:0 -> C:25sat D:25sat";
    check(
        text,
        "haircut from one mix:0 apart",
        "mix:1 15 [0:15] unspent
         out:0 25 [0:8 1:17] unspent
         out:1 25 [0:7 1:18] unspent",
    );
    check(
        text,
        "fifo from one mix:0 apart",
        "out:0 25 [0:25] unspent
         out:1 25 [0:5 1:20] unspent",
    );
    check(
        text,
        "bounds from one mix:0 apart",
        "mix:1 0..30 [0:0..30] unspent
         out:0 25 [0:0..25 1:0..25] unspent
         out:1 25 [0:0..25 1:0..25] unspent",
    );
    check(
        text,
        "poison from one mix:0 apart",
        "mix:1 50 [0:50] unspent
         out:0 25 [0:25 1:25] unspent
         out:1 25 [0:25 1:25] unspent",
    );
}

#[test]
fn roots_that_are_not_there() {
    check_error(REUSE, "fifo from theft:7", "transaction theft has no output 7 in the ledger");
    check_error(
        REUSE,
        "fifo from theft:1",
        "output theft:1 is an OP_RETURN: nobody can spend it, its 0.00000005 bitcoin are burned",
    );
    let chain = Chain::parse(REUSE).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    let error = |spec| {
        let roots = Vec::from_iter(spec);
        trace(&ledger, &Query::new(roots), &mut NoStops).unwrap_err().to_string()
    };
    let txid: Txid = "00".repeat(32).parse().unwrap();
    assert_eq!(
        error(Some(RootSpec::Transaction(txid))),
        format!("transaction {txid} is not in the ledger")
    );
    let script = chain::ScriptBuf::from_bytes(vec![0x51]);
    assert_eq!(
        error(Some(RootSpec::Script(script))),
        "address script:51 has never received anything in the ledger"
    );
    assert_eq!(error(None), "nothing to trace: name at least one output, transaction or address");
    check_error(
        REUSE,
        "fifo from @C until=1",
        &format!(
            "the first output of address {} is of block 4, after block 1, where the trace ends",
            chain.address("C").unwrap()
        ),
    );
}

/// One transaction of 90 out of two unknown ones, in block 7.
fn sparse() -> MemoryLedger {
    let script = |tag| chain::ScriptBuf::from_bytes(vec![0x51, tag]);
    let txid = |tag: &str| -> Txid { tag.repeat(64).parse().unwrap() };
    let input = |tag: &str, value| SparseInput {
        outpoint: chain::OutPoint { txid: txid(tag), vout: 1 },
        value: Sats(value),
        script: script(0),
    };
    let output = |value, spend| SparseOutput { value: Sats(value), script: script(1), spend };
    let tx = SparseTx {
        txid: txid("a"),
        flags: Flags::VERSION_2,
        height: Some(Height(7)),
        time: None,
        block_hash: None,
        position: None,
        coinbase: false,
        inputs: vec![input("b", 60), input("c", 40)],
        outputs: vec![output(50, SparseSpend::Unspent), output(40, SparseSpend::Unknown)],
    };
    MemoryLedger::from_sparse(Network::Mainnet, vec![tx]).unwrap()
}

#[test]
fn what_a_sparse_ledger_lacks_is_unknown() {
    let ledger = sparse();
    let theft: Txid = "a".repeat(64).parse().unwrap();
    let mut query = Query::new(vec![RootSpec::Transaction(theft)]);
    let statuses = |query: &Query| -> Vec<(u64, &'static str, &'static str)> {
        let trace = trace(&ledger, query, &mut NoStops).unwrap();
        assert_sound(&ledger, &trace);
        let leaf = |leaf: &Leaf| (leaf.taint.upper.0, leaf.reason.name(), leaf.status.name());
        trace.leaves.iter().map(leaf).collect()
    };
    assert_eq!(statuses(&query), [(50, "unspent", "unspent"), (40, "unknown", "unknown")]);
    query.direction = Direction::Backward;
    assert_eq!(statuses(&query), [(54, "unknown", "spent"), (36, "unknown", "spent")]);

    // The block's coinbase is not known: nobody can say where the fee went.
    let from: Txid = "b".repeat(64).parse().unwrap();
    let mut query = Query::new(vec![RootSpec::Output(chain::OutPoint { txid: from, vout: 1 })]);
    query.fees = Fees::Follow;
    let trace = trace(&ledger, &query, &mut NoStops).unwrap();
    let sums: Vec<_> =
        trace.summary.bookings.iter().map(|booking| (booking.reason, booking.upper)).collect();
    assert_eq!(sums, [(StopReason::Unspent, 30), (StopReason::Unknown, 30)]);
    assert_eq!(trace.summary.totals.booked_upper, 60);
}

#[test]
fn heights_cut_a_sparse_ledger_too() {
    let ledger = sparse();
    assert_eq!(ledger.tx_count(), 3);
    assert_eq!(super::super::roots::first_after(&ledger, Height(6)).unwrap(), 0);
    assert_eq!(super::super::roots::first_after(&ledger, Height(7)).unwrap(), 3);
    assert_eq!(ledger.output(OutNum(3)).unwrap().spend, Spend::Unknown);
}
