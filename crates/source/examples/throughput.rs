//! How fast a directory of block files is scanned, read and decoded, with one thread.
//!
//! `cargo run --release -p source --example throughput -- DIR`, or a file with one bare block, which
//! is decoded 1000 times.

#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{error::Error, time::Instant};

use chain::Height;
use source::{BlockDir, DecodedBlock, decode};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which directory?")?;
    let mut block = DecodedBlock::new();
    if let Ok(raw) = std::fs::read(&path) {
        let start = Instant::now();
        for _ in 0..1000 {
            decode::block(&raw, Height(0), &mut block)?;
        }
        let rate = raw.len() as f64 / 1e3 / start.elapsed().as_secs_f64();
        println!("decode: {} transactions, {rate:.0} MB/s", block.tx_count());
        return Ok(());
    }
    let start = Instant::now();
    let dir = BlockDir::open(path, None)?;
    let chain = dir.best_chain()?;
    let seconds = start.elapsed().as_secs_f64();
    let report = dir.report();
    println!("scan: {} blocks, {} MB in {seconds:.3} s", report.blocks, report.bytes / 1_000_000);

    let (mut reader, mut raw) = (dir.reader(), Vec::new());
    let (mut bytes, mut txs, mut reading, mut decoding) = (0, 0, 0.0, 0.0);
    for place in chain.blocks_from(Height(0)) {
        let start = Instant::now();
        reader.read_block(&place, &mut raw)?;
        reading += start.elapsed().as_secs_f64();
        let start = Instant::now();
        decode::block(&raw, place.height, &mut block)?;
        decoding += start.elapsed().as_secs_f64();
        bytes += raw.len();
        txs += block.tx_count();
    }
    let megabytes = bytes as f64 / 1e6;
    println!("read: {megabytes:.0} MB in {reading:.3} s: {:.0} MB/s", megabytes / reading);
    println!(
        "decode: {txs} transactions in {decoding:.3} s: {:.0} MB/s, {:.2} million transactions/s",
        megabytes / decoding,
        txs as f64 / 1e6 / decoding
    );
    Ok(())
}
