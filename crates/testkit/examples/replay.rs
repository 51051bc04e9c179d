//! Replays the theft: `cargo run --release -p testkit --example replay -- DIR [TRANSACTIONS [SEED]]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::time::Instant;

use testkit::replay::{ReplayOptions, replay};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut options = ReplayOptions::new(args.next().ok_or("DIR [TRANSACTIONS [SEED]]")?);
    if let Some(transactions) = args.next() {
        options.transactions = transactions.parse()?;
    }
    if let Some(seed) = args.next() {
        options.seed = seed.parse()?;
    }
    let start = Instant::now();
    let replay = replay(&options, |_| {})?;
    println!("theft {} at height {}", replay.truth.theft.txid, replay.truth.theft.height);
    for booking in &replay.truth.dispositions {
        let amount = chain::Sats(booking.value_sat);
        println!("{amount:>16}  {:?}  {}", booking.category, booking.entity);
    }
    eprintln!("{:.1} s, {} steps", start.elapsed().as_secs_f64(), replay.truth.steps.len());
    Ok(())
}
