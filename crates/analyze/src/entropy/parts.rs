//! Parts of a side: how many coins of each value.
//!
//! Coins of one value are interchangeable, so a part is a count per value, and far fewer parts are
//! looked at than there are subsets of coins.

/// One side of a transaction: its distinct values and how many coins have each.
#[derive(Clone, Debug)]
pub(super) struct Side {
    values: Vec<u64>,
    counts: Vec<u32>,
    /// Where each value's count lies in a [`Part`], and how wide its field is, spare bit included.
    fields: Vec<(u32, u32)>,
    /// The spare bit of every field.
    guards: u128,
    /// The values with several coins: the others offer no choice.
    repeated: Vec<usize>,
    /// Class of each coin, in the order given.
    pub(super) class_of: Vec<usize>,
}

/// A count per value, packed into fields of one number. Each field has a spare bit on top, so
/// that two parts can be compared and subtracted in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Part(u128);

impl Part {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Has coins of a value where either has some; how many says nothing any more.
    pub(super) fn any_of(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This without a part of it.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Side {
    /// `None` where there are more distinct values than a [`Part`] has room for (over 40, at
    /// any rate over 64).
    pub(super) fn new(coins: &[u64]) -> Option<Self> {
        let mut values = coins.to_vec();
        values.sort_unstable_by(|a, b| b.cmp(a));
        values.dedup();
        let class_of: Vec<usize> =
            coins.iter().map(|coin| values.partition_point(|value| value > coin)).collect();
        let mut counts = vec![0; values.len()];
        for class in &class_of {
            counts[*class] += 1;
        }
        let (mut fields, mut guards, mut at) = (Vec::new(), 0_u128, 0);
        for count in &counts {
            let bits = u32::BITS - u32::leading_zeros(*count);
            if at + bits + 1 > u128::BITS {
                return None;
            }
            fields.push((at, bits + 1));
            guards |= 1 << (at + bits);
            at += bits + 1;
        }
        let repeated = (0..counts.len()).filter(|class| counts[*class] > 1).collect();
        Some(Self { values, counts, fields, guards, repeated, class_of })
    }

    pub(super) fn classes(&self) -> usize {
        self.values.len()
    }

    /// Coins of a value.
    pub(super) fn count(&self, class: usize) -> u32 {
        self.counts[class]
    }

    /// The whole side.
    pub(super) fn whole(&self) -> Part {
        let fields = self.counts.iter().zip(&self.fields);
        Part(fields.map(|(count, (at, _))| u128::from(*count) << at).sum())
    }

    /// How many coins of a value a part has.
    pub(super) fn of(&self, part: Part, class: usize) -> u32 {
        let (at, width) = self.fields[class];
        let field = (part.0 >> at) & ((1 << width) - 1);
        u32::try_from(field).unwrap_or(0)
    }

    /// Whether `whole` has at least as many coins of each value as `part`.
    pub(super) fn holds(&self, whole: Part, part: Part) -> bool {
        ((whole.0 | self.guards) - part.0) & self.guards == self.guards
    }

    /// The first value of which a part has coins.
    pub(super) fn first(&self, part: Part) -> Option<usize> {
        (0..self.classes()).find(|class| self.of(part, *class) > 0)
    }

    /// How many parts there are, the empty and the whole one included.
    pub(super) fn parts(&self) -> u128 {
        self.counts.iter().fold(1, |all, count| u128::saturating_mul(all, u128::from(*count) + 1))
    }

    /// All parts with their sums, by sum; a caller asks [`Side::parts`] before.
    pub(super) fn enumerate(&self) -> Vec<(u64, Part)> {
        let mut all = vec![(0, Part(0))];
        for (class, value) in self.values.iter().enumerate() {
            let at = self.fields[class].0;
            let before = all.len();
            for count in 1..=self.counts[class] {
                for place in 0..before {
                    let (sum, part) = all[place];
                    let sum = sum + value * u64::from(count);
                    all.push((sum, Part(part.0 + (u128::from(count) << at))));
                }
            }
        }
        all.sort_unstable();
        all
    }

    /// In how many ways the coins of `part` can be chosen from those of `whole`, which holds it.
    pub(super) fn ways(&self, whole: Part, part: Part) -> Option<u128> {
        self.repeated.iter().try_fold(1_u128, |ways, class| {
            ways.checked_mul(choose(self.of(whole, *class), self.of(part, *class))?)
        })
    }
}

/// `n` over `k`; `None` beyond 128 bits.
fn choose(n: u32, k: u32) -> Option<u128> {
    if k > n {
        return Some(0);
    }
    let k = k.min(n - k);
    (1..=k).try_fold(1_u128, |ways, step| {
        // Exact: a product of `step` consecutive numbers is divisible by `step` factorial.
        Some(ways.checked_mul(u128::from(n - k + step))? / u128::from(step))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counts() {
        let side = Side::new(&[5, 7, 5, 5, 9]).unwrap();
        assert_eq!(side.class_of, [2, 1, 2, 2, 0]);
        assert_eq!(side.parts(), 16);
        let all = side.enumerate();
        assert_eq!(all.len(), 16);
        assert_eq!((all[0].0, all[15].0), (0, 31));
        assert_eq!(all[15].1, side.whole());
        for (sum, part) in &all {
            assert!(side.holds(side.whole(), *part));
            let again: u64 =
                (0..3).map(|class| u64::from(side.of(*part, class)) * [9, 7, 5][class]).sum();
            assert_eq!(again, *sum);
        }
        let two_fives = all.iter().find(|(sum, _)| *sum == 10).unwrap().1;
        assert_eq!(side.ways(side.whole(), two_fives), Some(3));
        assert!(!side.holds(two_fives, side.whole()));
        assert_eq!(side.first(two_fives), Some(2));
        assert!(side.whole().without(side.whole()).is_empty());
    }

    #[test]
    fn binomials() {
        assert_eq!(choose(5, 2), Some(10));
        assert_eq!(choose(2, 3), Some(0));
        assert_eq!(choose(120, 60), Some(96_614_908_840_363_322_603_893_139_521_372_656));
        assert_eq!(choose(300, 150), None);
    }

    #[test]
    fn too_many_values_have_no_place() {
        let different: Vec<u64> = (1..=65).collect();
        assert!(Side::new(&different[..64]).is_some());
        assert!(Side::new(&different).is_none());
    }
}
