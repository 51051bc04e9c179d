//! Which blocks are found in a directory, and which chain of them wins.

use std::fs;

use bitcoin::{Block, consensus::serialize};
use chain::{Height, Network};
use proptest::prelude::*;
use source::{BlockDir, SourceError};

use crate::made::{
    best, cases, chain, child, dir, extend, findings, hashes, open, record, records,
};

#[test]
fn a_chain_over_several_files_is_read_back() {
    let blocks = chain(10);
    let dir = dir(&[
        ("blk00000.dat", &records(&blocks[..4])),
        ("blk00001.dat", &records(&blocks[4..9])),
        ("blk00007.dat", &records(&blocks[9..])),
        ("rev00000.dat", b"not ours"),
    ]);
    let found = open(&dir);
    assert_eq!(found.network(), Network::Regtest);
    let chain = found.best_chain().unwrap();
    assert_eq!((chain.len(), chain.tip().height), (10, Height(9)));
    assert_eq!(chain.work(), 20);
    chain.check_complete().unwrap();

    let (mut reader, mut raw) = (found.reader(), Vec::new());
    for (height, block) in (0..).zip(&blocks) {
        let place = chain.get(Height(height)).unwrap();
        assert_eq!(place.hash, block.block_hash());
        assert_eq!(place.prev, block.header.prev_blockhash);
        assert_eq!(chain.height_of(&place.hash), Some(Height(height)));
        reader.read_block(&place, &mut raw).unwrap();
        assert_eq!(raw, serialize(block));
    }
    assert_eq!(chain.get(Height(10)), None);
    assert_eq!(chain.blocks_from(Height(8)).len(), 2);
    assert_eq!(chain.blocks_from(Height(99)).len(), 0);
}

#[test]
fn a_datadir_will_do() {
    let data = tempfile::tempdir().unwrap();
    let bytes = records(&chain(3));
    for folder in ["blocks", "regtest/blocks"] {
        fs::create_dir_all(data.path().join(folder)).unwrap();
    }
    fs::write(data.path().join("regtest/blocks/blk00000.dat"), &bytes).unwrap();
    let found = BlockDir::open(data.path(), Some(Network::Regtest)).unwrap();
    assert_eq!(best(&found).len(), 3);
    fs::write(data.path().join("blocks/blk00000.dat"), &bytes).unwrap();
    assert_eq!(best(&open(data.path())).len(), 3);
}

#[test]
fn side_branches_and_repeated_blocks_are_counted() {
    let mut blocks = chain(6);
    let side = child(blocks[3].block_hash(), 4, 1);
    let twig = child(blocks[4].block_hash(), 5, 2);
    let mut file = records(&blocks);
    file.extend(record(&side));
    file.extend(record(&blocks[2]));
    let dir = dir(&[("blk00000.dat", &file), ("blk00001.dat", &record(&twig))]);
    let found = open(&dir);
    // Block 5 and the twig have equal work: the first in the files wins.
    assert_eq!(best(&found), hashes(&blocks));
    assert_eq!((found.report().blocks, found.report().duplicates), (8, 1));
    let chain = found.best_chain().unwrap();
    let report = chain.report();
    assert_eq!((report.side_branches, report.side_blocks), (2, 2));
    assert_eq!(chain.fork_point(&side.block_hash()), Some(Height(3)));
    assert_eq!(chain.fork_point(&blocks[4].block_hash()), Some(Height(4)));
    assert_eq!(chain.height_of(&side.block_hash()), None);
    extend(&mut blocks, 6, 1, 9);
    assert_eq!(chain.fork_point(&blocks[6].block_hash()), None);
}

#[test]
fn a_key_of_zeroes_is_none() {
    let blocks = chain(3);
    let dir = dir(&[("blk00000.dat", &records(&blocks)), ("xor.dat", &[0; 8])]);
    assert_eq!(best(&open(&dir)), hashes(&blocks));
}

#[test]
fn blocks_of_another_network_are_refused() {
    let regtest = dir(&[("blk00000.dat", &records(&chain(3)))]);
    let error = BlockDir::open(&regtest, Some(Network::Mainnet)).unwrap_err();
    assert!(matches!(error, SourceError::OtherNetwork { found: Network::Regtest, .. }), "{error}");
    // Regtest's block 0 on disk under testnet's magic is another network's block too.
    let mut genesis = serialize(&bitcoin::constants::genesis_block(bitcoin::Network::Testnet4));
    genesis.splice(..0, (genesis.len() as u32).to_le_bytes());
    genesis.splice(..0, Network::Testnet4.magic());
    fs::write(regtest.path().join("blk00001.dat"), genesis).unwrap();
    let error = BlockDir::open(&regtest, None).unwrap_err();
    let message = "blk00001.dat: the block at byte 0 is of testnet4, not of regtest";
    assert!(error.to_string().contains(message), "{error}");
}

