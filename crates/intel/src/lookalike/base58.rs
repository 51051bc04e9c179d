//! How many Base58Check payloads have a text that begins with given characters.
//!
//! The text of an address is a number of 25 bytes in base 58: the version, 20 bytes of hash, 4 of
//! checksum. Hash and checksum are as good as random, so the payloads of one version fill an
//! interval of 2¹⁹² numbers evenly, and a beginning picks subintervals of it, one for each length
//! that the text can have. That the first characters are far from even follows from it.

use super::bits::{MilliBits, log2_ceil};

/// The alphabet, digits 0 to 57.
pub(super) const ALPHABET: &[u8; 58] =
    b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Bits of hash and checksum.
const FREE_BITS: u32 = 192;
/// More digits than any payload of 25 bytes has.
const MOST_DIGITS: usize = 35;

/// How surprising it is that the text of a random payload of this version begins with these
/// characters, rounded down. Nothing for none.
pub(super) fn prefix_bits(version: u8, prefix: &[u8]) -> MilliBits {
    let ones = prefix.iter().take_while(|byte| **byte == b'1').count();
    let (low, high, digits) = if version == 0 {
        // Each zero byte in front is a `1`, the version being the first of them.
        let zeros = ones.saturating_sub(1).min(24) as u32;
        let digits = prefix.get(ones..).unwrap_or_default();
        if digits.is_empty() {
            return MilliBits(8_000 * zeros);
        }
        (
            Wide::power_of_two(FREE_BITS - 8 * (zeros + 1).min(24)),
            Wide::power_of_two(FREE_BITS - 8 * zeros),
            digits,
        )
    } else {
        let low = Wide::power_of_two(FREE_BITS).times(version.into());
        (low, low.plus(Wide::power_of_two(FREE_BITS)), prefix)
    };
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return MilliBits(0);
    }
    let mut start = Wide::default();
    for digit in digits {
        let Some(value) = ALPHABET.iter().position(|known| known == digit) else {
            return MilliBits(0);
        };
        start = start.times(58).plus(Wide::from(value as u64));
    }
    let mut end = start.plus(Wide::from(1));
    let mut count = Wide::default();
    for _ in digits.len()..=MOST_DIGITS {
        let (from, to) = (start.max(low), end.min(high));
        if from < to {
            count = count.plus(to.minus(from));
        }
        (start, end) = (start.times(58), end.times(58));
    }
    MilliBits(FREE_BITS * 1000).minus(count.log2_ceil())
}

/// How surprising it is that a random text ends with given characters: log₂ 58 = 5.857980… each,
/// because the number modulo a power of 58 is as good as random. Rounded down.
pub(super) fn suffix_bits(characters: usize) -> MilliBits {
    MilliBits((characters as u64 * 5_857_980 / 1_000) as u32)
}

/// A number below 2²⁵⁶, the lowest 64 bits last: so the derived order is the numbers' own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Wide([u64; 4]);

impl From<u64> for Wide {
    fn from(number: u64) -> Self {
        Self([0, 0, 0, number])
    }
}

impl Wide {
    fn power_of_two(exponent: u32) -> Self {
        let mut words = [0; 4];
        if let Some(word) = words.get_mut(3_usize.saturating_sub(exponent as usize / 64)) {
            *word = 1 << (exponent % 64);
        }
        Self(words)
    }

    fn times(self, factor: u64) -> Self {
        let mut words = self.0;
        let mut carry = 0;
        for word in words.iter_mut().rev() {
            let product = u128::from(*word) * u128::from(factor) + carry;
            *word = product as u64;
            carry = product >> 64;
        }
        Self(words)
    }

    fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b, carry| {
            let (sum, first) = a.overflowing_add(b);
            let (sum, second) = sum.overflowing_add(carry.into());
            (sum, first || second)
        })
    }

    fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b, borrow| {
            let (rest, first) = a.overflowing_sub(b);
            let (rest, second) = rest.overflowing_sub(borrow.into());
            (rest, first || second)
        })
    }

    fn zip(self, other: Self, step: impl Fn(u64, u64, bool) -> (u64, bool)) -> Self {
        let (mut words, mut carry) = (self.0, false);
        for (word, other) in words.iter_mut().rev().zip(other.0.into_iter().rev()) {
            (*word, carry) = step(*word, other, carry);
        }
        Self(words)
    }

    /// log₂, rounded up; of 0 it is 0.
    fn log2_ceil(self) -> MilliBits {
        let Some(first) = self.0.iter().position(|word| *word != 0) else { return MilliBits(0) };
        let word = |at: usize| self.0.get(at).copied().unwrap_or(0);
        let zeros = word(first).leading_zeros();
        // The 64 bits from the first one on; what is cut off is rounded up.
        let below = word(first + 1).checked_shr(64 - zeros).unwrap_or(0);
        let top = (word(first) << zeros) | below;
        let behind = (3 - first) as u32 * 64;
        let shift = behind as i64 - i64::from(zeros);
        let log = i64::from(log2_ceil(top.saturating_add(1)).0) + shift * 1000;
        MilliBits(u32::try_from(log).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: u8, prefix: &str, expected: &str) {
        assert_eq!(prefix_bits(version, prefix.as_bytes()).to_string(), expected);
    }

    #[test]
    fn beginnings() {
        // What every address of the kind has says nothing.
        check(0, "1", "0.0");
        check(5, "3", "0.0");
        check(0x41, "T", "0.0");
        // The first free character is uneven: most addresses have 34 characters and begin 12 to 1Q.
        check(0, "1B", "4.5");
        check(0, "1Q", "6.0");
        check(0, "1z", "10.4");
        check(0, "1B6rJ", "22.0");
        check(0, "11", "8.0");
        check(0, "111", "16.0");
        check(5, "3B", "4.5");
        check(5, "3z", "192.0");
    }

    #[test]
    fn the_parts_of_a_whole_add_up() {
        // Over all second characters, probabilities sum to one less what begins with `11`.
        for (version, first, missing) in [(0, "1", 1.0 / 256.0), (5, "3", 0.0), (0x41, "T", 0.0)] {
            let sum: f64 = ALPHABET
                .iter()
                .filter(|byte| version != 0 || **byte != b'1')
                .map(|byte| {
                    let bits = prefix_bits(version, &[first.as_bytes(), &[*byte]].concat());
                    if bits.0 > 100_000 { 0.0 } else { (-f64::from(bits.0) / 1000.0).exp2() }
                })
                .sum();
            assert!((sum + missing - 1.0).abs() < 0.002, "{first}: {sum}");
        }
    }

    #[test]
    fn ends() {
        assert_eq!(suffix_bits(2).0, 11_715);
        assert_eq!(suffix_bits(0).0, 0);
        assert_eq!(suffix_bits(34).0, 199_171);
    }
}
