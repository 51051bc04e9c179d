//! Append-only columns: bytes on disk with a checksum for each page of 4 KiB.
//!
//! Both sides implement [`Bytes`], so that the code that interprets columns (tables.rs) is written
//! once. A reader verifies each page when it first touches it: a flipped bit is an error with path
//! and offset, never a wrong amount.

mod read;
mod sums;
#[cfg(test)]
mod tests;
mod write;

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

pub(crate) use read::ReadColumn;
pub(crate) use write::WriteColumn;

use crate::{error::StoreError, mmap::Mapping};

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

const BAD_PAGE: &str = "the checksum of these 4096 bytes does not match";

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
