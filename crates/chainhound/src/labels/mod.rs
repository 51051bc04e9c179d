//! The labels of a network: the tag set that answers, and the documents that it was made from.
//!
//! In `<datadir>/<network>/labels`:
//!
//! | file | what |
//! |---|---|
//! | `tags.bin` | the tag set in force, and the only truth |
//! | `imports/<digest of the set>.json` | which documents that set was made from, and how they were read |
//! | `documents/<BLAKE3>` | their bytes, as they were |
//! | `lock` | held by the one import that writes |
//!
//! An import writes documents and list first and replaces `tags.bin` last, in one step. The set's
//! digest leads to its list, so a kill at any instant leaves the labels of before or the new ones,
//! and never a list that is another set's.

mod library;

use std::{fs, io, path::Path};

use chain::Network;
use intel::{IntelError, TagSet};

pub(crate) use self::library::{FORMATS, Kept, KeptDefaults, Library};

use crate::{failure::Failure, place::Place};

/// The labels that answers use: those imported; `None` where none were.
///
/// # Errors
/// [`Failure`] for damage and for labels of another network.
pub(crate) fn open(place: &Place) -> Result<Option<TagSet>, Failure> {
    let path = place.labels().join(library::SET);
    match read(&path, place.network)? {
        None => Ok(None),
        Some(set) => Ok(Some(set.map_err(|error| damaged(&path, &error))?)),
    }
}

/// The labels that were imported, or else those that come with the program: actors alone.
pub(crate) fn open_or_initial(place: &Place) -> Result<TagSet, Failure> {
    match open(place)? {
        Some(set) => Ok(set),
        None => Ok(TagSet::initial(place.network)?),
    }
}

/// The documents that a set was made from; none for the one that comes with the program.
pub(crate) fn documents(place: &Place, set: &TagSet) -> Result<Vec<Kept>, Failure> {
    if *set.as_bytes() == *TagSet::initial(place.network)?.as_bytes() {
        return Ok(Vec::new());
    }
    library::read_list(&library::list_path(&place.labels(), set))
}

/// The file's set, or what is wrong with it; `None` without the file.
fn read(path: &Path, network: Network) -> Result<Option<Result<TagSet, IntelError>>, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file(path, error)),
    };
    let set = TagSet::from_bytes(bytes);
    if let Ok(set) = &set
        && set.network() != network
    {
        let (path, found) = (path.display(), set.network());
        return Err(Failure::usage(format!("{path}: labels of {found}, and this is {network}")));
    }
    Ok(Some(set))
}

fn damaged(path: &Path, error: &IntelError) -> Failure {
    Failure::unavailable(format!("{}: {error}", path.display()))
        .hint("any `chainhound tags import` makes it again from the documents that it keeps")
}
