//! Chance with a seed: the same seed gives the same numbers for ever.

use rand_pcg::{Pcg64Mcg, rand_core::Rng};

/// A stream of random numbers.
///
/// Only the 64-bit words of PCG-MCG-128 (XSL-RR) are taken from the crate; the algorithm defines
/// them, and a test pins them. How words become ranges is our own, so no release of a crate can
/// change a generated chain.
#[derive(Clone, Debug)]
pub(crate) struct Random(Pcg64Mcg);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let state = (u128::from(mix(seed)) << 64) | u128::from(mix(seed ^ 0x5eed));
        Self(Pcg64Mcg::new(state))
    }

    /// Any word.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; 0 where `end` is 0. (Multiply and shift: a bias below 2⁻³² for the
    /// ranges used here.)
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.word()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// An index below `len`; 0 where `len` is 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// True in `n` of 1,000 cases.
    pub(crate) fn permille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    /// Puts a list in random order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.index(i + 1));
        }
    }
}

/// A word that looks random and is different for every input (the finaliser of SplitMix64).
pub(crate) const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_for_ever() {
        let mut random = Random::new(1);
        let words: Vec<_> = (0..3).map(|_| random.word()).collect();
        assert_eq!(words, [2728387279388903137, 5826104649261663560, 14713153319417824328]);
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
        assert_eq!((random.below(0), random.below(1)), (0, 0));
    }
}
