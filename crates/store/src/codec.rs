//! Locking scripts, packed: a kind and the bytes that the kind does not already say.

use bitcoin::ScriptBuf;

/// How a locking script is packed. The numbers are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    P2pkh = 1,
    P2sh = 2,
    P2wpkh = 3,
    P2wsh = 4,
    P2tr = 5,
    /// A bare key of 33 bytes.
    P2pk = 6,
    /// A bare key of 65 bytes.
    P2pkLong = 7,
    /// Pay to anchor: no payload at all.
    P2a = 8,
    /// Any other script: its length (u32) and itself.
    Raw = 9,
}

impl Kind {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        use Kind::*;
        [P2pkh, P2sh, P2wpkh, P2wsh, P2tr, P2pk, P2pkLong, P2a, Raw]
            .into_iter()
            .find(|kind| *kind as u8 == code)
    }
}

/// Payload length by kind code; `None` where the payload says itself (or the code is unknown).
#[inline]
pub(crate) fn fixed_len(code: u8) -> Option<usize> {
    // A table, because it is read up to 31 times per look-up of an address.
    const LENGTHS: [u8; 9] = [255, 20, 20, 20, 32, 32, 33, 65, 0];
    match LENGTHS.get(usize::from(code)) {
        Some(255) | None => None,
        Some(len) => Some(usize::from(*len)),
    }
}

/// Splits a locking script into kind and payload. Both stay as they are: no copy.
#[inline]
pub(crate) fn pack(script: &[u8]) -> (Kind, &[u8]) {
    match script {
        [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] if hash.len() == 20 => (Kind::P2pkh, hash),
        [0xa9, 0x14, hash @ .., 0x87] if hash.len() == 20 => (Kind::P2sh, hash),
        [0x00, 0x14, hash @ ..] if hash.len() == 20 => (Kind::P2wpkh, hash),
        [0x00, 0x20, hash @ ..] if hash.len() == 32 => (Kind::P2wsh, hash),
        [0x51, 0x20, key @ ..] if key.len() == 32 => (Kind::P2tr, key),
        [0x21, key @ .., 0xac] if key.len() == 33 => (Kind::P2pk, key),
        [0x41, key @ .., 0xac] if key.len() == 65 => (Kind::P2pkLong, key),
        [0x51, 0x02, 0x4e, 0x73] => (Kind::P2a, &[]),
        other => (Kind::Raw, other),
    }
}

/// The locking script again. `payload` is without the length that [`Kind::Raw`] carries on disk.
pub(crate) fn unpack(kind: Kind, payload: &[u8]) -> ScriptBuf {
    let (before, after): (&[u8], &[u8]) = match kind {
        Kind::P2pkh => (&[0x76, 0xa9, 0x14], &[0x88, 0xac]),
        Kind::P2sh => (&[0xa9, 0x14], &[0x87]),
        Kind::P2wpkh => (&[0x00, 0x14], &[]),
        Kind::P2wsh => (&[0x00, 0x20], &[]),
        Kind::P2tr => (&[0x51, 0x20], &[]),
        Kind::P2pk => (&[0x21], &[0xac]),
        Kind::P2pkLong => (&[0x41], &[0xac]),
        Kind::P2a => (&[0x51, 0x02, 0x4e, 0x73], &[]),
        Kind::Raw => (&[], &[]),
    };
    ScriptBuf::from_bytes([before, payload, after].concat())
}

/// The hash under which a locking script stands in the address index: XXH3-64 of kind and payload.
#[inline]
pub(crate) fn script_hash(kind: Kind, payload: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(kind as u64, payload)
}

/// The hash of a txid or block hash for the index: they are uniform already.
#[inline]
pub(crate) fn id_hash(id: &[u8; 32]) -> u64 {
    u64::from_le_bytes([id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_match_kinds() {
        for code in 0..=255u8 {
            let kind = Kind::from_code(code);
            assert_eq!(kind.is_some_and(|kind| kind != Kind::Raw), fixed_len(code).is_some());
        }
    }

    proptest! {
        #[test]
        fn packing_leads_back(script in prop::collection::vec(any::<u8>(), 0..80)) {
            let (kind, payload) = pack(&script);
            let unpacked = unpack(kind, payload);
            prop_assert_eq!(unpacked.as_bytes(), &script[..]);
        }

        #[test]
        fn standard_scripts_lose_their_frame(hash in any::<[u8; 20]>(), key in any::<[u8; 32]>()) {
            for (kind, payload) in [(Kind::P2pkh, &hash[..]), (Kind::P2sh, &hash), (Kind::P2wpkh, &hash),
                                    (Kind::P2wsh, &key), (Kind::P2tr, &key)] {
                let script = unpack(kind, payload);
                prop_assert_eq!(pack(script.as_bytes()), (kind, payload));
                prop_assert_eq!(fixed_len(kind as u8), Some(payload.len()));
            }
        }
    }
}
