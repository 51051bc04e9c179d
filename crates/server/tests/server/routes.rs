//! The published Esplora client reads the routes; what it reads is held against the blocks.

use bitcoin::{Address, Amount, Block, Transaction, Txid, consensus::encode};
use chain::{Height, Ledger, Network};
use esplora_client::{BlockingClient, Builder};
use source::{BlockDir, RawBlocks};

use crate::running::{Running, World};

fn client(server: &Running) -> BlockingClient {
    Builder::new(&server.url).build_blocking()
}

/// All blocks, by height.
fn blocks(world: &World) -> Vec<Block> {
    let files = BlockDir::open(world.blocks(), Some(Network::Regtest)).unwrap();
    let store = world.store();
    (0..=store.tip().unwrap().height.0)
        .map(|height| {
            let hash = store.block(Height(height)).unwrap().unwrap().hash;
            encode::deserialize(&files.raw_block(&hash).unwrap().unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn transactions_are_those_of_the_blocks() {
    let world = World::new(300);
    let server = world.serve();
    let (client, blocks) = (client(&server), blocks(&world));
    let tx_of = |txid: Txid| -> &Transaction {
        blocks.iter().flat_map(|block| &block.txdata).find(|tx| tx.compute_txid() == txid).unwrap()
    };
    for (height, block) in blocks.iter().enumerate().skip(95).step_by(3) {
        for tx in &block.txdata {
            let txid = tx.compute_txid();
            assert_eq!(client.get_tx(&txid).unwrap().as_ref(), Some(tx));
            let info = client.get_tx_info(&txid).unwrap().unwrap();
            assert_eq!(info.to_tx(), *tx);
            assert_eq!((info.size, info.weight), (tx.total_size(), tx.weight()));
            assert_eq!(info.status.block_height, Some(height as u32));
            assert_eq!(info.status.block_hash, Some(block.block_hash()));
            assert_eq!(info.status.block_time, Some(block.header.time.into()));
            assert_eq!(client.get_tx_status(&txid).unwrap(), info.status);
            let mut taken = Amount::ZERO;
            for (input, told) in tx.input.iter().zip(&info.vin) {
                assert_eq!(told.is_coinbase, tx.is_coinbase());
                let Some(prevout) = &told.prevout else { continue };
                let made = &tx_of(input.previous_output.txid).output;
                let made = &made[input.previous_output.vout as usize];
                assert_eq!(
                    (prevout.value, &prevout.scriptpubkey),
                    (made.value, &made.script_pubkey)
                );
                taken += made.value;
            }
            let paid: Amount = tx.output.iter().map(|output| output.value).sum();
            let fee = if tx.is_coinbase() { Amount::ZERO } else { taken - paid };
            assert_eq!(info.fee, fee);
        }
    }
}

#[test]
fn spends_and_proofs_are_true() {
    let world = World::new(300);
    let server = world.serve();
    let (client, blocks) = (client(&server), blocks(&world));
    let mut spent = 0;
    for (height, block) in blocks.iter().enumerate().skip(100).step_by(2) {
        for (place, tx) in block.txdata.iter().enumerate() {
            let txid = tx.compute_txid();
            let fates = client.get_tx_outspends(&txid).unwrap();
            assert_eq!(fates.len(), tx.output.len());
            for (vout, fate) in fates.iter().enumerate() {
                let single = client.get_output_status(&txid, vout as u64).unwrap().unwrap();
                assert_eq!(single, *fate);
                let spender = blocks.iter().flat_map(|block| &block.txdata).find_map(|spender| {
                    let vin = spender.input.iter().position(|input| {
                        input.previous_output == bitcoin::OutPoint::new(txid, vout as u32)
                    });
                    vin.map(|vin| (spender.compute_txid(), vin as u64))
                });
                assert_eq!(fate.txid.zip(fate.vin), spender);
                assert_eq!(fate.spent, spender.is_some());
                spent += usize::from(fate.spent);
            }
            let proof = client.get_merkle_proof(&txid).unwrap().unwrap();
            assert_eq!((proof.block_height as usize, proof.pos), (height, place));
            let proof = client.get_merkle_block(&txid).unwrap().unwrap();
            let (mut matched, mut places) = (Vec::new(), Vec::new());
            proof.extract_matches(&mut matched, &mut places).unwrap();
            assert_eq!((matched, places), (vec![txid], vec![place as u32]));
            assert_eq!(proof.header, block.header);
        }
    }
    assert!(spent > 50, "{spent}");
}

#[test]
fn blocks_are_blocks() {
    let world = World::new(300);
    let server = world.serve();
    let (client, blocks) = (client(&server), blocks(&world));
    let tip = blocks.len() - 1;
    assert_eq!(client.get_height().unwrap() as usize, tip);
    assert_eq!(client.get_tip_hash().unwrap(), blocks[tip].block_hash());
    for (height, block) in blocks.iter().enumerate().step_by(7) {
        let hash = block.block_hash();
        assert_eq!(client.get_block_hash(height as u32).unwrap(), hash);
        assert_eq!(client.get_header_by_hash(&hash).unwrap(), block.header);
        assert_eq!(client.get_block_by_hash(&hash).unwrap().as_ref(), Some(block));
        let status = client.get_block_status(&hash).unwrap();
        assert!(status.in_best_chain);
        assert_eq!(status.height, Some(height as u32));
        assert_eq!(status.next_best, blocks.get(height + 1).map(Block::block_hash));
        let info = client.get_block_info(&hash).unwrap();
        assert_eq!((info.size, info.weight), (block.total_size(), block.weight()));
        assert_eq!(info.merkle_root, block.header.merkle_root);
        assert_eq!(info.bits, block.header.bits);
        assert_eq!((info.nonce, info.version), (block.header.nonce, block.header.version));
        let before = &blocks[height.saturating_sub(10)..=height];
        let mut times: Vec<u64> = before.iter().map(|block| block.header.time.into()).collect();
        times.sort_unstable();
        assert_eq!(info.mediantime, times[times.len() / 2]);
        let txids: Vec<Txid> = block.txdata.iter().map(Transaction::compute_txid).collect();
        assert_eq!(client.get_block_txids(&hash).unwrap(), txids);
        assert_eq!(info.tx_count as usize, txids.len());
        let last = txids.len() - 1;
        assert_eq!(client.get_txid_at_block_index(&hash, last).unwrap(), txids.last().copied());
        assert_eq!(client.get_txid_at_block_index(&hash, last + 1).unwrap(), None);
        let txs = client.get_block_txs(&hash, None).unwrap();
        let told: Vec<Txid> = txs.iter().map(|tx| tx.txid).collect();
        assert_eq!(told, txids[..txids.len().min(25)]);
    }
    let infos = client.get_block_infos(None).unwrap();
    let newest: Vec<_> = blocks.iter().rev().take(10).map(Block::block_hash).collect();
    assert_eq!(infos.iter().map(|info| info.id).collect::<Vec<_>>(), newest);
    let infos = client.get_block_infos(Some(3)).unwrap();
    assert_eq!(infos.iter().map(|info| info.height).collect::<Vec<_>>(), [3, 2, 1, 0]);
    let unknown = client.get_block_status(&"ab".repeat(32).parse().unwrap()).unwrap();
    assert!(!unknown.in_best_chain);
}

#[test]
fn histories_of_addresses_are_whole_page_by_page() {
    let world = World::new(400);
    let server = world.serve();
    let (client, blocks) = (client(&server), blocks(&world));
    // Every address, with the transactions that pay to it or spend from it, oldest first.
    let mut made = std::collections::HashMap::new();
    let mut histories: std::collections::BTreeMap<Address, Vec<Txid>> = Default::default();
    for tx in blocks.iter().flat_map(|block| &block.txdata) {
        let txid = tx.compute_txid();
        let spent = tx.input.iter().filter_map(|input| made.get(&input.previous_output).cloned());
        let mut scripts: Vec<bitcoin::ScriptBuf> = spent.collect();
        for (vout, output) in (0..).zip(&tx.output) {
            let outpoint = bitcoin::OutPoint::new(txid, vout);
            made.insert(outpoint, output.script_pubkey.clone());
            scripts.push(output.script_pubkey.clone());
        }
        for script in scripts {
            let address = Address::from_script(&script, bitcoin::Network::Regtest);
            let Ok(address) = address else { continue };
            let history = histories.entry(address).or_default();
            if history.last() != Some(&txid) {
                history.push(txid);
            }
        }
    }
    let mut largest: Vec<_> = histories.into_iter().collect();
    largest.sort_by_key(|(_, history)| std::cmp::Reverse(history.len()));
    assert!(largest[0].1.len() > 25, "no address has two pages");
    for (address, history) in largest.iter().take(6).chain(largest.iter().skip(50).step_by(40)) {
        let mut told: Vec<Txid> = Vec::new();
        loop {
            let page = client.get_address_txs(address, told.last().copied()).unwrap();
            if page.is_empty() {
                break;
            }
            told.extend(page.iter().map(|tx| tx.txid));
        }
        let mut expected = history.clone();
        expected.reverse();
        assert_eq!(told, expected, "{address}");
        let stats = client.get_address_stats(address).unwrap();
        assert_eq!(stats.chain_stats.tx_count as usize, history.len());
        let unspent = client.get_address_utxos(address).unwrap();
        let sums = stats.chain_stats;
        let left: Amount = unspent.iter().map(|coin| coin.value).sum();
        assert_eq!(sums.funded_txo_sum - sums.spent_txo_sum, left);
        assert_eq!((sums.funded_txo_count - sums.spent_txo_count) as usize, unspent.len());
        assert!(client.get_mempool_address_txs(address).unwrap().is_empty());
    }
}
