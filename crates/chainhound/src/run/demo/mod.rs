//! `chainhound demo`: a replayed heist, from blocks to report, scored against the truth.
//!
//! Everything here goes the way that real data goes: block files, the store, labels, traces, reports.
//! What the traces are told is what a person would tell them: the theft's output, and whose the
//! addresses of services are according to labels. The truth is only looked at to score the result.

mod directory;
mod entities;
mod labels;
mod names;
mod score;
mod truth;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use analyze::trace::{Limits, Policy, Query, RootSpec};
use chain::{Height, Network, OutPoint, Sats};
use intel::TagSet;
use report::{
    export,
    model::{Context, TraceDocument},
};
use source::BlockDir;
use store::{Store, Writer};
use testkit::replay::{Replay, ReplayOptions, Truth, replay};

use self::{directory::Directory, truth::Holdings};
use super::{Session, cluster, stops::Rules, trace};
use crate::{
    args::{ALL_POLICIES, DemoArgs, Format},
    failure::{Exit, Failure},
    ledger::Chain,
    names::{SERVICES, Selection},
    output::{DemoDocument, Document, Names, Provenance, Score, Totals},
    place::Place,
    root::parse_outpoint,
    say::Say,
};

/// Pictures and JSON follow no output with less than this tainted: after CoinJoins and a hundred
/// exchanges every other output has a few stolen satoshis. Tables, report and score have them all.
const PICTURED: Sats = Sats(10_000_000);
/// How far the way through CoinJoins is followed: some pools have coins of a hundredth of a bitcoin.
const THROUGH_MIXERS: Sats = Sats(100_000);

/// Makes, follows, reports, scores.
pub(crate) fn run(args: &DemoArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let steps = &mut Steps::new(session.say);
    let out = Directory::prepare(&args.out)?;

    let replay =
        steps.step("a made-up chain with the theft of May 2024 in it", || generate(args, &out))?;
    let place = out.place()?;
    steps.step("its block files into the store", || index(&replay, &place))?;

    let chain = Chain::Whole(Box::new(Store::open(&place.graph())?));
    let case = Case::new(&replay.truth, labels::import(&out, &replay.truth)?)?;
    let now = steps
        .step("the stolen coins, under six policies", || case.trace(&chain, Depth::Everything))?;
    let holdings = Holdings::at_the_end(&replay.truth);
    let early = Holdings::before_first_mix(&replay.truth);
    let before = steps.step("the same, up to the block before the first CoinJoin", || {
        case.trace(&chain, Depth::Until(Height(early.height)))
    })?;
    let really = entities::truth(&out)?;
    let (clusters, coinjoins) =
        steps.step("clusters, and the CoinJoins that were recognised", || {
            let store = cluster::whole(&chain)?;
            let clustering = cluster::build_anew(store, &place, session.say)?;
            let clusters = entities::clusters(store, &clustering, &really)?;
            Ok((clusters, entities::coinjoins(store, &really)?))
        })?;
    let score = Score {
        before_mixing: score::before_mixing(&before, &early),
        policies: score::policies(&now, &holdings),
        bounds: score::bounds(&now, &holdings),
        clusters,
        coinjoins,
    };
    let names = steps.step("pictures, files and the report", || {
        case.pictures(&out, &case.trace(&chain, Depth::DownTo(PICTURED))?)?;
        let names = case.names(&chain, &now, &replay.truth)?;
        case.report(&out, &now, &names)?;
        case_file(&out, &replay.truth)?;
        Ok(names)
    })?;

    let body = DemoDocument {
        out: args.out.display().to_string(),
        theft: case.theft.to_string(),
        stolen_from: replay.truth.theft.victim_address.clone(),
        stolen_to: replay.truth.theft.address.clone(),
        totals: totals(&now)?,
        destinations: score::destinations(&now, &holdings),
        names,
        score,
        files: out.names()?.into_iter().chain(["score.json".to_owned()]).collect(),
    };
    let parameters = Parameters { seed: args.seed, transactions: args.transactions };
    let provenance = Provenance::new(&chain, parameters).with_labels(Some(&case.tags));
    let document = Document::new("chainhound.demo.v1", provenance, &body);
    write_to(&out.path().join("score.json"), |file| Ok(export::json::write(&document, file)?))?;
    match args.format.format {
        Format::Json => session.output.json(&document)?,
        Format::Table => {
            let text = body.to_table(session.output.colour());
            session.output.text(&text)?;
        }
    }
    steps.finish();
    Ok(Exit::Done)
}

#[derive(serde::Serialize)]
struct Parameters {
    seed: u64,
    transactions: u64,
}

fn generate(args: &DemoArgs, out: &Directory) -> Result<Replay, Failure> {
    let options = ReplayOptions {
        seed: args.seed,
        transactions: args.transactions,
        out: out.path().to_owned(),
    };
    replay(&options, |_| {}).map_err(|error| Failure::unavailable(error.to_string()))
}

fn index(replay: &Replay, place: &Place) -> Result<(), Failure> {
    let blocks = BlockDir::open(&replay.blocks, Some(Network::Regtest))?;
    let mut writer = Writer::open(&place.graph(), Network::Regtest, store::Options::default())?;
    ingest::index(&blocks, &mut writer, &ingest::Options::default(), |_| {})?;
    Ok(())
}

