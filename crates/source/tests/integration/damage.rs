//! Every kind of bad input: a clear message with the place, and what is good is still found.

use std::fs;

use bitcoin::consensus::serialize;
use chain::{Height, Network};
use proptest::prelude::*;
use source::{BlockDir, BlockFault, DecodedBlock, SourceError};

use crate::made::{
    MAGIC, best, cases, chain, dir, findings, hashes, open, record, records, refused,
};
use crate::scanned::check;

/// Opening fails with this message.
#[track_caller]
fn check_refused(files: &[(&str, &[u8])], expected: &str) {
    let dir = dir(files);
    let error = BlockDir::open(&dir, None).unwrap_err();
    assert_eq!(refused(dir.path(), &error), expected);
}

/// Opening works, finds these many blocks in a row from block 0, and says this.
#[track_caller]
fn check_found(bytes: &[u8], blocks: usize, expected: &[&str]) {
    let dir = dir(&[("blk00000.dat", bytes)]);
    let found = open(&dir);
    assert_eq!(findings(&found), expected);
    assert_eq!(best(&found).len(), blocks);
}

#[test]
fn an_empty_directory() {
    let expected = "DIR: no blk*.dat files here, nor in its folder 'blocks': name a node's blocks \
                    directory or its datadir";
    check_refused(&[], expected);
    check_refused(&[("blk.dat", b""), ("blk00000.dat.bak", b"")], expected);
}

