//! What a detector answers.

use std::fmt;

use chain::Sats;

use super::era::Era;

/// A way of making a transaction together, or of looking like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// A mix of Samourai's or Ashigaru's Whirlpool.
    Whirlpool,
    /// The transaction that cuts one wallet's coins to a Whirlpool pool's size and pays its fee.
    WhirlpoolTx0,
    /// A round of Wasabi 1 (ZeroLink).
    Wasabi1,
    /// A round of Wasabi 2 or another coordinator of WabiSabi.
    Wasabi2,
    /// A taker's transaction of JoinMarket, or one of the same shape.
    JoinMarket,
    /// Equal outputs of several parties, protocol unknown.
    Generic,
    /// Two equal outputs with two changes: Samourai's Stonewall, or a CoinJoin of two.
    Stonewall,
    /// A payment to which the payee may have added an input (BIP-0078).
    PayJoin,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Whirlpool,
        Self::WhirlpoolTx0,
        Self::Wasabi1,
        Self::Wasabi2,
        Self::JoinMarket,
        Self::Generic,
        Self::Stonewall,
        Self::PayJoin,
    ];

    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whirlpool => "whirlpool",
            Self::WhirlpoolTx0 => "whirlpool_tx0",
            Self::Wasabi1 => "wasabi1",
            Self::Wasabi2 => "wasabi2",
            Self::JoinMarket => "joinmarket",
            Self::Generic => "generic",
            Self::Stonewall => "stonewall",
            Self::PayJoin => "payjoin",
        }
    }

    /// Whether this names a protocol; the others are suspicions.
    pub const fn is_named(self) -> bool {
        !matches!(self, Self::Generic | Self::Stonewall | Self::PayJoin)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many people took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Participants {
    /// At least so many, if the protocol was followed.
    pub lower: u32,
    /// At most so many.
    pub upper: u32,
}

/// Outputs of one value, told apart by nothing on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Denomination {
    /// The value.
    pub value: Sats,
    /// How many outputs have it: the anonymity set of each, before and after nothing else is
    /// known.
    pub outputs: u32,
}

/// Why and as what a transaction was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// As what.
    pub protocol: Protocol,
    /// By which rule: stable, one of [`super::RULES`].
    pub rule: &'static str,
    /// The figures that the rule used and found, by name: satoshis end in `_sat`.
    pub parameters: Vec<(&'static str, u64)>,
    /// How many took part.
    pub participants: Participants,
    /// Values that occur at least twice among the outputs, most frequent first, then largest.
    pub denominations: Vec<Denomination>,
    /// Whether the protocol existed then.
    pub era: Era,
    /// The high threshold: whether the name may be put on the transaction. An inference still.
    pub label: bool,
    /// The low threshold: the inputs may belong to several people, so they must not be joined
    /// into one cluster.
    pub do_not_union: bool,
}

impl Finding {
    /// The byte that a store keeps for it.
    pub fn class(&self) -> Class {
        Class::new(self.protocol, self.label, self.do_not_union, self.era)
    }

    /// Whether it names a protocol, as label or as shape; what a scan lists. The others are
    /// suspicions.
    pub const fn is_named(&self) -> bool {
        self.protocol.is_named()
    }
}

/// A finding in one byte, for a column: protocol, both decisions and whether the era was checked.
///
/// Bits 0–3: 0 nothing, 1–8 the protocols in the order of [`Protocol::ALL`]; bit 4: label;
/// bit 5: do not union; bit 6: era unchecked; bit 7: 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class(u8);

impl Class {
    /// Nothing was found.
    pub const NONE: Self = Self(0);

    const LABEL: u8 = 1 << 4;
    const DO_NOT_UNION: u8 = 1 << 5;
    const UNCHECKED: u8 = 1 << 6;

    fn new(protocol: Protocol, label: bool, do_not_union: bool, era: Era) -> Self {
        let code = match protocol {
            Protocol::Whirlpool => 1,
            Protocol::WhirlpoolTx0 => 2,
            Protocol::Wasabi1 => 3,
            Protocol::Wasabi2 => 4,
            Protocol::JoinMarket => 5,
            Protocol::Generic => 6,
            Protocol::Stonewall => 7,
            Protocol::PayJoin => 8,
        };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        Self(
            code | flag(label, Self::LABEL)
                | flag(do_not_union, Self::DO_NOT_UNION)
                | flag(era == Era::Unchecked, Self::UNCHECKED),
        )
    }

    /// The byte.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// The class of a byte; `None` for bytes that no finding gives.
    pub fn from_byte(byte: u8) -> Option<Self> {
        let class = Self(byte);
        let known = byte == 0 || class.protocol().is_some() && byte < 1 << 7;
        known.then_some(class)
    }

    /// As what the transaction was recognised.
    pub fn protocol(self) -> Option<Protocol> {
        let place = usize::from(self.0 & 0xf).checked_sub(1)?;
        Protocol::ALL.get(place).copied()
    }

    /// See [`Finding::label`].
    pub const fn label(self) -> bool {
        self.0 & Self::LABEL != 0
    }

    /// See [`Finding::do_not_union`].
    pub const fn do_not_union(self) -> bool {
        self.0 & Self::DO_NOT_UNION != 0
    }

    /// Whether the era could not be checked.
    pub const fn era_unchecked(self) -> bool {
        self.0 & Self::UNCHECKED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_one_byte_and_back() {
        for protocol in Protocol::ALL {
            for bits in 0..4 {
                let (label, apart) = (bits & 1 != 0, bits & 2 != 0);
                for era in [Era::Within, Era::Outside, Era::Unchecked] {
                    let class = Class::new(protocol, label, apart, era);
                    assert_eq!(Class::from_byte(class.byte()), Some(class));
                    assert_eq!(class.protocol(), Some(protocol));
                    assert_eq!((class.label(), class.do_not_union()), (label, apart));
                    assert_eq!(class.era_unchecked(), era == Era::Unchecked);
                }
            }
        }
        assert_eq!(Class::from_byte(0), Some(Class::NONE));
        assert_eq!(Class::NONE.protocol(), None);
        for byte in [9, 15, 16, 0x80, 0x81, 0xff] {
            assert_eq!(Class::from_byte(byte), None, "{byte}");
        }
    }
}
