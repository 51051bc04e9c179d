//! `chainhound case add`, `list`, `show`, `note`, `status`, `assign`, `attach` and `log`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use cases::{
    Case,
    book::{Action, Book, CaseState, Subject},
};
use chain::Network;

use crate::{
    args::{
        ByArg, CaseAddArgs, CaseAssignArgs, CaseAttachArgs, CaseListArgs, CaseLogArgs,
        CaseNoteArgs, CaseShowArgs, CaseStatusArgs,
    },
    durable,
    failure::{Exit, Failure},
    output::{CaseListDocument, CaseLogDocument, CaseShowDocument, Provenance},
    place::DataDir,
    run::Session,
};

/// Takes a case in.
pub(super) fn add(args: &CaseAddArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let text = super::run::read_case(&args.case)?;
    let case = Case::parse(&text)
        .map_err(|error| Failure::from(error).within(&args.case.display().to_string()))?;
    let (title, network) = (case.title, case.network.name().to_owned());
    append(&args.name, Action::Add { title, network, case_file: text }, &args.by, session)
}

/// Writes something down.
pub(super) fn note(args: &CaseNoteArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let on = match &args.on {
        None => None,
        Some(text) => {
            let network = network_of(&open(session)?.case(&args.name)?)?;
            Some(Subject::parse(text, network)?.to_string())
        }
    };
    append(&args.name, Action::Note { on, text: args.text.clone() }, &args.by, session)
}

/// Says how a case stands.
pub(super) fn status(args: &CaseStatusArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    append(&args.name, Action::Status { status: args.status }, &args.by, session)
}

/// Says who works on a case.
pub(super) fn assign(args: &CaseAssignArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    append(&args.name, Action::Assign { to: args.to.clone() }, &args.by, session)
}

/// Keeps a file by its digest.
pub(super) fn attach(args: &CaseAttachArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    open(session)?.case(&args.name)?;
    let io = |error| Failure::file(&args.file, error);
    let sha256 = File::open(&args.file).and_then(cases::sha256_of).map_err(io)?;
    let kept = attachment(&DataDir::new(session.common)?, &sha256);
    if let Some(dir) = kept.parent() {
        fs::create_dir_all(dir).map_err(|error| Failure::file(dir, error))?;
    }
    let mut source = File::open(&args.file).map_err(io)?;
    durable::write(&kept, |out| std::io::copy(&mut source, out).map(|_| ()))?;
    // What was copied is what was hashed, also where the file was being written.
    let copied = File::open(&kept).and_then(cases::sha256_of);
    if copied.map_err(|error| Failure::file(&kept, error))? != sha256 {
        let _ = fs::remove_file(&kept);
        let path = args.file.display();
        return Err(Failure::unavailable(format!("{path}: changed while it was being read")));
    }
    let bytes = fs::metadata(&kept).map_err(|error| Failure::file(&kept, error))?.len();
    let name = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    append(&args.name, Action::Attach { name, bytes, sha256 }, &args.by, session)
}

/// Notes that a bundle of a case was made.
pub(super) fn bundled(
    name: &str,
    sha256: &str,
    as_of_height: u32,
    session: &mut Session<'_>,
) -> Result<(), Failure> {
    let action = Action::Bundle { sha256: sha256.to_owned(), as_of_height };
    append(name, action, &ByArg { by: None }, session).map(|_| ())
}

/// All cases.
pub(super) fn list(args: &CaseListArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let cases = open(session)?.cases()?;
    let body = CaseListDocument::new(cases.values());
    answer(args.format.format, body, session)
}

/// One case.
pub(super) fn show(args: &CaseShowArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let case = open(session)?.case(&args.name)?;
    answer(args.format.format, CaseShowDocument::new(&case), session)
}

/// What was done.
pub(super) fn log(args: &CaseLogArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let book = open(session)?;
    let dir = DataDir::new(session.common)?;
    let mut faults = Vec::new();
    let entries = match book.verify() {
        Ok(entries) => entries,
        Err(error @ cases::Error::Book { .. }) if args.verify => {
            faults.push(error.to_string());
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    if args.verify {
        for entry in &entries {
            let Action::Attach { name, sha256, .. } = &entry.action else { continue };
            let path = attachment(&dir, sha256);
            match File::open(&path).and_then(cases::sha256_of) {
                Ok(found) if found == *sha256 => {}
                Ok(_) => faults.push(format!(
                    "entry {}: {name} was changed: {}",
                    entry.n,
                    path.display()
                )),
                Err(error) => faults.push(format!("entry {}: {name}: {error}", entry.n)),
            }
        }
    }
    let body = CaseLogDocument::new(&entries, args.name.as_deref(), args.verify, faults)?;
    let body = body.with_head(args.head.as_deref());
    let exit = if body.holds() { Exit::Done } else { Exit::Negative };
    answer(args.format.format, body, session)?;
    Ok(exit)
}

fn open(session: &Session<'_>) -> Result<Book, Failure> {
    Ok(Book::open(&DataDir::new(session.common)?.cases().join("book.sqlite"))?)
}

/// Where a file with this digest is kept.
fn attachment(dir: &DataDir, sha256: &str) -> PathBuf {
    dir.cases().join(Path::new("attachments").join(sha256))
}

fn network_of(case: &CaseState) -> Result<Network, Failure> {
    case.network.parse().map_err(|_| Failure::unavailable("the book names a network that is none"))
}

fn append(
    name: &str,
    action: Action,
    by: &ByArg,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
    let by = by.by.clone().or_else(user).unwrap_or_else(|| "unknown".to_owned());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let at = now.map_or(0, |since| since.as_secs());
    let entry = open(session)?.append(at, &by, name, action)?;
    session.say.note(format_args!("entry {}: {}", entry.n, entry.digest()?));
    Ok(Exit::Done)
}

fn answer<B: crate::output::Body>(
    format: crate::args::Format,
    body: B,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let network = session.place()?.network;
    let provenance = Provenance::of("case_book", network, None, NoParameters {});
    session.output.answer(format, provenance, body)?;
    Ok(Exit::Done)
}

#[derive(serde::Serialize)]
struct NoParameters {}
