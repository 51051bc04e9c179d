//! A directory that a node is writing to.

use std::{fs, io::Write};

use chain::Height;

use crate::made::{best, chain, child, dir, extend, findings, hashes, open, record, records};

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
    let mut blocks = chain(3);
    let mut bytes = records(&blocks);
    let end = bytes.len();
    bytes.resize(1 << 20, 0);
    let dir = dir(&[("blk00000.dat", &bytes)]);
    let path = dir.path().join("blk00000.dat");
    let mut found = open(&dir);
    assert_eq!((best(&found).len(), found.refresh().unwrap()), (3, 0));
    assert_eq!(findings(&found), [] as [&str; 0]);

    extend(&mut blocks, 3, 1, 0);
    let new = record(&blocks[3]);
    // The frame, the header, and all but the end of the block: nothing counts yet.
    for written in [8, 88, new.len() - 70] {
        let mut now = bytes.clone();
        now[end..end + written].copy_from_slice(&new[..written]);
        fs::write(&path, &now).unwrap();
        assert_eq!(found.refresh().unwrap(), 0, "{written} bytes");
        let expected = format!(
            "DIR/blk00000.dat: byte {end}: incomplete tail: the last block is being written"
        );
        assert_eq!(findings(&found), [expected]);
    }
    bytes[end..end + new.len()].copy_from_slice(&new);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(found.refresh().unwrap(), 1);
    assert_eq!(best(&found), hashes(&blocks));
    assert_eq!(findings(&found), [] as [&str; 0]);
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
