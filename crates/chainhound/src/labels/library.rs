//! The documents behind a tag set: kept as they were, replaced by newer editions of themselves.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use chain::Network;
use intel::{Defaults, Document, Format, Import, IntelError, Settings, TagSet, TagSetBuilder};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{durable, failure::Failure, place::Place};

/// The tag set in force.
pub(super) const SET: &str = "tags.bin";
/// The lists of documents.
const IMPORTS: &str = "imports";
/// The documents.
const DOCUMENTS: &str = "documents";
/// Version of the list.
const VERSION: u32 = 1;
/// Most bytes that are read of a document; `intel` refuses as many.
const MOST_BYTES: u64 = (1 << 28) + 1;

/// The labels of a network, opened for writing: nobody else can while this lives.
#[derive(Debug)]
pub(crate) struct Library {
    dir: PathBuf,
    network: Network,
    documents: Vec<Kept>,
    /// Whether the set on disk is the one of these documents.
    whole: bool,
    _lock: File,
}

/// A document that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// The file that it came from: importing that file again replaces it.
    pub(crate) path: String,
    /// Hash of its bytes, under which they are kept.
    pub(crate) blake3: String,
    /// How many bytes that are.
    pub(crate) bytes: u64,
    /// The format that it was said to have; `None`: found out.
    pub(crate) format: Option<String>,
    /// What was said for rows that do not say it.
    pub(crate) defaults: KeptDefaults,
}

/// [`Defaults`] as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeptDefaults {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) abuse: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) concepts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lastmod: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    version: u32,
    documents: Vec<Kept>,
}

/// A document that was read just now.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) kept: Kept,
    pub(crate) import: Import,
    bytes: Vec<u8>,
}

