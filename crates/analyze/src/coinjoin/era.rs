//! No protocol before it existed.
//!
//! The guards are early on purpose: a first block somewhat before the first real round never
//! hides one, and years of transactions from before are still out of the question.

use chain::{Height, Network};

/// When a transaction was mined, as far as known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Neither height nor time is known, or the network is not mainnet, where the heights of
    /// this module mean nothing.
    #[default]
    Unknown,
    /// The height of its block on mainnet.
    Height(Height),
    /// The time of its block's header, seconds since 1970 UTC. Miners may be two hours off.
    Time(u32),
}

impl When {
    /// What a network, a height and a block time say together; the height is preferred.
    pub fn of(network: Network, height: Option<Height>, time: Option<u32>) -> Self {
        match (network, height, time) {
            (Network::Mainnet, Some(height), _) => Self::Height(height),
            (Network::Mainnet, None, Some(time)) => Self::Time(time),
            _ => Self::Unknown,
        }
    }
}

/// Whether a protocol existed when a transaction was mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// It did.
    Within,
    /// It did not, or not any more.
    Outside,
    /// Not known when the transaction was mined, so not checked.
    Unchecked,
}

impl Era {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Outside => "outside",
            Self::Unchecked => "unchecked",
        }
    }
}

/// The life of a protocol: first and last moment, both by height and by block time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First height, and a block time not after it.
    pub from: (u32, u32),
    /// Last height and a block time not before it; `None` while it lives.
    pub until: Option<(u32, u32)>,
}

impl Span {
    /// Whether the moment is within.
    pub fn at(&self, when: When) -> Era {
        let (moment, from, until) = match when {
            When::Unknown => return Era::Unchecked,
            When::Height(height) => (height.0, self.from.0, self.until.map(|last| last.0)),
            When::Time(time) => (time, self.from.1, self.until.map(|last| last.1)),
        };
        let inside = moment >= from && until.is_none_or(|last| moment <= last);
        if inside { Era::Within } else { Era::Outside }
    }
}

/// JoinMarket was announced on 9 January 2015; block 336,861 is the first of that year.
pub(super) const JOINMARKET: Span = Span { from: (336_861, 1_420_070_400), until: None };

/// Wasabi 1: from block 530,500 (July 2018; Dumplings) until its coordinator was switched off on
/// 1 June 2024; the end is set a week late.
pub(super) const WASABI1: Span =
    Span { from: (530_500, 1_530_403_200), until: Some((847_100, 1_717_804_800)) };

/// Until block 610,000 (December 2019) the coordinator of Wasabi 1 was paid at two published
/// addresses (Dumplings); afterwards at fresh ones.
pub(super) const WASABI1_FIXED_COORDINATOR: Span =
    Span { from: (530_500, 1_530_403_200), until: Some((610_000, 1_577_836_800)) };

/// Wasabi 2: from block 741,213 (June 2022; Dumplings). Other coordinators still run it.
pub(super) const WASABI2: Span = Span { from: (741_213, 1_654_732_800), until: None };

/// Whirlpool: from block 570,000 (April 2019; Dumplings).
pub(super) const WHIRLPOOL: Span = Span { from: (570_000, 1_554_076_800), until: None };

/// The pools of 0.025 and 0.25 bitcoin, which Ashigaru opened in 2025. The guard is that year's
/// beginning; the day of the first round is not known to us.
pub(super) const ASHIGARU: Span = Span { from: (877_000, 1_735_603_200), until: None };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_closed_on_both_sides() {
        let at = |height| WASABI1.at(When::Height(Height(height)));
        assert_eq!(at(530_499), Era::Outside);
        assert_eq!(at(530_500), Era::Within);
        assert_eq!(at(847_100), Era::Within);
        assert_eq!(at(847_101), Era::Outside);
        assert_eq!(WASABI2.at(When::Time(1_654_732_799)), Era::Outside);
        assert_eq!(WASABI2.at(When::Time(u32::MAX)), Era::Within);
        assert_eq!(WASABI2.at(When::Unknown), Era::Unchecked);
    }

    #[test]
    fn other_networks_have_no_eras() {
        let height = Some(Height(5));
        assert_eq!(When::of(Network::Regtest, height, Some(5)), When::Unknown);
        assert_eq!(When::of(Network::Mainnet, height, Some(5)), When::Height(Height(5)));
        assert_eq!(When::of(Network::Mainnet, None, Some(5)), When::Time(5));
    }
}
