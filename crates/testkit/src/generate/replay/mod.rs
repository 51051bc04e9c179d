//! The theft at DMM Bitcoin of May 2024, replayed on a made-up chain, to score a tracer against.
//!
//! What is public is as it was: nine coins of a custodian's address (eight of 500 bitcoin, one of
//! 503), one transaction, exactly 4,502.9 bitcoin to one address that resembles another one in its
//! first and last characters, a fee of 0.1, then ten storage addresses, CoinJoins, a bridge, and an
//! over-the-counter market. Everything else is invented: amounts, dates of the steps, people,
//! services, keys (nobody has any). Around it lives the ordinary world of [`generate`](super), and
//! clean people's coins are in the same CoinJoins.
//!
//! [`replay`] writes `blocks/`, the side files in `truth/`, and `truth.json`, which is a [`Truth`].

mod bookings;
mod look_alike;
mod story;
mod truth;

use std::{fs, io, path::PathBuf};

use super::{GenerateError, GeneratorOptions, Progress, Summary};

pub use truth::{
    Booking, Category, Entity, Input, LookAlike, Output, Payment, Step, Theft, Tip, Totals, Truth,
};

/// What to replay.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The same seed gives the same chain and the same story.
    pub seed: u64,
    /// Transactions of the world around it; 20,000 at least, or the mixers find no company.
    pub transactions: u64,
    /// The directory that gets `blocks/`, `truth/` and `truth.json`.
    pub out: PathBuf,
}

impl ReplayOptions {
    /// 100,000 transactions with seed 1.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self { seed: 1, transactions: 100_000, out: out.into() }
    }
}

/// A replayed theft.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The directory with `blk*.dat`.
    pub blocks: PathBuf,
    /// Counts of the whole chain.
    pub summary: Summary,
    /// What happened to the stolen coins; also in `truth.json`.
    pub truth: Truth,
}

/// Replays the theft. `progress` is called after every block.
///
/// # Errors
/// [`GenerateError`]; what was written until then is left behind.
pub fn replay(
    options: &ReplayOptions,
    progress: impl FnMut(Progress),
) -> Result<Replay, GenerateError> {
    let mut generator = GeneratorOptions::new(options.transactions, &options.out);
    generator.seed = options.seed;
    generator.per_block = Some((options.transactions / story::BUSY_BLOCKS).max(20));
    generator.start = story::start(generator.step);
    let (summary, truth) = story::tell(&generator, progress)?;
    let path = options.out.join("truth.json");
    let mut text = serde_json::to_vec_pretty(&truth)
        .map_err(io::Error::from)
        .map_err(GenerateError::io(&path))?;
    text.push(b'\n');
    fs::write(&path, text).map_err(GenerateError::io(&path))?;
    Ok(Replay { blocks: options.out.join("blocks"), summary, truth })
}

#[cfg(test)]
mod tests;