impl Library {
    /// Opens the labels of a network for writing, and makes their directory where there is none.
    ///
    /// # Errors
    /// [`Failure`] where another import is at work.
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        let (dir, network) = (place.labels(), place.network);
        for dir in [&dir, &dir.join(IMPORTS), &dir.join(DOCUMENTS)] {
            fs::create_dir_all(dir).map_err(|error| Failure::file(dir, error))?;
        }
        let lock = durable::lock(&dir.join("lock"), "chainhound tags import")?;
        let (documents, whole) = known(&dir, network)?;
        Ok(Self { dir, network, documents, whole, _lock: lock })
    }

    /// The documents that the set is made from, by path.
    pub(crate) fn documents(&self) -> &[Kept] {
        &self.documents
    }

    /// Reads files, several at a time. Each gives its rows or why it cannot be read at all.
    pub(crate) fn read(
        &self,
        paths: &[PathBuf],
        format: Option<Format>,
        defaults: &KeptDefaults,
    ) -> Vec<Result<Fresh, (PathBuf, String)>> {
        let read = |path: &PathBuf| {
            fresh(path, self.network, format, defaults).map_err(|why| (path.clone(), why))
        };
        paths.par_iter().map(read).collect()
    }

    /// Puts documents in force, in place of older editions of themselves. Whether anything changed.
    ///
    /// # Errors
    /// [`Failure`]; then everything is as before.
    pub(crate) fn replace(&mut self, fresh: &[Fresh]) -> Result<bool, Failure> {
        let mut documents: Vec<Kept> = self.documents.clone();
        documents.retain(|kept| !fresh.iter().any(|new| new.kept.path == kept.path));
        documents.extend(fresh.iter().map(|new| new.kept.clone()));
        documents.sort_by(|a, b| a.path.cmp(&b.path));
        self.commit(documents, fresh)
    }

    /// Takes documents out again. Whether anything changed.
    ///
    /// # Errors
    /// [`Failure`]; then everything is as before.
    pub(crate) fn remove(&mut self, is_meant: impl Fn(&Kept) -> bool) -> Result<bool, Failure> {
        let mut documents = self.documents.clone();
        documents.retain(|kept| !is_meant(kept));
        self.commit(documents, &[])
    }

    fn commit(&mut self, documents: Vec<Kept>, fresh: &[Fresh]) -> Result<bool, Failure> {
        if self.whole && documents == self.documents {
            return Ok(false);
        }
        let of = |kept: &Kept| fresh.iter().find(|new| new.kept == *kept);
        let others: Vec<&Kept> = documents.iter().filter(|kept| of(kept).is_none()).collect();
        let again: Vec<Import> =
            others.par_iter().map(|kept| self.again(kept)).collect::<Result<_, _>>()?;
        let mut builder = TagSetBuilder::new(self.network);
        builder.add(&intel::builtin(self.network)?)?;
        for import in fresh.iter().map(|new| &new.import).chain(&again) {
            builder.add(import)?;
        }
        let set = builder.build()?;

        for new in fresh {
            write(&self.document(&new.kept), &new.bytes)?;
        }
        let list = List { version: VERSION, documents: documents.clone() };
        let mut json = serde_json::to_vec_pretty(&list).map_err(std::io::Error::from)?;
        json.push(b'\n');
        write(&list_path(&self.dir, &set), &json)?;
        write(&self.dir.join(SET), set.as_bytes())?;
        self.documents = documents;
        self.whole = true;
        self.sweep(&set);
        Ok(true)
    }

    /// Reads a document that is kept.
    fn again(&self, kept: &Kept) -> Result<Import, Failure> {
        let path = self.document(kept);
        let bytes = fs::read(&path).map_err(|error| Failure::file(&path, error))?;
        if blake3::hash(&bytes).to_string() != kept.blake3 {
            return Err(Failure::unavailable(format!(
                "{}: its checksum does not hold",
                path.display()
            ))
            .hint(format!("take it out with `chainhound tags remove {}`", kept.path)));
        }
        let (format, defaults) = (kept.format.as_deref().and_then(format_by_name), &kept.defaults);
        import(&kept.path, &bytes, self.network, format, defaults)
            .map_err(|error| Failure::unavailable(error.to_string()))
    }

    fn document(&self, kept: &Kept) -> PathBuf {
        self.dir.join(DOCUMENTS).join(&kept.blake3)
    }

    /// Removes what the set in force does not need. What a kill leaves lying here does no harm, so
    /// neither does a file that cannot be removed.
    fn sweep(&self, set: &TagSet) {
        let list = list_path(&self.dir, set);
        for path in files(&self.dir.join(IMPORTS)) {
            if path != list {
                let _ = fs::remove_file(path);
            }
        }
        for path in files(&self.dir.join(DOCUMENTS)) {
            if !self.documents.iter().any(|kept| self.document(kept) == path) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// The formats by the names of the flag.
pub(crate) const FORMATS: [(&str, Format); 6] = [
    ("tagpack", Format::TagPack),
    ("actorpack", Format::ActorPack),
    ("lines", Format::Lines),
    ("array", Format::Array),
    ("csv", Format::Csv),
    ("pools", Format::Pools),
];

fn format_by_name(name: &str) -> Option<Format> {
    FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
}

/// The documents of the set on disk, and whether that set can be used.
fn known(dir: &Path, network: Network) -> Result<(Vec<Kept>, bool), Failure> {
    let path = dir.join(SET);
    let list = match super::read(&path, network)? {
        None => return Ok((Vec::new(), false)),
        Some(Ok(set)) => list_path(dir, &set),
        // Damaged, or of an older version: the documents make it again, if it is clear which.
        Some(Err(error)) => match files(&dir.join(IMPORTS)).as_slice() {
            [only] => return Ok((read_list(only)?, false)),
            _ => return Err(Failure::unavailable(format!("{}: {error}", path.display()))),
        },
    };
    Ok((read_list(&list)?, true))
}

pub(super) fn list_path(dir: &Path, set: &TagSet) -> PathBuf {
    dir.join(IMPORTS).join(format!("{}.json", set.digest()))
}

pub(super) fn read_list(path: &Path) -> Result<Vec<Kept>, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::file(path, error).hint(
            "it says which documents tags.bin was made from; without it, move the directory of the \
             labels away and import them again",
        )
    })?;
    let broken = |what: String| Failure::unavailable(format!("{}: {what}", path.display()));
    let list: List = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    if list.version != VERSION {
        return Err(broken(format!("version {}, and this program knows {VERSION}", list.version)));
    }
    Ok(list.documents)
}

fn fresh(
    path: &Path,
    network: Network,
    format: Option<Format>,
    defaults: &KeptDefaults,
) -> Result<Fresh, String> {
    let whole = |error: std::io::Error| format!("{}: {error}", path.display());
    // The same file under another spelling is still the same file.
    let path = fs::canonicalize(path).map_err(whole)?;
    let whole = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(whole)?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(whole)?;
    let name = path.display().to_string();
    let import = import(&name, &bytes, network, format, defaults).map_err(|e| e.to_string())?;
    let by_format = |(_, known): &&(&str, Format)| Some(*known) == format;
    let kept = Kept {
        path: name,
        blake3: blake3::hash(&bytes).to_string(),
        bytes: bytes.len() as u64,
        format: FORMATS.iter().find(by_format).map(|(name, _)| (*name).to_owned()),
        defaults: defaults.clone(),
    };
    Ok(Fresh { kept, import, bytes })
}

