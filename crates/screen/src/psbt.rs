//! Payments that are not yet signed by all (BIP-0174, BIP-0370).
//!
//! Only what the payment itself fixes is believed: an output's script and amount, and of an input
//! the output that it spends. What a PSBT says *about* that output is believed where it can be
//! checked: the whole earlier transaction, whose hash must be the txid that is spent. The short form
//! (`witness_utxo`) is covered by signatures of segwit inputs only, so a wrong one makes an invalid
//! payment; it is taken for what it says.

use bitcoin::{OutPoint, Psbt, TxOut};
use chain::Sats;

use crate::{
    payment::{Payment, Place},
    psbt_v2::{self, Input, Output},
};

/// Why a PSBT cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PsbtError {
    /// The bytes are none.
    #[error("not a PSBT: {0}")]
    Malformed(String),
    /// Neither BIP-0174 nor BIP-0370.
    #[error(
        "a PSBT of version {0}, and only versions 0 and 2 are read: convert it and screen that"
    )]
    Version(u32),
    /// An earlier transaction that is not the one that is spent.
    #[error("input {input} spends {spent}, and the transaction given for that is {given}")]
    OtherTransaction {
        /// Which input.
        input: usize,
        /// What it spends.
        spent: OutPoint,
        /// What the PSBT gives.
        given: chain::Txid,
    },
    /// An output that the earlier transaction does not have.
    #[error("input {input} spends {spent}, and that transaction has only {outputs} outputs")]
    NoSuchOutput {
        /// Which input.
        input: usize,
        /// What it spends.
        spent: OutPoint,
        /// How many outputs there are.
        outputs: usize,
    },
    /// Two contradicting statements about an input.
    #[error("input {0}: witness_utxo and non_witness_utxo contradict each other")]
    Contradiction(usize),
}

/// The two sides of a PSBT.
pub(crate) fn payment(bytes: &[u8]) -> Result<Payment, PsbtError> {
    let (inputs, outputs) = match psbt_v2::version(bytes) {
        None | Some(0) => first(bytes)?,
        Some(2) => psbt_v2::read(bytes)?,
        Some(other) => return Err(PsbtError::Version(other)),
    };
    let mut payment = Payment::default();
    for (at, input) in inputs.into_iter().enumerate() {
        let known = input.known(at)?;
        payment.inputs.push(Place {
            number: u32::try_from(at).unwrap_or(u32::MAX),
            script: known.as_ref().map(|output| output.script_pubkey.clone()),
            value: known.map(|output| Sats(output.value.to_sat())),
            outpoint: Some(input.spent),
        });
    }
    for (number, Output { script, value }) in (0..).zip(outputs) {
        if script.is_op_return() {
            continue;
        }
        let (script, value) = (Some(script), Some(value));
        payment.outputs.push(Place { number, script, value, outpoint: None });
    }
    Ok(payment)
}

/// Version 0: inputs and outputs stand in the unsigned transaction.
fn first(bytes: &[u8]) -> Result<(Vec<Input>, Vec<Output>), PsbtError> {
    let psbt = Psbt::deserialize(bytes).map_err(|error| PsbtError::Malformed(error.to_string()))?;
    let spent = psbt.unsigned_tx.input.iter().map(|input| input.previous_output);
    let input = |(spent, said): (OutPoint, bitcoin::psbt::Input)| Input {
        spent,
        whole: said.non_witness_utxo,
        short: said.witness_utxo,
    };
    let inputs = spent.zip(psbt.inputs).map(input).collect();
    let output =
        |output: TxOut| Output { script: output.script_pubkey, value: Sats(output.value.to_sat()) };
    Ok((inputs, psbt.unsigned_tx.output.into_iter().map(output).collect()))
}

impl Input {
    /// What it spends, as far as it says.
    fn known(&self, input: usize) -> Result<Option<TxOut>, PsbtError> {
        let spent = self.spent;
        let whole = match &self.whole {
            None => None,
            Some(tx) => {
                let given = tx.compute_txid();
                if given != spent.txid {
                    return Err(PsbtError::OtherTransaction { input, spent, given });
                }
                let outputs = tx.output.len();
                let output = tx.output.get(spent.vout as usize);
                Some(output.ok_or(PsbtError::NoSuchOutput { input, spent, outputs })?)
            }
        };
        if let (Some(whole), Some(short)) = (whole, &self.short)
            && whole != short
        {
            return Err(PsbtError::Contradiction(input));
        }
        Ok(whole.or(self.short.as_ref()).cloned())
    }
}