/// How the blocks of a tree are laid out in files.
#[derive(Clone, Debug)]
struct Layout {
    /// For each block: on which of those before it, in which file, what follows it.
    blocks: Vec<(prop::sample::Index, usize, Filler)>,
    order: Vec<prop::sample::Index>,
    key: [u8; 8],
}

#[derive(Clone, Debug)]
enum Filler {
    Nothing,
    Zeroes(usize),
    /// Zero on the disk, whatever the key.
    Unwritten(usize),
    Garbage(Vec<u8>),
}

fn layout() -> impl Strategy<Value = Layout> {
    let filler = prop_oneof![
        4 => Just(Filler::Nothing),
        1 => (4_usize..5000).prop_map(Filler::Zeroes),
        1 => (4_usize..5000).prop_map(Filler::Unwritten),
        1 => prop::collection::vec(1..=255_u8, 4..300).prop_map(Filler::Garbage),
    ];
    (1_usize..40).prop_flat_map(move |count| {
        (
            prop::collection::vec(
                (any::<prop::sample::Index>(), 0_usize..4, filler.clone()),
                count,
            ),
            prop::collection::vec(any::<prop::sample::Index>(), count + 1),
            any::<[u8; 8]>(),
        )
            .prop_map(|(blocks, order, key)| Layout { blocks, order, key })
    })
}

/// The chain that must win: the longest (all work is equal), the first in the files of those.
fn naive_best(blocks: &[Block], places: &[(usize, usize)]) -> Vec<bitcoin::BlockHash> {
    let parent =
        |of: &Block| blocks.iter().position(|block| block.block_hash() == of.header.prev_blockhash);
    let chain = |mut at: usize| {
        let mut chain = vec![blocks[at].block_hash()];
        while let Some(parent) = parent(&blocks[at]) {
            at = parent;
            chain.insert(0, blocks[at].block_hash());
        }
        chain
    };
    let tip = (0..blocks.len())
        .min_by_key(|&at| (std::cmp::Reverse(chain(at).len()), places[at]))
        .unwrap();
    chain(tip)
}

proptest! {
    #![proptest_config(cases(64))]
    #[test]
    fn any_layout_gives_the_same_chain(layout in layout()) {
        let mut blocks = vec![testkit::mine::genesis()];
        let mut files = vec![0];
        let mut fillers = vec![Filler::Nothing];
        for (at, (parent, file, filler)) in layout.blocks.iter().enumerate() {
            // Mostly long branches.
            let near = blocks.len().saturating_sub(3);
            let parent = near + parent.index(blocks.len() - near);
            blocks.push(child(blocks[parent].block_hash(), at as u32 + 1, at as u32));
            files.push(*file);
            fillers.push(filler.clone());
        }
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        for (at, index) in layout.order.iter().enumerate() {
            order.swap(at, index.index(blocks.len()));
        }
        let mut contents = vec![Vec::new(); 4];
        let mut places = vec![(0, 0); blocks.len()];
        let (mut garbage, mut unwritten) = (0, Vec::new());
        for at in order {
            let file = &mut contents[files[at]];
            places[at] = (files[at], file.len());
            file.extend(record(&blocks[at]));
            match &fillers[at] {
                Filler::Nothing => {}
                Filler::Zeroes(count) => file.resize(file.len() + count, 0),
                Filler::Unwritten(count) => {
                    let start = file.len();
                    file.resize(start + count, 0);
                    unwritten.push((files[at], start..start + count));
                }
                Filler::Garbage(bytes) => {
                    garbage += 1;
                    file.extend(bytes);
                }
            }
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("xor.dat"), layout.key).unwrap();
        for (number, bytes) in contents.iter_mut().enumerate() {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte ^= layout.key[at % 8];
            }
            for (_, range) in unwritten.iter().filter(|(file, _)| *file == number) {
                bytes[range.clone()].fill(0);
            }
            fs::write(dir.path().join(format!("blk{:05}.dat", number * 3)), bytes).unwrap();
        }
        let found = open(&dir);
        prop_assert_eq!(best(&found), naive_best(&blocks, &places));
        prop_assert_eq!(found.report().blocks, blocks.len() as u64);
        prop_assert_eq!(found.report().findings.len(), garbage, "{:?}", findings(&found));
    }
}
