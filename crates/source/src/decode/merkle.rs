//! The Merkle root of a block's transactions.

use crate::hash::sha256d_pair;

/// What the ids of a block's transactions hash to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Merkle {
    pub(super) root: [u8; 32],
    /// Whether two equal neighbours were paired: then a shorter list has the same root
    /// (CVE-2012-2459; Core: `ComputeMerkleRoot`).
    pub(super) repeated: bool,
}

/// Hashes `ids` pairwise up to the root, in `scratch`. No ids: all zero.
pub(super) fn merkle(ids: &[[u8; 32]], scratch: &mut Vec<[u8; 32]>) -> Merkle {
    let mut repeated = false;
    scratch.clear();
    scratch.extend_from_slice(ids);
    let mut len = scratch.len();
    while len > 1 {
        for pair in 0..len / 2 {
            let [left, right] = [scratch[2 * pair], scratch[2 * pair + 1]];
            repeated |= left == right;
            scratch[pair] = sha256d_pair(&left, &right);
        }
        if len % 2 == 1 {
            let last = scratch[len - 1];
            scratch[len / 2] = sha256d_pair(&last, &last);
        }
        len = len.div_ceil(2);
    }
    Merkle { root: scratch.first().copied().unwrap_or_default(), repeated }
}

#[cfg(test)]
mod tests {
    use bitcoin::{TxMerkleNode, hashes::Hash};

    use super::*;

    #[test]
    fn the_root_is_that_of_bitcoin() {
        let mut scratch = Vec::new();
        for count in 1_u8..40 {
            let ids: Vec<[u8; 32]> = (0..count).map(|tag| [tag; 32]).collect();
            let nodes = ids.iter().map(|id| TxMerkleNode::from_byte_array(*id));
            let expected = bitcoin::merkle_tree::calculate_root(nodes).unwrap().to_byte_array();
            assert_eq!(merkle(&ids, &mut scratch), Merkle { root: expected, repeated: false });
        }
    }

    #[test]
    fn a_repeated_tail_is_noticed() {
        let mut scratch = Vec::new();
        let ids: Vec<[u8; 32]> = (0..6).map(|tag| [tag; 32]).collect();
        let honest = merkle(&ids, &mut scratch);
        let forged = [&ids[..], &ids[4..]].concat();
        assert_eq!(merkle(&forged, &mut scratch), Merkle { repeated: true, ..honest });
    }
}
