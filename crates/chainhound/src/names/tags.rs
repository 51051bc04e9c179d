//! The tag set of a question: named by flag, or the one that was imported.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::Network;
use intel::{Document, Settings, TagSet, TagSetBuilder};

use crate::{failure::Failure, labels, place::Place, say::Say};

/// The first bytes of a tag set's file.
const MAGIC: &[u8] = b"CHNDTAGS";

/// The labels in these files (tag sets, or whatever can be imported); without any, those that were
/// imported for the network, if there are.
///
/// # Errors
/// [`Failure`] for files that cannot be read, and for labels of another network.
pub(crate) fn find(files: &[PathBuf], place: &Place, say: &Say) -> Result<Option<TagSet>, Failure> {
    if files.is_empty() {
        return labels::open(place);
    }
    // The actors that come with the program are in every set that is imported, too.
    let initial = TagSet::initial(place.network)?;
    let mut builder = TagSetBuilder::from_set(&initial);
    for path in files {
        if path.is_dir() {
            return Err(Failure::usage(format!("{}: is a directory", path.display()))
                .hint("`chainhound tags import` reads whole directories; --tags takes files"));
        }
        let bytes = fs::read(path).map_err(|error| Failure::file(path, error))?;
        if bytes.starts_with(MAGIC) {
            let set = open(path, bytes, place.network)?;
            if let [_] = files {
                return Ok(Some(set));
            }
            return Err(Failure::usage(format!(
                "{} is a whole tag set: it stands alone, without other --tags",
                path.display()
            )));
        }
        let name = path.display().to_string();
        let document = Document { name: &name, bytes: &bytes };
        let import = intel::import(document, &Settings::new(place.network))?;
        let rejected = import.report.rejected.len();
        if rejected > 0 {
            say.warning(format_args!("{name}: {rejected} rows are no labels and are left out"));
        }
        builder.add(&import)?;
    }
    Ok(Some(builder.build()?))
}

/// Labels are needed for this, and there are none.
pub(crate) fn none(what: &str, network: Network) -> Failure {
    Failure::unavailable(format!("{what} needs labels, and there are none for {network}")).hint(
        "`chainhound tags import FILE` keeps them, or name a TagPack, a list or a tag set with \
         --tags FILE",
    )
}

fn open(path: &Path, bytes: Vec<u8>, network: Network) -> Result<TagSet, Failure> {
    let path = path.display();
    let set = TagSet::from_bytes(bytes)
        .map_err(|error| Failure::unavailable(format!("{path}: {error}")))?;
    match set.network() {
        found if found == network => Ok(set),
        found => Err(Failure::usage(format!("{path}: labels of {found}, and this is {network}"))),
    }
}
