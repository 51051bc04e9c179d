//! Payments of version 2 (BIP-0370), whose inputs and outputs stand in the maps themselves.
//!
//! Only what screening needs is read: of inputs the output that they spend and what is said about it, of
//! outputs script and amount. Nothing is allocated by what a length promises: every field is a part of
//! the bytes at hand.

use std::collections::HashSet;

use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut, consensus};
use chain::Sats;

use crate::psbt::PsbtError;

/// Key types of BIP-0174 and BIP-0370.
mod key {
    pub(super) const GLOBAL_UNSIGNED_TX: u8 = 0x00;
    pub(super) const GLOBAL_INPUT_COUNT: u8 = 0x04;
    pub(super) const GLOBAL_OUTPUT_COUNT: u8 = 0x05;
    pub(super) const GLOBAL_VERSION: u8 = 0xfb;
    pub(super) const IN_NON_WITNESS_UTXO: u8 = 0x00;
    pub(super) const IN_WITNESS_UTXO: u8 = 0x01;
    pub(super) const IN_PREVIOUS_TXID: u8 = 0x0e;
    pub(super) const IN_OUTPUT_INDEX: u8 = 0x0f;
    pub(super) const OUT_AMOUNT: u8 = 0x03;
    pub(super) const OUT_SCRIPT: u8 = 0x04;
}

/// What an input says.
pub(crate) struct Input {
    /// What it spends.
    pub(crate) spent: OutPoint,
    /// The whole transaction that made that.
    pub(crate) whole: Option<Transaction>,
    /// The output alone.
    pub(crate) short: Option<TxOut>,
}

/// An output.
pub(crate) struct Output {
    /// Its locking script.
    pub(crate) script: ScriptBuf,
    /// Its amount.
    pub(crate) value: Sats,
}

/// The version that the global map names; `None` where it names none or is broken.
pub(crate) fn version(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes.get(5..)?;
    let map = map(&mut rest).ok()?;
    map.one(key::GLOBAL_VERSION).and_then(|value| Some(u32::from_le_bytes(value.try_into().ok()?)))
}

/// Reads a payment of version 2, all of it.
///
/// # Errors
/// [`PsbtError::Malformed`] with the map and the field.
pub(crate) fn read(bytes: &[u8]) -> Result<(Vec<Input>, Vec<Output>), PsbtError> {
    let mut rest = bytes.get(5..).ok_or_else(|| broken("the end is missing"))?;
    let global = map(&mut rest).map_err(|why| broken(&format!("global map: {why}")))?;
    if global.one(key::GLOBAL_UNSIGNED_TX).is_some() {
        return Err(broken("version 2 has no unsigned transaction, and here is one"));
    }
    let count = |key, name: &str| {
        let value = global.one(key).ok_or_else(|| broken(&format!("global map: no {name}")))?;
        match compact_size(value) {
            Some((count, [])) => Ok(count),
            _ => Err(broken(&format!("global map: the {name} is no number"))),
        }
    };
    let wanted_inputs = count(key::GLOBAL_INPUT_COUNT, "input count")?;
    let wanted_outputs = count(key::GLOBAL_OUTPUT_COUNT, "output count")?;
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    // Every map has at least one byte, so that a count ends with the bytes.
    for number in 0..wanted_inputs {
        let place = |why: &str| broken(&format!("input {number}: {why}"));
        let map = map(&mut rest).map_err(place)?;
        inputs.push(input(&map).map_err(place)?);
    }
    for number in 0..wanted_outputs {
        let place = |why: &str| broken(&format!("output {number}: {why}"));
        let map = map(&mut rest).map_err(place)?;
        outputs.push(output(&map).map_err(place)?);
    }
    if !rest.is_empty() {
        return Err(broken("there is more behind the last map"));
    }
    Ok((inputs, outputs))
}

fn broken(why: &str) -> PsbtError {
    PsbtError::Malformed(why.to_owned())
}

fn input(map: &Map<'_>) -> Result<Input, &'static str> {
    let txid = map.one(key::IN_PREVIOUS_TXID).ok_or("no txid of what it spends")?;
    let vout = map.one(key::IN_OUTPUT_INDEX).ok_or("no number of the output that it spends")?;
    let txid = consensus::deserialize(txid).map_err(|_| "the txid of what it spends is broken")?;
    let vout = vout.try_into().map_err(|_| "the number of the output that it spends is broken")?;
    let whole = map.one(key::IN_NON_WITNESS_UTXO).map(consensus::deserialize).transpose();
    let short = map.one(key::IN_WITNESS_UTXO).map(consensus::deserialize).transpose();
    Ok(Input {
        spent: OutPoint { txid, vout: u32::from_le_bytes(vout) },
        whole: whole.map_err(|_| "non_witness_utxo is no transaction")?,
        short: short.map_err(|_| "witness_utxo is no output")?,
    })
}

fn output(map: &Map<'_>) -> Result<Output, &'static str> {
    let amount = map.one(key::OUT_AMOUNT).ok_or("no amount")?;
    let amount = i64::from_le_bytes(amount.try_into().map_err(|_| "the amount is no number")?);
    let script = map.one(key::OUT_SCRIPT).ok_or("no script")?;
    Ok(Output {
        script: ScriptBuf::from_bytes(script.to_vec()),
        value: Sats(amount.try_into().map_err(|_| "the amount is negative")?),
    })
}

/// One map: its keys are different.
struct Map<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Map<'a> {
    /// The value of a key without key data.
    fn one(&self, key: u8) -> Option<&'a [u8]> {
        self.0.iter().find(|(known, _)| *known == [key]).map(|(_, value)| *value)
    }
}

fn map<'a>(rest: &mut &'a [u8]) -> Result<Map<'a>, &'static str> {
    let (mut fields, mut keys) = (Vec::new(), HashSet::new());
    loop {
        let key = field(rest).ok_or("it ends in the middle of a map")?;
        if key.is_empty() {
            return Ok(Map(fields));
        }
        let value = field(rest).ok_or("it ends in the middle of a map")?;
        if !keys.insert(key) {
            return Err("a key is there twice");
        }
        fields.push((key, value));
    }
}

/// A length and so many bytes.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, tail) = compact_size(rest)?;
    let (field, tail) = tail.split_at_checked(usize::try_from(len).ok()?)?;
    *rest = tail;
    Some(field)
}

/// A number as Bitcoin's serialization writes lengths, and what follows it. Longer forms than needed are
/// none, as in Core.
fn compact_size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, tail) = bytes.split_first()?;
    let (number, tail, least) = match first {
        0xfd => {
            let (number, tail) = tail.split_first_chunk()?;
            (u64::from(u16::from_le_bytes(*number)), tail, 0xfd)
        }
        0xfe => {
            let (number, tail) = tail.split_first_chunk()?;
            (u64::from(u32::from_le_bytes(*number)), tail, 1 << 16)
        }
        0xff => {
            let (number, tail) = tail.split_first_chunk()?;
            (u64::from_le_bytes(*number), tail, 1 << 32)
        }
        len => (u64::from(*len), tail, 0),
    };
    (number >= least).then_some((number, tail))
}
