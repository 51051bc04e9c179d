//! `chainhound tags export`.

use std::{fs, path::Path};

use super::Session;
use crate::{
    args::ExportArgs,
    failure::{Exit, Failure},
    labels,
};

/// Writes the labels as packs.
pub(super) fn run(args: &ExportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let set = labels::open_or_initial(&place)?;
    let wanted = args.pack.as_deref().map(str::to_lowercase);
    let packs = intel::export(&set, |pack| {
        wanted.as_ref().is_none_or(|text| pack.title.to_lowercase().contains(text))
    });
    if packs.is_empty() {
        let text = args.pack.as_deref().unwrap_or_default();
        return Err(Failure::unavailable(format!("no pack has '{text}' in its title")));
    }
    match &args.out {
        Some(dir) => {
            fs::create_dir_all(dir).map_err(|error| Failure::file(dir, error))?;
            for pack in &packs {
                write(&dir.join(&pack.name), &pack.yaml)?;
            }
            session.say.note(format_args!("wrote {} files to {}", packs.len(), dir.display()));
        }
        None => {
            let many = packs.len() > 1;
            for pack in &packs {
                if many {
                    session.output.text(&format!("--- # {}\n", pack.name))?;
                }
                session.output.text(&pack.yaml)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn write(path: &Path, yaml: &str) -> Result<(), Failure> {
    fs::write(path, yaml).map_err(|error| Failure::file(path, error))
}
