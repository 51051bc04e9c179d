//! The verifier in Python, which shares no code with ours, agrees: on good bundles and on damaged ones.

use std::{
    path::Path,
    process::{Command, Output},
};

use cases::{bundle, container, sign::SecretKey};

use crate::world::{case_of, unpack, world};

/// Its answer; nothing where there is no Python.
fn verify(bytes: &[u8], key: Option<&str>) -> Option<Output> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle.zip");
    std::fs::write(&path, bytes).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/verify_bundle.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(&path);
    if let Some(key) = key {
        command.args(["--public-key", key]);
    }
    command.output().ok()
}

/// What it says, if it is not content.
#[track_caller]
fn bad(bytes: &[u8], key: Option<&str>) -> Option<String> {
    let output = verify(bytes, key)?;
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(text.starts_with("BAD: "), "{text}");
    Some(text)
}

#[test]
fn python_agrees_on_good_bundles() {
    let (chain, world) = world();
    let key = SecretKey::new([1; 8], [2; 32]);
    let text = case_of(&chain, "[stops]\nat = ['service']\n");
    let signed = world.make(&text, Some(&key)).unwrap().bytes;
    let unsigned = world.make(&text, None).unwrap().bytes;
    let public = key.public().to_string();
    for (bytes, key) in [(&signed, None), (&signed, Some(public.as_str())), (&unsigned, None)] {
        let Some(output) = verify(bytes, key) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let other = SecretKey::new([1; 8], [3; 32]).public().to_string();
    let _ = bad(&signed, Some(&other)).map(|text| assert!(text.contains("signature"), "{text}"));
    let _ =
        bad(&unsigned, Some(&public)).map(|text| assert!(text.contains("not signed"), "{text}"));
}

#[test]
fn python_agrees_on_damaged_bundles() {
    let (chain, world) = world();
    let key = SecretKey::new([1; 8], [2; 32]);
    let good = world.make(&case_of(&chain, "[stops]\nmax_hops = 2\n"), Some(&key)).unwrap().bytes;
    let bits = good.len() * 8;
    for n in 0..testkit::cases(15) as usize {
        let bit = (n * 1_000_003 + 17) % bits;
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(bundle::verify(&bytes, None).fails(), "bit {bit}");
        if bad(&bytes, None).is_none() {
            return;
        }
    }
    // Every file left out, and one too many.
    let files = unpack(&good);
    for (at, (name, _)) in files.iter().enumerate() {
        let mut fewer = files.clone();
        fewer.remove(at);
        let bytes = container::write(&fewer).unwrap();
        assert!(bundle::verify(&bytes, None).fails(), "{name}");
        if let Some(text) = bad(&bytes, None) {
            assert!(text.contains(name) || text.contains("signature"), "{name}: {text}");
        }
    }
}
