//! Screening: addresses as texts against labels, a book, and a warm store.

use std::{fmt::Write as _, hint::black_box};

use anyhow::Context as _;
use chain::{AddressNum, Ledger, script};
use intel::{Document, Settings, TagSet, TagSetBuilder, lookalike::Book};
use screen::{Rules, Screen, Target, Verdict};

use crate::{
    clock::{Clock, quickest},
    figures::{self, Figures},
};

/// Addresses that are screened; half of them are labelled.
const ASKED: usize = 100_000;
/// Labelled addresses: as many as the public packs have.
const LABELLED: usize = 483_000;
/// Entries of the book.
const KNOWN: usize = 10_000;

/// Times whole verdicts, from text to reasons.
pub(crate) fn measure(ledger: &(impl Ledger + 'static)) -> anyhow::Result<Figures> {
    let addresses = addresses(ledger)?;
    anyhow::ensure!(!addresses.is_empty(), "the store has no addresses");
    let tags = labels(ledger, &addresses)?;
    let known = addresses.iter().rev().step_by((addresses.len() / KNOWN).max(1));
    let (book, _) = Book::new(known);
    let rules = Rules::default();
    let bare = Screen {
        network: ledger.network(),
        rules: &rules,
        tags: Some(&tags),
        book: None,
        lent: None,
        label_book: None,
        ledger: None,
        is_whole: false,
        exposure: screen::Follow::Nothing,
    };
    // An order without pattern: a multiplicative walk.
    let step = |n: usize| (n as u64 * 2_654_435_761 % addresses.len() as u64) as usize;
    let count = ASKED.min(addresses.len());
    let asked: Vec<&str> =
        (0..count).filter_map(|n| addresses.get(step(n)).map(String::as_str)).collect();

    let mut figures = Figures::default();
    let counts = tags.counts();
    figures.group(format!(
        "Screening, {} labelled addresses, one thread, warm, {} transactions",
        counts.scripts,
        ledger.tx_count()
    ));
    let with_chain = Screen { ledger: Some(ledger), is_whole: true, ..bare };
    let whole = Screen { book: Some(&book), ..with_chain };
    let followed = Screen { exposure: screen::Follow::Direct, ..whole };
    for (what, screen, target) in [
        ("labels alone", bare, figures::Target::None),
        ("labels and store", with_chain, figures::Target::AtLeast(10_000.0)),
        ("labels, store and a book of 10,000", whole, figures::Target::AtLeast(10_000.0)),
        ("and direct exposure, as by default", followed, figures::Target::AtLeast(10_000.0)),
    ] {
        let mut blocked = 0_usize;
        let time = quickest(3, || {
            let clock = Clock::start();
            for text in &asked {
                let target = Target::read(text, screen.network);
                blocked += usize::from(screen.screen(&target)?.verdict == Verdict::Block);
            }
            Ok(clock.passed().wall)
        })?;
        black_box(blocked);
        let rate = asked.len() as f64 / time.as_secs_f64();
        figures.add(what, rate, "addresses/s", target);
    }
    Ok(figures)
}

/// Addresses with a text, spread over the chain.
fn addresses(ledger: &impl Ledger) -> anyhow::Result<Vec<String>> {
    let count = ledger.address_count();
    let step = (count as usize / (2 * LABELLED)).max(1);
    let mut found = Vec::new();
    for number in (0..count).step_by(step) {
        let script = ledger.script(AddressNum(number))?;
        found.extend(script::address(&script, ledger.network()));
    }
    Ok(found)
}

/// Every other address labelled, by kinds that take different rules.
fn labels(ledger: &impl Ledger, addresses: &[String]) -> anyhow::Result<TagSet> {
    let kinds = ["exchange", "market", "ransomware", "coinjoin", "sanction"];
    let mut csv = String::from("address,label,source,category,confidence\n");
    for (number, address) in addresses.iter().step_by(2).enumerate() {
        let kind = kinds.get(number % kinds.len()).context("a kind")?;
        writeln!(csv, "{address},label {},made up,{kind},forensic", number % 1000)?;
    }
    let document = Document { name: "labels.csv", bytes: csv.as_bytes() };
    let import = intel::import(document, &Settings::new(ledger.network()))?;
    let mut builder = TagSetBuilder::new(ledger.network());
    builder.add(&import)?;
    Ok(builder.build()?)
}
