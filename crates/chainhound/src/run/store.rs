//! `chainhound store check` and `store inspect`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::Ledger;
use store::Store;

use super::Session;
use crate::{
    args::{CheckArgs, InspectArgs},
    failure::{Exit, Failure},
    output::{CheckDocument, FileSize, InspectDocument, Provenance},
};

/// Reads everything and compares it; [`Exit::Negative`] where something is wrong.
pub(crate) fn check(args: &CheckArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let path = place.graph();
    let tip = Store::open(&path)?.tip();
    let report = store::check(&path, |part| session.say.note(format_args!("checking {part} …")))?;
    let body = CheckDocument {
        good: report.is_good(),
        found: report.found,
        findings: report.findings.iter().map(ToString::to_string).collect(),
        sizes: report.counts.into(),
        path: path.display().to_string(),
    };
    let exit = if report.is_good() { Exit::Done } else { Exit::Negative };
    let provenance = Provenance::of("store", place.network, tip, NoParameters {});
    session.output.answer(args.format.format, provenance, body)?;
    Ok(exit)
}

/// Lists the files.
pub(crate) fn inspect(args: &InspectArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let path = place.graph();
    let store = Store::open(&path)?;
    let files = files(&path)?;
    let body = InspectDocument {
        format_version: store::FORMAT_VERSION,
        tip: store.tip().map(Into::into),
        sizes: store.counts().into(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        path: path.display().to_string(),
    };
    let tip = store.tip();
    let provenance = Provenance::of("store", place.network, tip, NoParameters {});
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}

#[derive(serde::Serialize)]
struct NoParameters {}

/// All files below the store's directory, by name.
fn files(root: &Path) -> Result<Vec<FileSize>, Failure> {
    let mut found = Vec::new();
    let mut todo: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).map_err(|error| Failure::file(&dir, error))? {
            let path = entry.map_err(|error| Failure::file(&dir, error))?.path();
            let meta = fs::metadata(&path).map_err(|error| Failure::file(&path, error))?;
            if meta.is_dir() {
                todo.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            found.push(FileSize { name, bytes: meta.len() });
        }
    }
    found.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(found)
}
