//! Large synthetic chains: the generator of `testkit`, with progress.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use testkit::generate::{GeneratorOptions, Summary, generate};

/// Writes a chain of about `transactions` into `out`: `blocks/` and `truth/`.
pub(crate) fn run(transactions: u64, out: &Path, seed: u64) -> anyhow::Result<Summary> {
    let options = GeneratorOptions { seed, ..GeneratorOptions::new(transactions, out) };
    // A terminal shows one line that changes; a log gets a line now and then.
    let terminal = io::stderr().is_terminal();
    let every = if terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
    let (start, mut shown) = (Instant::now(), Instant::now());
    let summary = generate(&options, |progress| {
        if shown.elapsed() < every {
            return;
        }
        shown = Instant::now();
        let speed = progress.transactions as f64 / start.elapsed().as_secs_f64();
        let left = transactions.saturating_sub(progress.transactions) as f64 / speed;
        let line = format!(
            "generating: {} of {transactions} transactions, {} blocks, {} MB, {speed:.0} tx/s, \
             {left:.0} s left",
            progress.transactions,
            progress.blocks,
            progress.bytes / 1_000_000,
        );
        // Nobody to tell when the screen is gone.
        let _ = if terminal {
            write!(io::stderr(), "\r{line}\x1b[K")
        } else {
            writeln!(io::stderr(), "{line}")
        };
    })?;
    let end = if terminal { "\r\x1b[K" } else { "" };
    eprintln!(
        "{end}generated {} transactions in {} blocks, {} MB, in {:.1} s: tip {} {}",
        summary.transactions,
        summary.blocks,
        summary.bytes / 1_000_000,
        start.elapsed().as_secs_f64(),
        summary.height,
        summary.tip,
    );
    Ok(summary)
}
