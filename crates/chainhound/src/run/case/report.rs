//! `chainhound case report`.

use std::{fs, path::Path};

use cases::bundle::{self, Opened, Outcome, Verdict};
use report::dossier::Letter;

use super::{dossier, verify};
use crate::{
    args::CaseReportArgs,
    durable,
    failure::{Exit, Failure},
    output::{CaseReportDocument, Provenance},
    run::Session,
};

/// Checks a bundle, and writes what it says for people.
pub(super) fn run(args: &CaseReportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    if args.bundle.extension().is_some_and(|ending| ending == "toml") {
        let case = args.bundle.display();
        return Err(Failure::usage(format!("{case}: a report is made from a bundle")).hint(
            format!(
                "`chainhound case run {case} --out CASE.zip --blocks-dir DIR` makes it, then \
             `chainhound case report CASE.zip --out report.html`"
            ),
        ));
    }
    let bytes = verify::read(&args.bundle)?;
    let verdict = bundle::verify(&bytes, None);
    if let Some(fault) = fault(&verdict) {
        session.say.warning(format_args!(
            "{}: {fault}. There is no report on a bundle that does not hold: `chainhound case verify` \
             says all that is wrong",
            args.bundle.display()
        ));
        return Ok(Exit::Negative);
    }
    if !verdict.is_complete() {
        session.say.warning(format_args!(
            "the results were not computed again, because a program of another version made them; the \
             report says so"
        ));
    }
    let opened = Opened::read(&bytes)?;
    let dossier = dossier::dossier(&opened, &verdict, name(&args.bundle))?;
    let html = dossier.html(args.language)?;
    durable::write(&args.out, |file| file.write_all(html.as_bytes()))?;
    let letters = match &args.letters {
        Some(dir) => write(dir, dossier.letters(args.language)?)?,
        None => Vec::new(),
    };
    let body = CaseReportDocument::new(&opened, &verdict, args, &html, letters);
    let parameters =
        Parameters { bundle: args.bundle.display().to_string(), language: args.language.code() };
    let provenance = Provenance::of("bundle", opened.case.network, body.tip(), parameters);
    session.output.answer(args.format.format, provenance, body)?;
    Ok(if verdict.is_complete() { Exit::Done } else { Exit::Inconclusive })
}

#[derive(serde::Serialize)]
struct Parameters {
    bundle: String,
    language: &'static str,
}

/// The first thing that is wrong.
fn fault(verdict: &Verdict) -> Option<String> {
    let check = verdict.checks.iter().find(|check| check.outcome == Outcome::Fails)?;
    let place = check.file.as_deref().unwrap_or(check.name);
    Some(format!("{place}: {}", check.detail))
}

/// The file's name alone: where it lies on this machine is nobody's business.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Writes letters; gives path and service of each.
fn write(dir: &Path, letters: Vec<Letter>) -> Result<Vec<(String, String)>, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::file(dir, error))?;
    let mut written = Vec::new();
    for letter in letters {
        let path = dir.join(&letter.file);
        durable::write(&path, |file| file.write_all(letter.text.as_bytes()))?;
        written.push((path.display().to_string(), letter.service));
    }
    Ok(written)
}
