//! How often addresses that resemble nothing on purpose raise an alarm: the real addresses of tag
//! packs, part of them as the book, the rest as questions.
//!
//! `cargo run --release -p intel --example falsealarms -- FOLDER`

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{collections::BTreeMap, path::Path};

use bitcoin::Script;
use chain::{Network, script::ScriptKind};
use intel::{
    Document, Settings, TagSetBuilder,
    lookalike::{Book, MilliBits},
};

fn main() {
    let settings = Settings::new(Network::Mainnet);
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    let folder = std::env::args().nth(1).unwrap();
    for entry in std::fs::read_dir(Path::new(&folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let (name, bytes) = (path.display().to_string(), std::fs::read(&path).unwrap());
            builder
                .add(&intel::import(Document { name: &name, bytes: &bytes }, &settings).unwrap())
                .unwrap();
        }
    }
    let set = builder.build().unwrap();
    let addresses: Vec<(String, String)> = set
        .scripts()
        .filter_map(|script| {
            let address =
                chain::script::address(Script::from_bytes(script.as_bytes()), Network::Mainnet)?;
            let vanity =
                ["3BMEX", "3BitMEX", "bc1qmex"].iter().any(|name| address.starts_with(name));
            let kind = ScriptKind::of(script.as_bytes());
            Some((address, format!("{kind}{}", if vanity { ", name in front" } else { "" })))
        })
        .collect();
    for share in [2, 10, 1000] {
        // Every address is in the book or a question, by a hash of nothing but itself.
        let in_book = |text: &str| {
            let sum = text
                .bytes()
                .fold(7_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            (sum >> 32) % share == 0
        };
        let (book, _) =
            Book::new(addresses.iter().map(|(text, _)| text).filter(|text| in_book(text)));
        let mut counts: BTreeMap<&str, [u64; 6]> = BTreeMap::new();
        for (text, kind) in addresses.iter().filter(|(text, _)| !in_book(text)) {
            let check = book.check(text).unwrap();
            for name in [kind.as_str(), "all"] {
                let count = counts.entry(name).or_default();
                count[0] += 1;
                for (at, least) in [10_000, 11_000, 12_000, 13_000, 14_000].iter().enumerate() {
                    count[at + 1] += u64::from(check.margin() >= MilliBits(*least));
                }
            }
        }
        println!("book {}:", book.len());
        for (kind, [asked, alarms @ ..]) in counts {
            let rates: Vec<String> = alarms
                .iter()
                .map(|alarms| format!("{alarms} ({:.3} %)", *alarms as f64 * 100.0 / asked as f64))
                .collect();
            println!("  {kind}: {asked} asked; at 10..14 bits {}", rates.join(", "));
        }
    }
    random(1_000_000, 200_000);
    random(10_000, 200_000);
}

/// The same with addresses made of random hashes: nothing but chance.
fn random(entries: u64, questions: u64) {
    let address = |number: u64| {
        let mut script = vec![0x76, 0xa9, 0x14];
        script.extend_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..20]);
        script.extend_from_slice(&[0x88, 0xac]);
        chain::script::address(Script::from_bytes(&script), Network::Mainnet).unwrap()
    };
    let (book, _) = Book::new((0..entries).map(address));
    let asked: Vec<String> = (entries..entries + questions).map(address).collect();
    let start = std::time::Instant::now();
    let mut alarms = [0_u64; 5];
    for text in &asked {
        let margin = book.check(text).unwrap().margin();
        for (alarms, least) in alarms.iter_mut().zip([10_000, 11_000, 12_000, 13_000, 14_000]) {
            *alarms += u64::from(margin >= MilliBits(least));
        }
    }
    let rates: Vec<String> = alarms
        .iter()
        .map(|alarms| format!("{alarms} ({:.3} %)", *alarms as f64 * 100.0 / questions as f64))
        .collect();
    let each = start.elapsed() / questions as u32;
    println!(
        "random book {entries}: {questions} asked; at 10..14 bits {}; {each:?} each",
        rates.join(", ")
    );
}
