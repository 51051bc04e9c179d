//! Whether what was named is there, said in better words than those of a library that does not
//! know the chain's name.

use analyze::trace::RootSpec;
use chain::OutPoint;

use crate::{failure::Failure, ledger::Chain};

/// An error unless the chain has what was typed as `text`.
pub(super) fn require(chain: &Chain, text: &str, root: &RootSpec) -> Result<(), Failure> {
    let ledger = chain.ledger();
    let there = match root {
        RootSpec::Transaction(txid) => ledger.find_tx(txid)?.is_some(),
        RootSpec::Script(script) => ledger.find_script(script)?.is_some(),
        RootSpec::Output(outpoint) => has_output(chain, *outpoint)?,
    };
    if there {
        return Ok(());
    }
    let what = match root {
        RootSpec::Script(_) => format!("address {text}"),
        RootSpec::Transaction(txid) => format!("transaction {txid}"),
        RootSpec::Output(outpoint) => format!("transaction {}", outpoint.txid),
    };
    Err(chain.lacks(&what))
}

/// Whether the transaction is there; an error if it is, and has no such output.
fn has_output(chain: &Chain, outpoint: OutPoint) -> Result<bool, Failure> {
    let ledger = chain.ledger();
    let Some(tx) = ledger.find_tx(&outpoint.txid)? else { return Ok(false) };
    if ledger.output_at(tx, outpoint.vout)?.is_some() {
        return Ok(true);
    }
    let mut outputs = Vec::new();
    ledger.outputs(tx, &mut outputs)?;
    let OutPoint { txid, vout } = outpoint;
    if ledger.flags(tx)?.has(chain::Flags::STUB) {
        return Err(chain.lacks(&format!("output {vout} of {txid}")));
    }
    Err(Failure::usage(format!(
        "transaction {txid} has no output {vout}: its {} outputs are numbered from 0",
        outputs.len()
    )))
}
