//! Entropy as an exact decimal: the logarithm of a count, the same on every machine.

use std::fmt;

/// Bits of entropy, in units of 10⁻⁹ bit, rounded to the nearest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits(pub u64);

/// Fractional binary digits that are computed. Each squaring below loses at most one unit in
/// the 63rd place, and a loss at step `k` counts 2⁻ᵏ, so these are all right up to the last.
const DIGITS: u32 = 48;

impl Bits {
    /// The binary logarithm of a count; zero for 0, which no transaction has.
    pub fn log2(count: u128) -> Self {
        let Some(whole) = count.checked_ilog2() else { return Self(0) };
        // The count as 1.xxx with 63 binary digits after the point.
        let mut mantissa: u128 =
            if whole <= 63 { count << (63 - whole) } else { count >> (whole - 63) };
        let mut fraction: u64 = 0;
        for _ in 0..DIGITS {
            mantissa = (mantissa * mantissa) >> 63;
            fraction <<= 1;
            if mantissa >> 64 != 0 {
                fraction |= 1;
                mantissa >>= 1;
            }
        }
        let rounded = (u128::from(fraction) * 1_000_000_000 + (1 << (DIGITS - 1))) >> DIGITS;
        Self(u64::from(whole) * 1_000_000_000 + u64::try_from(rounded).unwrap_or(0))
    }
}

/// With nine decimals; no unit is appended.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[track_caller]
    fn check(count: u128, expected: &str) {
        assert_eq!(Bits::log2(count).to_string(), expected, "{count}");
    }

    #[test]
    fn logarithms() {
        check(1, "0.000000000");
        check(2, "1.000000000");
        check(3, "1.584962501");
        check(1_496, "10.546894460");
        check(9_934_563, "23.244025077");
        check(u128::from(u64::MAX), "64.000000000");
        check(1 << 127, "127.000000000");
        check(u128::MAX, "128.000000000");
    }

    #[test]
    fn powers_add() {
        for base in [3_u128, 5, 7, 11, 1_000_003] {
            let (one, three) = (Bits::log2(base).0, Bits::log2(base.pow(3)).0);
            assert!(three.abs_diff(3 * one) <= 2, "{base}");
        }
    }
}
