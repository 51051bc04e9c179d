//! The networks we know, and how each is recognised.

use std::{fmt, str::FromStr};

use bitcoin::{BlockHash, blockdata::constants::genesis_block, p2p::Magic};

/// A Bitcoin network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// The real one.
    Mainnet,
    /// BIP-0094.
    Testnet4,
    /// The test network of 2012 on.
    Testnet3,
    /// The default signet (BIP-0325).
    Signet,
    /// Local, blocks on demand.
    Regtest,
}

impl Network {
    /// All of them, mainnet first.
    pub const ALL: [Self; 5] =
        [Self::Mainnet, Self::Testnet4, Self::Testnet3, Self::Signet, Self::Regtest];

    /// The four bytes before each block in a `blk*.dat` file.
    pub fn magic(self) -> [u8; 4] {
        Magic::from(self.params()).to_bytes()
    }

    /// The network whose block files start with these four bytes.
    pub fn from_magic(magic: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.magic() == magic)
    }

    /// Hash of block 0.
    pub fn genesis_hash(self) -> BlockHash {
        genesis_block(self.params()).block_hash()
    }

    /// Blocks between two halvings of the subsidy.
    pub const fn halving_interval(self) -> u32 {
        match self {
            Self::Regtest => 150,
            _ => 210_000,
        }
    }

    /// Newly minted satoshis of the block at `height` (Core's `GetBlockSubsidy`).
    pub const fn subsidy(self, height: u32) -> u64 {
        let halvings = height / self.halving_interval();
        if halvings >= 64 { 0 } else { (50 * 100_000_000) >> halvings }
    }

    /// The same network in the `bitcoin` crate, for addresses and consensus parameters.
    pub const fn params(self) -> bitcoin::Network {
        match self {
            Self::Mainnet => bitcoin::Network::Bitcoin,
            Self::Testnet4 => bitcoin::Network::Testnet4,
            Self::Testnet3 => bitcoin::Network::Testnet,
            Self::Signet => bitcoin::Network::Signet,
            Self::Regtest => bitcoin::Network::Regtest,
        }
    }

    /// The name used in flags, paths and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet4 => "testnet4",
            Self::Testnet3 => "testnet3",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is no network's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown network '{0}': use mainnet, testnet4, testnet3, signet or regtest")]
pub struct UnknownNetwork(pub String);

/// Also takes the names that Bitcoin Core's `-chain` uses: `main`, `test`.
impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        match text {
            "mainnet" | "main" | "bitcoin" => Ok(Self::Mainnet),
            "testnet4" => Ok(Self::Testnet4),
            "testnet3" | "testnet" | "test" => Ok(Self::Testnet3),
            "signet" => Ok(Self::Signet),
            "regtest" => Ok(Self::Regtest),
            other => Err(UnknownNetwork(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_magic_lead_back() {
        for network in Network::ALL {
            assert_eq!(network.name().parse(), Ok(network));
            assert_eq!(Network::from_magic(network.magic()), Some(network));
        }
        assert_eq!(Network::Mainnet.magic(), [0xf9, 0xbe, 0xb4, 0xd9]);
        assert_eq!(Network::from_magic([0; 4]), None);
    }

    #[test]
    fn subsidy_halves_and_ends() {
        assert_eq!(Network::Mainnet.subsidy(209_999), 5_000_000_000);
        assert_eq!(Network::Mainnet.subsidy(840_000), 312_500_000);
        assert_eq!(Network::Mainnet.subsidy(210_000 * 33), 0);
        assert_eq!(Network::Mainnet.subsidy(u32::MAX), 0);
        assert_eq!(Network::Regtest.subsidy(150), 2_500_000_000);
    }
}