fn import(
    name: &str,
    bytes: &[u8],
    network: Network,
    format: Option<Format>,
    kept: &KeptDefaults,
) -> Result<Import, IntelError> {
    let KeptDefaults { title, label, source, category, abuse, concepts, .. } = kept.clone();
    let KeptDefaults { actor, confidence, lastmod, currency, .. } = kept.clone();
    let defaults = Defaults {
        title,
        label,
        source,
        category,
        abuse,
        concepts,
        actor,
        confidence,
        lastmod,
        currency,
        ..Defaults::default()
    };
    intel::import(Document { name, bytes }, &Settings { network, format, defaults })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    durable::write(path, |file| file.write_all(bytes))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::Common, place::DataDir};

    fn place(dir: &Path) -> Place {
        let common = Common { datadir: Some(dir.join("data")), ..Common::default() };
        DataDir::new(&common).unwrap().of(Network::Mainnet)
    }

    /// Imports a list of addresses.
    fn import(dir: &Path, name: &str, addresses: &[&str]) -> bool {
        let path = dir.join(name);
        fs::write(&path, addresses.join("\n")).unwrap();
        let mut library = Library::open(&place(dir)).unwrap();
        let defaults = KeptDefaults {
            label: Some("x".into()),
            source: Some("y".into()),
            ..KeptDefaults::default()
        };
        let fresh: Vec<Fresh> =
            library.read(&[path], None, &defaults).into_iter().map(Result::unwrap).collect();
        library.replace(&fresh).unwrap()
    }

    fn scripts(dir: &Path) -> usize {
        super::super::open(&place(dir)).unwrap().unwrap().scripts().count()
    }

    const ONE: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    const TWO: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";

    #[test]
    fn a_newer_edition_replaces_the_older_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert!(import(dir, "a.txt", &[ONE, TWO]));
        assert!(!import(dir, "a.txt", &[ONE, TWO]));
        assert!(import(dir, "b.txt", &[TWO]));
        assert_eq!(scripts(dir), 2);
        // TWO is still in the other document.
        assert!(import(dir, "a.txt", &[ONE]));
        assert_eq!(scripts(dir), 2);
        assert!(import(dir, "b.txt", &[ONE]));
        assert_eq!(scripts(dir), 1);
        let labels = place(dir).labels();
        assert_eq!(
            (files(&labels.join(IMPORTS)).len(), files(&labels.join(DOCUMENTS)).len()),
            (1, 1)
        );
        let mut library = Library::open(&place(dir)).unwrap();
        assert!(library.remove(|kept| kept.path.ends_with("b.txt")).unwrap());
        assert_eq!((library.documents().len(), scripts(dir)), (1, 1));
    }

    #[test]
    fn what_a_kill_leaves_lying_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        import(dir, "a.txt", &[ONE]);
        let labels = place(dir).labels();
        let before = fs::read(labels.join(SET)).unwrap();
        // Everything of the next import but its last step.
        import(dir, "b.txt", &[TWO]);
        let list = files(&labels.join(IMPORTS)).pop().unwrap();
        let next = fs::read(labels.join(SET)).unwrap();
        fs::remove_file(dir.join("a.txt")).unwrap();
        let mut library = Library::open(&place(dir)).unwrap();
        library.remove(|kept| kept.path.ends_with("b.txt")).unwrap();
        drop(library);
        fs::write(&list, "left lying").unwrap();
        fs::write(labels.join("tags.bin.next"), &next[..100]).unwrap();
        assert_eq!(fs::read(labels.join(SET)).unwrap(), before);
        assert_eq!(Library::open(&place(dir)).unwrap().documents().len(), 1);
        import(dir, "b.txt", &[TWO]);
        assert_eq!(fs::read(labels.join(SET)).unwrap(), next);
    }

    #[test]
    fn a_damaged_set_is_made_again_from_its_documents() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        import(dir, "a.txt", &[ONE]);
        let set = place(dir).labels().join(SET);
        let good = fs::read(&set).unwrap();
        let mut bad = good.clone();
        bad[200] ^= 1;
        fs::write(&set, bad).unwrap();
        let error = super::super::open(&place(dir)).unwrap_err().to_string();
        assert!(error.contains("checksum") && error.contains("tags import"), "{error}");
        assert!(import(dir, "a.txt", &[ONE]));
        assert_eq!(fs::read(&set).unwrap(), good);
    }

    #[test]
    fn two_imports_at_once_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Library::open(&place(dir.path())).unwrap();
        let error = Library::open(&place(dir.path())).unwrap_err().to_string();
        assert!(error.contains("another `chainhound tags import`"), "{error}");
    }
}
