//! Files that are there whole or not at all, and directories that one program at a time changes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Puts a file in place, only when it is whole and on the disk; the one before stays until then.
///
/// # Errors
/// [`Failure`] with the path.
pub(crate) fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let next = beside(path, ".next");
    let written = File::create(&next)
        .and_then(|file| {
            let mut file = BufWriter::with_capacity(1 << 20, file);
            content(&mut file)?;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
        })
        .and_then(|()| fs::rename(&next, path))
        .and_then(|()| match path.parent() {
            Some(dir) if dir.as_os_str().is_empty() => File::open(".")?.sync_all(),
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        });
    written.map_err(|error| Failure::file(path, error))
}

/// Gives a file a second name, in place of what had that name. It keeps its own.
///
/// # Errors
/// [`Failure`] with the path.
pub(crate) fn keep_as(path: &Path, second: &Path) -> Result<(), Failure> {
    let next = beside(second, ".next");
    let io = |error| Failure::file(second, error);
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    // Not every file system has links.
    fs::hard_link(path, &next).or_else(|_| fs::copy(path, &next).map(|_| ())).map_err(io)?;
    fs::rename(&next, second).map_err(io)
}

/// Locks a directory by a file in it, for as long as the file is open. `who` may be in the way.
///
/// # Errors
/// [`Failure`] with the path, where another program holds it.
pub(crate) fn lock(path: &Path, who: &str) -> Result<File, Failure> {
    let io = |error| Failure::file(path, error);
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(io(error)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("{}: locked by another program", path.display());
            Err(Failure::unavailable(message)
                .hint(format!("is another `{who}` at work? Wait for its end")))
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
