//! Files of fixed-width numbers that change in place: spenders, heads, indexes.
//!
//! They carry no checksums. Each number is checked by what it points to, and `store check` derives
//! all of them again. New space is allocated before it is mapped, because a write to a hole on a
//! full disk would end the process instead of failing.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate};

use crate::{
    column::{map_at_least, open_rw, shrink},
    error::StoreError,
    layout::{to_u40, u40},
    mmap::Mapping,
};

/// A mutable file, mapped.
#[derive(Debug)]
pub(crate) struct Slots {
    path: PathBuf,
    /// Present on the writing side.
    file: Option<File>,
    map: Mapping,
    /// Bytes of the file that are in use.
    len: u64,
    /// Size of the file: allocated ahead of use.
    size: u64,
    /// From here on the file is all zeros.
    zero_from: u64,
}

impl Slots {
    /// Maps the first `len` bytes for reading.
    pub(crate) fn read(dir: &Path, name: &str, len: u64) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let map = map_at_least(&path, len as usize)?;
        Ok(Self { path, file: None, map, len, size: len, zero_from: len })
    }

    /// Opens for writing with `len` bytes in use; whatever the file holds behind them is dropped.
    pub(crate) fn write(dir: &Path, name: &str, len: u64) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let file = open_rw(&path)?;
        let size = file.metadata().map_err(|error| StoreError::io(&path, error))?.len();
        if size < len {
            let detail = format!("the file ends here, and {len} bytes were committed");
            return Err(StoreError::damaged(&path, size, detail));
        }
        let file = Some(file);
        let mut slots = Self { path, file, map: Mapping::default(), len, size, zero_from: size };
        slots.map_ahead()?;
        Ok(slots)
    }

    /// Grows to `len` bytes; the new ones are zero.
    #[inline]
    pub(crate) fn grow(&mut self, len: u64) -> Result<(), StoreError> {
        if len > self.len {
            if len > self.size || self.len < self.zero_from {
                self.allocate(len)?;
            }
            self.len = len;
            self.zero_from = self.zero_from.max(len);
        }
        Ok(())
    }

    fn allocate(&mut self, len: u64) -> Result<(), StoreError> {
        let Some(file) = &self.file else { return Ok(()) };
        let io = |error| StoreError::io(&self.path, error);
        // What is left over from blocks that were rolled back, or never committed.
        zero(file, self.len, self.zero_from.min(len)).map_err(io)?;
        if len > self.size {
            // Ahead, because growing by a few bytes at a time costs a system call each.
            let size = len + (len / 16).clamp(1 << 12, 64 << 20);
            let grown = match fallocate(file, FallocateFlags::empty(), self.size, size - self.size)
            {
                Ok(()) => Ok(()),
                // A file system that cannot allocate ahead: write the zeros.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                    zero(file, self.size, size)
                }
                Err(errno) => Err(errno.into()),
            };
            grown.map_err(io)?;
            self.size = size;
        }
        self.map_ahead()
    }

    /// Forgets everything behind `len`; [`Self::trim`] cuts the file.
    pub(crate) fn cut(&mut self, len: u64) {
        self.len = self.len.min(len);
    }

    /// Cuts the file to what is in use. Only while nobody reads (see lock.rs).
    pub(crate) fn trim(&mut self) -> Result<(), StoreError> {
        if let Some(file) = &self.file {
            shrink(file, &self.path, self.len)?;
            self.size = self.size.min(self.len);
            self.zero_from = self.zero_from.min(self.len);
        }
        Ok(())
    }

    /// Makes all changes durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        match &self.file {
            // On Linux this includes pages changed through the mapping: fdatasync writes whatever
            // is dirty in the page cache, and a shared mapping is the page cache.
            Some(file) => file.sync_data().map_err(|error| StoreError::io(&self.path, error)),
            None => Ok(()),
        }
    }

    /// Gives mapped pages back to the system.
    pub(crate) fn release(&self) {
        self.map.release();
    }

    /// See [`Mapping::prefetch`].
    #[inline]
    pub(crate) fn prefetch(&self, at: u64) {
        self.map.prefetch(at as usize);
    }

    /// 32-bit number `i`.
    #[inline]
    pub(crate) fn get_u32(&self, i: u64) -> Result<u32, StoreError> {
        if i.saturating_mul(4) >= self.len {
            return Err(self.damaged(i.saturating_mul(4), "a number points behind the end"));
        }
        self.map.word(i as usize).ok_or_else(|| self.damaged(i * 4, "not mapped"))
    }

    /// Sets 32-bit number `i`.
    #[inline]
    pub(crate) fn set_u32(&mut self, i: u64, value: u32) -> Result<(), StoreError> {
        if i.saturating_mul(4) < self.len && self.map.set_word(i as usize, value) {
            return Ok(());
        }
        Err(self.damaged(i.saturating_mul(4), "a number points behind the end"))
    }

    /// 40-bit number `i`.
    #[inline]
    pub(crate) fn get_u40(&self, i: u64) -> Result<u64, StoreError> {
        let at = i.saturating_mul(5);
        match self.map.bytes(at as usize, 5) {
            Some(bytes) if at + 5 <= self.len => Ok(u40(bytes)),
            _ => Err(self.damaged(at, "a number points behind the end")),
        }
    }

    /// Sets 40-bit number `i`.
    #[inline]
    pub(crate) fn set_u40(&mut self, i: u64, value: u64) -> Result<(), StoreError> {
        let at = i.saturating_mul(5);
        if at.saturating_add(5) <= self.len && self.map.set_bytes(at as usize, &to_u40(value)) {
            return Ok(());
        }
        Err(self.damaged(at, "a number points behind the end"))
    }

    /// An error that names this file.
    #[cold]
    pub(crate) fn damaged(&self, at: u64, detail: &str) -> StoreError {
        StoreError::damaged(&self.path, at, detail)
    }

    fn map_ahead(&mut self) -> Result<(), StoreError> {
        let Some(file) = &self.file else { return Ok(()) };
        if (self.map.len() as u64) < self.size {
            let ahead = (self.size as usize).next_power_of_two().max(1 << 20) * 2;
            self.map = Mapping::writable(file, ahead)
                .map_err(|error| StoreError::io(&self.path, error))?;
        }
        Ok(())
    }
}

/// Writes zeros over `from..to`.
fn zero(file: &File, from: u64, to: u64) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    let mut at = from;
    while at < to {
        let n = (to - at).min(ZEROS.len() as u64) as usize;
        file.write_all_at(&ZEROS[..n], at)?;
        at += n as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_new_ones_are_zero() {
        let dir = tempfile::tempdir().unwrap();
        let mut slots = Slots::write(dir.path(), "s", 0).unwrap();
        slots.grow(40).unwrap();
        slots.set_u40(7, 0x12_3456_789a).unwrap();
        slots.set_u32(0, 9).unwrap();
        assert_eq!(slots.get_u40(7).unwrap(), 0x12_3456_789a);
        assert!(slots.set_u40(8, 1).is_err());
        slots.cut(20);
        slots.grow(40).unwrap();
        assert_eq!(slots.get_u40(7).unwrap(), 0, "what was cut does not come back");
        slots.trim().unwrap();
        assert_eq!(Slots::read(dir.path(), "s", 40).unwrap().get_u32(0).unwrap(), 9);
        assert!(Slots::read(dir.path(), "s", 41).is_err());
    }
}
