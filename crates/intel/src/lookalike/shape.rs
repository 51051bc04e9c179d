//! Kinds of address texts, and what their characters say.

use bitcoin::{base58 as codec, bech32};

use super::{base58, bits::MilliBits};

/// How a text writes an address down, as far as its characters' information goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Base58Check of a version and 20 bytes: `1…`, `3…`, and `T…` of Tron.
    Base58 {
        /// The version byte.
        version: u8,
    },
    /// Bech32 and Bech32m (BIP-0173, BIP-0350).
    Bech32 {
        /// Characters that every address of the kind begins with: `bc1q`, `tb1p`.
        fixed: usize,
        /// Bits of the last character before the checksum that carry data, of 5.
        last_bits: u32,
    },
    /// `0x` and 40 hexadecimal digits.
    Hex,
}

/// Characters of a Bech32 checksum.
const CHECKSUM: usize = 6;

impl Shape {
    /// The shape of an address, and its text as it is compared: where case means nothing, in lower
    /// case. `None` for what is no address or of a kind that is not scored.
    pub fn of(text: &str) -> Option<(Self, String)> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix("0x") {
            let good = digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            return good.then(|| (Self::Hex, text.to_ascii_lowercase()));
        }
        if let Ok((hrp, _, program)) = bech32::segwit::decode(text) {
            // 8 bits a byte in characters of 5: of the last one only a part is data.
            let last_bits = match (program.len() * 8) % 5 {
                0 => 5,
                rest => rest as u32,
            };
            let fixed = hrp.len() + 2;
            return Some((Self::Bech32 { fixed, last_bits }, text.to_ascii_lowercase()));
        }
        let payload = codec::decode_check(text).ok()?;
        let version = (payload.len() == 21).then(|| payload.first().copied()).flatten()?;
        Some((Self::Base58 { version }, text.to_owned()))
    }

    /// How surprising it is that an unrelated address of this shape begins like this, rounded down.
    pub fn prefix_bits(self, prefix: &str) -> MilliBits {
        let len = prefix.len();
        match self {
            Self::Base58 { version } => base58::prefix_bits(version, prefix.as_bytes()),
            Self::Bech32 { fixed, .. } => MilliBits(5_000 * len.saturating_sub(fixed) as u32),
            Self::Hex => MilliBits(4_000 * len.saturating_sub(2) as u32),
        }
    }

    /// How surprising it is that an unrelated address of this shape ends with the same so many
    /// characters, rounded down.
    pub fn suffix_bits(self, characters: usize) -> MilliBits {
        match self {
            Self::Base58 { .. } => base58::suffix_bits(characters),
            Self::Bech32 { last_bits, .. } => {
                let full = MilliBits(5_000 * characters as u32);
                let padding = if characters > CHECKSUM { 5 - last_bits } else { 0 };
                full.minus(MilliBits(1_000 * padding))
            }
            Self::Hex => MilliBits(4_000 * characters as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let shape = |text| Shape::of(text).map(|(shape, _)| shape);
        let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert_eq!(shape(genesis), Some(Shape::Base58 { version: 0 }));
        assert_eq!(shape("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), None);
        let key_hash = shape("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4").unwrap();
        assert_eq!(key_hash, Shape::Bech32 { fixed: 4, last_bits: 5 });
        let taproot = shape("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0");
        assert_eq!(taproot, Some(Shape::Bech32 { fixed: 4, last_bits: 1 }));
        assert_eq!(taproot.unwrap().suffix_bits(7).0, 31_000);
        assert_eq!(key_hash.suffix_bits(7).0, 35_000);
        assert_eq!(key_hash.prefix_bits("bc1q").0, 0);
        assert_eq!(key_hash.prefix_bits("bc1qw5").0, 10_000);
        assert_eq!(key_hash.prefix_bits("bc").0, 0);
        let hex = shape("0x098B716B8Aaf21512996dC57EB0615e2383E2f96").unwrap();
        assert_eq!((hex, hex.prefix_bits("0x098b").0), (Shape::Hex, 16_000));
        assert_eq!(shape("hello"), None);
    }
}
