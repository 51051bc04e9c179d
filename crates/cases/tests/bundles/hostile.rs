//! Zips that are made to harm.

use cases::{bundle, container};

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
