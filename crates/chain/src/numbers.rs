//! Dense numbers and amounts, each its own type so that they cannot be mixed up.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The number as an index into a slice. Lossless on every 64-bit target.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The number `by` places further on; `None` where the type ends.
            pub const fn checked_add(self, by: $inner) -> Option<Self> {
                match self.0.checked_add(by) {
                    Some(n) => Some(Self(n)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A transaction's place in chain order, from 0 for the genesis coinbase.
    ///
    /// About 1.44·10⁹ on mainnet in November 2026, growing by 0.17·10⁹ a year: `u32` lasts until
    /// about 2043.
    TxNum(u32)
}
number! {
    /// An output's place in chain order.
    ///
    /// About 3.95·10⁹ on mainnet in November 2026, so `u32` would end within a year. Stores keep
    /// 40 bits (1.1·10¹²).
    OutNum(u64)
}
number! {
    /// An input's place in chain order. Coinbase inputs spend nothing and have no number.
    InNum(u64)
}
number! {
    /// A distinct locking script, numbered by first appearance.
    ///
    /// About 1.5·10⁹ on mainnet in November 2026. Provably unspendable data carriers (`OP_RETURN`)
    /// are not numbered.
    AddressNum(u32)
}
number! {
    /// A block's height, 0 for genesis.
    Height(u32)
}

/// An amount in satoshis. 21·10¹⁴ fit in 51 bits, and a sum over any one transaction fits too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sats(pub u64);

impl Sats {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 21 million bitcoin; consensus rejects any output or sum above it (`MAX_MONEY`).
    pub const MAX_MONEY: Self = Self(21_000_000 * 100_000_000);

    /// The sum, `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The difference, `None` where it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }
}

/// Bitcoin with eight decimals, as people read it; no unit is appended.
impl fmt::Display for Sats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:08}", self.0 / 100_000_000, self.0 % 100_000_000);
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_as_bitcoin() {
        assert_eq!(Sats(450_290_000_000).to_string(), "4502.90000000");
        assert_eq!(Sats(1).to_string(), "0.00000001");
        assert_eq!(format!("{:>14}", Sats(1)), "    0.00000001");
    }

    #[test]
    fn numbers_do_not_wrap() {
        assert_eq!(TxNum(u32::MAX).checked_add(1), None);
        assert_eq!(Sats(1).checked_sub(Sats(2)), None);
        assert_eq!(Sats(u64::MAX).checked_add(Sats(1)), None);
    }
}
