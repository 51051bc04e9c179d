//! `chainhound doctor`: what is wrong, and what to do about it. Changes nothing.

mod machine;
mod node;
mod store;

use chain::Network;
use serde::Serialize;

use crate::{
    args::DoctorArgs,
    failure::{Exit, Failure},
    node::NodeAt,
    output::{CheckRow, Condition, DoctorDocument, Provenance},
    place::DataDir,
    run::Session,
};

#[derive(Serialize)]
struct Parameters {
    node: Option<String>,
}

/// The lines so far, and whether something that everything else needs is not there.
#[derive(Debug, Default)]
struct Findings {
    rows: Vec<CheckRow>,
    missing: bool,
}

impl Findings {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        let (condition, found) = (Condition::Ok, found.into());
        self.rows.push(CheckRow { check, condition, found, advice: None });
    }

    fn warn(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let (condition, found, advice) = (Condition::Warn, found.into(), Some(advice.into()));
        self.rows.push(CheckRow { check, condition, found, advice });
    }

    fn bad(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let (condition, found, advice) = (Condition::Bad, found.into(), Some(advice.into()));
        self.rows.push(CheckRow { check, condition, found, advice });
    }

    /// The node or the store is not there.
    fn missing(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.missing = true;
        self.bad(check, found, advice);
    }

    fn worst(&self) -> Condition {
        self.rows.iter().map(|row| row.condition).max().unwrap_or(Condition::Ok)
    }
}

/// Looks, and prints what it found.
pub(crate) fn run(args: &DoctorArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    let at = args.node.as_ref().map(|url| NodeAt::new(url, &args.login, session.common));
    let at = at.transpose()?;
    let seen = at.as_ref().and_then(|at| node::check(at, &mut findings));
    let place = match &seen {
        Some(seen) => DataDir::new(session.common)?.of(seen.network()),
        None => session.place()?,
    };
    let tip = store::check(&place, seen.as_ref(), &mut findings);
    machine::disk(&place, &mut findings);
    machine::clock(seen.as_ref(), &mut findings);

    let condition = findings.worst();
    let exit = match condition {
        Condition::Bad if findings.missing => Exit::Unavailable,
        Condition::Bad => Exit::Negative,
        Condition::Ok | Condition::Warn => Exit::Done,
    };
    let network: Network = place.network;
    let parameters = Parameters { node: at.map(|at| at.url().to_owned()) };
    let provenance = Provenance::of("store", network, tip, parameters);
    let body = DoctorDocument { condition, checks: findings.rows, quiet: session.say.is_quiet() };
    session.output.answer(args.format.format, provenance, body)?;
    Ok(exit)
}
