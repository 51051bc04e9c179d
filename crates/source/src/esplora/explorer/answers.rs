//! The JSON of a server's answers, as far as we read it.

use bitcoin::{BlockHash, Txid};
use serde::Deserialize;

use super::super::fields::Id;

/// `/tx/:txid/status`, and part of other answers.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Status {
    pub(super) confirmed: bool,
    block_height: Option<u32>,
    block_hash: Option<Id<BlockHash>>,
}

impl Status {
    /// Height and hash of the block with it.
    pub(super) fn block(self) -> Option<(u32, BlockHash)> {
        let block = self.block_height.zip(self.block_hash.map(|id| id.0));
        block.filter(|_| self.confirmed)
    }
}

/// An element of `/tx/:txid/outspends`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Outspend {
    pub(super) spent: bool,
    txid: Option<Id<Txid>>,
    status: Option<Status>,
}

impl Outspend {
    /// Who spends it; `None` where that is not said.
    pub(super) fn spender(self) -> Option<Txid> {
        self.txid.filter(|_| self.spent).map(|id| id.0)
    }

    /// The block of the spender, where it is in one.
    pub(super) fn block(self) -> Option<(u32, BlockHash)> {
        self.status.and_then(Status::block)
    }
}

/// An element of `/address/:address/txs/chain`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Listed {
    txid: Id<Txid>,
    status: Status,
}

impl Listed {
    pub(super) fn txid(self) -> Txid {
        self.txid.0
    }

    pub(super) fn block(self) -> Option<(u32, BlockHash)> {
        self.status.block()
    }
}
