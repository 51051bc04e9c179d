//! Blocks of the real chains, where the data set is at hand.

use std::{fs, path::Path};

use bitcoin::consensus::deserialize;
use chain::{Height, Network};
use source::{BlockDir, DecodedBlock};
use testkit::data_dir;

use crate::oracle::compare;

/// Reads and decodes every block of a directory's best chain, holding each against the oracle.
fn read_all(dir: &Path, mut each: impl FnMut(&DecodedBlock)) -> BlockDir {
    let found = BlockDir::open(dir, Some(Network::Mainnet)).unwrap();
    let chain = found.best_chain().unwrap();
    let (mut reader, mut raw, mut decoded) = (found.reader(), Vec::new(), DecodedBlock::new());
    for place in chain.blocks_from(Height(0)) {
        reader.read_decoded(&place, &mut raw, &mut decoded).unwrap();
        assert_eq!((decoded.hash, decoded.prev), (place.hash, place.prev));
        assert_eq!(compare(&raw, place.height.0), Ok(()));
        each(&decoded);
    }
    found
}

#[test]
fn the_first_4313_blocks() {
    let Some(data) = data_dir() else { return };
    let (mut txs, mut inputs) = (0, 0);
    let found = read_all(&data.join("blocks_jeffchan"), |block| {
        txs += block.tx_count();
        inputs += block.prevouts.len();
    });
    let chain = found.best_chain().unwrap();
    assert_eq!((chain.len(), txs, inputs), (4313, 4371, 247));
    chain.check_complete().unwrap();
    assert_eq!(found.report().findings, []);
}

#[test]
fn two_files_continue_each_other() {
    let Some(data) = data_dir() else { return };
    let found = read_all(&data.join("blocks_nbitcoin"), |_| {});
    let chain = found.best_chain().unwrap();
    assert_eq!((chain.len(), found.report().files), (600, 2));
    assert_eq!(chain.get(Height(299)).unwrap().file, 0);
    assert_eq!(chain.get(Height(300)).unwrap().file, 1);
    assert_eq!(found.report().findings, []);
}

/// A block decodes as `bitcoin` says; and what its inputs took, less fees, is what it minted.
fn check_block(raw: &[u8], height: u32, network: Network, spent: Option<&[u64]>) {
    assert_eq!(compare(raw, height), Ok(()));
    let mut block = DecodedBlock::new();
    source::decode::block(raw, Height(height), &mut block).unwrap();
    let Some(spent) = spent else { return };
    assert_eq!(spent.len(), block.prevouts.len());
    let coinbase: u64 = block.values[block.outputs(0)].iter().sum();
    let mut fees = 0;
    for tx in 1..block.tx_count() {
        let taken: u64 = spent[block.inputs(tx)].iter().sum();
        let paid: u64 = block.values[block.outputs(tx)].iter().sum();
        fees += taken.checked_sub(paid).unwrap();
    }
    assert_eq!(coinbase, network.subsidy(height) + fees, "block {height}");
}

#[test]
fn a_full_block_of_2021() {
    let Some(data) = data_dir() else { return };
    for entry in fs::read_dir(data.join("blocks_rust_bitcoin")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "raw") {
            check_block(&fs::read(path).unwrap(), 702_861, Network::Mainnet, None);
        }
    }
}

#[test]
fn blocks_with_their_undo_data() {
    let Some(data) = data_dir() else { return };
    let folder = data.join("blocks_bcoin");
    for (height, network) in
        [(300_025, Network::Mainnet), (928_828, Network::Testnet3), (928_849, Network::Testnet3)]
    {
        let raw = fs::read(folder.join(format!("block{height}.raw"))).unwrap();
        let undo = fs::read(folder.join(format!("block{height}-undo.raw"))).unwrap();
        // Outputs in the usual encoding, one behind the other.
        let mut rest = &undo[..];
        let mut spent = Vec::new();
        while !rest.is_empty() {
            let (output, used) =
                bitcoin::consensus::deserialize_partial::<bitcoin::TxOut>(rest).unwrap();
            spent.push(output.value.to_sat());
            rest = &rest[used..];
        }
        check_block(&raw, height, network, Some(&spent));
    }
}

#[test]
fn blocks_with_their_spent_outputs() {
    let Some(data) = data_dir() else { return };
    let folder = data.join("blocks_floresta");
    for height in [367_891, 866_342] {
        let raw = fs::read(folder.join(format!("block_{height}.raw"))).unwrap();
        let text = fs::read(folder.join(format!("block_{height}.spent_utxos"))).unwrap();
        let outputs: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
        let value = |output: &serde_json::Value| output["txout"]["value"].as_u64().unwrap();
        let spent: Vec<u64> = outputs.iter().map(value).collect();
        check_block(&raw, height, Network::Mainnet, Some(&spent));
        let theirs: bitcoin::Block = deserialize(&raw).unwrap();
        assert!(theirs.check_witness_commitment());
    }
}
