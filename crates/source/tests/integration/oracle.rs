//! What the `bitcoin` crate says about the bytes of a block, to hold ours against.

use bitcoin::{Block, consensus::deserialize, hashes::Hash};
use chain::{Flags, Height, Sats};
use source::{BlockFault, DecodedBlock, decode};

/// Decodes bytes with both, and panics unless the two agree in every field, or in the refusal.
///
/// Returns whether the block was good.
pub(crate) fn compare(raw: &[u8], height: u32) -> Result<(), BlockFault> {
    let mut ours = DecodedBlock::new();
    let result = decode::block(raw, Height(height), &mut ours).map_err(|bad| bad.fault);
    match (deserialize::<Block>(raw), &result) {
        (Ok(theirs), Ok(())) => {
            assert_eq!(refusal(&theirs), None);
            compare_fields(&theirs, raw, height, &ours);
        }
        (Ok(theirs), Err(fault)) => {
            let expected = refusal(&theirs);
            assert!(expected.is_some(), "good for bitcoin, and not for us: {fault}");
        }
        (Err(error), Ok(())) => panic!("good for us, and not for bitcoin: {error}"),
        (Err(_), Err(_)) => {}
    }
    result
}

/// Gives the header the Merkle root of whatever transactions are there, so that damage gets past it.
pub(crate) fn repair_root(raw: &mut [u8]) {
    if let Ok(block) = deserialize::<Block>(raw)
        && let Some(root) = block.compute_merkle_root()
    {
        raw[36..68].copy_from_slice(root.as_byte_array());
    }
}

/// Why we refuse a block that `bitcoin` can decode: rules of consensus that it does not check.
fn refusal(block: &Block) -> Option<&'static str> {
    let txs = &block.txdata;
    if txs.is_empty() {
        return Some("empty");
    }
    for (at, tx) in txs.iter().enumerate() {
        let mut total = 0_u64;
        for output in &tx.output {
            total = total.saturating_add(output.value.to_sat());
        }
        if tx.input.is_empty() || tx.output.is_empty() || total > Sats::MAX_MONEY.0 {
            return Some("inputs, outputs or value");
        }
        let null = tx.input.iter().any(|input| input.previous_output.is_null());
        if null != (at == 0) || tx.is_coinbase() != (at == 0) {
            return Some("coinbase");
        }
    }
    if !block.check_merkle_root() {
        return Some("merkle root");
    }
    let mut level: Vec<_> = txs.iter().map(|tx| tx.compute_txid().to_byte_array()).collect();
    while level.len() > 1 {
        if level.chunks_exact(2).any(|pair| pair[0] == pair[1]) {
            return Some("repeated");
        }
        level = level
            .chunks(2)
            .map(|pair| {
                let joined = [pair[0], *pair.last().unwrap_or(&pair[0])].concat();
                bitcoin::hashes::sha256d::Hash::hash(&joined).to_byte_array()
            })
            .collect();
    }
    None
}

fn compare_fields(theirs: &Block, raw: &[u8], height: u32, ours: &DecodedBlock) {
    let header = &theirs.header;
    assert_eq!(ours.hash, header.block_hash());
    assert_eq!((ours.version, ours.prev), (header.version.to_consensus(), header.prev_blockhash));
    assert_eq!(ours.merkle_root, header.merkle_root.to_byte_array());
    assert_eq!(
        (ours.time, ours.bits, ours.nonce),
        (header.time, header.bits.to_consensus(), header.nonce)
    );
    assert_eq!(ours.tx_count(), theirs.txdata.len());
    let (mut inputs, mut outputs) = (0, 0);
    for (at, tx) in theirs.txdata.iter().enumerate() {
        assert_eq!(ours.txid(at), tx.compute_txid());
        assert_eq!(ours.flags[at], Flags::of(tx, Some(Height(height))));
        let bytes = &raw[ours.tx_starts[at] as usize..ours.tx_starts[at + 1] as usize];
        assert_eq!(bytes, bitcoin::consensus::serialize(tx));
        let spent = if at == 0 { &[][..] } else { &tx.input[..] };
        assert_eq!(ours.inputs(at), inputs..inputs + spent.len());
        for input in spent {
            assert_eq!(ours.prevout(inputs), input.previous_output);
            inputs += 1;
        }
        assert_eq!(ours.outputs(at), outputs..outputs + tx.output.len());
        for output in &tx.output {
            assert_eq!(ours.values[outputs], output.value.to_sat());
            assert_eq!(ours.scripts[outputs].bytes(raw), output.script_pubkey.as_bytes());
            outputs += 1;
        }
    }
    assert_eq!(ours.prevouts.len(), inputs);
    assert_eq!((ours.values.len(), ours.scripts.len()), (outputs, outputs));
    assert_eq!(ours.tx_starts.last().copied(), Some(raw.len() as u32));
}
