use super::*;
use crate::{layout::PAGE, meta::Extent};

fn dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sums")).unwrap();
    dir
}

fn filled(dir: &Path, n: u32) -> Extent {
    let mut column = WriteColumn::open(dir, "c", Extent::EMPTY).unwrap();
    (0..n).for_each(|i| column.push(&i.to_le_bytes()));
    column.sync().unwrap()
}

#[test]
fn what_was_pushed_is_read() {
    let dir = dir();
    let extent = filled(dir.path(), 5000);
    let column = ReadColumn::open(dir.path(), "c", extent).unwrap();
    assert_eq!(column.record::<4>(4999).unwrap(), &4999u32.to_le_bytes());
    assert!(column.record::<4>(5000).is_err());
    column.verify().unwrap();
}

#[test]
fn appending_in_pieces_gives_the_same_bytes() {
    let (one, two) = (dir(), dir());
    let whole = filled(one.path(), 9000);
    let part = filled(two.path(), 3000);
    let mut column = WriteColumn::open(two.path(), "c", part).unwrap();
    (3000..9000u32).for_each(|i| column.push(&i.to_le_bytes()));
    assert_eq!(column.sync().unwrap(), whole);
    for file in ["c", "sums/c"] {
        let read = |dir: &tempfile::TempDir| std::fs::read(dir.path().join(file)).unwrap();
        assert_eq!(read(&one), read(&two), "{file}");
    }
}

#[test]
fn cutting_gives_the_bytes_of_the_shorter_column() {
    for n in [0, 1, 1024, 1500, 2048] {
        let (one, two) = (dir(), dir());
        let short = filled(one.path(), n);
        let long = filled(two.path(), 6000);
        let mut column = WriteColumn::open(two.path(), "c", long).unwrap();
        column.cut(u64::from(n) * 4).unwrap();
        column.trim().unwrap();
        assert_eq!(column.sync().unwrap(), short);
        for file in ["c", "sums/c"] {
            let read = |dir: &tempfile::TempDir| std::fs::read(dir.path().join(file)).unwrap();
            assert_eq!(read(&one), read(&two), "{n} {file}");
        }
    }
}

#[test]
fn a_flipped_bit_is_found_where_it_is() {
    let dir = dir();
    let extent = filled(dir.path(), 5000);
    let path = dir.path().join("c");
    for at in [0usize, 4095, 4096, 19_999] {
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        let column = ReadColumn::open(dir.path(), "c", extent).unwrap();
        let error = column.bytes(at as u64, 1).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { offset, .. } if offset as usize == at / PAGE * PAGE)
        );
        assert!(column.verify().is_err());
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn a_file_cut_short_does_not_open() {
    let dir = dir();
    let extent = filled(dir.path(), 5000);
    File::options().write(true).open(dir.path().join("c")).unwrap().set_len(100).unwrap();
    assert!(matches!(ReadColumn::open(dir.path(), "c", extent), Err(StoreError::Damaged { .. })));
    assert!(matches!(WriteColumn::open(dir.path(), "c", extent), Err(StoreError::Damaged { .. })));
}
