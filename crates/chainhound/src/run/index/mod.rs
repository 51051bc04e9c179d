//! `chainhound index`.

mod beside;

use std::{path::Path, thread, time::Duration};

use chain::Height;
use ingest::{Summary, node::Standing};
use source::{BlockDir, SourceError};
use store::{Store, Writer};

use super::{Session, progress::Meter, sparse};
use crate::{
    args::IndexArgs,
    clusters::Followed,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    node::NodeAt,
    output::{IndexDocument, Provenance},
    place::{DataDir, Place},
    say::Say,
};

/// With `--follow`, between two looks at the files.
const POLL: Duration = Duration::from_secs(2);
/// Between two looks at the signal's flag.
const TICK: Duration = Duration::from_millis(100);
/// Fewer blocks than this without their parent are what a node's files normally contain; more mean
/// that a file is missing.
const STRAY_BLOCKS: u64 = 6;
/// Damage in block files is listed up to here, without `-v`.
const SHOWN_FINDINGS: usize = 5;

/// Indexes.
pub(crate) fn run(args: &IndexArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match (&args.blocks_dir, &args.node, &args.esplora) {
        (Some(dir), ..) => blocks(dir, args, session),
        (None, Some(url), _) => node(url, args, session),
        (None, None, Some(file)) => sparse::keep(file, args.format.format, session),
        // The parser asks for one of them.
        (None, None, None) => {
            Err(Failure::usage("index what? name it with --blocks-dir, --node or --esplora"))
        }
    }
}

#[derive(serde::Serialize)]
struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    until_height: Option<u32>,
    follow: bool,
}

fn blocks(dir: &Path, args: &IndexArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let say = session.say;
    let interrupt = Interrupt::listen()?;
    say.detail(format_args!("looking for blocks in {}", dir.display()));
    let mut blocks = BlockDir::open(dir, session.common.network)?;
    warn_about_files(&blocks, say);

    let network = blocks.network();
    let place = DataDir::new(session.common)?.of(network);
    let options = options(args, &interrupt);
    let memory = options.memory;
    let mut writer = Writer::open(&place.graph(), network, store::Options { memory })?;
    let mut clusters = Followed::new(&place);

    let mut done = Done::default();
    loop {
        let mut meter = Meter::new(say, writer.counts().transactions);
        let result = ingest::index(&blocks, &mut writer, &options, |now| meter.observe(now));
        meter.finish(
            result.as_ref().map_or(0, |summary| summary.appended),
            writer.counts().transactions,
        );
        let summary = result?;
        done.add(&summary, say);
        if args.follow && !summary.stopped {
            follow_clusters(&mut clusters, &place, say)?;
        }
        if !args.follow || interrupt.is_set() {
            break;
        }
        if wait_for_blocks(&mut blocks, &interrupt)? {
            break;
        }
    }

    if args.follow {
        clusters.finish(&Store::open(writer.dir())?, say)?;
    }
    // Only now: whoever needs the blocks before a gap has them.
    let complete = check_complete(&blocks, &options, args.follow, say);
    let from = From { blocks_dir: Some(dir.display().to_string()), node: None };
    let exit = answer(from, args, &writer, &done, &interrupt, session)?;
    // What was done is printed before it is said what could not be.
    session.output.finish()?;
    complete.map(|()| exit)
}

fn node(url: &str, args: &IndexArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let at = NodeAt::new(url, &args.login, session.common)?;
    let interrupt = Interrupt::listen()?;
    let options = options(args, &interrupt);
    let Some(beside) = beside::run(&at, args.follow, &options, &interrupt, session)? else {
        return Ok(if args.follow { Exit::Done } else { interrupt.exit() });
    };
    let from = From { blocks_dir: None, node: Some(at.url().to_owned()) };
    let exit = answer(from, args, &beside.writer, &beside.done, &interrupt, session)?;
    match beside.standing {
        Standing::LessWork { .. } if !args.follow => Ok(Exit::Unavailable),
        _ => Ok(exit),
    }
}

/// Keeps the store up to date beside a node, for a verb that works on it meanwhile, until the interrupt is set.
pub(in crate::run) fn keep_up(
    at: &NodeAt,
    interrupt: &Interrupt,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (memory, stop) = (half_of_memory(), Some(interrupt.flag()));
    let options = ingest::Options { memory, stop, ..ingest::Options::default() };
    beside::run(at, true, &options, interrupt, session).map(|_| ())
}

