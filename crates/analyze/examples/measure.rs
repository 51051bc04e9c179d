//! How fast CoinJoins are recognised, and how many transactions entropy is counted of, on the real
//! data set (`CHAINHOUND_TEST_DATA`, or `../shared/data` beside the checkout).
//!
//! `cargo run --release -p analyze --example measure [detect|entropy]`
//!
//! What the methods find on the same data is measured by tests: `cargo test -p analyze --test measured`.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/measured/sets.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod sets;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use analyze::{
    coinjoin::{Detector, ShapeBuf},
    entropy::{IntraFees, Limits, entropy},
};
use chain::Sats;
use sets::{Coin, Tx};

fn main() {
    let Some(data) = testkit::data_dir() else { return };
    let asked = std::env::args().nth(1);
    let is_asked = |name| asked.as_deref().is_none_or(|asked| asked == name);
    if is_asked("detect") {
        detect(&data);
    }
    if is_asked("entropy") {
        count(&data);
    }
}

/// Transactions a second on one thread, their scripts already at hand.
fn detect(data: &Path) {
    let blocks: Vec<Tx> = sets::blocks(data).into_iter().flat_map(|(_, txs)| txs).collect();
    for (name, txs) in [("blocks", blocks), ("whirlpool", sets::labelled(data, "whirlpool"))] {
        let shape = |tx: &Tx| {
            let mut buffer = ShapeBuf::default();
            tx.shape(&mut buffer);
            buffer
        };
        let shapes: Vec<ShapeBuf> = txs.iter().map(shape).collect();
        let mut detector = Detector::default();
        let (mut count, mut found) = (0_u64, 0_u64);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            for shape in &shapes {
                count += 1;
                found += u64::from(detector.class(&shape.shape()).protocol().is_some());
            }
        }
        let rate = u128::from(count) * 1_000_000 / start.elapsed().as_micros();
        println!("{name}: {rate} transactions/s, {found} of {count} found");
    }
}

/// How many of the labelled transactions the default limits reach, and what that takes.
fn count(data: &Path) {
    println!("| set | n | counted | size | budget | too many | deterministic links | slowest |");
    for set in ["whirlpool", "whirlpool_tx0", "joinmarket_like", "joinmarket_postmix", "wasabi1"] {
        let (mut counted, mut links, mut slowest) = (0, 0, 0);
        let mut why = BTreeMap::<&str, usize>::new();
        let txs = sets::labelled(data, set);
        for tx in &txs {
            let values =
                |coins: &[Coin]| -> Vec<Sats> { coins.iter().map(|coin| coin.value).collect() };
            let (inputs, outputs) = (values(&tx.inputs), values(&tx.outputs));
            let start = Instant::now();
            let found = entropy(&inputs, &outputs, IntraFees::default(), Limits::default());
            slowest = slowest.max(start.elapsed().as_millis());
            links += found.deterministic.len();
            match found.counted {
                Ok(_) => counted += 1,
                Err(reason) => *why.entry(reason.name()).or_default() += 1,
            }
        }
        let of = |reason| why.get(reason).copied().unwrap_or(0);
        println!(
            "| {set} | {} | {counted} | {} | {} | {} | {links} | {slowest} ms |",
            txs.len(),
            of("size"),
            of("budget"),
            of("too_many")
        );
    }
}
