//! File systems with a fault, where this process may mount some.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::scratch::spawning;

/// A mounted file system; gone when dropped.
pub(crate) struct Mount(TempDir);

impl Mount {
    /// A small disk of so many bytes. `None`, after a word about it, where mounting is not allowed.
    pub(crate) fn small(bytes: u64) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let size = format!("size={bytes}");
        let path = path(at.path());
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs", path]).then(|| Self(at))
    }

    /// A directory again, without the right to write to it.
    pub(crate) fn read_only(dir: &Path) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        if !mount(&["--bind", path(dir), path(at.path())]) {
            return None;
        }
        let done = mount(&["-o", "remount,bind,ro", path(at.path())]);
        let mounted = Self(at);
        done.then_some(mounted)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves about so many bytes free, until the ballast is dropped.
    pub(crate) fn leave(&self, free: usize) -> Ballast {
        let path = self.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        // Until the disk is full; then as much again as is to be free.
        let zeros = vec![0; 1 << 20];
        while file.write_all(&zeros).is_ok() {}
        let len = file.metadata().unwrap().len();
        file.set_len(len.saturating_sub(free as u64)).unwrap();
        Ballast(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("-l").arg(self.path()));
    }
}

/// A file that takes up room.
pub(crate) struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mount(args: &[&str]) -> bool {
    let mounted = run(Command::new("mount").args(args).stderr(Stdio::null()));
    if !mounted {
        eprintln!("skipped: this process may not mount file systems");
    }
    mounted
}

fn run(command: &mut Command) -> bool {
    spawning(|| command.status()).is_ok_and(|status| status.success())
}
