//! Flipped bits: every one is found, and the place of it is named.

use cases::{bundle, container, sign::SecretKey};

use crate::world::{case_of, faults, unpack, world};

/// Some other place each time, and every place once before any twice.
fn places(bytes: usize, count: usize) -> impl Iterator<Item = usize> {
    let bits = bytes * 8;
    // A step without a common divisor visits everything.
    let step = (bits / 3..).find(|step| gcd(*step, bits) == 1).unwrap_or(1);
    (0..count.min(bits)).map(move |n| n * step % bits)
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 { one } else { gcd(other, one % other) }
}

#[test]
fn every_flipped_bit_is_found() {
    let (chain, world) = world();
    let key = SecretKey::new([1; 8], [2; 32]);
    let text = case_of(&chain, "[stops]\nat = ['service']\nmax_hops = 2\n");
    let good = world.make(&text, Some(&key)).unwrap().bytes;
    // 10,000 with CHAINHOUND_STRESS=50.
    for bit in places(good.len(), testkit::cases(200) as usize) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(bundle::verify(&bytes, None).fails(), "bit {bit} of {}", good.len() * 8);
    }
}

/// Whoever damages a bundle on purpose repairs the checksums around it. The file that was changed is
/// still named.
#[test]
fn a_flipped_bit_under_right_checksums_is_found_in_its_file() {
    let (chain, world) = world();
    let text = case_of(&chain, "[stops]\nat = ['service']\nmax_hops = 2\n");
    let good = world.make(&text, None).unwrap().bytes;
    let files = unpack(&good);
    for (at, (name, bytes)) in files.iter().enumerate() {
        for bit in places(bytes.len(), testkit::cases(12) as usize) {
            let mut files = files.clone();
            files[at].1[bit / 8] ^= 1 << (bit % 8);
            let repacked = container::write(&files).unwrap();
            let found = faults(&bundle::verify(&repacked, None));
            // Of a changed manifest it is known that it or a file is, and not which.
            let named = |fault: &String| match name.as_str() {
                "manifest.json" => fault.starts_with("manifest"),
                name => fault.contains(name),
            };
            assert!(found.iter().any(named), "{name} {bit}: {found:?}");
        }
    }
}

/// With a manifest made new as well, only the proofs are left to find it.
#[test]
fn a_forged_manifest_does_not_help() {
    let (chain, world) = world();
    let good = world.make(&case_of(&chain, "[stops]\nat = ['service']\n"), None).unwrap().bytes;
    let theft = chain.txid("theft").unwrap().to_string();
    for (name, from, to) in [
        ("transactions.jsonl", "\"raw\":\"0200", "\"raw\":\"0300"),
        ("transactions.jsonl", "\"height\":3", "\"height\":4"),
        ("transactions.jsonl", "\"role\":\"passed\"", "\"role\":\"named\""),
        ("transactions.jsonl", theft.as_str(), "00"),
        ("results/fifo.jsonl", "\"tainted_sat\":4000000000", "\"tainted_sat\":3999999999"),
        ("results/bounds.jsonl", "\"basis\":\"claim\"", "\"basis\":\"fact\""),
        ("labels.jsonl", "Some Exchange", "Some Exchangd"),
        ("labels.jsonl", ",\"ends\":true", ""),
        ("case.toml", "at = ['service']", "at = []"),
        ("case.toml", "regtest", "signet"),
        ("unspent.txt", ":1\n", ":2\n"),
        ("provenance.json", "\"height\": 0", "\"height\": 1"),
        ("provenance.json", "\"passed\": ", "\"passed\": 1"),
        ("provenance.json", "\"claimed_sat\": 4", "\"claimed_sat\": 5"),
        ("log.jsonl", "traced_on_chain", "traced_on_chaim"),
    ] {
        let mut files = unpack(&good);
        let file = files.iter_mut().find(|(known, _)| known == name).unwrap();
        let text = String::from_utf8(file.1.clone()).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        file.1 = text.replacen(from, to, 1).into_bytes();
        let found = faults(&bundle::verify(&forge(files), None));
        let manifest = found.iter().any(|fault| fault.starts_with("manifest"));
        assert!(!manifest && !found.is_empty(), "{name}: {from}: {found:?}");
    }
}

/// Packs with a manifest that fits.
fn forge(mut files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let manifest = files.iter().position(|(name, _)| name == "manifest.json").unwrap();
    let mut list = Vec::new();
    for (name, bytes) in files.iter().filter(|(name, _)| name != "manifest.json") {
        let (len, sha256) = (bytes.len(), cases::sha256_hex(bytes));
        list.push(format!(
            "    {{\n      \"name\": \"{name}\",\n      \"bytes\": {len},\n      \"sha256\": \"{sha256}\"\n    }}"
        ));
    }
    let list = list.join(",\n");
    files[manifest].1 = format!(
        "{{\n  \"schema\": \"chainhound.case.bundle.v1\",\n  \"files\": [\n{list}\n  ]\n}}\n"
    )
    .into_bytes();
    container::write(&files).unwrap()
}

#[test]
fn the_forger_of_these_tests_can_forge() {
    let (chain, world) = world();
    let good = world.make(&case_of(&chain, ""), None).unwrap().bytes;
    assert_eq!(forge(unpack(&good)), good);
}

#[test]
fn a_truncated_bundle_is_refused_at_every_length() {
    let (chain, world) = world();
    let good = world.make(&case_of(&chain, ""), None).unwrap().bytes;
    for len in (0..good.len()).step_by(997) {
        assert!(bundle::verify(&good[..len], None).fails(), "{len} bytes");
    }
}
