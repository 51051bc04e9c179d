//! Locking scripts of made-up addresses, and what unlocks them, written as bytes.
//!
//! An address is a number and a shape. Hashes and keys are mixed from the number, so none is kept
//! in memory; nobody has the keys. Signatures are random bytes of the right length and frame.

use crate::random::{Random, mix};

/// Length of a signature here, hash type included: the most frequent one.
const SIGNATURE: usize = 71;

/// What a locking script looks like, and what it takes to spend it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    P2pk,
    #[default]
    P2pkh,
    /// 2-of-3 multisig behind a script hash: what custodians used before witnesses.
    P2shMultisig,
    /// Witness key hash behind a script hash.
    P2shP2wpkh,
    /// 2-of-3 multisig behind a witness script hash behind a script hash.
    P2shP2wsh,
    P2wpkh,
    /// 2-of-3 multisig behind a witness script hash.
    P2wsh,
    P2tr,
    /// Bare 1-of-2.
    Multisig,
}

impl Shape {
    /// Whether its input has a witness.
    pub(crate) const fn has_witness(self) -> bool {
        self.witness_length() > 1
    }

    /// Length of the locking script in bytes.
    pub(crate) const fn script_length(self) -> usize {
        match self {
            Self::P2pk => 35,
            Self::P2pkh => 25,
            Self::P2shMultisig | Self::P2shP2wpkh | Self::P2shP2wsh => 23,
            Self::P2wpkh => 22,
            Self::P2wsh | Self::P2tr => 34,
            Self::Multisig => 71,
        }
    }

    /// Length of the input script in bytes, without its length byte.
    const fn unlock_length(self) -> usize {
        match self {
            Self::P2pk => 1 + SIGNATURE,
            Self::P2pkh => 1 + SIGNATURE + 34,
            Self::P2shMultisig => 1 + 2 * (1 + SIGNATURE) + 2 + 105,
            Self::P2shP2wpkh => 23,
            Self::P2shP2wsh => 35,
            Self::P2wpkh | Self::P2wsh | Self::P2tr => 0,
            Self::Multisig => 2 + SIGNATURE,
        }
    }

    /// Length of the witness in bytes, the number of its items included: one byte where there are
    /// none.
    const fn witness_length(self) -> usize {
        match self {
            Self::P2pk | Self::P2pkh | Self::P2shMultisig | Self::Multisig => 1,
            Self::P2shP2wpkh | Self::P2wpkh => 1 + 1 + SIGNATURE + 34,
            Self::P2shP2wsh | Self::P2wsh => 1 + 1 + 2 * (1 + SIGNATURE) + 106,
            Self::P2tr => 1 + 1 + 64,
        }
    }

    /// Weight of an output with this script (BIP-0141).
    pub(crate) const fn output_weight(self) -> u64 {
        4 * (8 + 1 + self.script_length() as u64)
    }

    /// Weight of an input that spends it, in a transaction with witnesses.
    pub(crate) const fn input_weight(self) -> u64 {
        4 * (36 + 1 + self.unlock_length() as u64 + 4) + self.witness_length() as u64
    }

    /// What an output adds to the block's budget of signature operations.
    pub(crate) const fn output_sigops(self) -> u64 {
        match self {
            Self::P2pk | Self::P2pkh => 4,
            Self::Multisig => 80,
            _ => 0,
        }
    }

    /// What an input adds to the block's budget of signature operations.
    pub(crate) const fn input_sigops(self) -> u64 {
        match self {
            Self::P2shP2wpkh | Self::P2wpkh => 1,
            Self::P2wsh | Self::P2shP2wsh => 3,
            Self::P2shMultisig => 12,
            _ => 0,
        }
    }
}

/// A locking script by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) id: u32,
    pub(crate) shape: Shape,
}

/// Numbers from here on are addresses whose hash somebody chose.
const CHOSEN: u32 = 1 << 31;

/// Gives out addresses, and writes their scripts.
#[derive(Debug)]
pub(crate) struct Scripts {
    seed: u64,
    next: u32,
    chosen: Vec<[u8; 32]>,
}

