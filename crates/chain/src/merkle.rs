//! Proofs that a transaction is in a block: the path from its id up to the root in the header.
//!
//! A path is checked, not believed. Two known ways to forge one are shut here: a tree that ends in
//! repeated transactions (CVE-2012-2459), and a transaction of 64 bytes that is also a pair of hashes
//! (CVE-2017-12842). Whether the header itself was worth any work is [`crate::header`]'s question.

use bitcoin::{Transaction, TxMerkleNode, Txid, block::Header, consensus::encode, hashes::Hash};

use crate::Sats;

#[cfg(test)]
mod tests;

/// The hashes beside a transaction's way up to the Merkle root, from the leaves on, and its place in
/// the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerklePath {
    siblings: Vec<TxMerkleNode>,
    position: u32,
}

/// Why a path proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// There is no such place among the transactions.
    #[error("place {position} is none of the {count} transactions")]
    Position {
        /// The place asked for.
        position: u32,
        /// How many transactions there are.
        count: usize,
    },
    /// More hashes than the largest block's tree has levels.
    #[error("a path of {0} hashes: no block has so many transactions")]
    TooLong(usize),
    /// A place that a tree of this height does not have.
    #[error("place {position} is not in a tree of {levels} levels")]
    Outside {
        /// The place named.
        position: u32,
        /// How many hashes the path has.
        levels: usize,
    },
    /// Equal neighbours where a tree has none: the same root belongs to a shorter list
    /// (CVE-2012-2459).
    #[error("transactions are repeated under the same merkle root (CVE-2012-2459)")]
    Repeated,
    /// Two neighbouring hashes that can be read as a transaction (CVE-2017-12842).
    #[error("two of its hashes are a transaction of 64 bytes (CVE-2017-12842)")]
    InnerTransaction,
    /// A transaction that can be read as two neighbouring hashes (CVE-2017-12842).
    #[error("transaction {0} has 64 bytes, like two hashes (CVE-2017-12842): it cannot be proven")]
    SixtyFourBytes(Txid),
    /// The path ends at another root than the header's.
    #[error(
        "transaction {txid} is not in the block: the path leads to root {found}, the header has {expected}"
    )]
    Root {
        /// The transaction.
        txid: Txid,
        /// What the path leads to.
        found: TxMerkleNode,
        /// What the header says.
        expected: TxMerkleNode,
    },
}

/// A block of four million weight units holds at most 16,666 transactions of 60 bytes (Core:
/// `CPartialMerkleTree::ExtractMatches`), and 2¹⁵ is more.
const MAX_LEVELS: usize = 15;

impl MerklePath {
    /// The path of the transaction at `position` in a block with these transactions, in its order.
    ///
    /// # Errors
    /// [`MerkleError::Position`], and [`MerkleError::Repeated`] for a list that ends in repeated
    /// transactions: no block does.
    pub fn of(txids: &[Txid], position: u32) -> Result<Self, MerkleError> {
        if txids.get(position as usize).is_none() {
            return Err(MerkleError::Position { position, count: txids.len() });
        }
        let mut level: Vec<TxMerkleNode> = txids.iter().map(|txid| leaf(*txid)).collect();
        let mut siblings = Vec::new();
        let mut place = position as usize;
        while level.len() > 1 {
            if level.as_chunks::<2>().0.iter().any(|[left, right]| left == right) {
                return Err(MerkleError::Repeated);
            }
            if level.len() % 2 == 1 {
                level.extend(level.last().copied());
            }
            siblings.extend(level.get(place ^ 1).copied());
            level = level.as_chunks::<2>().0.iter().map(|[one, two]| parent(*one, *two)).collect();
            place /= 2;
        }
        Ok(Self { siblings, position })
    }

    /// A path that somebody told us: the hashes from the leaves up, and the place in the block.
    ///
    /// # Errors
    /// [`MerkleError::TooLong`] and [`MerkleError::Outside`].
    pub fn new(siblings: Vec<TxMerkleNode>, position: u32) -> Result<Self, MerkleError> {
        let levels = siblings.len();
        if levels > MAX_LEVELS {
            return Err(MerkleError::TooLong(levels));
        }
        if u64::from(position) >> levels != 0 {
            return Err(MerkleError::Outside { position, levels });
        }
        Ok(Self { siblings, position })
    }

    /// The hashes beside the way up, from the leaves on. They print the way explorers print them.
    pub fn siblings(&self) -> &[TxMerkleNode] {
        &self.siblings
    }

    /// The transaction's place in its block, 0 for the coinbase.
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Where the path leads from this transaction.
    ///
    /// # Errors
    /// [`MerkleError::Repeated`] and [`MerkleError::InnerTransaction`].
    pub fn root(&self, txid: &Txid) -> Result<TxMerkleNode, MerkleError> {
        let mut node = leaf(*txid);
        let mut place = self.position;
        // Whether the nodes so far are the last ones of their levels.
        let mut last = false;
        for &sibling in &self.siblings {
            let on_the_right = place % 2 == 1;
            if node == sibling {
                // An odd node out is paired with itself, and is the left one.
                if on_the_right {
                    return Err(MerkleError::Repeated);
                }
                last = true;
            } else if last && !on_the_right {
                // Nothing stands to the right of the last one.
                return Err(MerkleError::Repeated);
            }
            let (left, right) = if on_the_right { (sibling, node) } else { (node, sibling) };
            if is_transaction(left, right) {
                return Err(MerkleError::InnerTransaction);
            }
            node = parent(left, right);
            place /= 2;
        }
        Ok(node)
    }

    /// Whether the transaction with this id is in the block with this header.
    ///
    /// Who has the transaction uses [`Self::prove`], which also looks at its length.
    ///
    /// # Errors
    /// Those of [`Self::root`], and [`MerkleError::Root`].
    pub fn prove_id(&self, txid: &Txid, header: &Header) -> Result<(), MerkleError> {
        let (found, expected) = (self.root(txid)?, header.merkle_root);
        if found != expected {
            return Err(MerkleError::Root { txid: *txid, found, expected });
        }
        Ok(())
    }

    /// Whether this transaction is in the block with this header.
    ///
    /// # Errors
    /// Those of [`Self::prove_id`], and [`MerkleError::SixtyFourBytes`].
    pub fn prove(&self, tx: &Transaction, header: &Header) -> Result<(), MerkleError> {
        let txid = tx.compute_txid();
        if tx.base_size() == 64 {
            return Err(MerkleError::SixtyFourBytes(txid));
        }
        self.prove_id(&txid, header)
    }
}

fn leaf(txid: Txid) -> TxMerkleNode {
    TxMerkleNode::from_raw_hash(txid.to_raw_hash())
}

fn joined(left: TxMerkleNode, right: TxMerkleNode) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (first, second) = bytes.split_at_mut(32);
    first.copy_from_slice(left.as_ref());
    second.copy_from_slice(right.as_ref());
    bytes
}

fn parent(left: TxMerkleNode, right: TxMerkleNode) -> TxMerkleNode {
    TxMerkleNode::hash(&joined(left, right))
}

/// Whether two hashes, joined, are the bytes of a transaction that could be valid. Of random ones,
/// about one pair in 2⁴³ is: its counts and lengths must fit, and its amount.
fn is_transaction(left: TxMerkleNode, right: TxMerkleNode) -> bool {
    encode::deserialize::<Transaction>(&joined(left, right))
        .is_ok_and(|tx| tx.output.iter().all(|output| output.value.to_sat() <= Sats::MAX_MONEY.0))
}
