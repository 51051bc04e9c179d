//! `chainhound tags import`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use intel::import::NoteKind;

use super::{SOURCE, Session};
use crate::{
    args::{Format, ImportArgs},
    failure::{Exit, Failure},
    labels::{self, FORMATS, KeptDefaults, Library},
    output::{BrokenRow, Document, Provenance, ReadRow, TagSizes, TagsImportDocument},
};

/// Reads files into the labels.
pub(super) fn run(args: &ImportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let paths = files(&args.paths)?;
    let mut library = Library::open(&place)?;
    session.say.detail(format_args!("reading {} files for {}", paths.len(), place.network));
    let format = args.read_as.as_deref().and_then(|name| {
        FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    });
    let defaults = defaults(args);
    let (mut fresh, mut broken) = (Vec::new(), Vec::new());
    for read in library.read(&paths, format, &defaults) {
        match read {
            Ok(read) => fresh.push(read),
            Err((path, error)) => {
                let path = path.display().to_string();
                session.say.warning(format_args!("not imported: {error}"));
                broken.push(BrokenRow { path, error });
            }
        }
    }
    for read in &fresh {
        let report = &read.import.report;
        for rejected in &report.rejected {
            session.say.warning(format_args!("rejected: {}", report.line_of(rejected)));
        }
        for note in &report.notes {
            let line = format_args!("{}: {note}", report.name);
            match note.kind {
                // No rule and no walk knows what such a label means: whoever imports it should.
                NoteKind::UnknownConcept(_) => session.say.warning(line),
                _ => session.say.detail(line),
            }
        }
    }
    let changed = !fresh.is_empty() && library.replace(&fresh)?;
    let set = labels::open_or_initial(&place)?;
    let exit = if broken.is_empty() { Exit::Done } else { Exit::Unavailable };
    let body = TagsImportDocument {
        documents: fresh.iter().map(|read| ReadRow::of(&read.import.report)).collect(),
        broken,
        changed,
        sizes: TagSizes::of(&set),
    };
    match args.format.format {
        Format::Json => {
            let shown = |path: &PathBuf| path.display().to_string();
            let parameters = Parameters {
                paths: args.paths.iter().map(shown).collect(),
                read_as: args.read_as.clone(),
                defaults,
            };
            let provenance =
                Provenance::of(SOURCE, place.network, None, parameters).with_labels(Some(&set));
            session.output.json(&Document::new("chainhound.tags_import.v1", provenance, body))?;
        }
        Format::Table => {
            let text = body.to_table(session.output.colour());
            session.output.text(&text)?;
        }
    }
    Ok(exit)
}

#[derive(serde::Serialize)]
struct Parameters {
    paths: Vec<String>,
    read_as: Option<String>,
    defaults: KeptDefaults,
}

fn defaults(args: &ImportArgs) -> KeptDefaults {
    let given = &args.defaults;
    KeptDefaults {
        title: given.title.clone(),
        label: given.label.clone(),
        source: given.source.clone(),
        category: given.category.clone(),
        abuse: given.abuse.clone(),
        concepts: given.concept.clone(),
        actor: given.actor.clone(),
        confidence: given.confidence.clone(),
        lastmod: given.lastmod.clone(),
        currency: given.currency.clone(),
    }
}

/// The files that are meant: those named, and of directories those that look like labels. In
/// order, each once.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in named {
        let meta = fs::metadata(path).map_err(|error| Failure::file(path, error))?;
        if !meta.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        directory(path, &mut found)?;
        if found.len() == before {
            return Err(Failure::unavailable(format!("{}: no labels in here", path.display()))
                .hint(
                    "in a directory, files of these names are read: *.yaml, *.json, *.csv and \
                 sanctioned_addresses_*.txt; others must be named one by one",
                ));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn directory(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let io = |error| Failure::file(path, error);
    for entry in fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(io)?);
        // Links to directories are not followed: they may lead round in circles.
        if kind.is_dir() {
            directory(&path, found)?;
        } else if path.is_file() && intel::Format::is_readable_name(&path.to_string_lossy()) {
            found.push(path);
        }
    }
    Ok(())
}
