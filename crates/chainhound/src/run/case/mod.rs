//! `chainhound case …`.

mod book;
mod dossier;
mod explored;
mod export;
mod keygen;
mod new;
mod proofs;
mod report;
mod run;
mod verify;

use super::Session;
use crate::{
    args::CaseVerb,
    failure::{Exit, Failure},
};

/// Does what was asked.
pub(crate) fn run(verb: &CaseVerb, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match verb {
        CaseVerb::New(args) => new::run(args, session),
        CaseVerb::Run(args) => run::run(args, session),
        CaseVerb::Verify(args) => verify::run(args, session),
        CaseVerb::Report(args) => report::run(args, session),
        CaseVerb::Export(args) => export::run(args, session),
        CaseVerb::Keygen(args) => keygen::run(args, session),
        CaseVerb::Add(args) => book::add(args, session),
        CaseVerb::List(args) => book::list(args, session),
        CaseVerb::Show(args) => book::show(args, session),
        CaseVerb::Note(args) => book::note(args, session),
        CaseVerb::Status(args) => book::status(args, session),
        CaseVerb::Assign(args) => book::assign(args, session),
        CaseVerb::Attach(args) => book::attach(args, session),
        CaseVerb::Log(args) => book::log(args, session),
    }
}
