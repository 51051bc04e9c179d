//! An evidence bundle, whole or with one file replaced under right checksums: never a panic, and what holds
//! is the bundle that was made. And a case file.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/cases/tests/bundles/world.rs"]
#[allow(dead_code, unreachable_pub)]
mod world;

/// The files of a good bundle.
fn good() -> &'static [(String, Vec<u8>)] {
    static GOOD: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let (chain, world) = world::world();
        let text = world::case_of(&chain, "[stops]\nat = ['service']\n");
        world::unpack(&world.make(&text, None).unwrap().bytes)
    })
}

fuzz_target!(|raw: &[u8]| {
    let _ = cases::bundle::verify(raw, None);
    let _ = cases::Case::parse(&String::from_utf8_lossy(raw));
    let Some((first, rest)) = raw.split_first() else { return };
    let mut files = good().to_vec();
    let at = usize::from(*first) % files.len();
    files[at].1 = rest.to_vec();
    let Ok(zip) = cases::container::write(&files) else { return };
    let verdict = cases::bundle::verify(&zip, None);
    assert!(verdict.fails() || files == good(), "{} was replaced unseen", files[at].0);
});
