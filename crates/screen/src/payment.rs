//! Who pays and who gets something in a transaction, signed or not.

use bitcoin::{OutPoint, ScriptBuf};
use chain::{Flags, Ledger, Sats, TxNum};

/// The two sides of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    /// What is spent, in order; a coinbase spends nothing.
    pub inputs: Vec<Place>,
    /// What is made, in order.
    pub outputs: Vec<Place>,
    /// Whether there may be more that is not known here.
    pub partly_known: bool,
}

/// An input or output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its number in the transaction.
    pub number: u32,
    /// Its locking script, where that is known.
    pub script: Option<ScriptBuf>,
    /// Its amount, where that is known.
    pub value: Option<Sats>,
    /// The output that an input spends, where only that is known.
    pub outpoint: Option<OutPoint>,
}

impl Payment {
    /// A transaction of a ledger. Data carriers pay nobody and are left out.
    ///
    /// # Errors
    /// What the ledger reports.
    pub fn of(ledger: &impl Ledger, tx: TxNum) -> chain::Result<Self> {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        ledger.inputs(tx, &mut inputs)?;
        ledger.outputs(tx, &mut outputs)?;
        let mut payment =
            Self { partly_known: ledger.flags(tx)?.has(Flags::STUB), ..Self::default() };
        for (number, input) in (0..).zip(&inputs) {
            let script = match input.address {
                Some(address) => Some(ledger.script(address)?),
                None => None,
            };
            let value = Some(input.value);
            payment.inputs.push(Place { number, script, value, outpoint: None });
        }
        for output in &outputs {
            let Some(address) = output.address else { continue };
            let (number, value) = (output.vout, Some(output.value));
            let script = Some(ledger.script(address)?);
            payment.outputs.push(Place { number, script, value, outpoint: None });
        }
        Ok(payment)
    }

    /// Looks up what is not known of the inputs.
    ///
    /// # Errors
    /// What the ledger reports.
    pub(crate) fn complete(&mut self, ledger: &impl Ledger) -> chain::Result<()> {
        for place in self.inputs.iter_mut().filter(|place| place.script.is_none()) {
            let Some(outpoint) = place.outpoint else { continue };
            let Some(tx) = ledger.find_tx(&outpoint.txid)? else { continue };
            let Some(out) = ledger.output_at(tx, outpoint.vout)? else { continue };
            place.script = Some(ledger.output_script(out)?);
            place.value = Some(ledger.output(out)?.value);
        }
        Ok(())
    }
}
