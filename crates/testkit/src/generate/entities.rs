//! Who there is, and the habits that tell their wallets apart.

use super::scripts::{Address, Shape};
use crate::random::Random;

/// What an entity does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nobody: the owner of data carriers and of genesis.
    #[default]
    Nobody,
    /// A person with a wallet.
    Person,
    /// A shop: receives, and sells what it received.
    Merchant,
    /// An exchange: deposit addresses, sweeps, batched withdrawals.
    Exchange,
    /// A mining pool.
    Miner,
    /// Takes the fees of a CoinJoin service; never holds the coins.
    Coordinator,
    /// A thief.
    Thief,
    /// A service that is no exchange.
    Service,
    /// The vault of a bridge to another chain.
    Bridge,
}

impl Role {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Person => "person",
            Self::Merchant => "merchant",
            Self::Exchange => "exchange",
            Self::Miner => "miner",
            Self::Coordinator => "coordinator",
            Self::Thief => "thief",
            Self::Service => "service",
            Self::Bridge => "bridge",
        }
    }
}

/// Where a wallet puts its change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChangePlace {
    /// Anywhere.
    #[default]
    Random,
    /// Behind the payments.
    Last,
    /// Before them.
    First,
    /// Where its value belongs in ascending order (BIP-0069).
    Sorted,
}

/// What a wallet always does alike.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    pub(crate) version_1: bool,
    /// Sets `nLockTime` to the height of the tip, against fee sniping.
    pub(crate) locktime: bool,
    pub(crate) sequence: u32,
    /// One address for everything.
    pub(crate) reuses: bool,
    pub(crate) change: ChangePlace,
}

/// Somebody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entity {
    pub(crate) role: Role,
    /// What its new addresses are.
    pub(crate) shape: Shape,
    pub(crate) habits: Habits,
    /// The address it showed last.
    pub(crate) last: Option<Address>,
    /// Where it deposits: a number in the list of exchanges, and its address there.
    pub(crate) exchange: u16,
    pub(crate) deposit: Option<Address>,
}

impl Entity {
    /// Somebody new, with the habits of software of the time (`era`: thousandths of the chain).
    pub(crate) fn new(role: Role, era: u64, random: &mut Random) -> Self {
        Self { role, shape: shape(era, random), habits: habits(era, random), ..Self::default() }
    }
}

/// Shapes in fashion at five points of the chain, in thousandths.
const FASHION: [(Shape, [u64; 5]); 9] = [
    (Shape::P2pk, [30, 0, 0, 0, 0]),
    (Shape::P2pkh, [900, 470, 220, 110, 60]),
    (Shape::P2shMultisig, [65, 70, 40, 25, 10]),
    (Shape::P2shP2wpkh, [0, 380, 290, 120, 60]),
    (Shape::P2shP2wsh, [0, 10, 15, 15, 10]),
    (Shape::P2wpkh, [0, 60, 395, 580, 500]),
    (Shape::P2wsh, [0, 10, 28, 40, 40]),
    (Shape::P2tr, [0, 0, 10, 110, 320]),
    (Shape::Multisig, [5, 1, 1, 0, 0]),
];

/// A shape in fashion.
pub(crate) fn shape(era: u64, random: &mut Random) -> Shape {
    let era = era.min(999);
    let (place, along) = ((era / 250) as usize, era % 250);
    let weight = |weights: &[u64; 5]| {
        let at = |i: usize| weights.get(i).copied().unwrap_or(0);
        at(place) * (250 - along) + at(place + 1) * along
    };
    let total: u64 = FASHION.iter().map(|(_, weights)| weight(weights)).sum();
    let mut left = random.below(total);
    for (shape, weights) in &FASHION {
        let weight = weight(weights);
        if left < weight {
            return *shape;
        }
        left -= weight;
    }
    Shape::P2pkh
}

fn habits(era: u64, random: &mut Random) -> Habits {
    let locktime = random.permille(200);
    let replaceable = random.permille(era / 2);
    Habits {
        version_1: random.permille(900_u64.saturating_sub(era)),
        locktime,
        sequence: match (replaceable, locktime) {
            (true, _) => 0xffff_fffd,
            (false, true) => 0xffff_fffe,
            (false, false) => 0xffff_ffff,
        },
        reuses: random.permille(110),
        change: match random.below(4) {
            0 => ChangePlace::Last,
            1 => ChangePlace::Sorted,
            2 if random.permille(300) => ChangePlace::First,
            _ => ChangePlace::Random,
        },
    }
}
