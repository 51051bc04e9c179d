//! Dividing whole satoshis in proportion, so that the parts sum up to the whole.

/// Scratch space, to not allocate for each transaction.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    remainders: Vec<u64>,
    order: Vec<u32>,
}

impl Splitter {
    /// Appends `amount · weight / sum(weights)` for each weight, rounded such that the sum is
    /// `amount`: all are rounded down, and the satoshis left over go one each to the largest
    /// remainders, the first of equal ones first (Hamilton's method).
    ///
    /// `total` is the sum of the weights, below 2^63 and not below `amount`; then no part exceeds
    /// its weight.
    pub(super) fn split(&mut self, amount: u64, total: u64, weights: &[u64], into: &mut Vec<u64>) {
        if amount == total {
            into.extend_from_slice(weights);
            return;
        }
        let first = into.len();
        into.resize(first + weights.len(), 0);
        self.remainders.resize(weights.len(), 0);
        let parts = &mut into[first..];
        let mut left = amount;
        let ratio = Ratio::new(amount, total);
        for ((part, remainder), weight) in parts.iter_mut().zip(&mut self.remainders).zip(weights) {
            (*part, *remainder) = ratio.of(*weight);
            left -= *part;
        }
        if left == 0 {
            return;
        }
        // Fewer are left over than there are parts with a remainder, as each remainder is below
        // one satoshi.
        if left <= 4 || parts.len() <= 16 {
            for _ in 0..left {
                let (mut best, mut most) = (0, 0);
                for (at, &remainder) in self.remainders.iter().enumerate() {
                    // Two selections and no branch: which is largest cannot be predicted.
                    let more = remainder > most;
                    best = if more { at } else { best };
                    most = if more { remainder } else { most };
                }
                parts[best] += 1;
                self.remainders[best] = 0;
            }
            return;
        }
        self.order.clear();
        self.order.extend(0..parts.len() as u32);
        let remainders = &self.remainders;
        let left = (left as usize).min(parts.len());
        let by_remainder = |one: &u32, two: &u32| {
            let (a, b) = (remainders[*one as usize], remainders[*two as usize]);
            b.cmp(&a).then(one.cmp(two))
        };
        self.order.select_nth_unstable_by(left - 1, by_remainder);
        for &at in &self.order[..left] {
            parts[at as usize] += 1;
        }
    }
}

/// `weight · amount / total` for many weights, without a division for each.
///
/// With `factor` = ⌊amount · 2^64 / total⌋ the product `weight · factor / 2^64` falls short of
/// the exact value by less than `weight / 2^64`, so rounded down it is the quotient or one less,
/// and the remainder tells which.
#[derive(Clone, Copy)]
struct Ratio {
    amount: u64,
    total: u64,
    factor: u64,
}

impl Ratio {
    /// `amount` is below `total`, and that below 2^63: all bitcoin are below 2^51 satoshis.
    #[inline]
    fn new(amount: u64, total: u64) -> Self {
        let factor = (u128::from(amount) << 64) / u128::from(total.max(1));
        Self { amount, total, factor: factor as u64 }
    }

    /// The quotient and the remainder, exactly. `weight` is not above `total`.
    #[inline]
    fn of(self, weight: u64) -> (u64, u64) {
        let quotient = ((u128::from(weight) * u128::from(self.factor)) >> 64) as u64;
        // Below 2 · total, so the upper halves of the products cancel out.
        let whole = weight.wrapping_mul(self.amount);
        let remainder = whole.wrapping_sub(quotient.wrapping_mul(self.total));
        if remainder >= self.total {
            (quotient + 1, remainder - self.total)
        } else {
            (quotient, remainder)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(amount: u64, weights: &[u64], expected: &[u64]) {
        let mut parts = Vec::new();
        let total = weights.iter().sum();
        Splitter::default().split(amount, total, weights, &mut parts);
        assert_eq!(parts, expected);
    }

    #[test]
    fn largest_remainder_first_then_lowest_index() {
        check(10, &[10, 0, 10], &[5, 0, 5]);
        check(5, &[5, 5], &[3, 2]);
        check(1, &[3, 3, 3], &[1, 0, 0]);
        check(2, &[1, 2, 4], &[0, 1, 1]); // 0.29, 0.57, 1.14
        check(7, &[3, 4], &[3, 4]);
        check(0, &[3, 4], &[0, 0]);
        check(0, &[], &[]);
        let huge = 2_100_000_000_000_000;
        // (2.1e15 - 2) and a bit, and nearly 1.
        check(huge - 1, &[huge, 1], &[huge - 2, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn ratios_are_exact(total in 1..1u64 << 63, amount: u64, weight: u64) {
            let (amount, weight) = (amount % total, weight % (total + 1));
            let exact = u128::from(weight) * u128::from(amount);
            let (quotient, remainder) = Ratio::new(amount, total).of(weight);
            prop_assert_eq!(u128::from(quotient), exact / u128::from(total));
            prop_assert_eq!(u128::from(remainder), exact % u128::from(total));
        }

        #[test]
        fn parts_sum_up_and_never_exceed(
            weights in prop::collection::vec(0..u64::pow(10, 14), 1..80),
            part in 0..=1_000u64,
        ) {
            let total: u64 = weights.iter().sum();
            let amount = (u128::from(total) * u128::from(part) / 1_000) as u64;
            let mut parts = Vec::new();
            Splitter::default().split(amount, total, &weights, &mut parts);
            prop_assert_eq!(parts.iter().sum::<u64>(), amount);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part <= weight);
                let exact = u128::from(*weight) * u128::from(amount);
                let total = u128::from(total.max(1));
                prop_assert!(u128::from(*part) >= exact / total);
                prop_assert!(u128::from(*part) <= exact.div_ceil(total));
            }
        }
    }
}
