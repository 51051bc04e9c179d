//! Append-only columns: bytes on disk with a checksum for each page of 4 KiB.
//!
//! Both sides implement [`Bytes`], so that the code that interprets columns (tables.rs) is written
//! once. A reader verifies each page when it first touches it: a flipped bit is an error with path
//! and offset, never a wrong amount.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    error::StoreError,
    layout::{PAGE, sums_path},
    meta::Extent,
    mmap::Mapping,
};

/// Random access to the bytes of a column.
pub(crate) trait Bytes {
    /// `n` bytes at `at`. An error where the column ends before, or is damaged there.
    fn bytes(&self, at: u64, n: usize) -> Result<&[u8], StoreError>;

    /// `N` bytes of record number `i`, when records have `N` bytes.
    #[inline]
    fn record<const N: usize>(&self, i: u64) -> Result<&[u8; N], StoreError> {
        let bytes = self.bytes(i.saturating_mul(N as u64), N)?;
        bytes.try_into().map_err(|_| self.damaged(i, "short record"))
    }

    /// Bytes that count.
    fn len(&self) -> u64;

    /// An error that names this column.
    fn damaged(&self, at: u64, detail: &str) -> StoreError;
}

/// A column as of one commit, for reading.
#[derive(Debug)]
pub(crate) struct ReadColumn {
    path: PathBuf,
    map: Mapping,
    len: usize,
    sums: PageSums,
}

impl ReadColumn {
    /// Opens the first `extent.len` bytes of a column. Reads none of them.
    pub(crate) fn open(dir: &Path, name: &str, extent: Extent) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let len = usize::try_from(extent.len).map_err(|_| StoreError::Full { what: "bytes" })?;
        let map = map_at_least(&path, len)?;
        let sums = PageSums::open(&sums_path(dir, name), extent)?;
        Ok(Self { path, map, len, sums })
    }

    /// Verifies every page.
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        (0..self.len.div_ceil(PAGE)).try_for_each(|page| match self.sums.verify(&self.map, page) {
            true => Ok(()),
            false => Err(self.bad_page(page)),
        })
    }

    #[cold]
    fn bad_page(&self, page: usize) -> StoreError {
        self.damaged((page * PAGE) as u64, BAD_PAGE)
    }
}

const BAD_PAGE: &str = "the checksum of these 4096 bytes does not match";

impl Bytes for ReadColumn {
    /// Most accesses are within one page that has been verified before. That case is worth having
    /// in line: it halves the cost of reading a transaction.
    #[inline(always)]
    fn bytes(&self, at: u64, n: usize) -> Result<&[u8], StoreError> {
        let start = at as usize; // the store runs on 64-bit machines
        let page = start / PAGE;
        if (start % PAGE).saturating_add(n) <= PAGE
            && start.saturating_add(n) <= self.len
            && self.sums.seen(page)
            && let Some(bytes) = self.map.bytes(start, n)
        {
            return Ok(bytes);
        }
        self.other_bytes(at, n)
    }

    fn len(&self) -> u64 {
        self.len as u64
    }

    #[cold]
    fn damaged(&self, at: u64, detail: &str) -> StoreError {
        StoreError::damaged(&self.path, at, detail)
    }
}

impl ReadColumn {
    /// Several pages, pages not yet verified, nothing, or an error.
    #[inline(never)]
    fn other_bytes(&self, at: u64, n: usize) -> Result<&[u8], StoreError> {
        let start = at as usize; // the store runs on 64-bit machines
        let end = start.saturating_add(n);
        if end > self.len {
            return Err(self.damaged(at, "a number points behind the end"));
        }
        if let Err(page) = self.sums.ensure(&self.map, start, n) {
            return Err(self.bad_page(page));
        }
        self.map.bytes(start, n).ok_or_else(|| self.damaged(at, "behind the end of the mapping"))
    }
}

/// The checksums of a column's committed pages, each compared when its page is first touched.
#[derive(Debug)]
struct PageSums {
    sums: Mapping,
    extent: Extent,
    /// A bit per page: verified. Zeroed memory that the system gives on first touch.
    seen: Vec<AtomicU64>,
}

impl PageSums {
    fn open(path: &Path, extent: Extent) -> Result<Self, StoreError> {
        let len = usize::try_from(extent.len).map_err(|_| StoreError::Full { what: "bytes" })?;
        let sums = map_at_least(path, len / PAGE * 4)?;
        let words = len.div_ceil(PAGE).div_ceil(64);
        let seen = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        Ok(Self { sums, extent, seen })
    }

