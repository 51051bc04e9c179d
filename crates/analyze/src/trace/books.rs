//! Sums by destination.

use std::collections::BTreeMap;

use super::model::{Booking, BookingShare, RootShare, StopReason};

/// Adds up what ended where.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// The built-in reasons, by [`slot`]: a sweep books millions of leaves.
    builtin: [Sum; BUILTIN.len()],
    named: BTreeMap<u32, Sum>,
    by_root: BTreeMap<(StopReason, u32), (u128, u128)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    lower: u128,
    upper: u128,
}

const BUILTIN: [StopReason; 11] = [
    StopReason::Unspent,
    StopReason::Fee,
    StopReason::OpReturn,
    StopReason::Unclaimed,
    StopReason::Coinbase,
    StopReason::Unknown,
    StopReason::Address,
    StopReason::Hops,
    StopReason::Value,
    StopReason::Height,
    StopReason::Budget,
];

/// Place of a reason in [`BUILTIN`].
fn slot(reason: StopReason) -> Result<usize, u32> {
    match reason {
        StopReason::Unspent => Ok(0),
        StopReason::Fee => Ok(1),
        StopReason::OpReturn => Ok(2),
        StopReason::Unclaimed => Ok(3),
        StopReason::Coinbase => Ok(4),
        StopReason::Unknown => Ok(5),
        StopReason::Address => Ok(6),
        StopReason::Hops => Ok(7),
        StopReason::Value => Ok(8),
        StopReason::Height => Ok(9),
        StopReason::Budget => Ok(10),
        StopReason::Named(rule) => Err(rule),
    }
}

impl Books {
    #[inline]
    pub(super) fn add(&mut self, reason: StopReason, (lower, upper): (u64, u64)) {
        let sum = match slot(reason) {
            Ok(at) => &mut self.builtin[at],
            Err(rule) => self.named.entry(rule).or_default(),
        };
        sum.count += 1;
        sum.lower += u128::from(lower);
        sum.upper += u128::from(upper);
    }

    pub(super) fn add_shares(&mut self, reason: StopReason, shares: &[RootShare]) {
        for share in shares {
            let sum = self.by_root.entry((reason, share.root)).or_default();
            sum.0 += u128::from(share.lower.0);
            sum.1 += u128::from(share.upper.0);
        }
    }

    /// The sums, built-in reasons first, without those where nothing was booked.
    pub(super) fn close(self) -> Vec<Booking> {
        let builtin = BUILTIN.into_iter().zip(self.builtin);
        let named = self.named.into_iter().map(|(rule, sum)| (StopReason::Named(rule), sum));
        let mut bookings = Vec::new();
        for (reason, sum) in builtin.chain(named).filter(|(_, sum)| sum.count > 0) {
            let shares = self.by_root.range((reason, 0)..=(reason, u32::MAX));
            let share = |(&(_, root), &(lower, upper)): (&(StopReason, u32), &(u128, u128))| {
                BookingShare { root, lower, upper }
            };
            bookings.push(Booking {
                reason,
                count: sum.count,
                lower: sum.lower,
                upper: sum.upper,
                by_root: shares.map(share).collect(),
            });
        }
        bookings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_reason_has_its_own_sum() {
        let mut books = Books::default();
        for (at, reason) in BUILTIN.into_iter().enumerate() {
            assert_eq!(slot(reason), Ok(at));
            books.add(reason, (at as u64, 100));
        }
        books.add(StopReason::Named(3), (1, 1));
        let bookings = books.close();
        assert_eq!(bookings.len(), 12);
        assert!(bookings.windows(2).all(|pair| pair[0].reason < pair[1].reason));
        assert_eq!(bookings[4].lower, 4);
    }
}
