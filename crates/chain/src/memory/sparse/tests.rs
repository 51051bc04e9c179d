use bitcoin::hashes::Hash;

use super::*;
use crate::{Ledger, TxNum};

fn id(tag: u8) -> Txid {
    Txid::from_byte_array([tag; 32])
}

fn tx(tag: u8, inputs: &[(u8, u32)], outputs: usize) -> SparseTx {
    let script = || ScriptBuf::from_bytes(vec![0x51]);
    let input = |&(from, vout): &(u8, u32)| SparseInput {
        outpoint: OutPoint::new(id(from), vout),
        value: Sats(0),
        script: script(),
    };
    let output = || SparseOutput { value: Sats(0), script: script(), spend: SparseSpend::Unknown };
    SparseTx {
        txid: id(tag),
        flags: Flags::VERSION_2,
        height: None,
        time: None,
        block_hash: None,
        position: None,
        coinbase: false,
        inputs: inputs.iter().map(input).collect(),
        outputs: (0..outputs).map(|_| output()).collect(),
    }
}

fn in_block(mut tx: SparseTx, height: u32, position: Option<u32>) -> SparseTx {
    tx.height = Some(Height(height));
    tx.time = Some(1_000 + height);
    tx.block_hash = Some(BlockHash::from_byte_array([height as u8; 32]));
    tx.position = position;
    tx
}

fn ledger(txs: &[SparseTx]) -> Result<MemoryLedger, MemoryLedgerError> {
    MemoryLedger::from_sparse(Network::Regtest, txs.to_vec())
}

#[track_caller]
fn check_order(txs: &[SparseTx], expected: &[u8]) {
    let ledger = ledger(txs).unwrap();
    let order: Vec<Txid> = ledger.txs.iter().map(|tx| tx.txid).collect();
    assert_eq!(order, expected.iter().map(|tag| id(*tag)).collect::<Vec<_>>());
}

#[track_caller]
fn check_error(txs: &[SparseTx], message: &str) {
    let error = ledger(txs).unwrap_err().to_string();
    let tags =
        (1..=9).fold(error, |text, tag| text.replace(&id(tag).to_string(), &tag.to_string()));
    assert_eq!(tags, message);
}

#[test]
fn what_was_not_seen_is_unknown() {
    let mut theft = tx(5, &[(1, 3), (1, 0)], 2);
    theft.outputs[1].spend = SparseSpend::Unspent;
    let ledger = ledger(&[theft]).unwrap();
    assert_eq!(ledger.tx_count(), 2);
    assert_eq!(ledger.flags(TxNum(0)).unwrap(), Flags::STUB);
    assert_eq!(ledger.height(TxNum(0)).unwrap(), None);
    let mut outputs = Vec::new();
    ledger.outputs(TxNum(0), &mut outputs).unwrap();
    assert_eq!(outputs.iter().map(|out| out.vout).collect::<Vec<_>>(), [0, 3]);
    assert!(outputs.iter().all(|out| out.spend == Spend::By(TxNum(1))));
    assert_eq!(ledger.output_at(TxNum(0), 1).unwrap(), None);
    assert_eq!(ledger.output_at(TxNum(0), 3).unwrap(), Some(OutNum(1)));
    ledger.outputs(TxNum(1), &mut outputs).unwrap();
    assert_eq!(outputs[0].spend, Spend::Unknown);
    assert_eq!(outputs[1].spend, Spend::Unspent);
    assert_eq!(ledger.tip(), None);
}

#[test]
fn a_time_without_a_height_is_kept() {
    let mut told = tx(1, &[], 1);
    told.time = Some(1_600_000_000);
    let ledger = ledger(&[told, tx(2, &[(1, 0)], 1)]).unwrap();
    assert_eq!(ledger.time(TxNum(0)).unwrap(), Some(1_600_000_000));
    assert_eq!(ledger.time(TxNum(1)).unwrap(), None);
    let mined = in_block(tx(1, &[], 1), 8, None);
    let time = mined.time;
    assert_eq!(super::tests::ledger(&[mined]).unwrap().time(TxNum(0)).unwrap(), time);
}

#[test]
fn order_is_chain_order_as_far_as_known() {
    // Heights first, then places, then txids; who is spent before who spends.
    check_order(
        &[
            in_block(tx(1, &[], 1), 8, Some(4)),
            in_block(tx(2, &[], 1), 8, Some(1)),
            in_block(tx(3, &[], 1), 7, None),
            tx(4, &[], 1),
        ],
        &[3, 2, 1, 4],
    );
    check_order(&[tx(1, &[(2, 0)], 1), tx(2, &[], 1)], &[2, 1]);
    // 2 has no height: it stands before the block of its spender 1, not inside a block.
    check_order(
        &[
            in_block(tx(1, &[(2, 0)], 1), 8, None),
            tx(2, &[], 1),
            in_block(tx(3, &[], 1), 8, None),
            in_block(tx(4, &[], 1), 7, None),
        ],
        &[4, 2, 1, 3],
    );
    // A place that is not known waits for the ones that are.
    check_order(
        &[
            in_block(tx(1, &[(3, 0)], 1), 8, Some(1)),
            in_block(tx(2, &[], 1), 8, Some(2)),
            in_block(tx(3, &[], 1), 8, None),
        ],
        &[3, 1, 2],
    );
}

