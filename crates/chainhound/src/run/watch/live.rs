//! `chainhound watch run`: looks at every new tip, and delivers.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use chain::LedgerError;
use watch::{Delivery, Engine, Outcome, Sink, State, Tell, WatchError};

use super::{
    Session,
    around::{Around, Stamp, file_stamp},
    mempool::Mempool,
    open_chain, open_existing,
    sinks::{self, STDOUT, StdoutSink},
};
use crate::{
    args::RunArgs,
    clusters, durable,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    ledger::Chain,
    names::{Lent, find_tags},
    node::NodeAt,
    output::Output,
    place::Place,
    run::index,
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
    let watching = Watching { args, session, place: &place, state: &state, delivery: &delivery };
    let watched = match &args.node {
        None => watching.run(None, &interrupt),
        Some(url) => watching.beside(url, &interrupt),
    };
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
    let path = args.sinks.clone().or_else(|| session.common.settings.path("watch.sinks"));
    if let Some(path) = &path {
        for settings in sinks::read(path)? {
            session.say.detail(format_args!("{}: {}", settings.name(), settings.summary()));
            names.push(settings.name().to_owned());
            opened.push(sinks::open(&settings, path)?);
        }
    }
    if names.is_empty() {
        return Err(Failure::usage("--no-stdout is given, and no sink is named"));
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

/// Why a look at the chain has ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// Labels or clusters have changed, or the chain under them: they are read again.
    Labels,
    /// It is over.
    Over,
}

impl Watching<'_, '_> {
    /// With a node: one thread keeps the store up to date, this one watches store and mempool.
    fn beside(&self, url: &str, interrupt: &Interrupt) -> Result<(), Failure> {
        let (say, common) = (self.session.say, self.session.common);
        let at = NodeAt::new(url, &self.args.login, common)?;
        thread::scope(|scope| {
            let keeping = scope.spawn(|| {
                let session = Session { common, say, output: &mut Output::new(common) };
                let kept = index::keep_up(&at, interrupt, &session);
                // Without it nothing new would come.
                interrupt.flag().store(true, Ordering::Relaxed);
                kept
            });
            while !self.place.has_graph() && !interrupt.is_set() {
                thread::sleep(TICK);
            }
            let watched = match interrupt.is_set() {
                true => Ok(()),
                false => self.run(Some(&at), interrupt),
            };
            interrupt.flag().store(true, Ordering::Relaxed);
            let kept = keeping.join();
            watched?;
            kept.unwrap_or_else(|_| Err(Failure::unavailable("following the node failed")))
        })
    }

    fn run(&self, at: Option<&NodeAt>, interrupt: &Interrupt) -> Result<(), Failure> {
        let mut engine = Engine::new(self.state);
        let mut mempool = None;
        if let Some(at) = at {
            let node = at.open().map_err(source::SourceError::from)?;
            if node.network() != self.place.network {
                let (has, wanted) = (node.network(), self.place.network);
                return Err(Failure::usage(format!(
                    "the node is of {has}, the watches of {wanted}"
                )));
            }
            let seen = self.state.watches()?.into_iter().filter_map(|watch| watch.seen);
            let tip = seen.min_by_key(|tip| tip.height).map(|tip| tip.hash);
            mempool = Some(Mempool::resume(node, engine.unsettled()?, tip, self.session.say));
        }
        while self.with_labels(&mut engine, &mut mempool, interrupt)? == Ended::Labels {}
        Ok(())
    }

    /// Watches under the labels and clusters of now.
    fn with_labels(
        &self,
        engine: &mut Engine<'_>,
        mempool: &mut Option<Mempool<'_>>,
        interrupt: &Interrupt,
    ) -> Result<Ended, Failure> {
        let (say, place) = (self.session.say, self.place);
        let stamp = Stamp::of(place);
        let set = find_tags(&self.args.labels.tags, place, say)?;
        let lending = set.as_ref().filter(|_| self.args.labels.by_cluster());
        let first = open_chain(place, self.session)?;
        let lent = Lent::find(lending, &first, place, say)?;
        let least = self.args.labels.min_confidence;
        let meta: PathBuf = place.graph().join("meta");
        let (mut chain, mut seen, mut known) = (first, None, Vec::new());
        loop {
            let tip = file_stamp(&meta);
            let clusters = Stamp::of(place).clusters;
            let watches: Vec<i64> =
                self.state.watches()?.iter().map(|watch| watch.number).collect();
            let now = (tip, clusters);
            if seen != Some(now) || known != watches {
                chain = open_chain(place, self.session)?;
                if let Some(lent) = &lent
                    && !clusters::is_on(chain.ledger(), lent.clustering().basis())?
                {
                    return Ok(Ended::Labels);
                }
                let around = Around::new(&chain, place, set.as_ref(), lent.as_ref(), least);
                if self.tell(engine.step(chain.ledger(), &around))? {
                    (seen, known) = (Some(now), watches);
                    // What is about to move is news to a watch that was added just now.
                    self.tell(engine.unconfirmed(chain.ledger(), &around, &[]))?;
                }
            }
            if self.args.once && seen.is_some() {
                return Ok(Ended::Over);
            }
            if let Some(mempool) = mempool
                && seen.is_some()
            {
                self.look_at_mempool(engine, mempool, &chain, |chain| {
                    Around::new(chain, place, set.as_ref(), lent.as_ref(), least)
                })?;
            }
            if self.wait(interrupt) || self.delivery.is_closed() {
                return Ok(Ended::Over);
            }
            let latest = Stamp::of(place);
            let labels_changed = latest.labels != stamp.labels;
            if labels_changed || (lent.is_some() && latest.clusters != stamp.clusters) {
                return Ok(Ended::Labels);
            }
        }
    }

    fn look_at_mempool<'c>(
        &self,
        engine: &mut Engine<'_>,
        mempool: &mut Mempool<'_>,
        chain: &'c Chain,
        around: impl Fn(&'c Chain) -> Around<'c>,
    ) -> Result<(), Failure> {
        let news = mempool.news(engine, chain.ledger())?;
        if !news.is_empty()
            && self.tell(engine.unconfirmed(chain.ledger(), &around(chain), news))?
        {
            mempool.told();
        }
        Ok(())
    }

    /// Says what there is to say, and has alerts delivered. False where the chain is being reorganised just
    /// now by another process: then it has to be looked at again.
    fn tell(&self, outcome: Result<Outcome, WatchError>) -> Result<bool, Failure> {
        match outcome {
            Ok(outcome) => {
                for (name, trouble) in outcome.troubles {
                    self.session.say.warning(format_args!("watch '{name}': {trouble}"));
                }
                if outcome.alerts > 0 {
                    self.delivery.wake();
                }
                Ok(true)
            }
            Err(WatchError::Reorganised | WatchError::Ledger(LedgerError::Reorganised)) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
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
