//! A column as readers see it.

use std::path::{Path, PathBuf};

use super::{BAD_PAGE, Bytes, map_at_least, sums::PageSums};
use crate::{
    error::StoreError,
    layout::{PAGE, sums_path},
    meta::Extent,
    mmap::Mapping,
};

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
