//! How long a folder of packs takes: to import, to build, to load, to ask.
//!
//! `cargo run --release -p intel --example measure -- FOLDER…`

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use chain::Network;
use intel::{Document, Format, Settings, TagSet, TagSetBuilder, lookalike::Book};

fn main() {
    let settings = Settings::new(Network::Mainnet);
    let mut builder = TagSetBuilder::new(Network::Mainnet);
    let (mut bytes, mut rows, mut rejected, mut reading) = (0, 0, 0, Duration::ZERO);
    for path in std::env::args().skip(1).flat_map(|folder| files(Path::new(&folder))) {
        let content = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        let start = Instant::now();
        match intel::import(Document { name: &name, bytes: &content }, &settings) {
            Ok(import) => {
                reading += start.elapsed();
                bytes += content.len();
                rows += import.report.rows;
                rejected += import.report.rejected.len();
                for row in import.report.rejected.iter().take(3) {
                    println!("  {}", import.report.line_of(row));
                }
                for note in &import.report.notes {
                    println!("  {name}: {note}");
                }
                builder.add(&import).unwrap();
            }
            Err(error) => println!("  {error}"),
        }
    }
    println!("read {bytes} bytes, {rows} rows, {rejected} rejected, in {reading:?}");
    let start = Instant::now();
    let set = builder.build().unwrap();
    println!("built in {:?}: {:?}", start.elapsed(), set.counts());
    let file = std::env::temp_dir().join(format!("tags-{}", std::process::id()));
    std::fs::write(&file, set.as_bytes()).unwrap();
    let start = Instant::now();
    let loaded = TagSet::from_bytes(std::fs::read(&file).unwrap()).unwrap();
    println!(
        "loaded {} bytes in {:?}, {}",
        loaded.as_bytes().len(),
        start.elapsed(),
        loaded.digest()
    );
    std::fs::remove_file(&file).unwrap();

    let mut scripts: Vec<Vec<u8>> = loaded.scripts().map(|script| script.to_bytes()).collect();
    // An order that memory cannot guess.
    scripts.sort_by_key(|script| script.iter().rev().copied().collect::<Vec<u8>>());
    let per = |start: Instant, count: usize| start.elapsed().as_nanos() / count.max(1) as u128;
    let start = Instant::now();
    let mut found = 0;
    for script in &scripts {
        found += black_box(loaded.of_script(script)).len();
    }
    println!("look-up: {} ns, {found} claims", per(start, scripts.len()));
    let start = Instant::now();
    println!("label 'lazarus': {} in {:?}", loaded.by_label("lazarus", 100).len(), start.elapsed());
    let start = Instant::now();
    println!(
        "prefix 'binance': {} in {:?}",
        loaded.by_label_prefix("binance", 100).len(),
        start.elapsed()
    );
    let start = Instant::now();
    let claims: usize = loaded.by_concept("exchange").map(|said| said.claims().len()).sum();
    println!("category exchange: {claims} claims in {:?}", start.elapsed());

    let start = Instant::now();
    let book = Book::of_set(&loaded);
    println!("book of {} in {:?}", book.len(), start.elapsed());
    let texts: Vec<String> = scripts
        .iter()
        .step_by(97)
        .filter_map(|script| {
            chain::script::address(bitcoin::Script::from_bytes(script), Network::Mainnet)
        })
        .collect();
    let start = Instant::now();
    let alarms = texts.iter().filter(|text| book.check(text).is_some_and(|c| c.is_alarm())).count();
    println!(
        "look-alike check: {} ns, {alarms} alarms of {}",
        per(start, texts.len()),
        texts.len()
    );
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_wanted =
        |path: &PathBuf| path.is_dir() || Format::is_readable_name(&path.display().to_string());
    entries.iter().filter(|path| is_wanted(path)).flat_map(|path| files(path)).collect()
}
