//! A directory that a node is writing to.

use std::{fs, io::Write};

use bitcoin::{Amount, Block, OutPoint, ScriptBuf, TxOut, Witness};
use chain::Height;
use testkit::mine;

use crate::made::{
    MAGIC, best, chain, child, dir, extend, findings, hashes, open, record, records,
};

#[test]
fn every_prefix_of_a_file_is_a_shorter_chain() {
    let blocks = chain(4);
    let bytes = records(&blocks);
    let dir = dir(&[("blk00000.dat", &record(&blocks[0]))]);
    let path = dir.path().join("blk00000.dat");
    let mut found = open(&dir);
    let first = record(&blocks[0]).len();
    let (mut whole, mut count) = (first, 1);
    for len in first..=bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        if count < blocks.len() && len == whole + record(&blocks[count]).len() {
            whole = len;
            count += 1;
            assert_eq!(found.refresh().unwrap(), 1, "{len} bytes");
        } else {
            assert_eq!(found.refresh().unwrap(), 0, "{len} bytes");
        }
        assert_eq!(best(&found), hashes(&blocks[..count]), "{len} bytes");
        // The findings are those of somebody who looks for the first time.
        assert_eq!(findings(&found), findings(&open(&dir)), "{len} bytes");
        assert_eq!(findings(&found).len(), usize::from(len > whole), "{len} bytes");
    }
}

#[test]
fn a_node_fills_space_that_it_allocated_ahead() {
    check_filling([0; 8]);
    // What is not written is zero on the disk, and not obfuscated.
    check_filling([0x5a, 1, 2, 3, 4, 5, 6, 0xff]);
    // A key that makes blank space look like the start of a record.
    check_filling([MAGIC, MAGIC].concat().try_into().unwrap());
    // Keys that make some bytes of the magic look like blank space.
    for key in [
        [0xfa, 0xbf, 0xb5, 9, 9, 9, 9, 9],
        [0xfa, 0xbf, 9, 9, 9, 9, 9, 9],
        [0xfa, 9, 9, 9, 9, 9, 9, 9],
    ] {
        for turn in 0..8 {
            let mut key = key;
            key.rotate_right(turn);
            check_filling(key);
        }
    }
}

