//! Beside a running node: once, or for as long as it runs.

use std::{
    thread,
    time::{Duration, Instant},
};

use chain::{Height, Tip};
use ingest::{
    IngestError,
    node::{Standing, sync},
};
use source::{
    Node, SourceError,
    node::{NodeError, NodeTip, Remedy},
};
use store::{Store, Writer};

use super::{Done, TICK, follow_clusters};
use crate::{
    clusters::Followed,
    failure::Failure,
    interrupt::Interrupt,
    node::NodeAt,
    place::DataDir,
    run::{Session, progress::Meter},
    say::Say,
};

/// One question to the node; a signal is noticed between two of them.
const WAIT: Duration = Duration::from_secs(1);
/// Between two looks where the node is behind us.
const BEHIND: Duration = Duration::from_secs(5);
/// The first pause after trouble, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Without --follow a node that is starting is waited for this long.
const START: Duration = Duration::from_secs(120);

/// What indexing beside a node leaves.
pub(super) struct Beside {
    pub(super) writer: Writer,
    pub(super) done: Done,
    pub(super) standing: Standing,
}

/// Indexes from a node, and follows it where that is asked for. `None` where a signal came before
/// there was a node.
pub(super) fn run(
    at: &NodeAt,
    follow: bool,
    options: &ingest::Options<'_>,
    interrupt: &Interrupt,
    session: &Session<'_>,
) -> Result<Option<Beside>, Failure> {
    let say = session.say;
    let mut trouble = Trouble::new(say, follow);
    let node = loop {
        let opened = at.open().and_then(|node| node.check_network().map(|_| node));
        match opened {
            Ok(node) => break node,
            Err(error) => {
                if trouble.wait(error, interrupt)? {
                    return Ok(None);
                }
            }
        }
    };
    trouble.is_over();
    let network = node.network();
    let place = DataDir::new(session.common)?.of(network);
    let memory = options.memory;
    let mut writer = Writer::open(&place.graph(), network, store::Options { memory })?;
    let mut clusters = Followed::new(&place);
    let (mut done, mut said) = (Done::default(), None);
    let standing = loop {
        let from = writer.tip().map_or(0, |tip| tip.height.0.saturating_add(1));
        let before = writer.counts();
        let mut meter = Meter::new(say, before.transactions).by_height(from);
        let result = sync(&node, &mut writer, options, |now| meter.observe(now));
        let appended = match &result {
            Ok(synced) => synced.summary.appended,
            // What came before the trouble is in the store.
            Err(_) => writer.counts().blocks.saturating_sub(before.blocks),
        };
        meter.finish(appended, writer.counts().transactions);
        let standing = match result {
            Ok(synced) => {
                trouble.is_over();
                done.add(&synced.summary, say);
                synced.standing
            }
            Err(IngestError::Source(SourceError::Node(error))) => {
                done.appended += u64::from(appended);
                node.forget();
                if trouble.wait(*error, interrupt)? {
                    done.stopped = true;
                    break Standing::Stopped;
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if said != Some(kind(standing)) {
            said = Some(kind(standing));
            tell(standing, writer.tip(), say);
        }
        if follow && standing != Standing::Stopped {
            follow_clusters(&mut clusters, &place, say)?;
        }
        if !follow || interrupt.is_set() {
            break standing;
        }
        match wait_for_block(&node, standing, writer.tip(), interrupt) {
            Ok(true) => break standing,
            Ok(false) => {}
            Err(error) => {
                // It may come back as another version, with or without REST.
                node.forget();
                if trouble.wait(error, interrupt)? {
                    break standing;
                }
            }
        }
    };
    if follow {
        clusters.finish(&Store::open(writer.dir())?, say)?;
    }
    Ok(Some(Beside { writer, done, standing }))
}

/// Tells how the store stands to the node, where there is something to tell.
fn tell(standing: Standing, tip: Option<Tip>, say: &Say) {
    let ours = tip.map_or(Height(0), |tip| tip.height);
    match standing {
        Standing::NodeBehind { node } => say.warning(format_args!(
            "the node is behind the store: it has blocks up to height {node}, the store up to {ours}; \
             nothing is taken back"
        )),
        Standing::LessWork { fork, node } => say.warning(format_args!(
            "the node is on another branch, with less work than the store's: they part after height \
             {fork}, the node is at {node}, the store at {ours}; nothing is taken back"
        )),
        Standing::Downloading { headers } => say.note(format_args!(
            "at the node's tip, block {ours}; the node itself is still downloading, of {headers} blocks"
        )),
        Standing::AtTip => say.detail(format_args!("at the node's tip, block {ours}")),
        Standing::Stopped => {}
    }
}

/// The same while the state is the same, whatever its heights.
fn kind(standing: Standing) -> &'static str {
    match standing {
        Standing::AtTip => "at_tip",
        Standing::Downloading { .. } => "node_downloading",
        Standing::NodeBehind { .. } => "node_behind",
        Standing::LessWork { .. } => "less_work",
        Standing::Stopped => "stopped",
    }
}

/// Waits until the node's tip is another one than ours. True when a signal came first.
fn wait_for_block(
    node: &Node,
    standing: Standing,
    tip: Option<Tip>,
    interrupt: &Interrupt,
) -> Result<bool, NodeError> {
    let Some(tip) = tip.filter(|_| !is_behind(standing)) else {
        return Ok(pause(BEHIND, interrupt));
    };
    let known = NodeTip { hash: tip.hash, height: tip.height.0 };
    let mut polling = false;
    while !interrupt.is_set() {
        let asked = Instant::now();
        let hash = match polling {
            true => node.chain_info()?.bestblockhash,
            false => match node.wait_for_block(known, WAIT) {
                Ok(tip) => tip.hash,
                // Old, or told to allow only certain commands.
                Err(NodeError::NoMethod { .. } | NodeError::Forbidden { .. }) => {
                    polling = true;
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        if hash != known.hash {
            return Ok(false);
        }
        // Whoever answers without waiting is not asked without pausing.
        if asked.elapsed() < WAIT / 2 {
            pause(WAIT, interrupt);
        }
    }
    Ok(true)
}

fn is_behind(standing: Standing) -> bool {
    matches!(standing, Standing::NodeBehind { .. } | Standing::LessWork { .. })
}

/// True when a signal came.
fn pause(time: Duration, interrupt: &Interrupt) -> bool {
    let end = Instant::now() + time;
    while !interrupt.is_set() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        thread::sleep(left.min(TICK));
    }
    true
}

/// A node that does not answer as it should: said once, asked ever more rarely.
struct Trouble<'a> {
    say: &'a Say,
    follow: bool,
    /// The node was there before: then whatever is wrong now may pass.
    was_good: bool,
    state: Option<&'static str>,
    since: Instant,
    pause: Duration,
}

impl<'a> Trouble<'a> {
    fn new(say: &'a Say, follow: bool) -> Self {
        let (state, since) = (None, Instant::now());
        Self { say, follow, was_good: false, state, since, pause: FIRST_PAUSE }
    }

    /// Waits, where that may help. True when a signal came.
    ///
    /// # Errors
    /// [`Failure`] where it does not.
    fn wait(&mut self, error: NodeError, interrupt: &Interrupt) -> Result<bool, Failure> {
        if interrupt.is_set() {
            return Ok(true);
        }
        if self.state.is_none() {
            self.since = Instant::now();
        }
        let starting = matches!(error, NodeError::WarmingUp(_) | NodeError::Busy { .. });
        let passes = match self.follow {
            true => self.was_good || error.remedy() == Remedy::Wait,
            false => starting && self.since.elapsed() < START,
        };
        if !passes || matches!(error, NodeError::Pruned { .. }) {
            return Err(SourceError::from(error).into());
        }
        if self.state != Some(error.state()) {
            self.state = Some(error.state());
            self.say.warning(format_args!("{error}; waiting for it"));
        }
        let stopped = pause(self.pause, interrupt);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(stopped)
    }

    fn is_over(&mut self) {
        if self.state.take().is_some() {
            self.say.note("the node answers");
        }
        (self.was_good, self.pause) = (true, FIRST_PAUSE);
    }
}
