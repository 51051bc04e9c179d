//! How fast a chain comes from a node, beside its files:
//! `cargo run --release -p ingest --example beside_node -- URL COOKIE BLOCKS_DIR STORES_DIR`.
//!
//! Indexes the same chain three times, from the files, over REST and over JSON-RPC, into new stores in
//! STORES_DIR.

#![allow(clippy::print_stdout, reason = "a program")]

use std::{error::Error, path::Path, time::Instant};

use ingest::Options;
use source::{
    BlockDir,
    node::{Login, Node},
};
use store::Writer;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, cookie, blocks, stores] = args.as_slice() else {
        return Err("URL COOKIE BLOCKS_DIR STORES_DIR".into());
    };
    let stores = Path::new(stores);
    let blocks = BlockDir::open(blocks, None)?;
    let network = blocks.network();
    let node = || Node::new(url, Login::Cookie(cookie.into()), network);
    let open = |name: &str| Writer::open(&stores.join(name), network, store::Options::default());
    let options = Options::default();

    let mut writer = open("files")?;
    let start = Instant::now();
    ingest::index(&blocks, &mut writer, &options, |_| ())?;
    tell("files", start, &writer);
    for (name, rest) in [("rest", true), ("rpc", false)] {
        let (mut writer, node) = (open(name)?, node()?);
        if !rest {
            node.without_rest();
        }
        let start = Instant::now();
        ingest::node::sync(&node, &mut writer, &options, |_| ())?;
        tell(name, start, &writer);
    }
    Ok(())
}

fn tell(name: &str, start: Instant, writer: &Writer) {
    let (seconds, counts) = (start.elapsed().as_secs_f64(), writer.counts());
    println!(
        "{name:5} {seconds:6.2} s, {} blocks, {} transactions, {:.0} transactions/s",
        counts.blocks,
        counts.transactions,
        f64::from(counts.transactions) / seconds
    );
}
