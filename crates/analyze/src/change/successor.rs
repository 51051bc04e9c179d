//! Signs in what happens to the outputs later: whoever holds the change goes on as before.

use chain::{Flags, Ledger, Spend, TxNum};

use super::{Heuristic, Opinion, Payment, payment};

const VERSIONS: Flags = Flags::VERSION_1.with(Flags::VERSION_2);

pub(super) fn locktime(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Option<Opinion>> {
    let own = payment.flags.has(Flags::LOCKTIME);
    let why =
        if own { "spent with a lock time, as here" } else { "spent without a lock time, as here" };
    agreeing(payment, Heuristic::Locktime, why, |spender| {
        Ok(ledger.flags(spender)?.has(Flags::LOCKTIME) == own)
    })
}

pub(super) fn fingerprint(
    ledger: &impl Ledger,
    payment: &Payment,
) -> chain::Result<Option<Opinion>> {
    let why = "spent with the same version and sequences";
    agreeing(payment, Heuristic::Fingerprint, why, |spender| {
        Ok(alike(payment.flags, ledger.flags(spender)?))
    })
}

/// Version and replaceability. A sparse source may not know the version: then it differs from none.
fn alike(one: Flags, other: Flags) -> bool {
    let same = |flag: Flags| one.has(flag) == other.has(flag);
    let unknown = |flags: Flags| flags.0 & VERSIONS.0 == 0;
    let versions =
        unknown(one) || unknown(other) || same(Flags::VERSION_1) && same(Flags::VERSION_2);
    versions && same(Flags::RBF) && same(Flags::SEQUENCE_FINAL)
}

/// Some wallets paid a fixed fee; others rarely hit the same satoshi.
pub(super) fn fixed_fee(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Option<Opinion>> {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let why = format!("spent with the same fee of {} sat", payment.fee);
    agreeing(payment, Heuristic::FixedFee, &why, |spender| {
        ledger.inputs(spender, &mut inputs)?;
        ledger.outputs(spender, &mut outputs)?;
        Ok(payment::fee(&inputs, &outputs) == payment.fee)
    })
}

/// A peel chain's change is peeled again.
pub(super) fn peeling(ledger: &impl Ledger, payment: &Payment) -> chain::Result<Option<Opinion>> {
    if payment.inputs.len() != 1 || payment.outputs.len() != 2 {
        return Ok(None);
    }
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let why = "one input, two outputs, and so is its spender";
    agreeing(payment, Heuristic::Peeling, why, |spender| {
        ledger.inputs(spender, &mut inputs)?;
        ledger.outputs(spender, &mut outputs)?;
        let spendable = outputs.iter().filter(|output| output.address.is_some()).count();
        Ok(inputs.len() == 1 && spendable == 2)
    })
}

/// The outputs whose spenders do not differ, where some spender is known to agree and another is
/// known to differ. Unspent outputs, and those whose fate is unknown, stay candidates.
fn agreeing(
    payment: &Payment,
    heuristic: Heuristic,
    why: &str,
    mut agrees: impl FnMut(TxNum) -> chain::Result<bool>,
) -> chain::Result<Option<Opinion>> {
    let mut verdicts = Vec::with_capacity(payment.outputs.len());
    for output in &payment.outputs {
        verdicts.push(match output.spend {
            Spend::By(spender) => Some(agrees(spender)?),
            Spend::Unspent | Spend::Unknown => None,
        });
    }
    if !verdicts.contains(&Some(true)) {
        return Ok(None);
    }
    let candidate = |place: usize| verdicts[place] != Some(false);
    Ok(payment.opinion(heuristic, candidate, || why.to_owned()))
}
