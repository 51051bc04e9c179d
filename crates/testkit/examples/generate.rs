//! Generates a chain: `cargo run --release -p testkit --example generate -- DIR TRANSACTIONS [SEED [TAIL]]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::time::Instant;

use testkit::generate::{GeneratorOptions, generate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "DIR TRANSACTIONS [SEED [TAIL]]";
    let out = args.next().ok_or(usage)?;
    let transactions = args.next().ok_or(usage)?.parse()?;
    let mut options = GeneratorOptions::new(transactions, out);
    if let Some(seed) = args.next() {
        options.seed = seed.parse()?;
    }
    if let Some(tail) = args.next() {
        options.tail = tail.parse()?;
    }
    let start = Instant::now();
    let summary = generate(&options, |progress| {
        if progress.blocks.is_multiple_of(500) {
            eprintln!("{} blocks, {} transactions", progress.blocks, progress.transactions);
        }
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::to_string_pretty(&summary)?);
    eprintln!("{seconds:.1} s, {:.0} transactions/s", transactions as f64 / seconds);
    Ok(())
}
