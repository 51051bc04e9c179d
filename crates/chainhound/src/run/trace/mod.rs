//! `chainhound trace`.

mod question;
mod survey;

use std::{
    fs::File,
    io::{BufWriter, Write},
};

use analyze::trace::{Policy, Query};
use chain::Ledger;
use report::{
    export::{self, Format},
    model::{Context, TraceDocument},
};

pub(super) use self::question::{COINJOIN, SERVICE};

use self::question::Question;
use super::{
    Session,
    stops::{self, Rules},
};
use crate::{
    args::TraceArgs,
    explore,
    failure::{Exit, Failure},
    ledger::{self, Chain},
    output::{Survey, side_by_side},
};

/// Traces and prints.
pub(crate) fn run(args: &TraceArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let policies = args.policies().map_err(Failure::usage)?;
    check_flags(args, &policies)?;
    let place = session.place()?;
    let question = Question::parse(args, &place, session.say)?;
    let colour = session.output.colour() && args.out.is_none();
    let answer = match explore::url(args.esplora.as_deref()) {
        Some(url) => {
            let starts = question.starts();
            let told =
                explore::gather(url, &args.server, &place, session.say, &starts, &mut |ledger| {
                    question.wanted(ledger, &policies)
                })?;
            question.check(&told.chain, session.say)?;
            question.answer(&told.chain, Some(&told), &policies)?
        }
        None => ledger::ask(&place, args.esplora.as_deref(), session.say, |chain| {
            question.check(chain, session.say)?;
            question.answer(chain, None, &policies)
        })?,
    };
    let write = |out: &mut dyn Write| -> Result<(), Failure> {
        match (&answer, args.part) {
            (Answer::Whole(document), Some(part)) => export::csv::write(document, part, out)?,
            (Answer::Whole(document), None) => export::write(document, args.format, out)?,
            (Answer::Largest(survey), _) => survey.write(out)?,
            (Answer::SideBySide(surveys), _) => {
                out.write_all(side_by_side(surveys, colour).as_bytes())?;
            }
        }
        Ok(())
    };
    match &args.out {
        None => write(session.output.writer())?,
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::file(path, error))?;
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.flush().map_err(|error| Failure::file(path, error))?;
            session.say.note(format_args!("written to {}", path.display()));
        }
    }
    Ok(Exit::Done)
}

/// What a trace found, as far as the format needs it.
enum Answer {
    /// Every step and leaf.
    Whole(Box<TraceDocument>),
    /// The sums and the largest leaves.
    Largest(Box<Survey>),
    /// The same under several policies.
    SideBySide(Vec<Survey>),
}

/// The document of a trace, with every step and leaf, under stop rules of labels and heuristics, and
/// with the names of whom the leaves belong to.
pub(crate) fn labelled(
    chain: &Chain,
    query: &Query,
    context: &Context,
    rules: &Rules<'_>,
) -> Result<TraceDocument, Failure> {
    fn on<L: Ledger>(
        ledger: &L,
        query: &Query,
        context: &Context,
        rules: &Rules<'_>,
    ) -> Result<TraceDocument, Failure> {
        let (trace, met) = stops::trace(ledger, query, rules)?;
        let context = stops::context(context, ledger, &trace, rules, &met)?;
        Ok(TraceDocument::new(&trace, ledger, &context)?)
    }
    match chain {
        Chain::Whole(store) => on(store.as_ref(), query, context, rules),
        Chain::Sparse(memory) => on(memory.as_ref(), query, context, rules),
    }
}

/// Flags that cannot all be meant.
fn check_flags(args: &TraceArgs, policies: &[Policy]) -> Result<(), Failure> {
    if policies.len() > 1 && args.format != Format::Table {
        return Err(Failure::usage(format!(
            "several policies side by side are a table, not {}",
            args.format
        ))
        .hint("run it once for each policy, or leave out --format"));
    }
    if args.part.is_some() && args.format != Format::Csv {
        return Err(Failure::usage("--part is for --format csv: other formats have all parts"));
    }
    Ok(())
}
