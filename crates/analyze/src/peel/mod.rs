//! Peel chains: a coin from which small payments are peeled off, one transaction after the other.
//!
//! [`follow`] goes from an output to the transaction that spends it and on with the output that is
//! the rest, as long as independent signs say which one that is; everything else that such a
//! transaction pays is recorded as a payment. Where the signs are too few or contradict each
//! other, both outputs are followed as branches and the hop is marked ambiguous. There is always a
//! [`Stop`] that says why a branch ends. Which output is the rest is an inference: definition,
//! sources and measured errors are in `docs/methods/peel.md`.

mod model;
mod sign;
mod walk;

#[cfg(test)]
mod tests;

use chain::{Ledger, OutPoint};

pub use model::{Branch, Coin, Hop, Options, Peeling, Stop, Totals};
pub use sign::{Evidence, Sign};

use crate::{Error, Result, trace::StopAt};

/// Follows the peel chain that begins with an output.
///
/// `stops` ends it at outputs (not at the first) and before transactions, beside the rules of
/// [`Stop`]. Passes at most [`Options::max_transactions`].
///
/// # Errors
/// An output that is not there or that nobody can spend; a ledger that cannot answer.
pub fn follow<L: Ledger, S: StopAt>(
    ledger: &L,
    start: OutPoint,
    options: &Options,
    stops: &mut S,
) -> Result<Peeling> {
    let tx = ledger.find_tx(&start.txid)?.ok_or(Error::TxNotFound(start.txid))?;
    let num = ledger.output_at(tx, start.vout)?.ok_or(Error::OutputNotFound(start))?;
    let output = ledger.output(num)?;
    if output.address.is_none() {
        return Err(Error::Unspendable(start, output.value));
    }
    walk::Walk::new(ledger, options, stops).run(tx, output)
}
