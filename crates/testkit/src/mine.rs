//! From transactions to a valid regtest block: witness commitment, Merkle root, proof of work.

use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Witness,
    absolute::LockTime,
    block::{Header, Version},
    blockdata::constants::genesis_block,
    hashes::Hash,
    script::Builder,
    transaction,
};

/// The difficulty of every regtest block: one hash in two is good enough.
pub const REGTEST_BITS: u32 = 0x207f_ffff;

/// The witness of a coinbase: 32 zero bytes that go into the commitment (BIP-0141).
pub const WITNESS_RESERVED: [u8; 32] = [0; 32];

/// Regtest's block 0.
pub fn genesis() -> Block {
    genesis_block(bitcoin::Network::Regtest)
}

/// What a block takes besides its transactions.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Hash of the block before.
    pub parent: BlockHash,
    /// Seconds since 1970 UTC.
    pub time: u32,
}

/// The start of a coinbase's script: the height (BIP-0034), then any number that tells two blocks
/// of one height apart.
pub fn coinbase_script(height: u32, extra: u32) -> ScriptBuf {
    Builder::new().push_int(i64::from(height)).push_slice(extra.to_le_bytes()).into_script()
}

/// A coinbase without a witness; [`block`] adds the commitment where one is due.
pub fn coinbase(script: ScriptBuf, output: Vec<TxOut>) -> Transaction {
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: script,
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output,
    }
}

/// A block of these transactions, coinbase first, with proof of work for regtest.
///
/// Where any transaction has a witness, the coinbase gets the commitment (an `OP_RETURN` output
/// behind its others) and the reserved value; that changes its txid.
pub fn block(place: Place, mut txdata: Vec<Transaction>) -> Block {
    let segwit = txdata.iter().skip(1).any(|tx| tx.input.iter().any(|i| !i.witness.is_empty()));
    if segwit && let Some(coinbase) = txdata.first_mut() {
        coinbase
            .output
            .push(TxOut { value: Amount::ZERO, script_pubkey: commitment_script([0; 32]) });
        if let Some(input) = coinbase.input.first_mut() {
            input.witness = Witness::from_slice(&[WITNESS_RESERVED]);
        }
    }
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: place.parent,
        merkle_root: TxMerkleNode::all_zeros(),
        time: place.time,
        bits: CompactTarget::from_consensus(REGTEST_BITS),
        nonce: 0,
    };
    let mut block = Block { header, txdata };
    if segwit && let Some(root) = block.witness_root() {
        let commitment = Block::compute_witness_commitment(&root, &WITNESS_RESERVED);
        let output = block.txdata.first_mut().and_then(|coinbase| coinbase.output.last_mut());
        if let Some(output) = output {
            output.script_pubkey = commitment_script(commitment.to_byte_array());
        }
    }
    if let Some(root) = block.compute_merkle_root() {
        block.header.merkle_root = root;
    }
    solve(&mut block.header);
    block
}

/// Tries nonces until the hash is low enough.
pub fn solve(header: &mut Header) {
    let target = header.target();
    while header.validate_pow(target).is_err() {
        header.nonce = header.nonce.wrapping_add(1);
    }
}

/// `OP_RETURN`, 36 bytes: the tag `aa21a9ed` and the commitment (BIP-0141).
fn commitment_script(commitment: [u8; 32]) -> ScriptBuf {
    let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    script.extend_from_slice(&commitment);
    ScriptBuf::from_bytes(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_valid() {
        let coinbase = coinbase(coinbase_script(1, 0), vec![]);
        let place = Place { parent: genesis().block_hash(), time: 1 };
        let block = block(place, vec![coinbase]);
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        assert_eq!(block.header.bits, genesis().header.bits);
        assert!(block.header.validate_pow(block.header.target()).is_ok());
    }
}
