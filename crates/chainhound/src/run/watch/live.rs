//! `chainhound watch run`: looks at every new tip, and delivers.

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use watch::{Delivery, Engine, Sink, State, Tell, WatchError};

use super::{
    Session,
    around::{Around, Stamp, file_stamp},
    open_chain, open_existing,
    sinks::{self, STDOUT, StdoutSink},
};
use crate::{
    args::RunArgs,
    clusters, durable,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    names::{Lent, find_tags},
    place::Place,
};

/// The pause after a sink's first failure.
const RETRY: Duration = Duration::from_secs(1);
/// Between two looks at the signal's flag.
const TICK: Duration = Duration::from_millis(50);

/// Runs until it is stopped, or once.
pub(super) fn run(args: &RunArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let place = session.place()?;
    let state = open_existing(&place)?;
    let _only = durable::lock(&place.watch().join("lock"), "chainhound watch run")?;
    let (names, opened) = open_sinks(args, session)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    state.register_sinks(&names)?;
    session.say.note(format_args!(
        "{} watches; alerts go to {}",
        state.watches()?.len(),
        names.join(", ")
    ));
    let say = *session.say;
    let tell: Arc<Tell> =
        Arc::new(move |sink, error| say.warning(format_args!("{sink}: {error}; trying again")));
    let delivery = Delivery::start(&state, opened, RETRY, tell);
    let watched = Watching { args, session, place: &place, state: &state, delivery: &delivery }
        .run(&interrupt);
    let ended = if args.once && watched.is_ok() { delivery.finish() } else { delivery.stop() };
    watched?;
    ended?;
    let undelivered = state.undelivered()?;
    let left: u64 = names.iter().filter_map(|name| undelivered.get(*name)).sum();
    if args.once && left > 0 {
        return Err(Failure::unavailable(format!("{left} alerts could not be delivered"))
            .hint("they are kept: the next `chainhound watch run` tries again"));
    }
    Ok(Exit::Done)
}

type Opened = (Vec<String>, Vec<Box<dyn Sink>>);

fn open_sinks(args: &RunArgs, session: &Session<'_>) -> Result<Opened, Failure> {
    let (mut names, mut opened): Opened = Default::default();
    if !args.no_stdout {
        names.push(STDOUT.to_owned());
        opened.push(Box::new(StdoutSink::new(args.format.format)));
    }
    if let Some(path) = &args.sinks {
        for settings in sinks::read(path)? {
            session.say.detail(format_args!("{}: {}", settings.name(), settings.summary()));
            names.push(settings.name().to_owned());
            opened.push(sinks::open(&settings, path)?);
        }
    }
    if names.is_empty() {
        return Err(Failure::usage("the file of --sinks names no sink, and --no-stdout is given"));
    }
    Ok((names, opened))
}

struct Watching<'a, 's> {
    args: &'a RunArgs,
    session: &'a Session<'s>,
    place: &'a Place,
    state: &'a State,
    delivery: &'a Delivery,
}

/// Why labels and clusters are read again.
enum Again {
    /// They have changed, or the chain under them.
    Labels,
    /// It is over.
    No,
}

impl Watching<'_, '_> {
    fn run(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        let mut engine = Engine::new(self.state);
        loop {
            match self.with_labels(&mut engine, interrupt)? {
                Again::Labels => {}
                Again::No => return Ok(()),
            }
        }
    }

    /// Watches under the labels and clusters of now.
    fn with_labels(
        &self,
        engine: &mut Engine<'_>,
        interrupt: &Interrupt,
    ) -> Result<Again, Failure> {
        let (say, place) = (self.session.say, self.place);
        let stamp = Stamp::of(place);
        let set = find_tags(&self.args.labels.tags, place, say)?;
        let lending = set.as_ref().filter(|_| self.args.labels.by_cluster());
        let first = open_chain(place, self.session)?;
        let lent = Lent::find(lending, &first, place, say)?;
        drop(first);
        let meta: PathBuf = place.graph().join("meta");
        let (mut seen, mut watches, mut stale) = (None, Vec::new(), false);
        loop {
            let tip = file_stamp(&meta);
            let known: Vec<i64> = self.state.watches()?.iter().map(|watch| watch.number).collect();
            if stale || seen != Some(tip) || watches != known {
                let chain = open_chain(place, self.session)?;
                if let Some(lent) = &lent
                    && !clusters::is_on(chain.ledger(), lent.clustering().basis())?
                {
                    return Ok(Again::Labels);
                }
                let least = self.args.labels.min_confidence;
                let around = Around::new(&chain, place, set.as_ref(), lent.as_ref(), least);
                match engine.step(chain.ledger(), &around) {
                    Ok(outcome) => {
                        for (name, trouble) in outcome.troubles {
                            say.warning(format_args!("watch '{name}': {trouble}"));
                        }
                        if outcome.alerts > 0 {
                            self.delivery.wake();
                        }
                        (seen, watches, stale) = (Some(tip), known, false);
                    }
                    // Another process takes blocks back just now: look again.
                    Err(WatchError::Reorganised) => stale = true,
                    Err(WatchError::Ledger(chain::LedgerError::Reorganised)) => stale = true,
                    Err(error) => return Err(error.into()),
                }
            }
            if self.args.once && !stale {
                return Ok(Again::No);
            }
            if self.wait(interrupt) || self.delivery.is_closed() {
                return Ok(Again::No);
            }
            if Stamp::of(place) != stamp {
                return Ok(Again::Labels);
            }
        }
    }

    /// Until the next look. True when a signal came.
    fn wait(&self, interrupt: &Interrupt) -> bool {
        let mut left = self.args.poll;
        while !left.is_zero() {
            if interrupt.is_set() {
                return true;
            }
            let pause = left.min(TICK);
            thread::sleep(pause);
            left -= pause;
        }
        interrupt.is_set()
    }
}
