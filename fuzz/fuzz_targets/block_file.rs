//! A block file's bytes: scanned at once and while it grows.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/source/tests/integration/scanned.rs"]
mod scanned;

fuzz_target!(|input: (u16, [u8; 8], &[u8])| {
    let (cut, key, bytes) = input;
    scanned::check(bytes, key, usize::from(cut));
});