impl Scripts {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0xadd7), next: 0, chosen: Vec::new() }
    }

    /// An address that nobody has used.
    pub(crate) fn fresh(&mut self, shape: Shape) -> Address {
        let id = self.next;
        self.next = self.next.wrapping_add(1) & (CHOSEN - 1);
        Address { id, shape }
    }

    /// An address with this hash (as many bytes of it as the shape takes).
    pub(crate) fn choose(&mut self, shape: Shape, hash: [u8; 32]) -> Address {
        let id = CHOSEN | u32::try_from(self.chosen.len()).unwrap_or(0);
        self.chosen.push(hash);
        Address { id, shape }
    }

    /// How many different addresses were given out.
    pub(crate) fn count(&self) -> u64 {
        u64::from(self.next) + self.chosen.len() as u64
    }

    /// Appends the locking script.
    pub(crate) fn write(&self, address: Address, into: &mut Vec<u8>) {
        let hash = self.hash(address.id);
        let short = hash.first_chunk::<20>().unwrap_or(&[0; 20]);
        match address.shape {
            Shape::P2pk => {
                into.push(33);
                into.extend_from_slice(&self.key(address.id, 0));
                into.push(0xac);
            }
            Shape::P2pkh => {
                into.extend_from_slice(&[0x76, 0xa9, 20]);
                into.extend_from_slice(short);
                into.extend_from_slice(&[0x88, 0xac]);
            }
            Shape::P2shMultisig | Shape::P2shP2wpkh | Shape::P2shP2wsh => {
                into.extend_from_slice(&[0xa9, 20]);
                into.extend_from_slice(short);
                into.push(0x87);
            }
            Shape::P2wpkh => {
                into.extend_from_slice(&[0, 20]);
                into.extend_from_slice(short);
            }
            Shape::P2wsh => {
                into.extend_from_slice(&[0, 32]);
                into.extend_from_slice(&hash);
            }
            Shape::P2tr => {
                into.extend_from_slice(&[0x51, 32]);
                into.extend_from_slice(&hash);
            }
            Shape::Multisig => {
                into.push(0x51);
                for n in 0..2 {
                    into.push(33);
                    into.extend_from_slice(&self.key(address.id, n));
                }
                into.extend_from_slice(&[0x52, 0xae]);
            }
        }
    }

    /// Appends an input's script, its length first.
    pub(crate) fn write_unlock(&self, address: Address, random: &mut Random, into: &mut Vec<u8>) {
        // Never above 252, so one byte holds it.
        into.push(address.shape.unlock_length() as u8);
        match address.shape {
            Shape::P2wpkh | Shape::P2wsh | Shape::P2tr => {}
            Shape::P2pk => push_signature(random, into),
            Shape::P2pkh => {
                push_signature(random, into);
                into.push(33);
                into.extend_from_slice(&self.key(address.id, 0));
            }
            Shape::P2shP2wpkh => {
                into.extend_from_slice(&[22, 0, 20]);
                let program = self.hash(address.id ^ 0x4000_0000);
                into.extend_from_slice(program.first_chunk::<20>().unwrap_or(&[0; 20]));
            }
            Shape::P2shP2wsh => {
                into.extend_from_slice(&[34, 0, 32]);
                into.extend_from_slice(&self.hash(address.id ^ 0x4000_0000));
            }
            Shape::P2shMultisig => {
                into.push(0);
                push_signature(random, into);
                push_signature(random, into);
                into.extend_from_slice(&[0x4c, 105]);
                self.two_of_three(address.id, into);
            }
            Shape::Multisig => {
                into.push(0);
                push_signature(random, into);
            }
        }
    }

    /// Appends an input's witness, the number of items first.
    pub(crate) fn write_witness(&self, address: Address, random: &mut Random, into: &mut Vec<u8>) {
        match address.shape {
            Shape::P2pk | Shape::P2pkh | Shape::P2shMultisig | Shape::Multisig => into.push(0),
            Shape::P2shP2wpkh | Shape::P2wpkh => {
                into.push(2);
                push_signature(random, into);
                into.push(33);
                into.extend_from_slice(&self.key(address.id, 0));
            }
            Shape::P2wsh | Shape::P2shP2wsh => {
                into.extend_from_slice(&[4, 0]);
                push_signature(random, into);
                push_signature(random, into);
                into.push(105);
                self.two_of_three(address.id, into);
            }
            Shape::P2tr => {
                into.extend_from_slice(&[1, 64]);
                for _ in 0..8 {
                    into.extend_from_slice(&random.word().to_le_bytes());
                }
            }
        }
    }

    /// 32 bytes that no other number has.
    fn hash(&self, id: u32) -> [u8; 32] {
        if id & CHOSEN != 0 {
            return self.chosen.get((id ^ CHOSEN) as usize).copied().unwrap_or_default();
        }
        words(self.seed ^ u64::from(id))
    }

    /// A compressed public key, in looks.
    fn key(&self, id: u32, n: u64) -> [u8; 33] {
        let mut key = [2; 33];
        let tail = words(self.seed ^ ((n + 1) << 33) ^ u64::from(id));
        if let Some(rest) = key.get_mut(1..) {
            rest.copy_from_slice(&tail);
        }
        key
    }

    fn two_of_three(&self, id: u32, into: &mut Vec<u8>) {
        into.push(0x52);
        for n in 0..3 {
            into.push(33);
            into.extend_from_slice(&self.key(id, n));
        }
        into.extend_from_slice(&[0x53, 0xae]);
    }
}

