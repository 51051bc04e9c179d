//! A transaction on its way into a block: who pays whom, then bytes.

use sha2::{Digest, Sha256};

use super::{
    coins::Coins,
    scripts::{Address, Scripts, Shape},
    truth::Class,
};
use crate::random::Random;

/// An output to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment {
    pub(crate) value: u64,
    pub(crate) address: Address,
    /// Whose it will be; 0 for the data carrier, whose bytes are the draft's.
    pub(crate) owner: u32,
    /// The list that the coin will hang in.
    pub(crate) list: u32,
}

/// A transaction to be. One is used for all, so that its vectors keep their memory.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) class: Class,
    pub(crate) version: i32,
    pub(crate) locktime: u32,
    pub(crate) sequence: u32,
    /// Slots of the coins it spends, taken out of their lists.
    pub(crate) inputs: Vec<u32>,
    /// Sum of their values.
    pub(crate) available: u64,
    pub(crate) outputs: Vec<Payment>,
    /// Sum of their values.
    pub(crate) paid: u64,
    /// What the data carrier says.
    pub(crate) data: Vec<u8>,
    pub(crate) change: Option<u16>,
    input_weight: u64,
    output_weight: u64,
    witness: bool,
}

/// The two ids of a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) txid: [u8; 32],
    pub(crate) wtxid: [u8; 32],
}

impl Draft {
    pub(crate) fn clear(&mut self, class: Class) {
        self.class = class;
        self.version = 2;
        self.locktime = 0;
        self.sequence = u32::MAX;
        self.inputs.clear();
        self.outputs.clear();
        self.data.clear();
        self.change = None;
        (self.available, self.paid, self.input_weight, self.output_weight) = (0, 0, 0, 0);
        self.witness = false;
    }

    pub(crate) fn spend(&mut self, slot: u32, value: u64, shape: Shape) {
        self.inputs.push(slot);
        self.available += value;
        self.input_weight += shape.input_weight();
        self.witness |= shape.has_witness();
    }

    pub(crate) fn pay(&mut self, payment: Payment) {
        self.paid += payment.value;
        self.output_weight += if payment.owner == 0 {
            4 * (8 + 1 + data_script_length(self.data.len()) as u64)
        } else {
            payment.address.shape.output_weight()
        };
        self.outputs.push(payment);
    }

    /// Weight with a further output of this shape, if any (BIP-0141). An upper bound that a
    /// transaction without witnesses stays a few units below.
    pub(crate) fn weight(&self, further: Option<Shape>) -> u64 {
        let outputs = self.outputs.len() + usize::from(further.is_some());
        let counts = count_length(self.inputs.len()) + count_length(outputs);
        let further = further.map_or(0, Shape::output_weight);
        4 * (8 + counts as u64) + 2 + self.input_weight + self.output_weight + further
    }

    /// What is left of the inputs for fee and change.
    pub(crate) const fn left(&self) -> u64 {
        self.available.saturating_sub(self.paid)
    }

    /// Appends the serialised transaction (BIP-0144).
    pub(crate) fn write(
        &self,
        coins: &Coins,
        scripts: &Scripts,
        random: &mut Random,
        into: &mut Vec<u8>,
    ) -> Ids {
        let start = into.len();
        into.extend_from_slice(&self.version.to_le_bytes());
        if self.witness {
            into.extend_from_slice(&[0, 1]);
        }
        let body = into.len();
        write_count(self.inputs.len(), into);
        for coin in self.inputs.iter().filter_map(|slot| coins.get(*slot)) {
            into.extend_from_slice(&coin.txid);
            into.extend_from_slice(&coin.vout.to_le_bytes());
            scripts.write_unlock(coin.address, random, into);
            into.extend_from_slice(&self.sequence.to_le_bytes());
        }
        write_count(self.outputs.len(), into);
        for output in &self.outputs {
            into.extend_from_slice(&output.value.to_le_bytes());
            if output.owner == 0 {
                write_data_script(&self.data, into);
            } else {
                into.push(output.address.shape.script_length() as u8);
                scripts.write(output.address, into);
            }
        }
        let witness = into.len();
        if self.witness {
            for coin in self.inputs.iter().filter_map(|slot| coins.get(*slot)) {
                scripts.write_witness(coin.address, random, into);
            }
        }
        let end = into.len();
        into.extend_from_slice(&self.locktime.to_le_bytes());
        let part = |from: usize, to: usize| into.get(from..to).unwrap_or_default();
        let wtxid = double_sha256(&[part(start, into.len())]);
        let txid = if self.witness {
            let stripped = [part(start, start + 4), part(body, witness), part(end, into.len())];
            double_sha256(&stripped)
        } else {
            wtxid
        };
        Ids { txid, wtxid }
    }
}

/// The hash of hashes that Bitcoin uses, over the parts joined.
pub(crate) fn double_sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut first = Sha256::new();
    for part in parts {
        first.update(part);
    }
    Sha256::digest(first.finalize()).into()
}

/// Appends a count in Bitcoin's variable length.
pub(crate) fn write_count(count: usize, into: &mut Vec<u8>) {
    match count {
        0..0xfd => into.push(count as u8),
        0xfd..0x1_0000 => {
            into.push(0xfd);
            into.extend_from_slice(&(count as u16).to_le_bytes());
        }
        _ => {
            into.push(0xfe);
            into.extend_from_slice(&(count as u32).to_le_bytes());
        }
    }
}

const fn count_length(count: usize) -> usize {
    match count {
        0..0xfd => 1,
        0xfd..0x1_0000 => 3,
        _ => 5,
    }
}

/// Length of the script of a data carrier with up to 80 bytes.
const fn data_script_length(data: usize) -> usize {
    1 + data + if data > 75 { 2 } else { 1 }
}

/// Appends the script, its length first.
fn write_data_script(data: &[u8], into: &mut Vec<u8>) {
    into.push(data_script_length(data.len()) as u8);
    into.push(0x6a);
    if data.len() > 75 {
        into.push(0x4c);
    }
    into.push(data.len() as u8);
    into.extend_from_slice(data);
}
