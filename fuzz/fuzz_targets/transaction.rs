//! A transaction's bytes, put into a block behind a coinbase.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/source/tests/integration/oracle.rs"]
mod oracle;

fuzz_target!(|tx: &[u8]| {
    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
    let mut raw = bitcoin::consensus::serialize(&genesis);
    raw[80] = 2;
    raw.extend_from_slice(tx);
    oracle::repair_root(&mut raw);
    let _ = oracle::compare(&raw, 1000);
});
