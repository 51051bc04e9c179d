//! An address that resembles another one where people look: at its start and its end.

use chain::Network;

use super::super::scripts::{Address, Scripts, Shape};
use crate::random::Random;

/// Equal characters at the start, as in the case of May 2024.
const PREFIX: usize = 5;
/// Equal characters at the end.
const SUFFIX: usize = 2;
/// Enough for two characters of 58, many times over.
const TRIES: u32 = 1_000_000;

/// How many characters two addresses share at the start and at the end.
pub(super) fn alike(one: &str, other: &str) -> (usize, usize) {
    let same =
        |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    (
        same(&mut one.bytes().zip(other.bytes())),
        same(&mut one.bytes().rev().zip(other.bytes().rev())),
    )
}

/// The text of an address on regtest; empty for shapes without one.
pub(super) fn text(scripts: &Scripts, address: Address) -> String {
    let mut bytes = Vec::new();
    scripts.write(address, &mut bytes);
    let script = bitcoin::Script::from_bytes(&bytes);
    chain::script::address(script, Network::Regtest).unwrap_or_default()
}

/// A P2PKH address that looks like this one. There is no key behind it: hashes that begin alike are
/// tried until the checksum ends alike, too.
pub(super) fn imitate(scripts: &mut Scripts, random: &mut Random, genuine: Address) -> Address {
    let expected = text(scripts, genuine);
    let mut script = Vec::new();
    scripts.write(genuine, &mut script);
    let mut hash = [0; 32];
    if let (Some(start), Some(kept)) = (hash.get_mut(..4), script.get(3..7)) {
        start.copy_from_slice(kept);
    }
    for _ in 0..TRIES {
        for eight in hash.get_mut(4..20).map_or(&mut [][..], |rest| rest.as_chunks_mut().0) {
            *eight = random.word().to_le_bytes();
        }
        let mut trial = vec![0x76, 0xa9, 20];
        trial.extend_from_slice(hash.get(..20).unwrap_or_default());
        trial.extend_from_slice(&[0x88, 0xac]);
        let trial = bitcoin::Script::from_bytes(&trial);
        let text = chain::script::address(trial, Network::Regtest).unwrap_or_default();
        let (prefix, suffix) = alike(&text, &expected);
        if prefix >= PREFIX && suffix >= SUFFIX && text != expected {
            break;
        }
    }
    scripts.choose(Shape::P2pkh, hash)
}
