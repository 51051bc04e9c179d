//! A text with transactions: whatever it says, no panic.

#![no_main]

use std::path::Path;

use chain::{MemoryLedger, Network};
use libfuzzer_sys::fuzz_target;
use source::Transactions;

fuzz_target!(|text: &[u8]| {
    let mut transactions = Transactions::new(Network::Mainnet);
    if transactions.read(Path::new("text"), text).is_ok() {
        let _ = MemoryLedger::from_sparse(Network::Mainnet, transactions.finish().txs);
    }
});
