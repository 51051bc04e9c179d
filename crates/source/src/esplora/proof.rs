//! The JSON of a Merkle proof, as Electrum's and Esplora's servers write it
//! (`GET /tx/:txid/merkle-proof`).

use chain::{Height, MerkleError, MerklePath, TxMerkleNode};
use serde::{Deserialize, Serialize, Serializer};

use super::fields::Id;

/// A claim that a transaction stands at a place of the block at a height. Nothing in it is checked:
/// the path has to be followed to the root in a header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct MerkleProof {
    /// Height of the block. No header has its height in it: this stays a claim.
    pub block_height: u32,
    /// The hashes beside the way up, from the leaves on, printed like txids.
    merkle: Vec<Id<TxMerkleNode>>,
    /// The transaction's place in the block, from 0.
    pub pos: u32,
}

impl MerkleProof {
    /// To be written.
    pub fn new(height: Height, path: &MerklePath) -> Self {
        let merkle = path.siblings().iter().map(|node| Id(*node)).collect();
        Self { block_height: height.0, merkle, pos: path.position() }
    }

    /// The path, to be checked.
    ///
    /// # Errors
    /// A path that no block has; see [`MerklePath::new`].
    pub fn path(&self) -> Result<MerklePath, MerkleError> {
        MerklePath::new(self.merkle.iter().map(|id| id.0).collect(), self.pos)
    }
}

impl Serialize for Id<TxMerkleNode> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use chain::Txid;

    use super::*;

    fn txid(tag: char) -> Txid {
        tag.to_string().repeat(64).parse().unwrap()
    }

    #[test]
    fn a_proof_is_written_as_servers_write_it_and_read_back() {
        let txids = ['a', 'b', 'c'].map(txid);
        let path = MerklePath::of(&txids, 1).unwrap();
        let proof = MerkleProof::new(Height(7), &path);
        let json = serde_json::to_string(&proof).unwrap();
        // The odd one out is paired with itself.
        let second = MerklePath::of(&txids, 0).unwrap().siblings()[1];
        let expected =
            format!(r#"{{"block_height":7,"merkle":["{}","{second}"],"pos":1}}"#, txids[0]);
        assert_eq!(json, expected);
        let read: MerkleProof = serde_json::from_str(&json).unwrap();
        assert_eq!((read.path(), read.block_height), (Ok(path), 7));
    }

    #[test]
    fn what_is_no_proof_is_refused() {
        let read = |merkle: &str, pos: u32| {
            let json = format!(r#"{{"block_height":7,"merkle":[{merkle}],"pos":{pos}}}"#);
            serde_json::from_str::<MerkleProof>(&json).ok().map(|proof| proof.path().is_ok())
        };
        let id = format!(r#""{}""#, txid('a'));
        assert_eq!(read("", 0), Some(true));
        assert_eq!(read("", 1), Some(false));
        assert_eq!(read(&id, 1), Some(true));
        assert_eq!(read(&vec![id.as_str(); 16].join(","), 1), Some(false));
        assert_eq!(read(r#""ab""#, 0), None);
        assert_eq!(read("7", 0), None);
    }
}
