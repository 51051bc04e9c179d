//! Bits in thousandths, and logarithms without floating point.

use std::fmt;

/// Information in thousandths of a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MilliBits(pub u32);

impl MilliBits {
    /// What remains when so much is taken away; nothing if that is more.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for MilliBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One decimal, rounded down as all scores are.
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// log₂ of a number, rounded down; of 0 it is 0.
pub(super) fn log2_floor(number: u64) -> MilliBits {
    log2(number).0
}

/// log₂ of a number, rounded up; of 0 it is 0.
pub(super) fn log2_ceil(number: u64) -> MilliBits {
    let (floor, exact) = log2(number);
    if exact { floor } else { floor.plus(MilliBits(1)) }
}

/// log₂ rounded down, and whether that is exact.
fn log2(number: u64) -> (MilliBits, bool) {
    let Some(whole) = number.checked_ilog2() else { return (MilliBits(0), true) };
    if number.is_power_of_two() {
        return (MilliBits(whole * 1000), true);
    }
    // The mantissa in [1, 2) with 63 binary places; squaring it doubles its logarithm and so
    // brings out one binary digit of that after the other.
    let mut mantissa = number << (63 - whole);
    let mut fraction = 0_u64;
    for _ in 0..24 {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let digit = square >> 64;
        fraction = (fraction << 1) | digit as u64;
        mantissa = (square >> digit) as u64;
    }
    (MilliBits(whole * 1000 + ((fraction * 1000) >> 24) as u32), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_agree_with_the_floating_ones() {
        for number in (1..5_000).chain([1 << 40, (1 << 40) + 1, u64::MAX, 58_u64.pow(9)]) {
            let expected = (number as f64).log2() * 1000.0;
            let (floor, ceil) = (f64::from(log2_floor(number).0), f64::from(log2_ceil(number).0));
            assert!(floor <= expected + 1e-6 && expected < floor + 1.001, "{number}");
            assert!(ceil >= expected - 1e-6 && ceil - floor <= 1.0, "{number}");
        }
        assert_eq!(log2_floor(0), MilliBits(0));
        assert_eq!(MilliBits(22_119).to_string(), "22.1");
    }
}
