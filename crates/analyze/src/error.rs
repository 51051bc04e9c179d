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
    #[error("{what} is {}, after block {until}, where the trace ends", of_block(*made))]
    RootAboveHeight {
        /// What was given.
        what: String,
        /// The height of its block, where known.
        made: Option<Height>,
        /// [`crate::trace::Stops::until_height`].
        until: Height,
    },
    /// Statements of the ledger that cannot all be true.
    #[error("the ledger contradicts itself at transaction {txid}: it {detail}")]
    Inconsistent {
        /// The transaction.
        txid: Txid,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// Fees are followed into a coinbase that is spent in its own block: a circle. No valid chain
    /// has this, for a coinbase must mature for 100 blocks.
    #[error("coinbase {0} is spent in its own block: fees cannot be followed into it")]
    ImmatureCoinbase(Txid),
    /// Exposure says how much went to whom, and this policy does not say how much.
    #[error("exposure needs a policy that conserves value (haircut, fifo, lifo or tiho), not {0}")]
    NotConserving(crate::trace::Policy),
    /// A clustering of one rule cannot be gone on with, or explained, by another.
    #[error("the clustering was made by the rule '{has}', not by '{wanted}': build it again")]
    OtherRule {
        /// Its rule.
        has: String,
        /// The rule given.
        wanted: String,
    },
    /// A clustering under one guard, or by one version of the rules for CoinJoins, cannot be gone on
    /// with under another.
    #[error(
        "the clustering was made under another supercluster guard or by other rules for CoinJoins: \
         build it again"
    )]
    OtherBasis,
}

fn of_block(height: Option<Height>) -> String {
    height.map_or_else(|| "in no known block".to_owned(), |height| format!("of block {height}"))
}