    /// Whether a page was verified before.
    #[inline]
    fn seen(&self, page: usize) -> bool {
        let word = self.seen.get(page / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) >> (page % 64) & 1 == 1)
    }

    /// Verifies the pages of `start..start + n` that were not touched before; the number of a bad
    /// one is the error.
    #[inline]
    fn ensure(&self, map: &Mapping, start: usize, n: usize) -> Result<(), usize> {
        let (first, last) = (start / PAGE, (start + n.max(1) - 1) / PAGE);
        for page in first..=last {
            let seen = match self.seen.get(page / 64) {
                Some(word) => word.load(Ordering::Relaxed) >> (page % 64) & 1 == 1,
                None => n == 0,
            };
            if !seen && n > 0 && !self.verify(map, page) {
                return Err(page);
            }
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn verify(&self, map: &Mapping, page: usize) -> bool {
        let start = page * PAGE;
        let Some(n) = (self.extent.len as usize).checked_sub(start) else { return false };
        let Some(bytes) = map.bytes(start, n.min(PAGE)) else { return false };
        let expected = if n >= PAGE { self.sums.word(page) } else { Some(self.extent.tail_sum) };
        let good = expected == Some(crc32fast::hash(bytes));
        if let Some(word) = self.seen.get(page / 64).filter(|_| good) {
            word.fetch_or(1 << (page % 64), Ordering::Relaxed);
        }
        good
    }
}

/// Maps the first `len` bytes of a file that must have at least as many.
pub(crate) fn map_at_least(path: &Path, len: usize) -> Result<Mapping, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(_) if len == 0 => return Ok(Mapping::default()),
        Err(error) => return Err(StoreError::io(path, error)),
    };
    let size = file.metadata().map_err(|error| StoreError::io(path, error))?.len();
    if size < len as u64 {
        let detail = format!("the file ends here, and {len} bytes were committed");
        return Err(StoreError::damaged(path, size, detail));
    }
    Mapping::read_only(&file, len).map_err(|error| StoreError::io(path, error))
}

/// A column being appended to. What was appended can be read back after [`WriteColumn::flush`].
#[derive(Debug)]
pub(crate) struct WriteColumn {
    path: PathBuf,
    file: File,
    sums_path: PathBuf,
    sums_file: File,
    map: Mapping,
    /// Bytes in the file that count, committed or not.
    flushed: u64,
    /// Bytes appended and not yet in the file.
    buffer: Vec<u8>,
    /// Checksums of pages that are full since the last commit, and of the page being filled.
    sums: Vec<u32>,
    page: crc32fast::Hasher,
    committed: Extent,
    /// Checksums of what was there when the column was opened: what the writer copies from old
    /// rows into new ones gets a new checksum, so it must not copy damage. `None` once cut.
    old: Option<PageSums>,
}

