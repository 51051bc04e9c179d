//! Large chains that behave like the real one, with the truth about them.
//!
//! People pay each other, shops and exchanges; wallets differ in version, locktime, sequence, change
//! and reuse; exchanges sweep deposits and pay withdrawals in batches; pools pay miners; coins are
//! mixed in Whirlpool, Wasabi and JoinMarket; thieves steal and peel. The fashion in script types
//! moves from P2PKH to taproot over the length of the chain.
//!
//! The blocks are valid for a node of regtest in all but their scripts: proof of work, Merkle roots,
//! witness commitments, heights, fees, maturity, weight and signature operations are right, and the
//! signatures are random bytes. A node accepts them with `-assumevalid=<hash of the tip>`, which
//! still checks scripts in the last two weeks' worth of blocks: give
//! [`GeneratorOptions::tail`] = 2,100 for that. Its clock is years ahead, so it also wants
//! `-maxtipage=2000000000`.
//!
//! One seed gives one chain, byte for byte. Memory grows with the unspent outputs (64 bytes each)
//! and the entities, not with the chain.

mod block;
mod coinjoin;
mod coins;
mod crime;
mod draft;
mod entities;
mod moves;
mod people;
pub mod replay;
mod scripts;
mod services;
mod truth;
mod watch;
mod world;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::blkfile::Layout;
use world::World;

pub use entities::Role;
pub use truth::{Class, SideFiles};

/// What to generate.
#[derive(Clone, Debug)]
pub struct GeneratorOptions {
    /// The same seed gives the same chain.
    pub seed: u64,
    /// How many transactions, coinbases not counted.
    pub transactions: u64,
    /// The directory that gets `blocks/` and `truth/`.
    pub out: PathBuf,
    /// Transactions a block on average; `None` chooses by the length of the chain, up to what real
    /// blocks hold.
    pub per_block: Option<u64>,
    /// Time of block 1, seconds since 1970 UTC.
    pub start: u32,
    /// Seconds between two blocks.
    pub step: u32,
    /// Blocks without transactions at the end.
    pub tail: u32,
    /// How the block files look. The network has to be regtest: only there is work free.
    pub layout: Layout,
}

impl GeneratorOptions {
    /// A chain of so many transactions with seed 1, from January 2024 on.
    pub fn new(transactions: u64, out: impl Into<PathBuf>) -> Self {
        Self {
            seed: 1,
            transactions,
            out: out.into(),
            per_block: None,
            start: 1_704_067_200,
            step: 600,
            tail: 0,
            layout: Layout::default(),
        }
    }
}

/// How far a generator is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Transactions made, coinbases not counted.
    pub transactions: u64,
    /// Blocks made, genesis counted.
    pub blocks: u64,
    /// Bytes of blocks.
    pub bytes: u64,
}

/// What was generated. Genesis and coinbases are counted, as a node counts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// Blocks, genesis included.
    pub blocks: u64,
    /// Transactions, coinbases and genesis included.
    pub transactions: u64,
    /// Inputs that spend something: those of coinbases are not counted.
    pub inputs: u64,
    /// Outputs, those of genesis and data carriers included.
    pub outputs: u64,
    /// Of those, data carriers (`OP_RETURN`), witness commitments included.
    pub data_outputs: u64,
    /// Different locking scripts, data carriers not counted, genesis counted.
    pub scripts: u64,
    /// Unspent outputs, without data carriers and genesis.
    pub unspent: u64,
    /// Entities, nobody included.
    pub entities: u64,
    /// Bytes of all blocks.
    pub bytes: u64,
    /// Height of the tip.
    pub height: u32,
    /// Hash of the tip, as people write it.
    pub tip: String,
    /// How many transactions of each class.
    pub classes: std::collections::BTreeMap<Class, u64>,
}

/// Why a chain could not be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The operating system refused a file.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The economy came to a standstill; a defect of the generator, or a chain longer than its
    /// numbers.
    #[error("after {0} transactions nobody has anything left to spend")]
    Starved(u64),
    /// The network of the layout is not regtest.
    #[error("only regtest chains can be generated: elsewhere blocks need real work")]
    Network,
}

impl GenerateError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { path: path.to_owned(), error }
    }
}

/// Generates a chain: `out/blocks/blk*.dat` and the side files in `out/truth/`, which
/// [`SideFiles`] describes and reads. `progress` is called after every block.
///
/// # Errors
/// [`GenerateError`]; what was written until then is left behind.
pub fn generate(
    options: &GeneratorOptions,
    mut progress: impl FnMut(Progress),
) -> Result<Summary, GenerateError> {
    let mut world = World::new(options)?;
    let mut idle = 0;
    while world.made() < options.transactions {
        let before = world.made();
        world.busy_block()?;
        progress(world.progress());
        // The first hundred blocks have nothing to spend: coinbases are not mature yet.
        idle = if world.made() == before { idle + 1 } else { 0 };
        if idle > 200 {
            return Err(GenerateError::Starved(world.made()));
        }
    }
    for _ in 0..options.tail {
        world.close_block()?;
        progress(world.progress());
    }
    world.finish()
}

/// Writes `summary.json` into the directory with the truth.
fn write_summary(summary: &Summary, dir: &Path) -> Result<(), GenerateError> {
    let path = dir.join("summary.json");
    let mut text = serde_json::to_vec_pretty(summary)
        .map_err(io::Error::from)
        .map_err(GenerateError::io(&path))?;
    text.push(b'\n');
    fs::write(&path, text).map_err(GenerateError::io(&path))
}

#[cfg(test)]
mod tests;
