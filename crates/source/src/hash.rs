//! SHA-256 twice, over borrowed pieces, on whatever SHA instructions the processor has.
//!
//! The streaming hashers copy everything through a buffer and finalise generically; half of a
//! node's hashing is on inputs of 32, 64 and 80 bytes, where that costs as much as the hash.

use bitcoin_slices::sha2::block_api::compress256;

/// FIPS 180-4 § 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The padding block after exactly 64 bytes of message.
const PADDING_AFTER_64: [u8; 64] = {
    let mut block = [0; 64];
    block[0] = 0x80;
    block[62] = 0x02; // 512 bits, big-endian.
    block
};

/// The double SHA-256 of the pieces joined.
pub(crate) fn sha256d(pieces: &[&[u8]]) -> [u8; 32] {
    second_round(first_round(pieces))
}

/// The parent of two nodes in a Merkle tree.
pub(crate) fn sha256d_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut blocks = [[0; 64], PADDING_AFTER_64];
    blocks[0][..32].copy_from_slice(left);
    blocks[0][32..].copy_from_slice(right);
    let mut state = INITIAL;
    compress256(&mut state, &blocks);
    second_round(state)
}

fn first_round(pieces: &[&[u8]]) -> [u32; 8] {
    let mut state = INITIAL;
    let mut block = [0; 64];
    let mut filled = 0;
    let mut total = 0_u64;
    for mut rest in pieces.iter().copied() {
        total += rest.len() as u64;
        if filled > 0 {
            let (head, tail) = rest.split_at(rest.len().min(64 - filled));
            block[filled..filled + head.len()].copy_from_slice(head);
            filled += head.len();
            rest = tail;
            if filled < 64 {
                continue;
            }
            compress256(&mut state, &[block]);
        }
        let (blocks, tail) = rest.as_chunks::<64>();
        if !blocks.is_empty() {
            compress256(&mut state, blocks);
        }
        block[..tail.len()].copy_from_slice(tail);
        filled = tail.len();
    }
    let mut last = [[0; 64]; 2];
    last[0][..filled].copy_from_slice(&block[..filled]);
    last[0][filled] = 0x80;
    let used = if filled < 56 { 1 } else { 2 };
    last[used - 1][56..].copy_from_slice(&(total * 8).to_be_bytes());
    compress256(&mut state, &last[..used]);
    state
}

fn second_round(first: [u32; 8]) -> [u8; 32] {
    let mut block = [0; 64];
    write(first, &mut block);
    block[32] = 0x80;
    block[62] = 0x01; // 256 bits, big-endian.
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    let mut digest = [0; 32];
    write(state, &mut digest);
    digest
}

fn write(state: [u32; 8], into: &mut [u8]) {
    for (word, bytes) in state.into_iter().zip(into.as_chunks_mut::<4>().0) {
        *bytes = word.to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::{Hash, sha256d as oracle};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_length_up_to_three_blocks() {
        let bytes: Vec<u8> = (0..=200).collect();
        for len in 0..=bytes.len() {
            let expected = oracle::Hash::hash(&bytes[..len]).to_byte_array();
            assert_eq!(sha256d(&[&bytes[..len]]), expected, "{len} bytes");
        }
        let (left, right) = ([7; 32], [9; 32]);
        assert_eq!(sha256d_pair(&left, &right), sha256d(&[&left, &right]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn pieces_hash_like_the_whole(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..150), 0..5)) {
            let borrowed: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let expected = oracle::Hash::hash(&pieces.concat()).to_byte_array();
            prop_assert_eq!(sha256d(&borrowed), expected);
        }
    }
}