#[track_caller]
fn check_filling(key: [u8; 8]) {
    let mut blocks = chain(3);
    extend(&mut blocks, 3, 1, 0);
    let obfuscated = |blocks: &[Block]| -> Vec<u8> {
        records(blocks)
            .into_iter()
            .zip(key.into_iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect()
    };
    let (before, after) = (obfuscated(&blocks[..3]), obfuscated(&blocks));
    let mut bytes = before.clone();
    bytes.resize(1 << 20, 0);
    let dir = dir(&[("blk00000.dat", &bytes), ("xor.dat", &key)]);
    let path = dir.path().join("blk00000.dat");
    let mut found = open(&dir);
    assert_eq!((best(&found).len(), found.refresh().unwrap()), (3, 0), "{key:02x?}");
    assert_eq!(findings(&found), [] as [&str; 0], "{key:02x?}");

    // The frame, the header, and all but the end of the block: nothing counts yet. The last four
    // bytes are a lock time of zero, so that without a key they are there already.
    let end = before.len();
    for written in [8, 88, after.len() - end - 70, after.len() - end - 5] {
        let mut now = bytes.clone();
        now[..end + written].copy_from_slice(&after[..end + written]);
        fs::write(&path, &now).unwrap();
        assert_eq!(found.refresh().unwrap(), 0, "{written} bytes");
        let expected = format!(
            "DIR/blk00000.dat: byte {end}: incomplete tail: the last block is being written"
        );
        assert_eq!(findings(&found), [expected], "{written} bytes, {key:02x?}");
    }
    bytes[..after.len()].copy_from_slice(&after);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(found.refresh().unwrap(), 1);
    assert_eq!(best(&found), hashes(&blocks));
    assert_eq!(findings(&found), [] as [&str; 0]);
}

/// Blocks whose last bytes are zero like the space behind them: an output with many zeroes, and a
/// witness of nothing else.
fn blocks_that_end_blank() -> [Block; 2] {
    let genesis = mine::genesis().block_hash();
    let nothing = ScriptBuf::from(vec![0; 200]);
    let output = TxOut { value: Amount::from_sat(1), script_pubkey: nothing };
    let coinbase = mine::coinbase(mine::coinbase_script(1, 0), vec![output.clone()]);
    let mut spend = coinbase.clone();
    spend.input[0].previous_output = OutPoint::new(coinbase.compute_txid(), 0);
    spend.input[0].witness = Witness::from_slice(&[[0; 200]]);
    let place = mine::Place { parent: genesis, time: 1_700_000_001 };
    [mine::block(place, vec![coinbase.clone()]), mine::block(place, vec![coinbase, spend])]
}

#[test]
fn a_block_that_ends_with_zeroes_counts_when_it_is_whole() {
    for block in blocks_that_end_blank() {
        for key in [[0; 8], [0x5a, 1, 2, 3, 4, 5, 6, 0xff]] {
            let before = record(&mine::genesis()).len();
            let mut whole = records(&[mine::genesis(), block.clone()]);
            whole.iter_mut().zip(key.into_iter().cycle()).for_each(|(byte, key)| *byte ^= key);
            let mut padded = whole.clone();
            padded.resize(whole.len() + (1 << 16), 0);
            let dir = dir(&[("blk00000.dat", &padded), ("xor.dat", &key)]);
            // At once, though nothing follows.
            assert_eq!(best(&open(&dir)).len(), 2, "{key:02x?}");
            assert_eq!(findings(&open(&dir)), [] as [&str; 0]);
            // At no byte earlier, and at the last byte that is not zero.
            let path = dir.path().join("blk00000.dat");
            let mut found = None;
            for written in before + 8..=whole.len() {
                let mut now = whole[..written].to_vec();
                now.resize(padded.len(), 0);
                fs::write(&path, &now).unwrap();
                let found = found.get_or_insert_with(|| open(&dir));
                found.refresh().unwrap();
                let there = now[..whole.len()] == whole;
                assert_eq!(best(found).len(), 1 + usize::from(there), "{written} bytes");
                assert_eq!(findings(found).is_empty(), there, "{written} bytes");
            }
        }
    }
}

#[test]
fn a_reorganisation_shows_where_the_branches_part() {
    let blocks = chain(6);
    let dir = dir(&[("blk00000.dat", &records(&blocks))]);
    let mut found = open(&dir);
    let mut other = blocks[..4].to_vec();
    extend(&mut other, 4, 1, 7);
    let mut file = fs::File::options();
    let mut file = file.append(true).open(dir.path().join("blk00000.dat")).unwrap();
    file.write_all(&record(&other[4])).unwrap();
    // Shorter: nothing changes.
    assert_eq!(found.refresh().unwrap(), 1);
    assert_eq!(best(&found), hashes(&blocks));
    // The longer end of it comes in a new file, its parts in the wrong order.
    extend(&mut other, 5, 2, 7);
    let late = [record(&other[6]), record(&other[5])].concat();
    fs::write(dir.path().join("blk00001.dat"), late).unwrap();
    assert_eq!(found.refresh().unwrap(), 2);
    assert_eq!(best(&found), hashes(&other));
    let chain = found.best_chain().unwrap();
    assert_eq!(chain.fork_point(&blocks[5].block_hash()), Some(Height(3)));
    assert_eq!(chain.height_of(&blocks[5].block_hash()), None);
    assert_eq!(best(&open(&dir)), hashes(&other));
    assert_eq!(found.refresh().unwrap(), 0);
}

#[test]
fn a_directory_that_was_started_afresh_is_scanned_again() {
    let blocks = chain(6);
    let dir =
        dir(&[("blk00000.dat", &records(&blocks[..4])), ("blk00001.dat", &records(&blocks[4..]))]);
    let mut found = open(&dir);
    fs::remove_file(dir.path().join("blk00001.dat")).unwrap();
    found.refresh().unwrap();
    assert_eq!(best(&found), hashes(&blocks[..4]));
    let other = child(blocks[0].block_hash(), 1, 5);
    fs::write(dir.path().join("blk00000.dat"), records(&[blocks[0].clone(), other.clone()]))
        .unwrap();
    found.refresh().unwrap();
    assert_eq!(best(&found), hashes(&[blocks[0].clone(), other]));
}
