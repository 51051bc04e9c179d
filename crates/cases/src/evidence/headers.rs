//! A chain of block headers without a gap, from a checkpoint on.

use bitcoin::{CompactTarget, block::Header, params::Params};
use chain::{
    BlockHash, Height, Network,
    header::{HeaderError, check_work, target},
};

use super::Checkpoint;

pub use bitcoin::Work;

/// Blocks of one difficulty (Core: `DifficultyAdjustmentInterval`).
const PERIOD: u32 = 2016;
/// Bytes of a header.
pub(crate) const HEADER: usize = 80;

/// Headers of consecutive heights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChain {
    /// Height of the first one.
    pub first: Height,
    headers: Vec<Header>,
}

/// A header that cannot be the one of its height.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header of block {height} (byte {offset}): {detail}")]
pub struct HeaderFault {
    /// Its height.
    pub height: Height,
    /// Where it starts in the file of headers.
    pub offset: usize,
    /// What is wrong.
    pub detail: String,
}

impl HeaderChain {
    /// Headers from their heights on.
    pub fn new(first: Height, headers: Vec<Header>) -> Self {
        Self { first, headers }
    }

    /// From a file of headers, 80 bytes each.
    ///
    /// # Errors
    /// A file that ends inside of one.
    pub fn from_bytes(first: Height, bytes: &[u8]) -> Result<Self, HeaderFault> {
        let (records, rest) = bytes.as_chunks::<HEADER>();
        let parse = |record: &[u8; HEADER]| chain::header::parse(record);
        let headers: Result<Vec<Header>, HeaderError> = records.iter().map(parse).collect();
        let fault = |detail: String| HeaderFault {
            height: Height(first.0.saturating_add(records.len() as u32)),
            offset: records.len() * HEADER,
            detail,
        };
        let headers = headers.map_err(|error| fault(error.to_string()))?;
        if !rest.is_empty() {
            return Err(fault(format!("has {} of its 80 bytes", rest.len())));
        }
        Ok(Self { first, headers })
    }

