//! One writer at a time, and no truncation under a reader's feet.
//!
//! `lock` is held exclusively by the writer; it says `dirty` while one is at work, so that the
//! next one knows whether the last stopped in the middle. `readers` is held shared by every
//! reader; the writer cuts files only when it can have it exclusively for a moment. It also holds
//! the epoch: a number that is odd while blocks are being rolled back and grows with every
//! rollback, by which a reader notices that what it read may have changed. The system drops both
//! locks when a process dies.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{column::open_rw, error::StoreError};

/// The writer's lock.
#[derive(Debug)]
pub(crate) struct WriterLock {
    path: PathBuf,
    file: File,
    readers: ReaderFile,
}

impl WriterLock {
    /// Takes the lock, or says who is in the way.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let file = open_rw(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path }),
            Err(TryLockError::Error(error)) => return Err(StoreError::io(&path, error)),
        }
        let readers = ReaderFile::open(dir, true)?;
        Ok(Self { path, file, readers })
    }

    /// Whether the last writer did not finish.
    pub(crate) fn is_dirty(&self) -> Result<bool, StoreError> {
        says_dirty(&self.file).map_err(|error| StoreError::io(&self.path, error))
    }

    /// Marks the store as being worked on, or as finished. Durable when it returns.
    pub(crate) fn set_dirty(&self, dirty: bool) -> Result<(), StoreError> {
        let mark: &[u8; 5] = if dirty { b"dirty" } else { b"clean" };
        self.file
            .write_all_at(mark, 0)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| StoreError::io(&self.path, error))
    }

    /// Tells readers that a rollback begins.
    pub(crate) fn begin_rollback(&self) -> Result<(), StoreError> {
        let epoch = self.readers.epoch()?;
        self.readers.set_epoch(epoch | 1)
    }

    /// Tells readers that no rollback is under way.
    pub(crate) fn end_rollback(&self) -> Result<(), StoreError> {
        let epoch = self.readers.epoch()?;
        if epoch % 2 == 1 { self.readers.set_epoch(epoch + 1) } else { Ok(()) }
    }

    /// Runs `cut` if nobody is reading at this moment.
    pub(crate) fn if_nobody_reads(
        &self,
        cut: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self.readers.file.try_lock() {
            Ok(()) => {}
            Err(_) => return Ok(()),
        }
        let result = cut();
        let unlocked = self.readers.file.unlock();
        result?;
        unlocked.map_err(|error| StoreError::io(&self.readers.path, error))
    }
}

/// Whether a writer is at work in `dir`, or was and did not finish.
pub(crate) fn is_dirty(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join("lock");
    let dirty = File::open(&path).and_then(|file| says_dirty(&file));
    dirty.map_err(|error| StoreError::io(&path, error))
}

fn says_dirty(file: &File) -> io::Result<bool> {
    let mut mark = [0; 5];
    match file.read_exact_at(&mut mark, 0) {
        Ok(()) => Ok(&mark == b"dirty"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The readers' lock and the epoch in it.
#[derive(Debug)]
pub(crate) struct ReaderFile {
    path: PathBuf,
    file: File,
}

impl ReaderFile {
    /// Opens and, for a reader, locks it. Waits while the writer cuts files: milliseconds.
    pub(crate) fn open(dir: &Path, writer: bool) -> Result<Self, StoreError> {
        let path = dir.join("readers");
        if writer {
            return Ok(Self { file: open_rw(&path)?, path });
        }
        let file = File::open(&path).map_err(|error| StoreError::io(&path, error))?;
        file.lock_shared().map_err(|error| StoreError::io(&path, error))?;
        Ok(Self { path, file })
    }

    /// The number of rollbacks so far, twice; odd while one is under way.
    pub(crate) fn epoch(&self) -> Result<u64, StoreError> {
        let mut bytes = [0; 8];
        match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(u64::from_le_bytes(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(StoreError::io(&self.path, error)),
        }
    }

    fn set_epoch(&self, epoch: u64) -> Result<(), StoreError> {
        self.file
            .write_all_at(&epoch.to_le_bytes(), 0)
            .map_err(|error| StoreError::io(&self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_and_no_cut_under_a_reader() {
        let dir = tempfile::tempdir().unwrap();
        let lock = WriterLock::take(dir.path()).unwrap();
        assert!(matches!(WriterLock::take(dir.path()), Err(StoreError::Locked { .. })));
        let mut cuts = 0;
        lock.if_nobody_reads(|| {
            cuts += 1;
            Ok(())
        })
        .unwrap();
        let reader = ReaderFile::open(dir.path(), false).unwrap();
        lock.if_nobody_reads(|| {
            cuts += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(cuts, 1);
        assert_eq!(reader.epoch().unwrap(), 0);
        lock.begin_rollback().unwrap();
        assert_eq!(reader.epoch().unwrap(), 1);
        lock.end_rollback().unwrap();
        lock.end_rollback().unwrap();
        assert_eq!(reader.epoch().unwrap(), 2);
        drop(lock);
        let lock = WriterLock::take(dir.path()).unwrap();
        assert!(!lock.is_dirty().unwrap());
        lock.set_dirty(true).unwrap();
        assert!(lock.is_dirty().unwrap());
    }
}
