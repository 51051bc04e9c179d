//! A block's bytes: decoded as the `bitcoin` crate does, or refused as it does.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/source/tests/integration/oracle.rs"]
mod oracle;

fuzz_target!(|raw: &[u8]| {
    let _ = oracle::compare(raw, 1000);
    let mut repaired = raw.to_vec();
    oracle::repair_root(&mut repaired);
    let _ = oracle::compare(&repaired, 1000);
});
