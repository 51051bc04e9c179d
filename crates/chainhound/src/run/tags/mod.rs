//! `chainhound tags`: what sources say about addresses.

mod export;
mod import;
mod lookup;

use std::path::PathBuf;

use super::Session;
use crate::{
    args::{Format, ListArgs, RemoveArgs, TagsVerb},
    failure::{Exit, Failure},
    labels::{self, Library},
    output::{Document, Provenance, TagSizes, TagsListDocument},
};

/// Runs a verb of `tags`.
pub(crate) fn run(verb: &TagsVerb, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match verb {
        TagsVerb::Import(args) => import::run(args, session),
        TagsVerb::Lookup(args) => lookup::run(args, session),
        TagsVerb::Export(args) => export::run(args, session),
        TagsVerb::List(args) => list(args, session),
        TagsVerb::Remove(args) => remove(args, session),
    }
}

/// What the provenance calls labels as the place where an answer comes from.
const SOURCE: &str = "labels";

#[derive(serde::Serialize)]
struct NoParameters {}

fn list(args: &ListArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let set = labels::open_or_initial(&place)?;
    let documents = labels::documents(&place, &set)?;
    let body = TagsListDocument { documents, sizes: TagSizes::of(&set) };
    match args.format.format {
        Format::Json => {
            let provenance = Provenance::of(SOURCE, place.network, None, NoParameters {})
                .with_labels(Some(&set));
            session.output.json(&Document::new("chainhound.tags_list.v1", provenance, body))?;
        }
        Format::Table => {
            let text = body.to_table(session.output.colour());
            session.output.text(&text)?;
        }
    }
    Ok(Exit::Done)
}

fn remove(args: &RemoveArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let mut library = Library::open(&place)?;
    let mut meant: Vec<String> = Vec::new();
    for path in &args.paths {
        // The file itself may be gone, so its name is all there is to go by.
        let named = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        let named: PathBuf = named.map_err(|error| Failure::file(path, error))?;
        let before = meant.len();
        let known = library.documents().iter().map(|kept| &kept.path);
        meant.extend(known.filter(|known| PathBuf::from(known).starts_with(&named)).cloned());
        if meant.len() == before {
            return Err(Failure::unavailable(format!("{}: no such import", named.display()))
                .hint("see all of them with `chainhound tags list`"));
        }
    }
    library.remove(|kept| meant.contains(&kept.path))?;
    for path in &meant {
        session.say.note(format_args!("removed {path}"));
    }
    Ok(Exit::Done)
}
