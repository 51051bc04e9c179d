//! Checksums of pages.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use super::map_at_least;
use crate::{error::StoreError, layout::PAGE, meta::Extent, mmap::Mapping};

/// The checksums of a column's committed pages, each compared when its page is first touched.
#[derive(Debug)]
pub(super) struct PageSums {
    sums: Mapping,
    pub(super) extent: Extent,
    /// A bit per page: verified. Zeroed memory that the system gives on first touch.
    seen: Vec<AtomicU64>,
}

impl PageSums {
    pub(super) fn open(path: &Path, extent: Extent) -> Result<Self, StoreError> {
        let len = usize::try_from(extent.len).map_err(|_| StoreError::Full { what: "bytes" })?;
        let sums = map_at_least(path, len / PAGE * 4)?;
        let words = len.div_ceil(PAGE).div_ceil(64);
        let seen = std::iter::repeat_with(AtomicU64::default).take(words).collect();
        Ok(Self { sums, extent, seen })
    }

    /// Whether a page was verified before.
    #[inline]
    pub(super) fn seen(&self, page: usize) -> bool {
        let word = self.seen.get(page / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) >> (page % 64) & 1 == 1)
    }

    /// Verifies the pages of `start..start + n` that were not touched before; the number of a bad
    /// one is the error.
    #[inline]
    pub(super) fn ensure(&self, map: &Mapping, start: usize, n: usize) -> Result<(), usize> {
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
    pub(super) fn verify(&self, map: &Mapping, page: usize) -> bool {
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
