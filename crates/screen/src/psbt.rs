//! Payments that are not yet signed by all (BIP-0174).
//!
//! Only what the payment itself fixes is believed: an output's script and amount, and of an input
//! the output that it spends. What a PSBT says *about* that output is believed where it can be
//! checked: the whole earlier transaction, whose hash must be the txid that is spent. The short form
//! (`witness_utxo`) is covered by signatures of segwit inputs only, so a wrong one makes an invalid
//! payment; it is taken for what it says.

use bitcoin::{OutPoint, Psbt};
use chain::Sats;

use crate::payment::{Payment, Place};

/// Why a PSBT cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PsbtError {
    /// The bytes are none.
    #[error("not a PSBT: {0}")]
    Malformed(String),
    /// BIP-0370.
    #[error(
        "a PSBT of version {0}, and only version 0 is read: convert it to version 0 and screen that"
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
    if let Some(version) = version(bytes).filter(|version| *version != 0) {
        return Err(PsbtError::Version(version));
    }
    let psbt = Psbt::deserialize(bytes).map_err(|error| PsbtError::Malformed(error.to_string()))?;
    let mut payment = Payment::default();
    for (at, (input, said)) in psbt.unsigned_tx.input.iter().zip(&psbt.inputs).enumerate() {
        let spent = input.previous_output;
        let whole = match &said.non_witness_utxo {
            None => None,
            Some(tx) => {
                let given = tx.compute_txid();
                if given != spent.txid {
                    return Err(PsbtError::OtherTransaction { input: at, spent, given });
                }
                let outputs = tx.output.len();
                let output = tx.output.get(spent.vout as usize);
                Some(output.ok_or(PsbtError::NoSuchOutput { input: at, spent, outputs })?)
            }
        };
        if let (Some(whole), Some(short)) = (whole, &said.witness_utxo)
            && whole != short
        {
            return Err(PsbtError::Contradiction(at));
        }
        let known = whole.or(said.witness_utxo.as_ref());
        payment.inputs.push(Place {
            number: u32::try_from(at).unwrap_or(u32::MAX),
            script: known.map(|output| output.script_pubkey.clone()),
            value: known.map(|output| Sats(output.value.to_sat())),
            outpoint: Some(spent),
        });
    }
    for (number, output) in (0..).zip(&psbt.unsigned_tx.output) {
        if output.script_pubkey.is_op_return() {
            continue;
        }
        payment.outputs.push(Place {
            number,
            script: Some(output.script_pubkey.clone()),
            value: Some(Sats(output.value.to_sat())),
            outpoint: None,
        });
    }
    Ok(payment)
}

/// The version that the global map names (`PSBT_GLOBAL_VERSION`, key 0xfb); `None` where it names
/// none. The crate `bitcoin` reads version 0 alone and does not tell why others fail.
fn version(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes.get(5..)?;
    loop {
        let key = field(&mut rest)?;
        if key.is_empty() {
            return None;
        }
        let value = field(&mut rest)?;
        if key == [0xfb] {
            return Some(u32::from_le_bytes(value.try_into().ok()?));
        }
    }
}

/// A length (compact size) and so many bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (first, tail) = rest.split_first()?;
    let (len, tail) = match first {
        0xfd => (u64::from(u16::from_le_bytes(tail.get(..2)?.try_into().ok()?)), tail.get(2..)?),
        0xfe => (u64::from(u32::from_le_bytes(tail.get(..4)?.try_into().ok()?)), tail.get(4..)?),
        0xff => (u64::from_le_bytes(tail.get(..8)?.try_into().ok()?), tail.get(8..)?),
        len => (u64::from(*len), tail),
    };
    let len = usize::try_from(len).ok()?;
    let field = tail.get(..len)?;
    *rest = tail.get(len..)?;
    Some(field)
}
