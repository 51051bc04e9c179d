//! The directory that a demo leaves, and may replace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::Network;

use crate::{
    args::Common,
    failure::Failure,
    place::{DataDir, Place},
};

/// A file that says: a demo made this directory, and may replace what it made.
const MARKER: &str = "made-by-chainhound-demo";
/// What demos make, apart from the files of each policy.
const MADE: &[&str] = &[
    "blocks",
    "truth",
    "data",
    "truth.json",
    "actors.yaml",
    "labels.yaml",
    "case.toml",
    "report.md",
    "score.json",
];

/// Where a demo works.
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directory, or clears away what an earlier demo made there. Whatever else lies in
    /// it stays.
    ///
    /// # Errors
    /// A directory with something in it that no demo made.
    pub(super) fn prepare(path: &Path) -> Result<Self, Failure> {
        let io = |error| Failure::file(path, error);
        fs::create_dir_all(path).map_err(io)?;
        let marker = path.join(MARKER);
        let empty = fs::read_dir(path).map_err(io)?.next().is_none();
        if !empty && !marker.exists() {
            return Err(Failure::usage(format!(
                "{}: there is something in it that no demo made",
                path.display()
            ))
            .hint("name an empty or a new directory with --out"));
        }
        let text = "`chainhound demo` made this directory and replaces its files.\n";
        fs::write(&marker, text).map_err(|error| Failure::file(&marker, error))?;
        let directory = Self { path: path.to_owned() };
        for name in directory.names()? {
            let path = path.join(&name);
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| Failure::file(&path, error))?;
        }
        Ok(directory)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the store is: as `--datadir OUT/data` has it.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        let datadir = Some(self.path.join("data"));
        Ok(DataDir::new(&Common { datadir, ..Common::default() })?.of(Network::Regtest))
    }

    /// The names of what was made, in order.
    pub(super) fn names(&self) -> Result<Vec<String>, Failure> {
        let io = |error| Failure::file(&self.path, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            let trace =
                name.starts_with("trace-") && (name.ends_with(".json") || name.ends_with(".svg"));
            if trace || MADE.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demos_own_files_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo");
        let demo = Directory::prepare(&path).unwrap();
        fs::create_dir_all(path.join("data/regtest")).unwrap();
        fs::write(path.join("trace-fifo.svg"), "").unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
        assert_eq!(demo.names().unwrap(), ["data", "trace-fifo.svg"]);
        let again = Directory::prepare(&path).unwrap();
        assert!(again.names().unwrap().is_empty());
        assert!(path.join("notes.txt").exists());
        fs::remove_file(path.join(MARKER)).unwrap();
        assert!(Directory::prepare(&path).is_err());
        assert!(path.join("notes.txt").exists());
    }
}
