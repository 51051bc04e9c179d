//! Block headers: whether one was worth the work that it names, and what it builds on.
//!
//! A header that passes costs what its own target says, and not more: one of an easy target is cheap
//! to forge. [`check_difficulty`] knows how easy a block of mainnet at a height can have been. Only links
//! to blocks that are known otherwise, or a hash seen elsewhere, make it *the* block of its height.

use bitcoin::{BlockHash, CompactTarget, Target, block::Header, consensus::encode, params::Params};

use crate::{Height, Network};

/// Why a header is none of the network's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not 80 bytes.
    #[error("a block header has 80 bytes and this one {0}")]
    Length(usize),
    /// Its `nBits` are no target, or an easier one than the network allows.
    #[error("block {hash}: its target {bits:08x} is none of {network}'s")]
    Target {
        /// The header's hash.
        hash: BlockHash,
        /// Its `nBits`.
        bits: u32,
        /// The network.
        network: Network,
    },
    /// Its hash is above its target.
    #[error("block {hash}: no proof of work: its hash is above its target {bits:08x}")]
    Work {
        /// The header's hash.
        hash: BlockHash,
        /// Its `nBits`.
        bits: u32,
    },
    /// Easier than any block of the best chain at that height or above.
    #[error(
        "block {hash}: too easy for height {height}: difficulty {found}, where {least} is the least"
    )]
    TooEasy {
        /// The header's hash.
        hash: BlockHash,
        /// The height that was claimed for it.
        height: Height,
        /// Its difficulty: how much harder than the easiest block.
        found: u128,
        /// What any block there has at least.
        least: u128,
    },
    /// It builds on another block than the one before.
    #[error("block {hash} builds on {found}, not on {expected}")]
    Link {
        /// The header's hash.
        hash: BlockHash,
        /// What it builds on.
        found: BlockHash,
        /// The hash of the header before it.
        expected: BlockHash,
    },
}

/// A header from its bytes.
///
/// # Errors
/// [`HeaderError::Length`]; any 80 bytes are a header.
pub fn parse(bytes: &[u8]) -> Result<Header, HeaderError> {
    encode::deserialize(bytes).map_err(|_| HeaderError::Length(bytes.len()))
}

/// The hash of a header with proof of work of this network (Core: `CheckProofOfWork`).
///
/// # Errors
/// [`HeaderError::Target`] and [`HeaderError::Work`].
pub fn check_work(header: &Header, network: Network) -> Result<BlockHash, HeaderError> {
    let (hash, bits) = (header.block_hash(), header.bits.to_consensus());
    let limit = Params::new(network.params()).max_attainable_target;
    let Some(target) = target(bits).filter(|target| *target <= limit) else {
        return Err(HeaderError::Target { hash, bits, network });
    };
    if !target.is_met_by(hash) {
        return Err(HeaderError::Work { hash, bits });
    }
    Ok(hash)
}

/// The difficulty that every block of mainnet has from a height on, rounded down: real ones are 1.2 times
/// as hard and more. At height 800,000 that is 1.7·10²³ hashes.
const LEAST: [(u32, u128); 6] = [
    (200_000, 2_000_000),
    (300_000, 5_000_000_000),
    (400_000, 100_000_000_000),
    (500_000, 1_000_000_000_000),
    (600_000, 10_000_000_000_000),
    (800_000, 40_000_000_000_000),
];

/// Whether a header can be that of a block at this height. Says no only on mainnet: the other networks
/// have easy blocks at any height. Who claims a low height gets away with it, and has the time and height of
/// long ago in whatever it proves.
///
/// # Errors
/// [`HeaderError::TooEasy`].
pub fn check_difficulty(
    header: &Header,
    height: Height,
    network: Network,
) -> Result<(), HeaderError> {
    if network != Network::Mainnet {
        return Ok(());
    }
    let least = LEAST.iter().rev().find(|(from, _)| *from <= height.0);
    let found = header.difficulty(Params::new(network.params()));
    match least {
        Some((_, least)) if found < *least => {
            Err(HeaderError::TooEasy { hash: header.block_hash(), height, found, least: *least })
        }
        _ => Ok(()),
    }
}

/// Whether each of these headers has proof of work and builds on the one before it. Gives the hash
/// of the last one, nothing for no headers.
///
/// # Errors
/// Those of [`check_work`], and [`HeaderError::Link`].
pub fn check_chain<'a>(
    headers: impl IntoIterator<Item = &'a Header>,
    network: Network,
) -> Result<Option<BlockHash>, HeaderError> {
    let mut before = None;
    for header in headers {
        let hash = check_work(header, network)?;
        let found = header.prev_blockhash;
        if let Some(expected) = before.filter(|expected| *expected != found) {
            return Err(HeaderError::Link { hash, found, expected });
        }
        before = Some(hash);
    }
    Ok(before)
}

