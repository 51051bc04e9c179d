//! Blocks whose hashes are known beforehand, so that a chain of headers can start near its use.
//!
//! A checkpoint is no rule of consensus: it is a hash that anybody can look up elsewhere. Work is what
//! makes headers behind it hard to forge.

use chain::{BlockHash, Height, Network};

/// A block of a network's best chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its height.
    pub height: Height,
    /// The hash of its header.
    pub hash: BlockHash,
}

/// Mainnet: up to 295,000 those that Core had (`chainparams.cpp`, until Core PR 31649), from there on
/// last blocks of difficulty periods, as Electrum has them (`checkpoints.json`). The latter were checked
/// against the targets of blocks 702,861 and 866,342.
const MAINNET: &[(u32, &str)] = &[
    (11_111, "0000000069e244f73d78e8fd29ba2fd2ed618bd6fa2ee92559f542fdb26e7c1d"),
    (33_333, "000000002dd5588a74784eaa7ab0507a18ad16a236e7b1ce69f00d7ddfb5d0a6"),
    (74_000, "0000000000573993a3c9e41ce34471c079dcf5f52a0e824a81e7f953b8661a20"),
    (105_000, "00000000000291ce28027faea320c8d2b054b2e0fe44a773f3eefb151d6bdc97"),
    (134_444, "00000000000005b12ffd4cd315cd34ffd4a594f430ac814c91184a0d42d2b0fe"),
    (168_000, "000000000000099e61ea72015e79632f216fe6cb33d7899acb35b75c8303b763"),
    (193_000, "000000000000059f452a5f7340de6682a977387c17010ff6e6c3bd83ca8b1317"),
    (210_000, "000000000000048b95347e83192f69cf0366076336c639f9b7228e9ba171342e"),
    (250_000, "000000000000003887df1f29024b06fc2200b55f8af8f35453d7be294df2d214"),
    (279_000, "0000000000000001ae8c72a0b0c301f67e3afca10e819efa9041e458e9bd7e40"),
    (295_000, "00000000000000004d9b4ef50f0f9d686fd69db2e03af35a100370c64632a983"),
    (566_495, "0000000000000000002296c06935b34f3ed946d98781ff471a99101796e8611b"),
    (606_815, "000000000000000000067b904af747b653ba448a79779f7846bf1ea5537b8a4d"),
    (647_135, "0000000000000000000657c7aa925caa49d18e0c02cab9992be315012d8fab06"),
    (701_567, "0000000000000000000515117969caee77eadd03b30d8d50d044269172d844d8"),
    (747_935, "00000000000000000001095f6deb27964f80c74f38217a32044c20265e0f40e3"),
    (796_319, "0000000000000000000062afa9e3b9df5eee17c2edfc89f60778afe3abccb593"),
    (830_591, "000000000000000000005b3388af9acbfd8c00b5b3ec888a75085011cc69cbb2"),
    (844_703, "00000000000000000000a2a87e6a371a8d2e63eb61a051333c7a3251b717c723"),
    (864_863, "00000000000000000001924bab37e9d87715e84aa7bcd0b52405f893dfe7005f"),
    (893_087, "00000000000000000000ca2f64794d814b198eb237974573222e4521545582d5"),
    (919_295, "00000000000000000001d4b4cbfc67c0904765c9b6d6dd00ac3a72fd4efaac90"),
];

/// All checkpoints of a network, ascending; the first is block 0, and elsewhere than on mainnet the only
/// one.
pub fn checkpoints(network: Network) -> Vec<Checkpoint> {
    let table = if network == Network::Mainnet { MAINNET } else { &[] };
    let known = table.iter().filter_map(|(height, hash)| {
        Some(Checkpoint { height: Height(*height), hash: hash.parse().ok()? })
    });
    let genesis = Checkpoint { height: Height(0), hash: network.genesis_hash() };
    std::iter::once(genesis).chain(known).collect()
}

/// The last checkpoint at this height or below.
pub fn checkpoint_at_or_below(network: Network, height: Height) -> Checkpoint {
    let genesis = Checkpoint { height: Height(0), hash: network.genesis_hash() };
    let below = checkpoints(network).into_iter().rev().find(|known| known.height <= height);
    below.unwrap_or(genesis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_ascends() {
        let all = checkpoints(Network::Mainnet);
        assert_eq!(all.len(), MAINNET.len() + 1);
        assert!(all.is_sorted_by(|one, two| one.height < two.height));
        // From 566,495 on the last of 2016 blocks of one difficulty.
        assert!(
            all.iter().all(|one| one.height.0 < 300_000 || (one.height.0 + 1).is_multiple_of(2016))
        );
        let below = |height| checkpoint_at_or_below(Network::Mainnet, Height(height)).height.0;
        assert_eq!([below(0), below(11_110), below(845_900)], [0, 0, 844_703]);
        assert_eq!(checkpoint_at_or_below(Network::Regtest, Height(9)).height, Height(0));
    }
}
