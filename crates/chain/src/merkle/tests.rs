use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Witness, absolute::LockTime,
    constants::genesis_block, merkle_tree::calculate_root, transaction::Version,
};
use proptest::prelude::*;

use super::*;

fn ids(count: usize) -> Vec<Txid> {
    (0..count).map(|tag| Txid::hash(&tag.to_le_bytes())).collect()
}

fn root(txids: &[Txid]) -> TxMerkleNode {
    calculate_root(txids.iter().map(|txid| leaf(*txid))).unwrap()
}

fn header(merkle_root: TxMerkleNode) -> Header {
    Header { merkle_root, ..genesis_block(bitcoin::Network::Regtest).header }
}

/// A transaction whose bytes are 64, as two nodes of a tree.
fn sixty_four_bytes() -> (Transaction, TxMerkleNode, TxMerkleNode) {
    let tx = Transaction {
        version: Version::ONE,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::hash(b"coin"), 7),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(1000),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51; 4]),
        }],
    };
    let bytes = encode::serialize(&tx);
    let (left, right) = bytes.split_at(32);
    let node = |half: &[u8]| TxMerkleNode::from_slice(half).unwrap();
    let nodes = (node(left), node(right));
    (tx, nodes.0, nodes.1)
}

#[test]
fn every_place_of_every_small_block_leads_to_the_root() {
    for count in 1..40 {
        let txids = ids(count);
        let header = header(root(&txids));
        for (place, txid) in txids.iter().enumerate() {
            let path = MerklePath::of(&txids, place as u32).unwrap();
            assert_eq!(path.prove_id(txid, &header), Ok(()), "{place} of {count}");
            let told = MerklePath::new(path.siblings().to_vec(), path.position());
            assert_eq!(told, Ok(path));
        }
    }
}

#[test]
fn a_place_that_is_not_there_has_no_path() {
    let outside = Err(MerkleError::Position { position: 3, count: 3 });
    assert_eq!(MerklePath::of(&ids(3), 3), outside);
    assert_eq!(MerklePath::of(&[], 0), Err(MerkleError::Position { position: 0, count: 0 }));
    let node = TxMerkleNode::hash(b"x");
    let outside = Err(MerkleError::Outside { position: 2, levels: 1 });
    assert_eq!(MerklePath::new(vec![node], 2), outside);
    assert_eq!(MerklePath::new(vec![node; 16], 2), Err(MerkleError::TooLong(16)));
}

#[test]
fn repeated_transactions_are_not_proven() {
    // Six transactions and the last two again: the same root (CVE-2012-2459).
    let honest = ids(6);
    let forged = [&honest[..], &honest[4..]].concat();
    assert_eq!(root(&honest), root(&forged));
    assert_eq!(MerklePath::of(&forged, 6), Err(MerkleError::Repeated));
    // What a liar would send for the sixth as the eighth.
    let mut path = MerklePath::of(&honest, 5).unwrap();
    path.position = 7;
    assert_eq!(path.root(&honest[5]), Err(MerkleError::Repeated));
    // The odd one out as its own right neighbour.
    let honest = ids(5);
    let mut path = MerklePath::of(&honest, 4).unwrap();
    assert_eq!(path.root(&honest[4]), Ok(root(&honest)));
    path.position = 5;
    assert_eq!(path.root(&honest[4]), Err(MerkleError::Repeated));
    // Behind the last one nothing follows.
    let node = leaf(honest[4]);
    let path = MerklePath::new(vec![node, TxMerkleNode::hash(b"more")], 0).unwrap();
    assert_eq!(path.root(&honest[4]), Err(MerkleError::Repeated));
}

#[test]
fn a_transaction_of_64_bytes_is_no_node_and_proves_nothing() {
    let (tx, left, right) = sixty_four_bytes();
    let mut txids = ids(5);
    txids[3] = tx.compute_txid();
    let header = header(root(&txids));
    // It is in the block; and below it a payment that never was: its id is the left half.
    let path = MerklePath::of(&txids, 3).unwrap();
    let refused = MerkleError::SixtyFourBytes(tx.compute_txid());
    assert_eq!(path.prove(&tx, &header), Err(refused));
    let siblings = [&[right], path.siblings()].concat();
    let forged = MerklePath::new(siblings, 6).unwrap();
    let never = Txid::from_raw_hash(left.to_raw_hash());
    assert_eq!(forged.prove_id(&never, &header), Err(MerkleError::InnerTransaction));
}

proptest! {
    #[test]
    fn nothing_else_fits(
        count in 1_usize..300,
        place in any::<prop::sample::Index>(),
        bit in 0_usize..256,
        what in any::<prop::sample::Index>(),
    ) {
        let txids = ids(count);
        let place = place.index(count);
        let header = header(root(&txids));
        let path = MerklePath::of(&txids, place as u32).unwrap();
        prop_assert_eq!(path.prove_id(&txids[place], &header), Ok(()));
        // Another transaction, another place, another hash on the way.
        for other in (0..count).filter(|other| *other != place) {
            prop_assert!(path.prove_id(&txids[other], &header).is_err());
            let moved = MerklePath { position: other as u32, ..path.clone() };
            prop_assert!(moved.prove_id(&txids[place], &header).is_err());
        }
        if !path.siblings.is_empty() {
            let mut changed = path.clone();
            let at = what.index(changed.siblings.len());
            let mut bytes = changed.siblings[at].to_byte_array();
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed.siblings[at] = TxMerkleNode::from_byte_array(bytes);
            prop_assert!(changed.prove_id(&txids[place], &header).is_err());
        }
    }
}