/// The target of a header's `nBits`, `None` where it is negative, zero or above 256 bits (Core:
/// `arith_uint256::SetCompact`).
pub fn target(bits: u32) -> Option<Target> {
    let (size, word) = (bits >> 24, bits & 0x007f_ffff);
    let negative = bits & 0x0080_0000 != 0;
    let overflow = size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32);
    let target = Target::from_compact(CompactTarget::from_consensus(bits));
    (word != 0 && !negative && !overflow && target != Target::ZERO).then_some(target)
}

#[cfg(test)]
mod tests {
    use bitcoin::{constants::genesis_block, hashes::Hash};

    use super::*;

    /// Block 1 of mainnet.
    fn block_1() -> Header {
        let hex = "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000\
                   982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e\
                   61bc6649ffff001d01e36299";
        encode::deserialize_hex(hex).unwrap()
    }

    #[test]
    fn the_first_blocks_have_work_and_follow_each_other() {
        for network in Network::ALL {
            let genesis = genesis_block(network.params()).header;
            assert_eq!(check_work(&genesis, network), Ok(network.genesis_hash()), "{network}");
        }
        let genesis = genesis_block(bitcoin::Network::Bitcoin).header;
        let chain = [genesis, block_1()];
        let end = check_chain(&chain, Network::Mainnet);
        assert_eq!(end, Ok(Some(block_1().block_hash())));
        assert_eq!(check_chain([], Network::Mainnet), Ok(None));
        let swapped = check_chain([&chain[1], &chain[0]], Network::Mainnet);
        let link = HeaderError::Link {
            hash: genesis.block_hash(),
            found: BlockHash::all_zeros(),
            expected: block_1().block_hash(),
        };
        assert_eq!(swapped, Err(link));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let bytes = encode::serialize(&block_1());
        for bit in 0..80 * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let header = parse(&changed).unwrap();
            assert!(check_work(&header, Network::Mainnet).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_networks_difficulty_is_refused() {
        let regtest = genesis_block(bitcoin::Network::Regtest).header;
        let refused = check_work(&regtest, Network::Mainnet);
        assert!(
            matches!(refused, Err(HeaderError::Target { bits: 0x207f_ffff, .. })),
            "{refused:?}"
        );
        assert_eq!(parse(&[0; 79]), Err(HeaderError::Length(79)));
        assert_eq!(parse(&[0; 81]), Err(HeaderError::Length(81)));
    }

    /// `nBits` of blocks of mainnet as they are in the chain, the easiest ones of their time among them.
    #[test]
    fn real_blocks_are_hard_enough_and_block_1_is_not_for_today() {
        for (height, bits) in [
            (0, 0x1d00_ffff),
            (100_000, 0x1b04_864c),
            (200_000, 0x1a05_db8b),
            (300_000, 0x1900_896c),
            (400_000, 0x1806_b99f),
            (500_000, 0x1800_9645),
            (600_000, 0x1714_8edf),
            (700_000, 0x170f_48e4),
            (800_000, 0x1705_3894),
            (840_000, 0x1703_4219),
        ] {
            let bits = CompactTarget::from_consensus(bits);
            let header = Header { bits, ..block_1() };
            assert_eq!(
                check_difficulty(&header, Height(height), Network::Mainnet),
                Ok(()),
                "{height}"
            );
        }
        let easy = check_difficulty(&block_1(), Height(200_000), Network::Mainnet);
        assert!(matches!(easy, Err(HeaderError::TooEasy { found: 1, .. })), "{easy:?}");
        assert_eq!(check_difficulty(&block_1(), Height(199_999), Network::Mainnet), Ok(()));
        assert_eq!(check_difficulty(&block_1(), Height(900_000), Network::Signet), Ok(()));
    }

    #[test]
    fn targets_that_are_none() {
        for bits in [0, 0x0180_0001, 0x0400_0000, 0x2300_0001, 0x2201_0000, 0x2100_ffff] {
            let target = target(bits);
            let none = !matches!(bits, 0x2100_ffff);
            assert_eq!(target.is_none(), none, "{bits:08x}: {target:?}");
        }
        assert_eq!(target(0x1d00_ffff), Some(Target::MAX));
    }
}
