//! `chainhound case …`.

mod keygen;
mod new;
mod proofs;
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
        CaseVerb::Keygen(args) => keygen::run(args, session),
    }
}
