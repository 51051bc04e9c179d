//! What a bundle proves with: transactions, their places in blocks, and the headers of the blocks.

mod checkpoints;
mod gather;
mod headers;
mod ledger;
mod proofs;
mod transactions;

pub use checkpoints::{Checkpoint, checkpoint_at_or_below, checkpoints};
pub use gather::{Needed, gather};
pub use headers::{HeaderChain, HeaderFault, Work};
pub use ledger::Transactions;
pub use proofs::{FromBlocks, Proofs, ReadBlock, ReadHeader, Shown};
pub use transactions::{LineFault, ProvenTx, Role};

pub(crate) use proofs::without_witnesses;