#[test]
fn stubs_stand_before_the_block_and_not_in_it() {
    let ledger =
        ledger(&[in_block(tx(1, &[], 1), 8, None), in_block(tx(2, &[(9, 0)], 1), 8, None)])
            .unwrap();
    assert_eq!(ledger.flags(TxNum(0)).unwrap(), Flags::STUB);
    assert_eq!(ledger.block(Height(8)).unwrap().unwrap().txs, 1..3);
}

#[test]
fn a_height_between_equal_heights_is_filled_in() {
    let ledger = ledger(&[
        in_block(tx(1, &[], 1), 8, None),
        tx(2, &[(1, 0)], 1),
        in_block(tx(3, &[(2, 0)], 1), 8, None),
    ])
    .unwrap();
    assert_eq!(ledger.height(TxNum(1)).unwrap(), Some(Height(8)));
    let block = ledger.block(Height(8)).unwrap().unwrap();
    assert_eq!((block.txs, block.time), (0..3, 1_008));
    assert_eq!(ledger.tip().unwrap().height, Height(8));
    assert_eq!(ledger.find_block(&block.hash).unwrap(), Some(Height(8)));
}

#[test]
fn two_statements_about_one_transaction_become_one() {
    let mut unspent = tx(1, &[], 1);
    unspent.outputs[0].spend = SparseSpend::Unspent;
    let ledger = ledger(&[in_block(tx(1, &[], 1), 8, None), unspent]).unwrap();
    assert_eq!(ledger.tx_count(), 1);
    assert_eq!(ledger.height(TxNum(0)).unwrap(), Some(Height(8)));
    assert_eq!(ledger.output(OutNum(0)).unwrap().spend, Spend::Unspent);
}

#[test]
fn contradictions_name_the_transaction() {
    check_error(
        &[tx(1, &[(2, 0)], 1), tx(2, &[(1, 0)], 1)],
        "transaction 1 would have to come before itself",
    );
    check_error(
        &[in_block(tx(1, &[], 1), 8, Some(5)), in_block(tx(2, &[(1, 0)], 1), 8, Some(3))],
        "transaction 1 would have to come before itself",
    );
    check_error(
        &[in_block(tx(1, &[], 1), 9, None), in_block(tx(2, &[(1, 0)], 1), 8, None)],
        "block 9: transaction 1: must be in block 9 or later, but in block 8 or earlier",
    );
    check_error(
        &[tx(1, &[(3, 0)], 1), tx(2, &[(3, 0)], 1)],
        "transaction 2: input 0 spends 3:0, which transaction 1 spent already",
    );
    check_error(
        &[tx(1, &[], 1), tx(2, &[(1, 1)], 1)],
        "transaction 2: input 0 spends 1:1, which does not exist",
    );
    let mut other = tx(2, &[(1, 0)], 1);
    other.inputs[0].value = Sats(11);
    check_error(
        &[tx(1, &[], 1), other],
        "transaction 2: input 0 gives 1:0 another value or script",
    );
    let mut unspent = tx(1, &[(4, 0)], 1);
    unspent.outputs[0].spend = SparseSpend::Unspent;
    check_error(
        &[unspent.clone(), tx(2, &[(1, 0)], 1)],
        "transaction 1: output 0 is said to be unspent, but 2 spends it",
    );
    unspent.outputs[0].spend = SparseSpend::By(id(3));
    check_error(
        &[unspent.clone(), tx(2, &[(1, 0)], 1)],
        "transaction 1: output 0 is said to be spent by 3, but 2 spends it",
    );
    check_error(
        &[unspent, tx(3, &[], 1)],
        "transaction 1: output 0 is said to be spent by 3, which does not spend it",
    );
    check_error(
        &[in_block(tx(1, &[], 1), 8, None), in_block(tx(1, &[], 1), 9, None)],
        "block 9: transaction 1: two different heights",
    );
    let mut more = tx(1, &[(2, 0)], 2);
    more.inputs[0].value = Sats(10);
    more.outputs[0].value = Sats(20);
    check_error(&[more], "transaction 1: pays out 0.00000020 bitcoin but takes in only 0.00000010");
}
