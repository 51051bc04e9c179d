//! Blocks, block files and directories made for a test.

use std::{fs, path::Path};

use bitcoin::{Amount, Block, BlockHash, ScriptBuf, TxOut, consensus::serialize};
use source::{BlockDir, SourceError};
use tempfile::TempDir;
use testkit::mine;

/// The magic of regtest.
pub(crate) const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

/// A block on `parent` with nothing but a coinbase; `tag` tells siblings apart.
pub(crate) fn child(parent: BlockHash, height: u32, tag: u32) -> Block {
    let reward = TxOut {
        value: Amount::from_sat(5_000_000_000),
        script_pubkey: ScriptBuf::from(vec![0x51]),
    };
    let coinbase = mine::coinbase(mine::coinbase_script(height, tag), vec![reward]);
    mine::block(mine::Place { parent, time: 1_700_000_000 + height }, vec![coinbase])
}

/// `count` more blocks on top of `blocks[..]`, from its last on.
pub(crate) fn extend(blocks: &mut Vec<Block>, height: u32, count: u32, tag: u32) {
    for height in height..height + count {
        let parent = blocks.last().unwrap().block_hash();
        blocks.push(child(parent, height, tag));
    }
}

/// A regtest chain of `count` blocks, block 0 included.
pub(crate) fn chain(count: u32) -> Vec<Block> {
    let mut blocks = vec![mine::genesis()];
    extend(&mut blocks, 1, count - 1, 0);
    blocks
}

/// Magic, length and block, as a node writes them.
pub(crate) fn record(block: &Block) -> Vec<u8> {
    frame(&serialize(block))
}

/// Any bytes in a record.
pub(crate) fn frame(raw: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &(raw.len() as u32).to_le_bytes(), raw].concat()
}

/// The records of some blocks, one behind the other.
pub(crate) fn records(blocks: &[Block]) -> Vec<u8> {
    blocks.iter().flat_map(record).collect()
}

/// A directory with these files.
pub(crate) fn dir(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// Opens a directory without saying which network it is of.
pub(crate) fn open(dir: impl AsRef<Path>) -> BlockDir {
    BlockDir::open(dir, None).unwrap()
}

/// What opening the directory fails with, as a person reads it, `DIR` for its path.
pub(crate) fn refused(dir: &Path, error: &SourceError) -> String {
    error.to_string().replace(&dir.display().to_string(), "DIR")
}

/// The findings of the scans, as a person reads them, `DIR` for the directory.
pub(crate) fn findings(dir: &BlockDir) -> Vec<String> {
    let path = dir.path().display().to_string();
    dir.report().findings.iter().map(|found| found.to_string().replace(&path, "DIR")).collect()
}

/// The hashes of the best chain.
pub(crate) fn best(dir: &BlockDir) -> Vec<BlockHash> {
    use chain::Height;
    dir.best_chain().unwrap().blocks_from(Height(0)).map(|place| place.hash).collect()
}

pub(crate) fn hashes(blocks: &[Block]) -> Vec<BlockHash> {
    blocks.iter().map(Block::block_hash).collect()
}

/// How many cases: `CHAINHOUND_STRESS` multiplies them.
pub(crate) fn cases(usual: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config::with_cases(testkit::cases(usual))
}
