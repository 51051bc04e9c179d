//! Amounts as the outside sees them: one number, an interval, or none.

use analyze::trace::{BookingShare, Policy, RootShare, Taint};
use serde::Serialize;

/// How much of something is tainted, in satoshis. In JSON its fields stand beside those of what it
/// belongs to.
///
/// Every amount on a chain is below 2^51 and every sum of moves below 2^63, so a JSON reader with
/// 64-bit integers is exact, and one with doubles is exact for anything that exists at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// Exactly this much. Under poison: the whole value.
    Exact {
        /// Satoshis.
        tainted_sat: u64,
    },
    /// At least and at most this much, whatever value-conserving policy is applied.
    Between {
        /// Satoshis, at least.
        lower_sat: u64,
        /// Satoshis, at most.
        upper_sat: u64,
    },
    /// Poison says that taint passed here, not how much.
    Unmeasured {},
}

impl Amount {
    /// The amount under a policy; sums too large for 64 bits stay at the largest number.
    pub(crate) fn of(policy: Policy, lower: u128, upper: u128) -> Self {
        let sat = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
        match policy {
            Policy::Bounds => Self::Between { lower_sat: sat(lower), upper_sat: sat(upper) },
            _ => Self::Exact { tainted_sat: sat(upper) },
        }
    }

    pub(crate) fn of_taint(policy: Policy, taint: &Taint) -> Self {
        Self::of(policy, taint.lower.0.into(), taint.upper.0.into())
    }

    /// At most this much; 0 where nothing was measured.
    pub const fn upper(self) -> u64 {
        match self {
            Self::Exact { tainted_sat } => tainted_sat,
            Self::Between { upper_sat, .. } => upper_sat,
            Self::Unmeasured {} => 0,
        }
    }

    /// At least this much; 0 where nothing was measured.
    pub const fn lower(self) -> u64 {
        match self {
            Self::Exact { tainted_sat } => tainted_sat,
            Self::Between { lower_sat, .. } => lower_sat,
            Self::Unmeasured {} => 0,
        }
    }
}

/// One root's part of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Index into `provenance.parameters.roots`.
    pub root: u32,
    /// Its part.
    #[serde(flatten)]
    pub amount: Amount,
}

impl Share {
    pub(crate) fn of_taint(policy: Policy, shares: &[RootShare]) -> Vec<Self> {
        let one = |share: &RootShare| {
            let amount = Amount::of(policy, share.lower.0.into(), share.upper.0.into());
            Self { root: share.root, amount }
        };
        shares.iter().map(one).collect()
    }

    pub(crate) fn of_booking(policy: Policy, shares: &[BookingShare]) -> Vec<Self> {
        let one = |share: &BookingShare| Self {
            root: share.root,
            amount: Amount::of(policy, share.lower, share.upper),
        };
        shares.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(amount: Amount, expected: &str) {
        let share = Share { root: 3, amount };
        assert_eq!(serde_json::to_string(&share).unwrap(), expected);
    }

    #[test]
    fn the_policy_decides_the_names() {
        check(Amount::of(Policy::Fifo, 7, 7), r#"{"root":3,"tainted_sat":7}"#);
        check(Amount::of(Policy::Bounds, 1, 7), r#"{"root":3,"lower_sat":1,"upper_sat":7}"#);
        check(Amount::Unmeasured {}, r#"{"root":3}"#);
        assert_eq!(Amount::of(Policy::Poison, 0, u128::MAX).upper(), u64::MAX);
    }
}
