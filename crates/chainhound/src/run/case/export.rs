//! `chainhound case export`.

use cases::{
    bundle::{self, Outcome},
    export::{self, Source},
};

use super::verify;
use crate::{
    args::CaseExportArgs,
    durable,
    failure::{Exit, Failure},
    run::Session,
};

/// Checks a bundle, and writes what it says for another program.
pub(super) fn run(args: &CaseExportArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let path = args.bundle.display();
    if args.bundle.extension().is_some_and(|ending| ending == "toml") {
        let hint = format!(
            "`chainhound case run {path} --out CASE.zip --blocks-dir DIR` makes it, then `chainhound \
             case export CASE.zip --format {}`",
            args.format
        );
        return Err(Failure::usage(format!("{path}: an export is made from a bundle")).hint(hint));
    }
    let bytes = verify::read(&args.bundle)?;
    let verdict = bundle::verify(&bytes, None);
    if let Some(check) = verdict.checks.iter().find(|check| check.outcome == Outcome::Fails) {
        session.say.warning(format_args!(
            "{path}: {}: {}. Nothing is exported from a bundle that does not hold: `chainhound case \
             verify` says all that is wrong",
            check.file.as_deref().unwrap_or(check.name),
            check.detail
        ));
        return Ok(Exit::Negative);
    }
    if !verdict.is_complete() {
        session.say.warning(
            "the results were not computed again, because a program of another version made them",
        );
    }
    let text = export::write(&Source::read(&bytes)?, args.format, args.tlp)?;
    match &args.out {
        Some(out) => durable::write(out, |file| file.write_all(text.as_bytes()))?,
        None => session.output.text(&text)?,
    }
    Ok(if verdict.is_complete() { Exit::Done } else { Exit::Inconclusive })
}