/// Four words, different for every start.
fn words(start: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut word = start;
    for eight in bytes.as_chunks_mut::<8>().0 {
        word = mix(word);
        *eight = word.to_le_bytes();
    }
    bytes
}

/// Appends a push of a signature: DER of two 32-byte numbers, `SIGHASH_ALL`.
fn push_signature(random: &mut Random, into: &mut Vec<u8>) {
    let mut bytes = [0; 1 + SIGNATURE];
    for eight in bytes.as_chunks_mut::<8>().0 {
        *eight = random.word().to_le_bytes();
    }
    bytes[0] = SIGNATURE as u8;
    bytes[1..5].copy_from_slice(&[0x30, 0x44, 0x02, 0x20]);
    bytes[5] &= 0x7f;
    bytes[37..39].copy_from_slice(&[0x02, 0x20]);
    bytes[39] &= 0x7f;
    bytes[71] = 1;
    into.extend_from_slice(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::script::ScriptKind;

    const fn kind(shape: Shape) -> ScriptKind {
        match shape {
            Shape::P2pk => ScriptKind::P2pk,
            Shape::P2pkh => ScriptKind::P2pkh,
            Shape::P2shMultisig | Shape::P2shP2wpkh | Shape::P2shP2wsh => ScriptKind::P2sh,
            Shape::P2wpkh => ScriptKind::P2wpkh,
            Shape::P2wsh => ScriptKind::P2wsh,
            Shape::P2tr => ScriptKind::P2tr,
            Shape::Multisig => ScriptKind::Multisig,
        }
    }

    #[test]
    fn lengths_and_kinds_are_as_announced() {
        use Shape::*;
        let mut scripts = Scripts::new(1);
        let mut random = Random::new(1);
        for shape in
            [P2pk, P2pkh, P2shMultisig, P2shP2wpkh, P2shP2wsh, P2wpkh, P2wsh, P2tr, Multisig]
        {
            let address = scripts.fresh(shape);
            let (mut script, mut unlock, mut witness) = (vec![], vec![], vec![]);
            scripts.write(address, &mut script);
            scripts.write_unlock(address, &mut random, &mut unlock);
            scripts.write_witness(address, &mut random, &mut witness);
            assert_eq!(script.len(), shape.script_length());
            assert_eq!(unlock.len(), shape.unlock_length() + 1);
            assert_eq!(witness.len(), shape.witness_length());
            assert_eq!(ScriptKind::of(&script), kind(shape));
        }
        let chosen = scripts.choose(P2pkh, [7; 32]);
        let mut script = vec![];
        scripts.write(chosen, &mut script);
        assert_eq!(script[3..23], [7; 20]);
        assert_eq!(scripts.count(), 10);
    }
}