impl WriteColumn {
    /// Opens a column for appending behind `extent`, creating it where it is not there.
    pub(crate) fn open(dir: &Path, name: &str, extent: Extent) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let sums_path = sums_path(dir, name);
        let file = open_rw(&path)?;
        let sums_file = open_rw(&sums_path)?;
        let size = file.metadata().map_err(|error| StoreError::io(&path, error))?.len();
        if size < extent.len {
            let detail = format!("the file ends here, and {} bytes were committed", extent.len);
            return Err(StoreError::damaged(&path, size, detail));
        }
        let mut column = Self {
            path,
            file,
            sums_path,
            sums_file,
            map: Mapping::default(),
            flushed: extent.len,
            buffer: Vec::new(),
            sums: Vec::new(),
            page: crc32fast::Hasher::new(),
            committed: extent,
            old: None,
        };
        column.load_tail(extent.len)?;
        if column.page.clone().finalize() != extent.tail_sum {
            return Err(column.damaged(extent.len / PAGE as u64 * PAGE as u64, BAD_PAGE));
        }
        column.old = Some(PageSums::open(&column.sums_path, extent)?);
        Ok(column)
    }

    /// Adds bytes at the end.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Writes what was pushed to the file and makes it readable.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        if !self.buffer.is_empty() {
            let written = self.file.write_all_at(&self.buffer, self.flushed);
            written.map_err(|error| StoreError::io(&self.path, error))?;
            let mut rest = &self.buffer[..];
            let mut filled = (self.flushed % PAGE as u64) as usize;
            while !rest.is_empty() {
                let (head, tail) = rest.split_at(rest.len().min(PAGE - filled));
                self.page.update(head);
                filled += head.len();
                if filled == PAGE {
                    self.sums.push(std::mem::take(&mut self.page).finalize());
                    filled = 0;
                }
                rest = tail;
            }
            self.flushed += self.buffer.len() as u64;
            self.buffer.clear();
        }
        if (self.map.len() as u64) < self.flushed {
            // Map ahead of the file, so that growing seldom maps again.
            let ahead = (self.flushed as usize).next_power_of_two().max(1 << 20) * 2;
            self.map = Mapping::read_only(&self.file, ahead)
                .map_err(|error| StoreError::io(&self.path, error))?;
        }
        Ok(())
    }

    /// Makes all that was flushed durable and returns what `meta` must say about it.
    pub(crate) fn sync(&mut self) -> Result<Extent, StoreError> {
        self.flush()?;
        if self.committed.len != self.flushed {
            let bytes: Vec<u8> = self.sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
            let at = self.committed.len / PAGE as u64 * 4;
            self.sums_file
                .write_all_at(&bytes, at)
                .and_then(|()| self.sums_file.sync_data())
                .map_err(|error| StoreError::io(&self.sums_path, error))?;
            self.file.sync_data().map_err(|error| StoreError::io(&self.path, error))?;
            self.sums.clear();
            self.committed = Extent { len: self.flushed, tail_sum: self.page.clone().finalize() };
        }
        Ok(self.committed)
    }

    /// Forgets everything behind `len`, committed or not. The bytes stay in the file until
    /// [`Self::trim`].
    pub(crate) fn cut(&mut self, len: u64) -> Result<(), StoreError> {
        self.buffer.clear();
        if len < self.committed.len {
            // The page with the new end gets a new checksum: over good bytes only.
            self.verify_committed(len / PAGE as u64)?;
            // Pages behind the new end get their checksums again when they fill up again.
            self.sums.clear();
        } else {
            let pages = len / PAGE as u64 - self.committed.len / PAGE as u64;
            self.sums.truncate(pages as usize);
        }
        self.flushed = len;
        self.load_tail(len)?;
        if len < self.committed.len {
            self.committed = Extent { len, tail_sum: self.page.clone().finalize() };
            if let Some(old) = self.old.as_mut().filter(|old| old.extent.len > len) {
                let len = len / PAGE as u64 * PAGE as u64;
                old.extent = Extent { len, tail_sum: 0 };
            }
        }
        Ok(())
    }

    /// Cuts the files to what counts. Only while nobody reads (see lock.rs).
    pub(crate) fn trim(&mut self) -> Result<(), StoreError> {
        shrink(&self.file, &self.path, self.flushed)?;
        shrink(&self.sums_file, &self.sums_path, self.flushed / PAGE as u64 * 4)
    }

    /// See [`Mapping::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self, at: u64) {
        self.map.prefetch(at as usize);
    }

    /// Gives mapped pages back to the system.
    pub(crate) fn release(&self) {
        self.map.release();
    }

    /// Starts the checksum of the last, partial page from the file.
    fn load_tail(&mut self, len: u64) -> Result<(), StoreError> {
        let start = len / PAGE as u64 * PAGE as u64;
        let tail = self.read(start, len - start)?;
        self.page = crc32fast::Hasher::new();
        self.page.update(&tail);
        self.flush()
    }

    /// Compares a committed page with its checksum.
    fn verify_committed(&self, page: u64) -> Result<(), StoreError> {
        let start = page * PAGE as u64;
        let bytes = self.read(start, (self.committed.len - start).min(PAGE as u64))?;
        let expected = if bytes.len() == PAGE {
            let mut sum = [0; 4];
            let read = self.sums_file.read_exact_at(&mut sum, page * 4);
            read.map_err(|error| StoreError::io(&self.sums_path, error))?;
            u32::from_le_bytes(sum)
        } else {
            self.committed.tail_sum
        };
        if crc32fast::hash(&bytes) == expected {
            Ok(())
        } else {
            Err(self.damaged(start, BAD_PAGE))
        }
    }

    fn read(&self, start: u64, n: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; n as usize];
        let read = self.file.read_exact_at(&mut bytes, start);
        read.map_err(|error| StoreError::io(&self.path, error))?;
        Ok(bytes)
    }
}

impl Bytes for WriteColumn {
    #[inline]
    fn bytes(&self, at: u64, n: usize) -> Result<&[u8], StoreError> {
        let end = at.saturating_add(n as u64);
        if end > self.flushed {
            return Err(self.damaged(at, "a number points behind the end"));
        }
        if let Some(old) = &self.old
            && at < old.extent.len
        {
            let old_end = end.min(old.extent.len);
            if let Err(page) = old.ensure(&self.map, at as usize, (old_end - at) as usize) {
                return Err(self.damaged((page * PAGE) as u64, BAD_PAGE));
            }
        }
        self.map.bytes(at as usize, n).ok_or_else(|| self.damaged(at, "not mapped"))
    }

    fn len(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    #[cold]
    fn damaged(&self, at: u64, detail: &str) -> StoreError {
        StoreError::damaged(&self.path, at, detail)
    }
}

/// Opens a file for reading and writing, creating it and keeping what it holds.
pub(crate) fn open_rw(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| StoreError::io(path, error))
}

/// Cuts a file that is longer than `len`.
pub(crate) fn shrink(file: &File, path: &Path, len: u64) -> Result<(), StoreError> {
    let cut = |file: &File| -> io::Result<()> {
        if file.metadata()?.len() > len {
            file.set_len(len)?;
        }
        Ok(())
    };
    cut(file).map_err(|error| StoreError::io(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(matches!(
            ReadColumn::open(dir.path(), "c", extent),
            Err(StoreError::Damaged { .. })
        ));
        assert!(matches!(
            WriteColumn::open(dir.path(), "c", extent),
            Err(StoreError::Damaged { .. })
        ));
    }
}
