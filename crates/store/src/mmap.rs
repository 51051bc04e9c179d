//! The only `unsafe` of the project: files mapped into memory, behind bounds checks.
//!
//! Why it is sound enough: every access is checked against a length that the caller has compared
//! with the file's size, so no access falls behind the end of the file unless somebody truncates
//! it from outside (the writer itself truncates only when no reader holds the reader lock, see
//! lock.rs). Another process may write to a page while we read it: committed bytes of append-only
//! columns never change, and numbers in mutable columns are read as single words and checked
//! against the reader's tip before they are believed.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use memmap2::{MmapOptions, MmapRaw, UncheckedAdvice};

/// A shared mapping of the start of a file, possibly empty.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    raw: Option<MmapRaw>,
}

impl Mapping {
    /// Maps `len` bytes for reading. `len` may exceed the file's size: see [`Self::bytes`].
    pub(crate) fn read_only(file: &File, len: usize) -> io::Result<Self> {
        let raw = match len {
            0 => None,
            _ => Some(MmapOptions::new().len(len).map_raw_read_only(file)?),
        };
        Ok(Self { raw })
    }

    /// Maps `len` bytes for reading and writing.
    pub(crate) fn writable(file: &File, len: usize) -> io::Result<Self> {
        let raw = match len {
            0 => None,
            _ => Some(MmapOptions::new().len(len).map_raw(file)?),
        };
        Ok(Self { raw })
    }

    /// Bytes mapped.
    pub(crate) fn len(&self) -> usize {
        self.raw.as_ref().map_or(0, MmapRaw::len)
    }

    /// `n` bytes at `at`, `None` beyond the mapping. The caller must know that the file reaches
    /// that far.
    #[inline]
    pub(crate) fn bytes(&self, at: usize, n: usize) -> Option<&[u8]> {
        if n == 0 {
            // Of an empty file too, which has no mapping.
            return Some(&[]);
        }
        let raw = self.raw.as_ref()?;
        if at.checked_add(n)? > raw.len() {
            return None;
        }
        // SAFETY: `at..at+n` lies inside the mapping, which lives as long as `self`.
        Some(unsafe { std::slice::from_raw_parts(raw.as_ptr().add(at), n) })
    }

    /// The 32-bit word number `i`.
    #[inline]
    pub(crate) fn word(&self, i: usize) -> Option<u32> {
        Some(self.atomic(i)?.load(Ordering::Relaxed))
    }

    /// Writes the 32-bit word number `i`; false beyond the mapping. Only for writable mappings.
    #[inline]
    #[must_use]
    pub(crate) fn set_word(&self, i: usize, value: u32) -> bool {
        match self.atomic(i) {
            Some(word) => {
                word.store(value, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// Overwrites bytes; false beyond the mapping. Only for writable mappings.
    #[inline]
    #[must_use]
    pub(crate) fn set_bytes(&mut self, at: usize, bytes: &[u8]) -> bool {
        let Some(raw) = self.raw.as_mut() else { return false };
        match at.checked_add(bytes.len()) {
            Some(end) if end <= raw.len() => {}
            _ => return false,
        }
        // SAFETY: inside the mapping; `&mut self` excludes slices handed out by `bytes`.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), raw.as_mut_ptr().add(at), bytes.len());
        }
        true
    }

    /// Asks the processor to bring the cache line at `at` nearer. Does nothing beyond the mapping.
    ///
    /// Look-ups go to random places, and a branch that waits for one stops the processor from
    /// starting on the next: asking for a whole chunk of lines first overlaps them (join.rs).
    #[inline]
    pub(crate) fn prefetch(&self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        if let Some(raw) = &self.raw
            && at < raw.len()
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: SSE is part of x86_64; the address lies inside the mapping, and a prefetch
            // changes nothing and never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(raw.as_ptr().add(at).cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }

    /// Gives the pages back to the system: they leave our resident memory and come back from the
    /// page cache when touched. Nothing is lost, the mapping is shared.
    pub(crate) fn release(&self) {
        if let Some(raw) = &self.raw {
            // SAFETY: for a shared file mapping MADV_DONTNEED drops page-table entries, not data.
            let _ = unsafe { raw.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }

    #[inline]
    fn atomic(&self, i: usize) -> Option<&AtomicU32> {
        let raw = self.raw.as_ref()?;
        if i >= raw.len() / 4 {
            return None;
        }
        // SAFETY: inside the mapping; mappings are page-aligned, so words are aligned too.
        Some(unsafe { AtomicU32::from_ptr(raw.as_mut_ptr().add(i * 4).cast()) })
    }
}
