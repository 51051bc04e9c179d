//! A column as its writer has it.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{BAD_PAGE, Bytes, open_rw, shrink, sums::PageSums};
use crate::{
    error::StoreError,
    layout::{PAGE, sums_path},
    meta::Extent,
    mmap::Mapping,
};

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
