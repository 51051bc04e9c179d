//! Signs in the addresses.

use chain::Ledger;

use super::{Heuristic, Opinion, Payment};

/// An amount that is a multiple of this (satoshis) is no one-time change (GraphSense).
const ROUND: u64 = 1_000;
/// Outputs of a transaction that has a one-time change at most (GraphSense).
const MOST_OUTPUTS: usize = 10;

/// The sender's own address once more.
pub(super) fn reuse(payment: &Payment) -> Option<Opinion> {
    payment.opinion(
        Heuristic::AddressReuse,
        |place| payment.paid_from(payment.outputs[place].address),
        || "pays an address that is among the inputs".to_owned(),
    )
}

/// A wallet makes change of its own kind.
pub(super) fn kind(payment: &Payment) -> Option<Opinion> {
    let kind = payment.input_kind()?;
    payment.opinion(
        Heuristic::AddressType,
        |place| payment.output_kinds[place] == kind,
        || format!("of the kind {kind}, as all inputs are"),
    )
}

/// A wallet makes a new address for change; payees show theirs again.
pub(super) fn client(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Option<Opinion>> {
    let fresh = fresh(ledger, payment)?;
    Ok(payment.opinion(
        Heuristic::ClientBehaviour,
        |place| fresh[place],
        || "the address was not seen before, as others were".to_owned(),
    ))
}

/// All at once, and just one output has it all.
pub(super) fn one_time(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Option<Opinion>> {
    let Some(kind) = payment.input_kind() else { return Ok(None) };
    if payment.outputs.len() > MOST_OUTPUTS {
        return Ok(None);
    }
    let fresh = fresh(ledger, payment)?;
    let least = payment.smallest_input();
    let opinion = payment.opinion(
        Heuristic::OneTime,
        |place| {
            let output = &payment.outputs[place];
            fresh[place]
                && payment.output_kinds[place] == kind
                && !output.value.0.is_multiple_of(ROUND)
                && output.value.0 < least
                && !payment.paid_from(output.address)
        },
        || "alone fresh, not round, of the inputs' kind and below every input".to_owned(),
    );
    Ok(opinion.filter(|opinion| opinion.change.len() == 1))
}

/// Whether the address of each output was not seen before the transaction. In a ledger that does
/// not know the whole chain, "not seen" is all that can be said.
fn fresh(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Vec<bool>> {
    let is_fresh = |output: &chain::Output| match output.address {
        Some(address) => Ok(ledger.last_output_of(address, Some(payment.first))?.is_none()),
        None => Ok(false),
    };
    payment.outputs.iter().map(is_fresh).collect()
}
