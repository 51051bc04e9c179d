//! Proofs that a transaction is in its block.

use bitcoin::{MerkleBlock, consensus::encode};
use chain::{Ledger, MerklePath, header};
use source::esplora::MerkleProof;

use super::tx::txids;
use crate::{desk::View, error::Refusal};

/// The path to the root, as Electrum's servers write it.
pub(super) fn merkle(view: &View<'_>, txid: &str) -> Result<MerkleProof, Refusal> {
    let tx = view.tx(txid)?;
    let block = view.block_of(tx)?;
    let place = tx.0.checked_sub(block.txs.start).ok_or(Refusal::Again)?;
    let path = MerklePath::of(&txids(view, &block)?, place)
        .map_err(|error| Refusal::Inside(format!("block {}: {error}", block.height)))?;
    Ok(MerkleProof::new(block.height, &path))
}

/// Header and partial tree, as nodes write them (BIP-0037), in hexadecimal.
pub(super) fn merkle_block(view: &View<'_>, txid: &str) -> Result<String, Refusal> {
    let tx = view.tx(txid)?;
    let (block, wanted) = (view.block_of(tx)?, view.store.txid(tx)?);
    let bytes = view.store.header(block.height)?.ok_or(Refusal::Again)?;
    let header = header::parse(&bytes)
        .map_err(|error| Refusal::Inside(format!("{}: {error}", block.hash)))?;
    let txids = txids(view, &block)?;
    let proof = MerkleBlock::from_header_txids_with_predicate(&header, &txids, |id| *id == wanted);
    Ok(encode::serialize_hex(&proof))
}