#[test]
fn a_directory_that_is_not_there_or_is_closed() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("nothing");
    let error = BlockDir::open(&path, None).unwrap_err();
    assert!(error.to_string().contains("nothing: No such file"), "{error}");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = home.path().join("blk00000.dat");
        fs::write(&file, records(&chain(2))).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
        // Who is root may read it all the same.
        if fs::File::open(&file).is_err() {
            let error = BlockDir::open(&home, None).unwrap_err();
            assert!(error.to_string().contains("blk00000.dat: Permission denied"), "{error}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn nothing_but_an_empty_file() {
    let expected = "DIR: 1 block files and no block in them: is their xor.dat missing?";
    check_refused(&[("blk00000.dat", b"")], expected);
    check_refused(&[("blk00000.dat", &[0; 100_000])], expected);
}

#[test]
fn an_empty_file_beside_others() {
    let blocks = chain(3);
    let dir =
        dir(&[("blk00000.dat", b""), ("blk00001.dat", &records(&blocks)), ("blk00002.dat", b"")]);
    assert_eq!(best(&open(&dir)), hashes(&blocks));
}

#[test]
fn a_key_of_the_wrong_length() {
    let expected = "DIR/xor.dat: the key must have 8 bytes and has 7: copy the file from the node \
                    again";
    check_refused(&[("blk00000.dat", &records(&chain(2))), ("xor.dat", &[1; 7])], expected);
}

#[test]
fn the_wrong_key() {
    let expected = "DIR: 1 block files and no block in them: does xor.dat belong to these files?";
    check_refused(&[("blk00000.dat", &records(&chain(2))), ("xor.dat", &[9; 8])], expected);
}

#[test]
fn an_unknown_magic() {
    let mut bytes = records(&chain(2));
    let second = bytes.len() / 2;
    for at in 0..bytes.len() - 3 {
        if bytes[at..at + 4] == MAGIC {
            bytes[at] ^= 1;
        }
    }
    let expected = "DIR: 1 block files and no block in them: is their xor.dat missing?";
    check_refused(&[("blk00000.dat", &bytes)], expected);
    assert!(second > 0);
}

#[test]
fn one_damaged_magic() {
    let blocks = chain(5);
    let mut bytes = records(&blocks);
    let at = records(&blocks[..3]).len();
    let len = record(&blocks[3]).len();
    bytes[at] ^= 0x10;
    // The block before it is found; the one after it waits for the damaged one.
    let found = format!("DIR/blk00000.dat: byte {at}: {len} bytes are no block: skipped");
    check_found(&bytes, 3, &[&found]);
}

#[test]
fn the_wrong_network() {
    let dir = dir(&[("blk00000.dat", &records(&chain(2)))]);
    let error = BlockDir::open(&dir, Some(Network::Signet)).unwrap_err();
    assert_eq!(
        refused(dir.path(), &error),
        "DIR/blk00000.dat: the block at byte 0 is of regtest, not of signet: choose the network \
         with --network, and keep one network's files in a directory"
    );
}

#[test]
fn a_file_with_the_number_of_another() {
    let bytes = records(&chain(2));
    check_refused(
        &[("blk00000.dat", &bytes), ("blk0.dat", &bytes)],
        "DIR/blk0.dat and DIR/blk00000.dat have the same number: remove the one that is not the \
         node's",
    );
}

#[test]
fn a_truncated_file() {
    let blocks = chain(4);
    let bytes = records(&blocks);
    let at = records(&blocks[..3]).len();
    let expected = format!(
        "DIR/blk00000.dat: byte {at}: incomplete tail: 5 bytes of the last block are not there"
    );
    check_found(&bytes[..bytes.len() - 5], 3, &[&expected]);
}

#[test]
fn a_flipped_bit_in_a_header() {
    let blocks = chain(5);
    let at = records(&blocks[..3]).len();
    let len = record(&blocks[3]).len();
    // On regtest half of all hashes have enough work: take a bit that spoils it.
    let (bytes, bit) = (0..640)
        .map(|bit| {
            let mut bytes = records(&blocks);
            bytes[at + 8 + bit / 8] ^= 1 << (bit % 8);
            (bytes, bit)
        })
        .find(|(bytes, _)| {
            let header =
                bitcoin::consensus::deserialize::<bitcoin::block::Header>(&bytes[at + 8..at + 88])
                    .unwrap();
            header.validate_pow(header.target()).is_err()
        })
        .unwrap();
    let expected = format!(
        "DIR/blk00000.dat: byte {at}: a block header without its proof of work: {len} bytes \
         skipped, damaged"
    );
    check_found(&bytes, 3, &[&expected]);
    let dir = dir(&[("blk00000.dat", &bytes)]);
    let found = open(&dir);
    let error = found.best_chain().unwrap().check_complete().unwrap_err();
    assert_eq!(
        refused(dir.path(), &error),
        format!(
            "DIR: the chain ends at height 2 and 1 more blocks (in blk00000.dat) cannot be \
             connected: block {} is in none of the files; a block file is missing or damaged",
            blocks[3].block_hash()
        ),
        "bit {bit}"
    );
}

#[test]
fn a_damaged_length() {
    let blocks = chain(5);
    let at = records(&blocks[..2]).len();
    let raw = serialize(&blocks[2]).len() as u32;
    for len in [raw + 1, raw + 200, raw - 1, 300_000] {
        let mut bytes = records(&blocks);
        bytes[at + 4..at + 8].copy_from_slice(&len.to_le_bytes());
        let dir = dir(&[("blk00000.dat", &bytes)]);
        let found = open(&dir);
        // No other block is lost by it, and it is not silent.
        assert_eq!(found.report().findings.len(), 1, "{len}: {:?}", findings(&found));
        let chain = found.best_chain().unwrap();
        if len < 300_000 {
            assert_eq!(chain.len(), 5, "{len}");
            let place = chain.get(Height(2)).unwrap();
            let (mut raw, mut decoded) = (Vec::new(), DecodedBlock::new());
            let error = found.reader().read_decoded(&place, &mut raw, &mut decoded).unwrap_err();
            assert!(matches!(error, SourceError::Block(_)), "{error}");
        } else {
            assert_eq!(chain.len(), 2, "{len}");
            assert_eq!(chain.report().gaps[0].unconnected, 2);
        }
    }
}

#[test]
fn a_flipped_bit_in_a_transaction() {
    let blocks = chain(4);
    let mut bytes = records(&blocks);
    let header = records(&blocks[..2]).len() + 8;
    bytes[header + 80 + 60] ^= 4;
    let dir = dir(&[("blk00000.dat", &bytes)]);
    let found = open(&dir);
    let place = found.best_chain().unwrap().get(Height(2)).unwrap();
    let (mut raw, mut decoded) = (Vec::new(), DecodedBlock::new());
    let error = found.reader().read_decoded(&place, &mut raw, &mut decoded).unwrap_err();
    assert_eq!(
        refused(dir.path(), &error),
        format!(
            "DIR/blk00000.dat: byte {}: block 2 ({}), byte 36: the merkle root is not the one in \
             the header: the block is damaged",
            header + 36,
            blocks[2].block_hash()
        )
    );
    let SourceError::Block(bad) = error else { panic!("{error}") };
    assert_eq!(bad.fault, BlockFault::MerkleRoot);
}

#[test]
fn a_missing_file_in_the_middle() {
    let blocks = chain(12);
    let dir = dir(&[
        ("blk00000.dat", &records(&blocks[..4])),
        ("blk00002.dat", &records(&blocks[8..10])),
        ("blk00003.dat", &records(&blocks[10..])),
    ]);
    let found = open(&dir);
    assert_eq!(best(&found), hashes(&blocks[..4]));
    let error = found.best_chain().unwrap().check_complete().unwrap_err();
    assert_eq!(
        refused(dir.path(), &error),
        format!(
            "DIR: the chain ends at height 3 and 4 more blocks (in blk00002.dat to blk00003.dat) \
             cannot be connected: block {} is in none of the files; a block file is missing or \
             damaged",
            blocks[7].block_hash()
        )
    );
}

#[test]
fn no_block_0() {
    let blocks = chain(6);
    let dir = dir(&[("blk00004.dat", &records(&blocks[3..]))]);
    let error = open(&dir).best_chain().map(|_| ()).unwrap_err();
    assert!(
        refused(dir.path(), &error).starts_with("DIR: block 0 of regtest is in none"),
        "{error}"
    );
}

#[test]
fn a_file_that_changes_under_the_reader() {
    let blocks = chain(3);
    let dir = dir(&[("blk00000.dat", &records(&blocks))]);
    let found = open(&dir);
    let place = found.best_chain().unwrap().tip();
    let mut raw = Vec::new();
    for bytes in [records(&blocks[..2]), vec![7; 10_000], Vec::new()] {
        fs::write(dir.path().join("blk00000.dat"), bytes).unwrap();
        let error = found.reader().read_block(&place, &mut raw).unwrap_err();
        let hash = blocks[2].block_hash();
        let message = format!("block {hash} at height 2 is no longer there");
        assert!(error.to_string().contains(&message), "{error}");
    }
    fs::remove_file(dir.path().join("blk00000.dat")).unwrap();
    let error = found.reader().read_block(&place, &mut raw).unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error}");
}

