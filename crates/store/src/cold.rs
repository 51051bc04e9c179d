//! The first pages that a reader touches, read instead of mapped.
//!
//! A short trace touches some thousand pages once each. Bringing a page into a mapping costs the
//! system several microseconds, because it maps its neighbours too and takes all of them away again
//! at the end; a `pread` of the same page, in the page cache as it is, costs less than one. Whoever reads
//! more than a few hundred pages of a column is better off with the mapping.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicUsize, Ordering},
};

use elsa::sync::FrozenMap;

use crate::layout::PAGE;

/// Pages of one column that are read; with all columns at most 53 MB.
const MOST: usize = 512;

/// The pages read so far. They stay until the store is closed.
#[derive(Debug, Default)]
pub(crate) struct ColdPages {
    file: Option<File>,
    pages: FrozenMap<usize, Box<[u8]>>,
    count: AtomicUsize,
}

/// What became of a request.
pub(crate) enum Cold<'a> {
    /// The page, verified.
    Page(&'a [u8]),
    /// It is not what was committed.
    Bad,
    /// Many pages were read: from now on the mapping is the better way.
    Enough,
}

impl ColdPages {
    /// None read yet. Without a file there is nothing to read.
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file, ..Self::default() }
    }

    /// Page number `page` of `size` bytes, if `good` says that it is what it should be.
    pub(crate) fn page(
        &self,
        page: usize,
        size: usize,
        good: impl FnOnce(&[u8]) -> bool,
    ) -> io::Result<Cold<'_>> {
        let Some(file) = &self.file else { return Ok(Cold::Enough) };
        if self.count.load(Ordering::Relaxed) >= MOST {
            return Ok(Cold::Enough);
        }
        if let Some(bytes) = self.pages.get(&page) {
            return Ok(Cold::Page(bytes));
        }
        let mut bytes = vec![0; size].into_boxed_slice();
        file.read_exact_at(&mut bytes, (page * PAGE) as u64)?;
        if !good(&bytes) {
            return Ok(Cold::Bad);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Cold::Page(self.pages.insert(page, bytes)))
    }
}