/// The sums of the first conserving policy; they are the same under each of them.
fn totals(documents: &[TraceDocument]) -> Result<Totals, Failure> {
    let conserving = documents.iter().map(|document| document.totals);
    let Some(first) = conserving.clone().find(|totals| totals.equal.is_some()) else {
        return Err(Failure::unavailable("no policy that conserves value was traced"));
    };
    let equal = conserving
        .filter(|totals| totals.equal.is_some())
        .all(|totals| totals.equal == Some(true) && totals.root_sat == first.root_sat);
    Ok(Totals { root_sat: first.root_sat, booked_sat: first.booked_sat, equal })
}

/// How much of a trace is wanted.
#[derive(Clone, Copy)]
enum Depth {
    Everything,
    Until(Height),
    /// All steps, and no output with less tainted.
    DownTo(Sats),
}

/// What an investigator knows: where the money was taken, and whose some addresses are.
struct Case {
    theft: OutPoint,
    tags: TagSet,
}

impl Case {
    fn new(truth: &Truth, tags: TagSet) -> Result<Self, Failure> {
        let theft = parse_outpoint(&format!("{}:{}", truth.theft.txid, truth.theft.vout))?;
        Ok(Self { theft, tags })
    }

    /// As `trace --stop-at service` has them, with or without `coinjoin`.
    fn rules(&self, coinjoins: bool) -> Rules<'_> {
        let names = Selection { set: Some(&self.tags), roles: SERVICES, least: 0, lent: None };
        Rules { parties: true, coinjoins, names }
    }

    /// One document per policy, in the order of [`ALL_POLICIES`].
    fn trace(&self, chain: &Chain, depth: Depth) -> Result<Vec<TraceDocument>, Failure> {
        let one = |policy| self.one(chain, policy, depth, &self.rules(false));
        ALL_POLICIES.into_iter().map(one).collect()
    }

    fn one(
        &self,
        chain: &Chain,
        policy: Policy,
        depth: Depth,
        rules: &Rules<'_>,
    ) -> Result<TraceDocument, Failure> {
        let context =
            Context { tool_version: env!("CARGO_PKG_VERSION").to_owned(), ..Context::default() };
        trace::labelled(chain, &self.query(policy, depth), &context, rules)
    }

    /// Who has it and through which CoinJoins it went: before the first one by a trace that ends
    /// there, behind it by one that goes on.
    fn names(&self, chain: &Chain, now: &[TraceDocument], truth: &Truth) -> Result<Names, Failure> {
        let entering = self.one(chain, Policy::Bounds, Depth::Everything, &self.rules(true))?;
        let passing =
            self.one(chain, Policy::Haircut, Depth::DownTo(THROUGH_MIXERS), &self.rules(false))?;
        Ok(Names {
            parties: names::parties(now),
            mixers: names::mixers(cluster::whole(chain)?, &entering, &passing, truth)?,
            actors: names::actors(&self.tags, &truth.theft.address)?,
        })
    }

    fn query(&self, policy: Policy, depth: Depth) -> Query {
        let mut query = Query::new(vec![RootSpec::Output(self.theft)]);
        query.policy = policy;
        // Only pictures and files show the steps; sums and leaves are there without.
        query.limits.flows = 0;
        match depth {
            Depth::Everything => {}
            Depth::Until(height) => query.stops.until_height = Some(height),
            Depth::DownTo(least) => {
                query.stops.min_tainted = least;
                query.limits = Limits::default();
            }
        }
        query
    }

    fn pictures(&self, out: &Directory, documents: &[TraceDocument]) -> Result<(), Failure> {
        for document in documents {
            let policy = document.provenance.parameters.policy;
            let path = out.path().join(format!("trace-{policy}.json"));
            write_to(&path, |file| Ok(export::json::write(document, file)?))?;
            let path = out.path().join(format!("trace-{policy}.svg"));
            write_to(&path, |file| {
                Ok(export::svg::write(document, &export::svg::Options::default(), file)?)
            })?;
        }
        Ok(())
    }

    fn report(
        &self,
        out: &Directory,
        documents: &[TraceDocument],
        names: &Names,
    ) -> Result<(), Failure> {
        let options = export::markdown::Options {
            title: "The replayed theft of May 2024: where the money is".to_owned(),
            picture: Some("trace-haircut.svg".to_owned()),
            ..export::markdown::Options::default()
        };
        write_to(&out.path().join("report.md"), |file| {
            export::markdown::write(documents, &options, file)?;
            Ok(file.write_all(names.to_markdown().as_bytes())?)
        })
    }
}

/// What was asked, for `chainhound case run`.
fn case_file(out: &Directory, truth: &Truth) -> Result<(), Failure> {
    let text = labels::case_file(truth);
    write_to(&out.path().join("case.toml"), |file| Ok(file.write_all(text.as_bytes())?))
}

fn write_to(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = File::create(path).map_err(|error| Failure::file(path, error))?;
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    file.flush().map_err(|error| Failure::file(path, error))
}

/// Says what is being done, and how long it took.
struct Steps<'a> {
    say: &'a Say,
    start: Instant,
    number: u32,
}

impl<'a> Steps<'a> {
    fn new(say: &'a Say) -> Self {
        Self { say, start: Instant::now(), number: 0 }
    }

    fn step<T>(
        &mut self,
        what: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.number += 1;
        let start = Instant::now();
        let done = work()?;
        let seconds = start.elapsed().as_secs_f64();
        self.say.note(format_args!("{}. {what:<56} {seconds:>6.2} s", self.number));
        Ok(done)
    }

    fn finish(&self) {
        let seconds = self.start.elapsed().as_secs_f64();
        self.say.note(format_args!("   {:<56} {seconds:>6.2} s", "all together"));
    }
}
