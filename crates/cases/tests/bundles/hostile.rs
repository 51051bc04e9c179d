//! Zips that are made to harm.

use cases::{Case, bundle, container};
use proptest::prelude::*;

use crate::world::{case_of, faults, unpack, world};

fn good() -> Vec<(String, Vec<u8>)> {
    let (chain, world) = world();
    unpack(&world.make(&case_of(&chain, ""), None).unwrap().bytes)
}

#[track_caller]
fn refused(files: &[(String, Vec<u8>)], words: &str) {
    let found = faults(&bundle::verify(&container::write(files).unwrap(), None));
    assert!(found.iter().any(|fault| fault.contains(words)), "no '{words}' in {found:?}");
}

#[test]
fn a_file_too_many_or_too_few_is_named() {
    let files = good();
    for (at, (name, _)) in files.iter().enumerate() {
        let mut fewer = files.clone();
        fewer.remove(at);
        refused(&fewer, name);
    }
    let mut more = files.clone();
    more.push(("zzz.sh".to_owned(), b"#!/bin/sh".to_vec()));
    refused(&more, "zzz.sh is in the bundle and not in the manifest");
}

#[test]
fn files_that_are_no_text_or_no_json_are_named() {
    for name in ["case.toml", "labels.jsonl", "log.jsonl", "transactions.jsonl", "unspent.txt"] {
        let mut files = good();
        let file = files.iter_mut().find(|(known, _)| known == name).unwrap();
        file.1 = vec![0xff; 10];
        refused(&files, "is not text");
        let file = files.iter_mut().find(|(known, _)| known == name).unwrap();
        // Deeper than anybody nests.
        file.1 = "[".repeat(1_000_000).into_bytes();
        refused(&files, name);
    }
}

#[test]
fn a_container_of_two_gigabytes_is_refused_before_it_is_read() {
    let error = container::write(&[("a".to_owned(), Vec::new())])
        .map(|bytes| container::read(&bytes).is_ok());
    assert!(error.unwrap());
    // A length that lies costs nothing.
    let mut bytes = container::write(&[("a".to_owned(), b"x".to_vec())]).unwrap();
    bytes[18..26].fill(0xff);
    let found = faults(&bundle::verify(&bytes, None));
    assert!(found[0].contains("the zip ends before"), "{found:?}");
}

#[test]
fn what_is_no_zip_is_refused() {
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", &[0; 100], b"{\"a\":1}"] {
        assert!(faults(&bundle::verify(bytes, None))[0].starts_with("container"));
    }
}

/// The files that are lines of JSON, from pieces of such lines.
fn pieces() -> impl Strategy<Value = String> {
    let words =
        "[a-z_]{1,8}|[{}\\[\\]:,\"]|[0-9a-f]{0,80}|\n|\"(txid|role|path|raw|height|position)\":";
    prop::collection::vec(words, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(64)))]

    #[test]
    fn whatever_stands_in_a_file_is_no_panic_and_no_good_bundle(
        at in 0_usize..20, text in pieces(), raw in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut files = good();
        let at = at % files.len();
        for bytes in [text.clone().into_bytes(), raw] {
            files[at].1 = bytes;
            prop_assert!(bundle::verify(&container::write(&files).unwrap(), None).fails());
        }
        let _ = Case::parse(&text);
        let _ = bundle::verify(text.as_bytes(), None);
    }
}