    /// The file of headers.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.headers.iter().flat_map(bitcoin::consensus::serialize).collect()
    }

    /// The header of a height.
    pub fn get(&self, height: Height) -> Option<&Header> {
        self.headers.get(height.0.checked_sub(self.first.0)? as usize)
    }

    /// Height of the last one; nothing for none.
    pub fn last(&self) -> Option<Height> {
        let more = u32::try_from(self.headers.len()).ok()?.checked_sub(1)?;
        self.first.0.checked_add(more).map(Height)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Whether the chain starts at the checkpoint, each header builds on the one before, has the work
    /// that it names, and names as much as the network's rules of difficulty ask for. Gives the sum of
    /// the work.
    ///
    /// On testnets, where any block may be easy after twenty minutes, difficulty is not compared. Where
    /// the chain does not hold the whole period before a change of difficulty, the change is held to a
    /// factor of four, which is what the rules allow at most.
    ///
    /// # Errors
    /// [`HeaderFault`] for the first that fails.
    pub fn check(&self, network: Network, checkpoint: Checkpoint) -> Result<Work, HeaderFault> {
        let mut before: Option<(BlockHash, &Header)> = None;
        let mut work: Option<Work> = None;
        for (height, header) in (self.first.0..).zip(&self.headers) {
            let fault = |detail: String| HeaderFault {
                height: Height(height),
                offset: (height - self.first.0) as usize * HEADER,
                detail,
            };
            let hash = check_work(header, network).map_err(|error| fault(error.to_string()))?;
            match before {
                None if height != checkpoint.height.0 || hash != checkpoint.hash => {
                    let Checkpoint { height, hash: expected } = checkpoint;
                    return Err(fault(format!(
                        "is {hash}, and the checkpoint at height {height} is {expected}"
                    )));
                }
                Some((expected, _)) if header.prev_blockhash != expected => {
                    let found = header.prev_blockhash;
                    return Err(fault(format!("builds on {found}, not on {expected} before it")));
                }
                Some((_, last)) => {
                    self.check_difficulty(network, height, last, header).map_err(fault)?;
                }
                None => {}
            }
            work = Some(work.map_or(header.work(), |sum| sum + header.work()));
            before = Some((hash, header));
        }
        work.ok_or_else(|| HeaderFault {
            height: self.first,
            offset: 0,
            detail: "there are no headers".to_owned(),
        })
    }

    fn check_difficulty(
        &self,
        network: Network,
        height: u32,
        last: &Header,
        header: &Header,
    ) -> Result<(), String> {
        if matches!(network, Network::Testnet3 | Network::Testnet4) {
            return Ok(());
        }
        let found = header.bits;
        let wrong = |expected: CompactTarget| {
            let (found, expected) = (found.to_consensus(), expected.to_consensus());
            Err(format!(
                "its target is {found:08x}, and the rules of difficulty give {expected:08x}"
            ))
        };
        if network == Network::Regtest || !height.is_multiple_of(PERIOD) {
            return if found == last.bits { Ok(()) } else { wrong(last.bits) };
        }
        let start = height.checked_sub(PERIOD).and_then(|height| self.get(Height(height)));
        if let Some(start) = start {
            let took = u64::from(last.time.saturating_sub(start.time));
            let params = Params::new(network.params());
            let expected = CompactTarget::from_next_work_required(last.bits, took, params);
            return if found == expected { Ok(()) } else { wrong(expected) };
        }
        // The most that one period can do, up or down.
        let limit = |took: u64| {
            let params = Params::new(network.params());
            target(CompactTarget::from_next_work_required(last.bits, took, params).to_consensus())
        };
        match (target(found.to_consensus()), limit(0), limit(u64::from(u32::MAX))) {
            (Some(found), Some(hardest), Some(easiest)) if hardest <= found && found <= easiest => {
                Ok(())
            }
            _ => Err(format!(
                "its target {:08x} is further from the one before, {:08x}, than difficulty may change",
                found.to_consensus(),
                last.bits.to_consensus()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::checkpoint_at_or_below;

    /// 10,237 headers of mainnet from block 0 on.
    fn mainnet() -> Option<HeaderChain> {
        let bytes = std::fs::read(testkit::data_dir()?.join("blocks_floresta/headers.bin")).ok()?;
        Some(HeaderChain::from_bytes(Height(0), &bytes).unwrap())
    }

    #[test]
    fn the_first_headers_of_mainnet_are_a_chain() {
        let Some(chain) = mainnet() else { return };
        let genesis = checkpoint_at_or_below(Network::Mainnet, Height(0));
        let work = chain.check(Network::Mainnet, genesis).unwrap();
        // Difficulty 1 up to there: 0x100010001 hashes a block.
        let expected = 10_237_u64 * 0x1_0001_0001;
        assert_eq!(work.to_string(), expected.to_string());
        assert_eq!((chain.len(), chain.last()), (10_237, Some(Height(10_236))));
        assert_eq!(HeaderChain::from_bytes(Height(0), &chain.to_bytes()), Ok(chain));
    }

    #[test]
    fn a_changed_header_is_named() {
        let Some(chain) = mainnet() else { return };
        let genesis = checkpoint_at_or_below(Network::Mainnet, Height(0));
        let short = HeaderChain::new(Height(0), chain.headers[..30].to_vec()).to_bytes();
        for bit in (0..short.len() * 8).step_by(7) {
            let mut flipped = short.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let chain = HeaderChain::from_bytes(Height(0), &flipped).unwrap();
            let fault = chain.check(Network::Mainnet, genesis).unwrap_err();
            assert_eq!(fault.height.index(), bit / 8 / HEADER, "bit {bit}: {fault}");
        }
        let cut = HeaderChain::from_bytes(Height(7), &short[..100]).unwrap_err();
        assert_eq!((cut.height, cut.offset), (Height(8), 80));
    }

    #[test]
    fn a_chain_that_starts_elsewhere_or_with_less_work_is_refused() {
        let Some(chain) = mainnet() else { return };
        let genesis = checkpoint_at_or_below(Network::Mainnet, Height(0));
        let later = HeaderChain::new(Height(1), chain.headers[1..9].to_vec());
        let fault = later.check(Network::Mainnet, genesis).unwrap_err();
        assert!(fault.detail.contains("the checkpoint at height 0 is"), "{fault}");
        let none = HeaderChain::new(Height(0), Vec::new());
        assert!(none.check(Network::Mainnet, genesis).is_err());
        // Regtest's difficulty is none of mainnet's.
        let regtest = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).header;
        let easy = HeaderChain::new(Height(0), vec![chain.headers[0], regtest]);
        let fault = easy.check(Network::Mainnet, genesis).unwrap_err();
        assert!(fault.detail.contains("none of mainnet's"), "{fault}");
    }

    #[test]
    fn difficulty_follows_its_rules() {
        let Some(chain) = mainnet() else { return };
        let (last, header) = (chain.headers[2015], chain.headers[2016]);
        let check = |chain: &HeaderChain, bits: u32| {
            let header = Header { bits: CompactTarget::from_consensus(bits), ..header };
            chain.check_difficulty(Network::Mainnet, 2016, &last, &header)
        };
        // With the whole period at hand the one right value, without it a factor of four.
        assert_eq!(check(&chain, 0x1d00_ffff), Ok(()));
        assert!(check(&chain, 0x1d00_7fff).is_err());
        let part = HeaderChain::new(Height(2000), chain.headers[2000..2017].to_vec());
        assert_eq!(check(&part, 0x1d00_7fff), Ok(()));
        assert!(check(&part, 0x1d00_3000).is_err());
    }
}
