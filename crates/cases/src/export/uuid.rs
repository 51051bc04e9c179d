//! Names that are the same for the same thing: UUIDs of version 5 (RFC 9562, 5.5).

use std::fmt;

use bitcoin::hashes::{Hash, HashEngine, sha1};

/// A UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Uuid([u8; 16]);

/// Of everything that STIX calls an observable: the same thing has the same id wherever it is seen (STIX 2.1, 2.9).
pub(super) const STIX: Uuid = Uuid(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7_u128.to_be_bytes());

/// Of everything else that we name: version 5 of `chainhound` as a DNS name.
pub(super) const OURS: Uuid = Uuid(0xb1d9_6c0d_dc1a_5c5a_b1f3_f77b_a075_af06_u128.to_be_bytes());

impl Uuid {
    /// The name of something within a namespace.
    pub(super) fn of(namespace: Self, name: &str) -> Self {
        let mut engine = sha1::Hash::engine();
        engine.input(&namespace.0);
        engine.input(name.as_bytes());
        let hash = u128::from_be_bytes(first(&sha1::Hash::from_engine(engine).to_byte_array()));
        // Version 5 and the variant of RFC 9562 at their places.
        let cleared = hash & !((0xf << 76) | (0x3 << 62));
        Self((cleared | (0x5 << 76) | (0x2 << 62)).to_be_bytes())
    }
}

fn first(hash: &[u8; 20]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    bytes
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", u128::from_be_bytes(self.0));
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or(""));
        f.write_str(&parts.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's `uuid.uuid5`.
    #[test]
    fn names_are_those_of_others() {
        let value = "{\"value\":\"1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY\"}";
        assert_eq!(Uuid::of(STIX, value).to_string(), "27fadc91-1e1c-5474-988f-07a16840be45");
        assert_eq!(OURS.to_string(), "b1d96c0d-dc1a-5c5a-b1f3-f77ba075af06");
        let evidence = Uuid::of(OURS, "extension-definition:evidence");
        assert_eq!(evidence.to_string(), "de921c22-3b3a-5f8c-9ea1-f7cae50550b9");
    }
}
