//! How often the rules were right, as far as that was measured.

use super::finding::Protocol;

/// What became of the real transactions that carry a protocol's label in the data set
/// `coinjoin_dev`. The labels are those of another project's rules, not an oracle;
/// `docs/methods/coinjoin.md` says where they and the rules here differ. A test counts them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The protocol of the label.
    pub protocol: Protocol,
    /// Transactions with the label.
    pub labelled: u32,
    /// Those of them that a rule names as any protocol.
    pub found: u32,
    /// Those of them that are named as this protocol.
    pub named: u32,
}

/// One row for each protocol that is named. "Tx0" without the data carrier that a Tx0 has are left
/// out, and so are transactions with fewer than three equal outputs labelled JoinMarket.
pub const MEASURED: [Measured; 5] = [
    row(Protocol::Whirlpool, 358, 358, 358),
    row(Protocol::WhirlpoolTx0, 187, 187, 187),
    row(Protocol::Wasabi1, 89, 89, 87),
    row(Protocol::Wasabi2, 5, 5, 5),
    row(Protocol::JoinMarket, 29, 29, 29),
];

/// Transactions of whole blocks that a rule names although they are no CoinJoins, and all of them:
/// 19 mainnet blocks from 170 to 866,342. One mix of Whirlpool in them is not counted as wrong.
pub const FALSE_POSITIVES: (u32, u32) = (0, 7_315);

const fn row(protocol: Protocol, labelled: u32, found: u32, named: u32) -> Measured {
    Measured { protocol, labelled, found, named }
}
