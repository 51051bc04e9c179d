//! How long a case of many hops takes to be packed and checked:
//! `cargo run --release -p cases --example measure [HOPS]`.
//!
//! A peel chain, one hop a block, each paying a little to somebody: under every policy each step counts.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

use std::time::Instant;

use bitcoin::{
    Amount, Block, OutPoint, Sequence, Transaction, TxIn, TxOut, Witness, absolute::LockTime,
    consensus::encode, transaction::Version,
};
use cases::{
    Case, NoLabels,
    bundle::{self, Making, Tool},
    evidence::FromBlocks,
};
use chain::{Height, MemoryLedger, Network};
use testkit::{keys, mine};

fn main() {
    let hops: u64 = std::env::args().nth(1).map_or(10_000, |text| text.parse().unwrap());
    let (blocks, theft) = peel_chain(hops);
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
    let text = format!("title = 'T'\nnetwork = 'regtest'\n[[theft]]\noutput = '{theft}'\n");
    let case = Case::parse(&text).unwrap();

    let start = Instant::now();
    let mut block = |height: Height, _: &chain::BlockHash| {
        Ok(blocks.get(height.index()).map(encode::serialize))
    };
    let mut header = |height: Height| {
        let header = blocks.get(height.index()).map(|block| block.header);
        Ok(header.and_then(|header| encode::serialize(&header).try_into().ok()))
    };
    let made = bundle::make(Making {
        text: &text,
        case: &case,
        ledger: &ledger,
        source: "store",
        labels: &mut NoLabels,
        tag_set_digest: None,
        proofs: &mut FromBlocks::new(&mut block, &mut header),
        tool: Tool { version: "0.0.0".to_owned(), binary_sha256: None },
        key: None,
        progress: &mut |_| {},
    })
    .unwrap();
    let packed = start.elapsed();

    let start = Instant::now();
    let verdict = bundle::verify(&made.bytes, None);
    let checked = start.elapsed();
    assert!(verdict.is_complete() && !verdict.fails());
    if let Some(path) = std::env::args().nth(2) {
        std::fs::write(path, &made.bytes).unwrap();
    }
    println!(
        "{hops} hops, {} transactions, {:.1} MB: packed in {:.2} s (target 10), checked in {:.2} s (target 5)",
        made.provenance.transactions.passed,
        made.bytes.len() as f64 / 1e6,
        packed.as_secs_f64(),
        checked.as_secs_f64()
    );
}

/// Genesis, a block that mints the loot, and a block for each hop.
fn peel_chain(hops: u64) -> (Vec<Block>, OutPoint) {
    let mut blocks = vec![mine::genesis()];
    let pay = |name: String, sat: u64| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: keys::script(keys::Kind::P2wpkh, &name),
    };
    let mut mine_block = |height: u64, miner: u64, more: Option<Transaction>| {
        let parent = blocks.last().unwrap().block_hash();
        let place = mine::Place { parent, time: 1_700_000_000 + 600 * height as u32 };
        let script = mine::coinbase_script(height as u32, 0);
        let coinbase = mine::coinbase(script, vec![pay("miner".to_owned(), miner)]);
        let txs = std::iter::once(coinbase).chain(more).collect();
        let block = mine::block(place, txs);
        let txid = block.txdata.last().unwrap().compute_txid();
        blocks.push(block);
        txid
    };
    let mut rest = 5_000_000_000_u64;
    let theft = OutPoint::new(mine_block(1, rest, None), 0);
    let mut next = theft;
    for hop in 0..hops {
        rest -= 2_000;
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: next,
                script_sig: bitcoin::ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![pay(format!("p{}", hop % 50), 1_000), pay(format!("r{}", hop % 50), rest)],
        };
        next = OutPoint::new(mine_block(hop + 2, 1_000, Some(tx)), 1);
    }
    (blocks, theft)
}
