//! The search for look-alikes against a naive one, and the pair of the theft in books of many sizes.

use intel::lookalike::{ALARM, Book, MilliBits, Shape};
use proptest::prelude::*;

const GENUINE: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";
const THIEFS: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";

/// An address of random bytes, seeded by a number: of either kind of Bitcoin's key hashes.
fn random(number: u64, segwit: bool) -> String {
    let hash = blake3::hash(&number.to_le_bytes());
    let hash = &hash.as_bytes()[..20];
    let script = match segwit {
        true => [&[0x00, 0x14][..], hash].concat(),
        false => [&[0x76, 0xa9, 0x14][..], hash, &[0x88, 0xac]].concat(),
    };
    chain::script::address(bitcoin::Script::from_bytes(&script), chain::Network::Mainnet).unwrap()
}

#[test]
fn the_pair_of_the_theft_is_caught_in_books_of_every_size() {
    for (size, margin) in [(0, "33.8"), (9, "30.4"), (999, "23.8"), (99_999, "17.1")] {
        let others = (0..size).map(|number| random(number, number % 2 == 0));
        let (book, _) = Book::new(others.chain([GENUINE.to_owned()]));
        let check = book.check(THIEFS).unwrap();
        assert_eq!(check.nearest.unwrap().address, GENUINE);
        assert!(check.is_alarm());
        assert_eq!(check.margin().to_string(), margin);
    }
}

#[test]
fn unrelated_addresses_raise_no_alarm() {
    let (book, _) = Book::new((0..20_000).map(|number| random(number, false)));
    let alarms =
        (100_000..105_000).filter(|number| book.check(&random(*number, false)).unwrap().is_alarm());
    // One in a thousand for each way to share the bits, about five ways.
    assert!(alarms.count() <= 25);
}

#[test]
fn a_name_in_front_of_thousands_of_addresses_says_little() {
    // What a service with a name in front looks like: all begin with the same seven characters.
    let named = |number: u64| {
        let mut digits = format!("{number:040x}");
        digits.replace_range(..7, "5e7b1ce");
        digits.replace_range(20.., &blake3::hash(&number.to_le_bytes()).to_hex()[..20]);
        format!("0x{digits}")
    };
    let (book, _) = Book::new((0..10_000).map(named));
    let alarms = (10_000..12_000).filter(|n| book.check(&named(*n)).unwrap().is_alarm()).count();
    assert!(alarms <= 10, "{alarms}");
    // Without the nine thousand others it says a lot.
    let (book, _) = Book::new([named(0)]);
    assert!(book.check(&named(1)).unwrap().is_alarm());
}

/// 20 bytes as hexadecimal.
fn hex() -> impl Strategy<Value = String> {
    any::<[u8; 20]>().prop_map(|bytes| {
        bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    })
}

/// Another text with the same beginning and end.
fn alike(text: &str, prefix: usize, suffix: usize, fill: &str) -> String {
    let (start, end) = (2 + prefix, text.len() - suffix);
    if start >= end {
        return text.to_owned();
    }
    format!("{}{}{}", &text[..start], &fill[start..end], &text[end..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
    #[test]
    fn the_search_finds_what_a_naive_one_finds(
        entries in proptest::collection::vec(hex(), 1..8),
        fill in hex(),
        at in any::<prop::sample::Index>(),
        prefix in 0..9_usize,
        suffix in 0..9_usize,
    ) {
        let text = alike(at.get::<String>(&entries), prefix, suffix, &fill);
        let (book, _) = Book::new(&entries);
        let check = book.check(&text).unwrap();
        prop_assert_eq!(check.known, entries.contains(&text));
        let score = |entry: &String| {
            let prefix = entry.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            let suffix = entry.bytes().rev().zip(text.bytes().rev()).take_while(|(a, b)| a == b).count();
            Shape::Hex.prefix_bits(&text[..prefix]).plus(Shape::Hex.suffix_bits(suffix))
        };
        let others = entries.iter().filter(|entry| **entry != text);
        let best = others.map(score).max().unwrap_or(MilliBits(0));
        let is_alarm = best.minus(check.book) >= ALARM;
        prop_assert_eq!(check.is_alarm(), is_alarm);
        if is_alarm {
            prop_assert_eq!(check.nearest.unwrap().bits(), best);
        }
    }
}
