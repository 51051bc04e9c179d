//! Addresses: whatever they receive and spend.

use std::collections::BTreeMap;

use chain::{Ledger, OutNum, Overlay, ScriptBuf, Spend, TxNum};

use super::{Evaluation, MOST, Movement, Part, Waiting, What, outpoint_of, too_large};
use crate::Result;

/// Looks through the whole history of each.
pub(super) fn evaluate(
    ledger: &Overlay<'_>,
    scripts: Vec<ScriptBuf>,
    from: TxNum,
) -> Result<Evaluation> {
    let mut evaluation = Evaluation::default();
    let mut received: BTreeMap<TxNum, Vec<OutNum>> = BTreeMap::new();
    let mut moved: BTreeMap<TxNum, Vec<OutNum>> = BTreeMap::new();
    let mut seen = 0;
    for script in scripts {
        let mut newest = None;
        if let Some(address) = ledger.find_script(&script)? {
            let mut next = ledger.last_output_of(address, None)?;
            newest = next;
            while let Some(out) = next {
                seen += 1;
                if seen > MOST {
                    return too_large();
                }
                let maker = ledger.tx_of(out)?;
                if maker >= from {
                    received.entry(maker).or_default().push(out);
                }
                let output = ledger.output(out)?;
                match output.spend {
                    Spend::By(spender) if spender >= from => {
                        moved.entry(spender).or_default().push(out);
                    }
                    Spend::By(_) => {}
                    Spend::Unspent | Spend::Unknown => evaluation.frontier.push(Waiting {
                        out,
                        outpoint: outpoint_of(ledger, out)?,
                        value: output.value,
                        taint: None,
                    }),
                }
                next = ledger.last_output_of(address, Some(out))?;
            }
        }
        evaluation.scripts.push((script, newest));
    }
    evaluation.frontier.sort_by_key(|waiting| waiting.out);
    for (tx, outs) in received {
        evaluation.movements.push(movement(What::Received, tx, Vec::new(), parts(outs)));
    }
    for (tx, outs) in moved {
        let to = all_outputs(ledger, tx)?;
        evaluation.movements.push(movement(What::Moved, tx, parts(outs), to));
    }
    Ok(evaluation)
}

/// The outputs of a transaction, as parts without taint.
pub(super) fn all_outputs(ledger: &Overlay<'_>, tx: TxNum) -> Result<Vec<Part>> {
    let mut outputs = Vec::new();
    ledger.outputs(tx, &mut outputs)?;
    Ok(parts(outputs.into_iter().map(|output| output.num).collect()))
}

fn parts(mut outs: Vec<OutNum>) -> Vec<Part> {
    outs.sort_unstable();
    let part = |out| Part { out, taint: None, confidence: 100, ended: None };
    outs.into_iter().map(part).collect()
}

fn movement(what: What, tx: TxNum, from: Vec<Part>, to: Vec<Part>) -> Movement {
    Movement { what, tx, from, to, fee: None, ended: None, cap: u128::MAX }
}
