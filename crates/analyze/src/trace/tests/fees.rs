use bitcoin::hashes::Hash;

use super::*;

/// Two transactions with fees of 20 and 40, the second of them stolen money, and a coinbase that
/// takes 50 BTC and both fees.
const BLOCK: &str = "
    block
    tx clean: coinbase -> Alice:100sat
    block
    tx theft: coinbase -> Thief:100sat
    block
    tx pool: coinbase -> M:5000000030sat N:*
    tx first: clean:0 -> A:80sat
    tx second: theft:0 -> B:60sat
";

#[test]
fn dropped_fees_are_booked() {
    check(BLOCK, "fifo from theft:0", "second:0 60 unspent\n = fee 40");
}

#[test]
fn followed_fees_come_after_the_subsidy_in_block_order() {
    // M takes the subsidy and 30 of the fees: the clean 20 and 10 of the stolen.
    check(
        BLOCK,
        "fifo from theft:0 follow",
        "pool:0 10 unspent
         pool:1 30 unspent
         second:0 60 unspent",
    );
    // From the other end: the stolen 40 are the first in line.
    check(
        BLOCK,
        "lifo from theft:0 follow",
        "pool:0 40 unspent
         second:0 60 unspent",
    );
    // 40 of 5,000,000,060; all but 30 satoshis of it goes to M, and 39.9999998 rounds to 40.
    check(
        BLOCK,
        "haircut from theft:0 follow",
        "pool:0 40 unspent
         second:0 60 unspent",
    );
    check(
        BLOCK,
        "bounds from theft:0 follow",
        "pool:0 10..40 unspent
         pool:1 0..30 unspent
         second:0 60 unspent",
    );
    check(
        BLOCK,
        "poison from theft:0 follow",
        "pool:0 5000000030 unspent
         pool:1 30 unspent
         pool:2 0 op_return
         second:0 60 unspent",
    );
}

#[test]
fn unclaimed_fees_are_booked_as_such() {
    let text = BLOCK.replace("N:*", "N:5sat");
    check(
        &text,
        "fifo from theft:0 follow",
        "pool:0 10 unspent
         pool:1 5 unspent
         second:0 60 unspent
         = unclaimed 25",
    );
}

#[test]
fn a_coinbase_passes_followed_fees_on() {
    let text = [BLOCK, "block\n tx spend: pool:0 -> C:5000000025sat"].concat();
    check(
        &text,
        "fifo from theft:0 follow",
        "b4.coinbase:0 5 unspent
         pool:1 30 unspent
         second:0 60 unspent
         spend:0 5 unspent",
    );
    // What is too little or too far to be followed stays a fee.
    check(&text, "fifo from theft:0 follow min=41", "second:0 60 unspent\n = fee 40");
    check(&text, "fifo from theft:0 follow hops=1", "second:0 60 unspent\n = fee 40");
    check(
        &text,
        "fifo from theft:0 follow hops=2",
        "pool:0 10 hops
         pool:1 30 unspent
         second:0 60 unspent",
    );
}

#[test]
fn a_coinbase_can_be_a_root_too() {
    // The fee of the first theft's satoshis keeps its root; the second root gets the rest.
    check(
        BLOCK,
        "fifo from theft:0 pool:1 follow apart",
        "pool:0 10 [0:10] unspent
         pool:1 30 [0:30] unspent
         second:0 60 [0:60] unspent",
    );
    check(
        BLOCK,
        "lifo from theft:0 pool:1 follow apart",
        "pool:0 40 [0:40] unspent
         pool:1 30 [1:30] unspent
         second:0 60 [0:60] unspent",
    );
}

#[test]
fn a_coinbase_spent_in_its_own_block_is_refused() {
    let id = |tag: u8| Txid::from_byte_array([tag; 32]);
    let script = || chain::ScriptBuf::from_bytes(vec![0x51]);
    let tx = |tag: u8, spends: Option<u8>, value: u64| chain::SparseTx {
        txid: id(tag),
        flags: chain::Flags::default(),
        height: Some(chain::Height(9)),
        time: Some(0),
        block_hash: Some(chain::BlockHash::all_zeros()),
        position: None,
        coinbase: spends.is_none(),
        inputs: Vec::from_iter(spends.map(|tag| chain::SparseInput {
            outpoint: chain::OutPoint { txid: id(tag), vout: 0 },
            value: Sats(10),
            script: script(),
        })),
        outputs: vec![chain::SparseOutput {
            value: Sats(value),
            script: script(),
            spend: chain::SparseSpend::Unknown,
        }],
    };
    let txs = vec![tx(1, None, 10), tx(2, Some(1), 9), tx(3, Some(7), 8)];
    let ledger = MemoryLedger::from_sparse(Network::Regtest, txs).unwrap();
    for (from, direction) in [(7, Direction::Forward), (2, Direction::Backward)] {
        let mut query = Query::new(vec![RootSpec::Transaction(id(from))]);
        (query.fees, query.direction) = (Fees::Follow, direction);
        query.policy = Policy::Lifo;
        let error = trace(&ledger, &query, &mut NoStops).unwrap_err();
        assert!(matches!(error, Error::ImmatureCoinbase(txid) if txid == id(1)), "{error}");
    }
}

#[test]
fn backward_into_the_fees() {
    // pool:1 are the last 30 satoshis: all out of the stolen 40 of the second fee.
    check(BLOCK, "fifo backward from pool:1 follow", "= coinbase 30");
    check(BLOCK, "fifo backward from pool:1 follow hops=1", "= fee 30");
    check(BLOCK, "fifo backward from pool:1 follow hops=2", "theft:0 30 hops");
    check(BLOCK, "fifo backward from pool:1", "pool:1 30 coinbase");
    // pool:0 has all of the subsidy, 20 of the first fee and 10 of the second.
    check(BLOCK, "fifo backward from pool:0 follow", "= coinbase 5000000030");
}
