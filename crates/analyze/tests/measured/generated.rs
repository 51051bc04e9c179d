//! A generated chain, where the truth is known: what it says about the methods is about its
//! wallets' habits too.

use std::{fs, path::Path};

use bitcoin::Block;
use chain::{MemoryLedger, Network};
use testkit::generate::{GeneratorOptions, SideFiles, generate};

/// A chain of so many transactions, and the truth about it. Numbers are those of the ledger.
pub(crate) fn chain(name: &str, transactions: u64) -> (MemoryLedger, SideFiles) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    generate(&GeneratorOptions::new(transactions, &dir), |_| {}).unwrap();
    let truth = SideFiles::read(&dir).unwrap();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks(&dir)).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    (ledger, truth)
}

fn blocks(dir: &Path) -> Vec<Block> {
    let mut files: Vec<_> =
        fs::read_dir(dir.join("blocks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut blocks = Vec::new();
    for file in files {
        let bytes = fs::read(file).unwrap();
        let mut rest = bytes.as_slice();
        while let [_, _, _, _, a, b, c, d, tail @ ..] = rest {
            let (block, after) = tail.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
            blocks.push(bitcoin::consensus::deserialize(block).unwrap());
            rest = after;
        }
    }
    blocks
}
