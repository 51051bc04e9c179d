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
}

impl Slots {
    /// Maps the first `len` bytes for reading.
    pub(crate) fn read(dir: &Path, name: &str, len: u64) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let map = map_at_least(&path, len as usize)?;
        Ok(Self { path, file: None, map, len })
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
        let mut slots = Self { path, file: Some(file), map: Mapping::default(), len: 0 };
        slots.len = len;
        slots.map_ahead()?;
        Ok(slots)
    }

    /// Grows to `len` bytes; the new ones are zero.
    pub(crate) fn grow(&mut self, len: u64) -> Result<(), StoreError> {
        let Some(file) = &self.file else { return Ok(()) };
        if len <= self.len {
            return Ok(());
        }
        let io = |error| StoreError::io(&self.path, error);
        let size = file.metadata().map_err(io)?.len();
        if size > self.len {
            // Left over from blocks that were rolled back while somebody was reading.
            zero(file, self.len, size.min(len)).map_err(io)?;
        }
        if size < len {
            let grown = match fallocate(file, FallocateFlags::empty(), size, len - size) {
                Ok(()) => Ok(()),
                // A file system that cannot allocate ahead: write the zeros.
                Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                    zero(file, size, len)
                }
                Err(errno) => Err(errno.into()),
            };
            grown.map_err(io)?;
        }
        self.len = len;
        self.map_ahead()
    }

    /// Forgets everything behind `len`; [`Self::trim`] cuts the file.
    pub(crate) fn cut(&mut self, len: u64) {
        self.len = self.len.min(len);
    }

    /// Cuts the file to what is in use. Only while nobody reads (see lock.rs).
    pub(crate) fn trim(&mut self) -> Result<(), StoreError> {
        match &self.file {
            Some(file) => shrink(file, &self.path, self.len),
            None => Ok(()),
        }
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
        if (self.map.len() as u64) < self.len {
            let ahead = (self.len as usize).next_power_of_two().max(1 << 20) * 2;
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
        assert_eq!(Slots::read(dir.path(), "s", 40).unwrap().get_u32(0).unwrap(), 9);
        assert!(Slots::read(dir.path(), "s", 41).is_err());
    }
}
