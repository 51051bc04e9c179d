//! Where a trace ends: leaves, and sums by destination.

use std::collections::BTreeMap;

use chain::{OutNum, Output, Spend};

use super::{
    CERTAIN, StopAt,
    fees::fee_of,
    inbox::Entry,
    model::{Booking, BookingShare, RootShare, Status, StopReason},
    policy::Policy,
    visit::{Arrival, End, Visitor},
    walk::Walk,
};
use crate::Result;

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

impl<P: Policy, V: Visitor> Walk<'_, P, V> {
    /// Ends the trace at everything that was delivered to `from`.
    pub(super) fn end_entries(&mut self, coinbase: bool, reason: StopReason) -> Result<()> {
        let from = if coinbase { &mut self.fees } else { &mut self.own };
        from.entries.sort_unstable_by_key(|entry| entry.source);
        let apart = self.rules.keep_roots_apart;
        for &Entry { source, hops, mark, .. } in &from.entries {
            let (tx, output) = match fee_of(source) {
                Some(_) => {
                    // A fee is no output: there is nothing but the sum to show for it.
                    book(&mut self.books, &self.policy, apart, reason, mark, &from.items, 0);
                    continue;
                }
                None => (self.ledger.tx_of(OutNum(source))?, self.ledger.output(OutNum(source))?),
            };
            let value = output.value.0;
            book(&mut self.books, &self.policy, apart, reason, mark, &from.items, value);
            let arrival = Arrival { output, tx, hops, root: None };
            let status = status(&output, self.rules.end);
            let stops = &mut self.stops;
            let end = || End { status, reason, confidence: confidence(stops, output.num) };
            self.visitor.leaf(&arrival, end, || self.policy.taint(mark, &from.items, value));
        }
        Ok(())
    }

    /// Taint reaches an output: the trace ends there for `reason`, or the caller delivers it
    /// further.
    #[inline]
    pub(super) fn arrive(&mut self, mark: P::Mark, arrival: &Arrival, reason: Option<StopReason>) {
        let items = &self.spread.items;
        let value = arrival.output.value.0;
        self.visitor.arrive(arrival, || self.policy.taint(mark, items, value));
        if let Some(reason) = reason {
            let apart = self.rules.keep_roots_apart;
            book(&mut self.books, &self.policy, apart, reason, mark, items, value);
            let (output, after, stops) = (&arrival.output, self.rules.end, &mut self.stops);
            let end = || End {
                status: status(output, after),
                reason,
                confidence: confidence(stops, output.num),
            };
            self.visitor.leaf(arrival, end, || self.policy.taint(mark, items, value));
        }
    }

    /// Books satoshis that end at no output.
    #[inline]
    pub(super) fn book(&mut self, mark: P::Mark, reason: StopReason, value: u64) {
        let items = &self.spread.items;
        let apart = self.rules.keep_roots_apart;
        book(&mut self.books, &self.policy, apart, reason, mark, items, value);
    }
}

/// Adds to the sums.
#[inline]
fn book<P: Policy>(
    books: &mut Books,
    policy: &P,
    apart: bool,
    reason: StopReason,
    mark: P::Mark,
    items: &[P::Item],
    value: u64,
) {
    books.add(reason, P::amount(mark, value));
    if apart {
        books.add_shares(reason, &policy.taint(mark, items, value).by_root);
    }
}

/// How sure the way is to an output where the trace ends.
fn confidence(stops: &mut Option<&mut dyn StopAt>, out: OutNum) -> u8 {
    stops.as_mut().map_or(CERTAIN, |stops| stops.confidence(out))
}

/// What became of an output, seen from the end of the trace.
fn status(output: &Output, end: u32) -> Status {
    match output.spend {
        _ if output.address.is_none() => Status::Unspendable,
        Spend::By(tx) if tx.0 < end => Status::Spent,
        Spend::By(_) | Spend::Unspent => Status::Unspent,
        Spend::Unknown => Status::Unknown,
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