fn options<'a>(args: &IndexArgs, interrupt: &'a Interrupt) -> ingest::Options<'a> {
    ingest::Options {
        until: args.until_height.map(Height),
        threads: args.threads.map_or(0, usize::from),
        memory: args.memory.or_else(half_of_memory),
        stop: Some(interrupt.flag()),
        ..ingest::Options::default()
    }
}

/// Where the blocks came from.
struct From {
    blocks_dir: Option<String>,
    node: Option<String>,
}

/// Prints what was done, and says how the command ends.
fn answer(
    from: From,
    args: &IndexArgs,
    writer: &Writer,
    done: &Done,
    interrupt: &Interrupt,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let (network, tip) = (writer.network(), writer.tip());
    let body = IndexDocument {
        network: network.name(),
        tip: tip.map(Into::into),
        appended: done.appended,
        rolled_back: done.rolled_back,
        stopped: done.stopped,
        sizes: writer.counts().into(),
        path: writer.dir().display().to_string(),
    };
    let From { blocks_dir, node } = from;
    let (until_height, follow) = (args.until_height, args.follow);
    let parameters = Parameters { blocks_dir, node, until_height, follow };
    let provenance = Provenance::of("store", network, tip, parameters);
    session.output.answer(args.format.format, provenance, body)?;
    if done.stopped && !args.follow {
        session.say.note("stopped: the store is good; the same command goes on from here");
        return Ok(interrupt.exit());
    }
    Ok(Exit::Done)
}

/// Takes the clusterings that are kept to the store's tip.
fn follow_clusters(clusters: &mut Followed, place: &Place, say: &Say) -> Result<(), Failure> {
    clusters.follow(&Store::open(&place.graph())?, say)
}

/// What all rounds did together.
#[derive(Default)]
struct Done {
    appended: u64,
    rolled_back: u64,
    stopped: bool,
}

impl Done {
    fn add(&mut self, summary: &Summary, say: &Say) {
        if summary.rolled_back > 0 {
            say.note(format_args!(
                "the chain was reorganised: {} blocks taken back",
                summary.rolled_back
            ));
        }
        self.appended += u64::from(summary.appended);
        self.rolled_back += u64::from(summary.rolled_back);
        self.stopped |= summary.stopped;
    }
}

/// True when a signal came first.
fn wait_for_blocks(blocks: &mut BlockDir, interrupt: &Interrupt) -> Result<bool, Failure> {
    loop {
        for _ in 0..POLL.as_millis() / TICK.as_millis() {
            if interrupt.is_set() {
                return Ok(true);
            }
            thread::sleep(TICK);
        }
        if blocks.refresh()? > 0 {
            return Ok(false);
        }
    }
}

fn warn_about_files(blocks: &BlockDir, say: &Say) {
    let report = blocks.report();
    say.detail(format_args!(
        "{} files, {} bytes, {} blocks, {} of them twice",
        report.files, report.bytes, report.blocks, report.duplicates
    ));
    let shown = if say.is_verbose() { report.findings.len() } else { SHOWN_FINDINGS };
    for finding in report.findings.iter().take(shown) {
        say.warning(finding);
    }
    let more = report.findings.len().saturating_sub(shown) as u64 + report.more_findings;
    if more > 0 {
        say.warning(format_args!("and {more} more places like these"));
    }
}

/// Fails if a file in the middle is missing. A few stray blocks are normal.
fn check_complete(
    blocks: &BlockDir,
    options: &ingest::Options<'_>,
    follow: bool,
    say: &Say,
) -> Result<(), Failure> {
    let chain = blocks.best_chain()?;
    let reached = options.until.is_some_and(|until| until <= chain.tip().height);
    match chain.check_complete() {
        Err(SourceError::MissingBlock { unconnected, .. })
            if reached || follow || unconnected < STRAY_BLOCKS =>
        {
            say.detail(format_args!("{unconnected} blocks without their parent are left out"));
            Ok(())
        }
        Err(error) => Err(Failure::from(error).hint(
            "what comes before is indexed; a node that is still downloading closes such a gap itself",
        )),
        Ok(()) => match options.until {
            Some(until) if until > chain.tip().height => {
                say.warning(format_args!(
                    "--until-height {until}: the blocks end at height {}",
                    chain.tip().height
                ));
                Ok(())
            }
            _ => Ok(()),
        },
    }
}

/// Half of the machine's memory, where the system tells (Linux).
fn half_of_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024 / 2)
}
