use super::*;

/// A theft of 60 and a clean 40 go into one transaction: 30, 50, and 10 change; fee 10.
const MIX: &str = "
    block
    tx clean: coinbase -> Alice:40sat
    block
    tx theft: coinbase -> Thief:60sat
    block
    tx mix: clean:0 theft:0 -> A:30sat B:50sat C:10sat
";

#[test]
fn haircut_gives_everybody_a_share() {
    check(
        MIX,
        "haircut from theft:0",
        "mix:0 18 unspent
         mix:1 30 unspent
         mix:2 6 unspent
         = fee 6",
    );
    // 3 of 10 tainted: 3·3/10 = 0.9, 1.2, 0.6 and for the fee 0.3. Rounded down 0, 1, 0, 0; the
    // two left go to 0.9 and 0.6.
    check(
        "block
         tx clean: coinbase -> Alice:7sat
         block
         tx theft: coinbase -> Thief:3sat
         block
         tx mix: clean:0 theft:0 -> A:3sat B:4sat C:2sat",
        "haircut from theft:0",
        "mix:0 1 unspent
         mix:1 1 unspent
         mix:2 1 unspent",
    );
}

#[test]
fn fifo_fills_in_order() {
    check(
        MIX,
        "fifo from theft:0",
        "mix:1 40 unspent
         mix:2 10 unspent
         = fee 10",
    );
    // The theft's satoshis are the last 40 of the 50 in mix:1.
    let on = [MIX, "tx next: mix:1 -> D:15sat E:35sat"].concat();
    check(
        &on,
        "fifo from theft:0",
        "mix:2 10 unspent
         next:0 5 unspent
         next:1 35 unspent
         = fee 10",
    );
}

#[test]
fn lifo_reverses_the_queue() {
    check(
        MIX,
        "lifo from theft:0",
        "mix:0 30 unspent
         mix:1 30 unspent",
    );
    // In mix:1 the stolen 30 lie before the clean 20; the reversed queue pays out the clean first.
    let on = [MIX, "tx next: mix:1 -> D:15sat E:35sat"].concat();
    check(
        &on,
        "lifo from theft:0",
        "mix:0 30 unspent
         next:1 30 unspent",
    );
}

#[test]
fn tiho_fills_the_highest_first() {
    check(
        MIX,
        "tiho from theft:0",
        "mix:0 10 unspent
         mix:1 50 unspent",
    );
    // Equal outputs: the first first; the fee comes last although it is higher.
    check(
        "block
         tx clean: coinbase -> Alice:70sat
         block
         tx theft: coinbase -> Thief:30sat
         block
         tx mix: clean:0 theft:0 -> A:10sat B:10sat C:5sat",
        "tiho from theft:0",
        "mix:0 10 unspent
         mix:1 10 unspent
         mix:2 5 unspent
         = fee 5",
    );
}

#[test]
fn poison_taints_everything() {
    check(
        MIX,
        "poison from theft:0",
        "mix:0 30 unspent
         mix:1 50 unspent
         mix:2 10 unspent
         = fee 10",
    );
    let chain = Chain::parse(MIX).unwrap();
    let blocks = chain.blocks().to_vec();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
    let query = query(&chain, &ledger, "poison from theft:0");
    let reach = trace(&ledger, &query, &mut NoStops).unwrap().summary.reach;
    assert_eq!((reach.transactions, reach.outputs, reach.value), (1, 4, 150));
    assert_eq!((reach.max_hops, reach.peak_waiting), (1, 1));
}

#[test]
fn bounds_hold_for_all() {
    // 40 are clean, so at least 10 of the 50 are tainted, and nothing is certain of the others.
    check(
        MIX,
        "bounds from theft:0",
        "mix:0 0..30 unspent
         mix:1 10..50 unspent
         mix:2 0..10 unspent
         = fee 0..10",
    );
    // What has been split comes together again: the whole theft is in there, and no more of it
    // than was stolen.
    check(
        "block
         tx theft: coinbase -> Thief:60sat
         block
         tx clean: coinbase -> Alice:100sat
         block
         tx mix: clean:0 theft:0 -> A:80sat B:80sat
         tx join: mix:0 mix:1 -> C:100sat D:60sat",
        "bounds from theft:0",
        "join:0 0..60 unspent
         join:1 0..60 unspent",
    );
}

#[test]
fn roots_are_kept_apart() {
    let text = "
        block
        tx one: coinbase -> X:10sat
        block
        tx two: coinbase -> Y:20sat
        block
        tx clean: coinbase -> Z:30sat
        block
        tx mix: one:0 clean:0 two:0 -> A:24sat B:30sat";
    check(
        text,
        "haircut from one two apart",
        "mix:0 12 [0:4 1:8] unspent
         mix:1 15 [0:5 1:10] unspent
         = fee 3",
    );
    check(
        text,
        "fifo from one two apart",
        "mix:0 10 [0:10] unspent
         mix:1 14 [1:14] unspent
         = fee 6",
    );
    check(
        text,
        "lifo from one two apart",
        "mix:0 20 [1:20] unspent
         mix:1 4 [0:4] unspent
         = fee 6",
    );
    check(text, "tiho from two one apart", "mix:1 30 [0:20 1:10] unspent");
    check(
        text,
        "poison from one two apart",
        "mix:0 24 [0:24 1:24] unspent
         mix:1 30 [0:30 1:30] unspent
         = fee 6",
    );
    check(
        text,
        "bounds from one two apart",
        "mix:0 0..24 [0:0..10 1:0..20] unspent
         mix:1 0..30 [0:0..10 1:0..20] unspent
         = fee 0..6",
    );
}

#[test]
fn flows_name_who_got_what_from_whom() {
    let chain = Chain::parse(MIX).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    let flows = |question: &str| -> Vec<(Place, Place, u64, u64)> {
        let query = query(&chain, &ledger, question);
        let trace = trace(&ledger, &query, &mut NoStops).unwrap();
        let flow = |f: &Flow| (f.from, f.to, f.taint.lower.0, f.taint.upper.0);
        trace.flows.iter().map(flow).collect()
    };
    let num = |name: &str, vout| {
        let tx = ledger.find_tx(&chain.txid(name).unwrap()).unwrap().unwrap();
        (tx, Place::Output(ledger.output_at(tx, vout).unwrap().unwrap()))
    };
    let (theft, (mix, fee)) = (num("theft", 0).1, (num("mix", 0).0, Place::Fee(num("mix", 0).0)));
    let out = |vout| num("mix", vout).1;
    assert_eq!(ledger.txid(mix).unwrap(), chain.txid("mix").unwrap());
    assert_eq!(
        flows("fifo from theft:0"),
        [(theft, out(1), 40, 40), (theft, out(2), 10, 10), (theft, fee, 10, 10)]
    );
    assert_eq!(
        flows("bounds from theft:0"),
        [
            (theft, out(0), 0, 30),
            (theft, out(1), 10, 50),
            (theft, out(2), 0, 10),
            (theft, fee, 0, 10)
        ]
    );
    assert_eq!(flows("poison from theft:0").len(), 4);
    // Both inputs tainted: 60 of one and 40 of the other in each output's proportion.
    let both = flows("haircut from theft:0 clean:0");
    let clean = num("clean", 0).1;
    assert_eq!(both[..2], [(clean, out(0), 12, 12), (theft, out(0), 18, 18)]);
}
