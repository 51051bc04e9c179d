//! Chainhound follows stolen bitcoin: the command line.
//!
//! Floor 6. Only this crate touches argv, the environment, stdout and exit codes; what it knows
//! about chains it asks the crates below. The way of a command: [`args`] is what was typed,
//! [`place`] which data it means, [`node`] which node, [`labels`] what sources say, [`run`] has one file per verb,
//! [`output`] is what comes out, and [`failure`] what comes out when nothing does.

mod amount;
mod args;
mod clusters;
mod config;
mod durable;
mod explore;
mod failure;
mod interrupt;
mod labels;
mod ledger;
mod lines;
mod names;
mod node;
mod output;
mod place;
mod root;
mod run;
mod say;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::{args::Cli, config::Settings, failure::Exit, output::Output, say::Say};

fn main() -> ExitCode {
    let parsed = Cli::command().try_get_matches();
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (mut cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // Help and version are no errors to clap's exit code either. A closed pipe is none at all.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let say = Say::new(&cli.common);
    let mut output = Output::new(&cli.common);
    let done = Settings::load(&mut cli.common, &matches)
        .and_then(|()| run::run(&cli, &say, &mut output))
        .and_then(|exit| {
            output.finish()?;
            Ok(exit)
        });
    match done {
        Ok(exit) => exit.code(),
        // The reader had enough, as in `chainhound address … | head`.
        Err(failure) if failure.is_broken_pipe() => Exit::Done.code(),
        Err(failure) => {
            say.failure(&failure);
            failure.exit().code()
        }
    }
}