/// Bytes as they come out of damage: pieces of records, of zeroes and of noise.
fn wreck() -> impl Strategy<Value = Vec<u8>> {
    let blocks = chain(6);
    let piece = prop_oneof![
        6 => (0..blocks.len()).prop_map(move |at| record(&blocks[at])),
        1 => (0_usize..200).prop_map(|count| vec![0; count]),
        1 => Just(MAGIC.to_vec()),
        1 => (0_u32..400).prop_map(|len| [&MAGIC[..], &len.to_le_bytes()].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..100),
    ];
    let cut = (any::<prop::sample::Index>(), prop::option::weighted(0.2, any::<u8>()));
    prop::collection::vec((piece, cut), 0..12).prop_map(|pieces| {
        let mut bytes = Vec::new();
        for (mut piece, (cut, flip)) in pieces {
            if let Some(flip) = flip.filter(|_| !piece.is_empty()) {
                let at = cut.index(piece.len());
                if flip == 0 {
                    piece.truncate(at);
                } else {
                    piece[at] ^= flip;
                }
            }
            bytes.extend(piece);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_wreck_is_scanned(mut bytes in wreck(), key in any::<[u8; 8]>(), cut in any::<prop::sample::Index>()) {
        for (byte, key) in bytes.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        let cut = cut.index(bytes.len() + 1);
        check(&bytes, key, cut);
    }
}
