//! The one error type of the crate.

use chain::{Height, LedgerError, OutPoint, Txid};

/// What an analysis gives, or why it cannot.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an analysis gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is nothing to trace.
    #[error("nothing to trace: name at least one output, transaction or address")]
    NoRoots,
    /// The ledger has no such transaction.
    #[error("transaction {0} is not in the ledger")]
    TxNotFound(Txid),
    /// The transaction is there, but not this output of it.
    #[error("transaction {} has no output {} in the ledger", .0.txid, .0.vout)]
    OutputNotFound(OutPoint),
    /// No output of the ledger has this locking script.
    #[error("address {0} has never received anything in the ledger")]
    AddressNotFound(String),
    /// Nobody can ever spend a data carrier, so nothing can be followed from it.
    #[error("output {0} is an OP_RETURN: nobody can spend it, its {value} bitcoin are burned", value = .1)]
    Unspendable(OutPoint, chain::Sats),
    /// The root does not exist yet at the height where the trace ends.
    #[error("{what} is of block {made}, after block {until}, where the trace ends")]
    RootAboveHeight {
        /// What was given.
        what: String,
        /// The height of its (first) block.
        made: Height,
        /// `until_height`.
        until: Height,
    },
    /// The ledger says that a transaction pays out more than it takes in.
    #[error("transaction {0} pays out more than it takes in: the ledger is damaged")]
    Inflation(Txid),
    /// Fees are followed into the coinbase, and the coinbase is spent in its own block: a circle.
    /// No valid chain has this (a coinbase must mature for 100 blocks).
    #[error("coinbase {0} is spent in its own block: its fees cannot be followed")]
    ImmatureCoinbase(Txid),
}
