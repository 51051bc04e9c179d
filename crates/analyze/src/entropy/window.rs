//! How far what a party put in may differ from what it took out.

use chain::Sats;

/// The bounds of `inputs − outputs` for a part of the transaction that may be one party's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The most that it may have taken out beyond what it put in: a maker's earnings.
    pub(super) gain: u64,
    /// The most that it may have left: the miner's fee, and what a taker paid to makers.
    pub(super) loss: u64,
}

/// The largest share of a CoinJoin's amount that a maker may earn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IntraFees {
    /// Parts of a million of the amount; 0 means that nobody earns anything.
    pub per_million: u32,
}

impl Window {
    /// The window of a transaction with this fee.
    ///
    /// Fees between parties exist only where the outputs have the form of a CoinJoin: `n` equal
    /// ones, `n` at most the number of inputs, and at most `2n` outputs in all. Every maker may
    /// then earn the share of the amount, and the taker pays `n − 1` of them. Of several such
    /// values the one with most participants counts, then the largest.
    pub(super) fn of(inputs: &[Sats], outputs: &[Sats], fee: u64, allowed: IntraFees) -> Self {
        let none = Self { gain: 0, loss: fee };
        if allowed.per_million == 0 {
            return none;
        }
        let mut sorted: Vec<u64> = outputs.iter().map(|value| value.0).collect();
        sorted.sort_unstable();
        let best = sorted
            .chunk_by(|a, b| a == b)
            .filter(|run| run.len() > 1)
            .map(|run| (run.len().min(inputs.len()), run[0]))
            .filter(|(people, _)| outputs.len() <= 2 * people)
            .max();
        let Some((people, amount)) = best else { return none };
        let share = u128::from(amount) * u128::from(allowed.per_million);
        let maker = u64::try_from((share + 500_000) / 1_000_000).unwrap_or(u64::MAX);
        let taker = maker.saturating_mul(people as u64 - 1);
        Self { gain: maker, loss: fee.saturating_add(taker) }
    }

    /// The output sums that fit an input sum.
    pub(super) fn outputs_for(self, inputs: u64) -> std::ops::RangeInclusive<u64> {
        inputs.saturating_sub(self.loss)..=inputs.saturating_add(self.gain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inputs: usize, outputs: &[u64], per_million: u32, expected: (u64, u64)) {
        let outputs: Vec<Sats> = outputs.iter().copied().map(Sats).collect();
        let window = Window::of(&vec![Sats(1); inputs], &outputs, 7, IntraFees { per_million });
        assert_eq!((window.gain, window.loss), expected);
    }

    #[test]
    fn makers_earn_and_takers_pay() {
        check(3, &[1000, 1000, 1000, 50, 60], 0, (0, 7));
        check(3, &[1000, 1000, 1000, 50, 60], 5_000, (5, 17));
        check(3, &[1000, 1000, 50, 60], 5_000, (5, 12));
        // Too many outputs for two participants; nobody equal.
        check(3, &[1000, 1000, 50, 60, 70], 5_000, (0, 7));
        check(3, &[1000, 50, 60, 70], 5_000, (0, 7));
        // Most participants, then the largest amount.
        check(5, &[1000, 1000, 2000, 2000], 5_000, (10, 17));
    }
}
