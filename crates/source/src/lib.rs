//! Floor 1: where blocks and transactions come from.
//!
//! * [`blkdir`]: the `blk*.dat` files of a node, read beside the running node: where each block
//!   lies, which of them form the chain with the most work, and their bytes.
//! * [`decode`]: a block's bytes as flat arrays (ids, prevouts, values, scripts), Merkle root and
//!   amounts checked, without an allocation per transaction.
//! * [`node`]: a running node, asked over JSON-RPC and REST.
//! * [`esplora`]: single transactions with their prevouts, as explorers tell them.
//!
//! Everything here treats its input as hostile: a damaged or malicious file gives a
//! [`SourceError`] or a finding that names the place, never a panic or a huge allocation.

pub mod blkdir;
pub mod decode;
mod error;
pub mod esplora;
mod hash;
pub mod node;
mod raw;

pub use blkdir::{BestChain, BlockDir, BlockPlace, BlockReader};
pub use decode::DecodedBlock;
pub use error::{BadBlock, BlockFault, SourceError};
pub use esplora::{Single, SparseSet, Transactions, each_transaction};
pub use node::{Node, NodeError};
pub use raw::RawBlocks;
