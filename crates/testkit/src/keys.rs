//! Names become keys, keys become locking scripts, and dummy signatures unlock them.
//!
//! Keys are real points on the curve. Signatures are not: they have the right size and place, for
//! chains whose scripts nobody executes.

use std::{fmt, str::FromStr, sync::LazyLock};

use bitcoin::{
    CompressedPublicKey, OutPoint, PublicKey, ScriptBuf, Sequence, TxIn, Witness,
    hashes::{Hash, sha256},
    opcodes::all::{OP_CHECKMULTISIG, OP_PUSHNUM_1, OP_PUSHNUM_2, OP_PUSHNUM_3},
    script::{Builder, PushBytesBuf},
    secp256k1::{All, Secp256k1, SecretKey},
};

/// The kinds of locking script that a key can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Bare compressed public key.
    P2pk,
    /// Bare uncompressed public key, as in 2009.
    P2pk65,
    /// Public key hash.
    P2pkh,
    /// Script hash of a witness key hash (P2SH-P2WPKH).
    P2sh,
    /// Witness v0 key hash.
    #[default]
    P2wpkh,
    /// Witness v0 script hash of a 2-of-3 multisig.
    P2wsh,
    /// Taproot, key path.
    P2tr,
    /// Pay to anchor: one script, whatever the key.
    P2a,
    /// Bare 1-of-2 multisig.
    Multisig,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::P2pk,
        Self::P2pk65,
        Self::P2pkh,
        Self::P2sh,
        Self::P2wpkh,
        Self::P2wsh,
        Self::P2tr,
        Self::P2a,
        Self::Multisig,
    ];

    /// The word for it in the chain language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P2pk => "p2pk",
            Self::P2pk65 => "p2pk65",
            Self::P2pkh => "p2pkh",
            Self::P2sh => "p2sh",
            Self::P2wpkh => "p2wpkh",
            Self::P2wsh => "p2wsh",
            Self::P2tr => "p2tr",
            Self::P2a => "p2a",
            Self::Multisig => "multisig",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word is no kind of script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownKind)
    }
}

/// The secret key of a name: the same name gives the same key for ever.
pub fn secret(name: &str) -> SecretKey {
    let mut digest = sha256::Hash::hash(format!("testkit key of {name}").as_bytes());
    loop {
        // Nobody has yet seen a digest that is no key: zero, or above the curve's order.
        if let Ok(key) = SecretKey::from_slice(&digest.to_byte_array()) {
            return key;
        }
        digest = sha256::Hash::hash(&digest.to_byte_array());
    }
}

/// The public key of a name.
pub fn public(name: &str) -> PublicKey {
    PublicKey::new(secret(name).public_key(&SECP))
}

/// The locking script of a name.
pub fn script(kind: Kind, name: &str) -> ScriptBuf {
    let key = public(name);
    let compressed = CompressedPublicKey(key.inner);
    match kind {
        Kind::P2pk => ScriptBuf::new_p2pk(&key),
        Kind::P2pk65 => ScriptBuf::new_p2pk(&PublicKey::new_uncompressed(key.inner)),
        Kind::P2pkh => ScriptBuf::new_p2pkh(&key.pubkey_hash()),
        Kind::P2sh => ScriptBuf::new_p2sh(&redeem(&compressed).script_hash()),
        Kind::P2wpkh => redeem(&compressed),
        Kind::P2wsh => ScriptBuf::new_p2wsh(&two_of_three(name).wscript_hash()),
        Kind::P2tr => ScriptBuf::new_p2tr(&SECP, key.inner.x_only_public_key().0, None),
        Kind::P2a => ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73]),
        Kind::Multisig => Builder::new()
            .push_opcode(OP_PUSHNUM_1)
            .push_key(&key)
            .push_key(&public(&format!("{name}/second")))
            .push_opcode(OP_PUSHNUM_2)
            .push_opcode(OP_CHECKMULTISIG)
            .into_script(),
    }
}

/// An input that spends a script of this kind and name, with dummy signatures. `None` for the kind
/// means a script of unknown shape, unlocked by nothing.
pub fn spend(kind: Option<Kind>, name: &str, from: OutPoint, sequence: Sequence) -> TxIn {
    let mut input = TxIn { previous_output: from, sequence, ..TxIn::default() };
    let key = || public(name);
    match kind {
        None | Some(Kind::P2a) => {}
        Some(Kind::P2pk | Kind::P2pk65) => input.script_sig = pushes(&[&SIGNATURE]),
        Some(Kind::P2pkh) => input.script_sig = pushes(&[&SIGNATURE, &key().to_bytes()]),
        Some(Kind::P2sh) => {
            let redeem = redeem(&CompressedPublicKey(key().inner));
            input.script_sig = pushes(&[redeem.as_bytes()]);
            input.witness = Witness::from_slice(&[&SIGNATURE[..], &key().to_bytes()]);
        }
        Some(Kind::P2wpkh) => {
            input.witness = Witness::from_slice(&[&SIGNATURE[..], &key().to_bytes()]);
        }
        Some(Kind::P2wsh) => {
            let script = two_of_three(name);
            input.witness =
                Witness::from_slice(&[&[][..], &SIGNATURE, &SIGNATURE, script.as_bytes()]);
        }
        Some(Kind::P2tr) => input.witness = Witness::from_slice(&[&SIGNATURE[..64]]),
        Some(Kind::Multisig) => input.script_sig = pushes(&[&[], &SIGNATURE]),
    }
    input
}

/// Tables for arithmetic on the curve, made once.
pub(crate) static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// A signature in size and frame (71 bytes: DER of two 32-byte numbers, `SIGHASH_ALL`), in nothing
/// else.
const SIGNATURE: [u8; 71] = {
    let mut bytes = [0x11; 71];
    bytes[0] = 0x30;
    bytes[1] = 0x44;
    bytes[2] = 0x02;
    bytes[3] = 0x20;
    bytes[36] = 0x02;
    bytes[37] = 0x20;
    bytes[70] = 0x01;
    bytes
};

fn redeem(key: &CompressedPublicKey) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&key.wpubkey_hash())
}

fn two_of_three(name: &str) -> ScriptBuf {
    Builder::new()
        .push_opcode(OP_PUSHNUM_2)
        .push_key(&public(name))
        .push_key(&public(&format!("{name}/second")))
        .push_key(&public(&format!("{name}/third")))
        .push_opcode(OP_PUSHNUM_3)
        .push_opcode(OP_CHECKMULTISIG)
        .into_script()
}

fn pushes(items: &[&[u8]]) -> ScriptBuf {
    let mut builder = Builder::new();
    for item in items {
        // Cannot fail: only the items above, all short.
        builder = builder.push_slice(PushBytesBuf::try_from(item.to_vec()).unwrap_or_default());
    }
    builder.into_script()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::script::ScriptKind;

    #[test]
    fn every_kind_is_recognised() {
        for kind in Kind::ALL {
            let script = script(kind, "A");
            let expected = if kind == Kind::P2pk65 { "p2pk" } else { kind.name() };
            assert_eq!(ScriptKind::of(script.as_bytes()).name(), expected);
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn names_are_for_ever() {
        let address = chain::script::address(&script(Kind::P2wpkh, "A"), chain::Network::Regtest);
        assert_eq!(address.as_deref(), Some("bcrt1qy8373lgcftav68q00n0mf0r8lpeeqca3048aw3"));
    }
}
