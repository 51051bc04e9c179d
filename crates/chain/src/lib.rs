//! Floor 0: the nouns of the project.
//!
//! Dense numbers for transactions, outputs and addresses ([`TxNum`], [`OutNum`], [`AddressNum`]),
//! amounts ([`Sats`]), locking scripts ([`script`]), networks ([`Network`]) and the read-only
//! [`Ledger`] through which all analysis sees a chain. Beside them what proves that a transaction is
//! in a chain: [`MerklePath`] and [`header`]. No I/O, no clock, no randomness.

pub mod header;
mod ledger;
mod memory;
mod merkle;
mod network;
mod numbers;
mod overlay;
pub mod script;

pub use ledger::{
    Block, Flags, Input, InputAddresses, Ledger, LedgerError, Output, Result, Spend, StoredClass,
    Tip,
};
pub use memory::{
    MemoryLedger, MemoryLedgerError, SparseInput, SparseOutput, SparseSpend, SparseTx,
};
pub use merkle::{MerkleError, MerklePath};
pub use network::{Network, UnknownNetwork};
pub use numbers::{AddressNum, Height, InNum, OutNum, Sats, TxNum};
pub use overlay::{Overlay, OverlayError, Unconfirmed};

pub use bitcoin::{
    BlockHash, OutPoint, Script, ScriptBuf, Transaction, TxMerkleNode, Txid, block::Header,
};
