//! What the verbs do. Each asks the crates below, makes a document, and prints it.

mod address;
mod block;
mod case;
mod cluster;
mod coinjoin;
mod config;
mod demo;
mod describe;
mod doctor;
mod exposure;
mod index;
mod peel;
mod progress;
mod screen;
mod serve;
mod sparse;
mod status;
mod stops;
mod store;
mod subject;
mod tags;
mod trace;
mod tx;
mod watch;

use intel::TagSet;
use serde::Serialize;

pub(crate) use self::progress::Counter;

use crate::{
    args::{Cli, Common, Format, StoreVerb, Verb},
    failure::{Exit, Failure},
    ledger::{self, Chain, Origin},
    output::{Body, Output, Provenance},
    place::{DataDir, Place},
    say::Say,
};

/// What every verb works with.
pub(crate) struct Session<'a> {
    pub(crate) common: &'a Common,
    pub(crate) say: &'a Say,
    pub(crate) output: &'a mut Output,
}

impl Session<'_> {
    /// Where the data of the network in question lies.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        Ok(DataDir::new(self.common)?.choose(self.common, self.say))
    }

    /// Puts a question to the chain and prints the answer: parameters and body.
    fn answer<'a, P: Serialize, B: Body>(
        &mut self,
        place: &Place,
        from: impl Into<Origin<'a>>,
        format: Format,
        question: impl FnMut(&Chain) -> Result<(P, B), Failure>,
    ) -> Result<Exit, Failure> {
        self.answer_with(place, from, format, None, question)
    }

    /// The same for an answer that uses labels.
    fn answer_with<'a, P: Serialize, B: Body>(
        &mut self,
        place: &Place,
        from: impl Into<Origin<'a>>,
        format: Format,
        labels: Option<&TagSet>,
        mut question: impl FnMut(&Chain) -> Result<(P, B), Failure>,
    ) -> Result<Exit, Failure> {
        let (provenance, body) = ledger::ask(place, from, self.say, |chain| {
            let (parameters, body) = question(chain)?;
            Ok((Provenance::new(chain, parameters).with_labels(labels), body))
        })?;
        self.output.answer(format, provenance, body)?;
        Ok(Exit::Done)
    }
}

/// Runs a command.
///
/// # Errors
/// [`Failure`], which knows the exit code.
pub(crate) fn run(cli: &Cli, say: &Say, output: &mut Output) -> Result<Exit, Failure> {
    let session = &mut Session { common: &cli.common, say, output };
    match &cli.verb {
        Verb::Index(args) => index::run(args, session),
        Verb::Status(args) => status::run(args, session),
        Verb::Tx(args) => tx::run(args, session),
        Verb::Address(args) => address::run(args, session),
        Verb::Block(args) => block::run(args, session),
        Verb::Doctor(args) => doctor::run(args, session),
        Verb::Store(StoreVerb::Check(args)) => store::check(args, session),
        Verb::Store(StoreVerb::Inspect(args)) => store::inspect(args, session),
        Verb::Screen(args) => screen::run(args, session),
        Verb::Tags(verb) => tags::run(verb, session),
        Verb::Cluster(verb) => cluster::run(verb, session),
        Verb::CoinJoin(args) => coinjoin::run(args, session),
        Verb::Config(verb) => config::run(verb, session),
        Verb::Watch(verb) => watch::run(verb, session),
        Verb::Trace(args) => trace::run(args, session),
        Verb::Peel(args) => peel::run(args, session),
        Verb::Exposure(args) => exposure::run(args, session),
        Verb::Case(verb) => case::run(verb, session),
        Verb::Demo(args) => demo::run(args, session),
        Verb::Serve(args) => serve::run(args, session),
    }
}
