//! The clusterings of a network, kept in files beside its store.
//!
//! In `<datadir>/<network>/clusters`, for each rule:
//!
//! | file | what |
//! |---|---|
//! | `<rule>.clusters` | the clustering in force, as `analyze::cluster` writes it |
//! | `<rule>.before` | the one of an earlier tip, for `cluster diff` |
//! | `lock` | held by the one build that writes |
//!
//! `chainhound index --follow` takes them along; `chainhound cluster build` makes them.
//!
//! A file is replaced in one step, so a kill at any instant leaves the clustering of before or the new
//! one. Every change of its bytes is noticed when it is read.

mod follow;
mod rule;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use analyze::cluster::{Basis, Clustering};
use chain::Ledger;

pub(crate) use self::{
    follow::Followed,
    rule::{Watched, Which, by_rule},
};

use crate::{durable, failure::Failure, place::Place};

/// A clustering that lacks more than this share of the store's transactions is built again: a batch
/// works on all threads, and block by block on one.
pub(crate) const FAR_BEHIND: u32 = 4;

/// The clusterings of one network.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
}

impl Shelf {
    /// Those of this network.
    pub(crate) fn of(place: &Place) -> Self {
        Self { dir: place.clusters() }
    }

    /// Where the clustering in force lies.
    pub(crate) fn path(&self, which: Which) -> PathBuf {
        self.dir.join(format!("{}.clusters", which.name()))
    }

    /// Where the one of an earlier tip lies.
    pub(crate) fn path_before(&self, which: Which) -> PathBuf {
        self.dir.join(format!("{}.before", which.name()))
    }

    /// The clustering in force; `None` where none was built.
    ///
    /// # Errors
    /// [`Failure`] with the path, for damage too.
    pub(crate) fn read(&self, which: Which) -> Result<Option<Clustering>, Failure> {
        read(&self.path(which), which)
    }

    /// The clustering of an earlier tip.
    ///
    /// # Errors
    /// [`Failure`] with the path, for damage too.
    pub(crate) fn read_before(&self, which: Which) -> Result<Option<Clustering>, Failure> {
        read(&self.path_before(which), which)
    }

    /// Opens the directory for writing: nobody else can write while the file lives.
    ///
    /// # Errors
    /// [`Failure`] where another program writes.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        fs::create_dir_all(&self.dir).map_err(|error| Failure::file(&self.dir, error))?;
        durable::lock(&self.dir.join("lock"), "chainhound cluster build")
    }

    /// Puts a clustering in force, and gives its digest. The one of before is kept beside it where
    /// `keep_before` says so.
    ///
    /// # Errors
    /// [`Failure`] with the path; then what was in force still is.
    pub(crate) fn put(
        &self,
        which: Which,
        clustering: &Clustering,
        keep_before: bool,
    ) -> Result<[u8; 32], Failure> {
        let path = self.path(which);
        if keep_before {
            durable::keep_as(&path, &self.path_before(which))?;
        }
        let mut digest = [0; 32];
        durable::write(&path, |file| {
            digest = clustering.encode(|piece| file.write_all(piece))?;
            Ok(())
        })?;
        Ok(digest)
    }
}

fn read(path: &Path, which: Which) -> Result<Option<Clustering>, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file(path, error)),
    };
    let broken = |what: String| {
        Failure::unavailable(format!("{}: {what}", path.display()))
            .hint("`chainhound cluster build --rebuild` makes it again from the store")
    };
    let clustering = Clustering::decode(&bytes).map_err(|error| broken(error.to_string()))?;
    if clustering.basis().rule != which.name() {
        let (is, wanted) = (&clustering.basis().rule, which.name());
        return Err(broken(format!("a clustering by the rule '{is}', and not by '{wanted}'")));
    }
    Ok(Some(clustering))
}

/// Whether the last block of a clustering is one of the ledger's.
///
/// # Errors
/// Whatever the ledger reports.
pub(crate) fn is_on(ledger: &dyn Ledger, basis: &Basis) -> chain::Result<bool> {
    let Some(tip) = basis.tip else { return Ok(ledger.tip().is_none()) };
    Ok(ledger.block(tip.height)?.is_some_and(|block| block.hash == tip.hash))
}

/// How many blocks a clustering lies behind the ledger.
pub(crate) fn blocks_behind(ledger: &dyn Ledger, basis: &Basis) -> u32 {
    match (ledger.tip(), basis.tip) {
        (Some(tip), Some(built)) => tip.height.0.saturating_sub(built.height.0),
        (Some(tip), None) => tip.height.0.saturating_add(1),
        (None, _) => 0,
    }
}
