//! `chainhound index --esplora`: single transactions, kept as they were told.
//!
//! The files are copied byte by byte: they are what an answer rests on, and a later release may
//! read more out of them. All of them together are the sparse chain of the network.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chain::{Ledger, Network};

use super::Session;
use crate::{
    args::Format,
    durable,
    failure::{Exit, Failure},
    ledger,
    output::{Provenance, SparseDocument},
    place::DataDir,
};

/// Adds a file, or the files of a directory, to what is kept.
pub(super) fn keep(
    source: &Path,
    format: Format,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    // The transactions do not say of which network they are.
    let network = session.common.network.unwrap_or(Network::Mainnet);
    let place = DataDir::new(session.common)?.of(network);
    let kept = place.sparse();
    let mut known = Vec::new();
    for path in if kept.is_dir() { files(&kept)? } else { Vec::new() } {
        known.push(read(&path)?);
    }
    let mut new = Vec::new();
    for path in if source.is_dir() { files(source)? } else { vec![source.to_owned()] } {
        let bytes = read(&path)?;
        if !known.contains(&bytes) {
            known.push(bytes.clone());
            new.push((path, bytes));
        }
    }

    // Nothing is kept unless all of it makes sense together.
    let paths: Vec<&Path> = if kept.is_dir() { vec![&kept, source] } else { vec![source] };
    let all = ledger::read_sparse(&paths, network, session.say)?;
    fs::create_dir_all(&kept).map_err(|error| Failure::file(&kept, error))?;
    let first = known.len() - new.len();
    for (number, (path, bytes)) in (first..).zip(&new) {
        write(&kept, number, path, bytes)?;
    }
    if place.has_graph() {
        session.say.warning(format_args!(
            "{} has a store of the whole chain too, and that one answers",
            place.graph().display()
        ));
    }

    let body = SparseDocument {
        network: network.name(),
        tip: all.tip().map(Into::into),
        files: known.len() as u64,
        added: new.len() as u64,
        transactions: all.tx_count(),
        path: kept.display().to_string(),
    };
    let parameters = Parameters { esplora: source.display().to_string() };
    let provenance = Provenance::of("sparse", network, all.tip(), parameters);
    session.output.answer(format, provenance, body)?;
    Ok(Exit::Done)
}

/// Sum of the sizes of the files kept.
pub(super) fn bytes(kept: &Path) -> Result<u64, Failure> {
    let size = |path: &PathBuf| fs::metadata(path).map(|meta| meta.len());
    files(kept)?.iter().try_fold(0, |sum, path| {
        size(path).map(|bytes| sum + bytes).map_err(|error| Failure::file(path, error))
    })
}

#[derive(serde::Serialize)]
struct Parameters {
    esplora: String,
}

/// The files that are read when a directory is given, by name.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let io = |error| Failure::file(dir, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.is_file() && ending(&path).is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn ending(path: &Path) -> Option<&str> {
    let ending = path.extension()?.to_str()?;
    ["json", "jsonl", "ndjson", "hex"].contains(&ending).then_some(ending)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::file(path, error))
}

/// A new name of its own, and in place only when it is whole.
fn write(kept: &Path, number: usize, source: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let stem = source.file_stem().and_then(|stem| stem.to_str()).unwrap_or("transactions");
    let name = format!("{number:06}-{stem}.{}", ending(source).unwrap_or("json"));
    durable::write(&kept.join(&name), |file| file.write_all(bytes))
}
