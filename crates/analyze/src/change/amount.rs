//! Signs in the amounts.

use super::{Heuristic, Opinion, Payment};

/// Change is smaller than every input: a wallet that chooses its inputs well takes none that the
/// payments do not need. Says nothing with a single input.
pub(super) fn optimal(payment: &Payment) -> Option<Opinion> {
    if payment.inputs.len() < 2 {
        return None;
    }
    let least = payment.smallest_input();
    payment.opinion(
        Heuristic::OptimalChange,
        |place| payment.outputs[place].value.0 < least,
        || format!("smaller than every input (the smallest is {least} sat)"),
    )
}

/// People pay round amounts; change is what is left.
pub(super) fn power_of_ten(payment: &Payment, digits: u32) -> Option<Opinion> {
    let round = 10_u64.checked_pow(digits)?;
    payment.opinion(
        Heuristic::PowerOfTen,
        |place| !payment.outputs[place].value.0.is_multiple_of(round),
        || format!("not a multiple of {round} sat, as other outputs are"),
    )
}
