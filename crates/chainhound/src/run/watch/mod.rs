//! `chainhound watch`: questions that stay alive.

mod around;
mod live;
mod mempool;
mod sinks;

use std::sync::Arc;

use analyze::trace::RootSpec;
use chain::{Height, ScriptBuf, script};
use watch::{NewWatch, Question, State, TraceQuestion};

use super::{Session, subject};
use crate::{
    args::{
        AckArgs, AddArgs, AlertsArgs, ListWatchesArgs, RemoveWatchArgs, ShowWatchArgs, WatchVerb,
    },
    failure::{Exit, Failure},
    ledger::{self, Chain},
    names::{find_tags, no_labels},
    output::{
        AlertRow, Provenance, WatchAddedDocument, WatchAlertsDocument, WatchListDocument, WatchRow,
        WatchShowDocument,
    },
    place::Place,
    root::parse_root,
    run::trace::{COINJOIN, SERVICE},
};

/// Runs a verb of `watch`.
pub(crate) fn run(verb: &WatchVerb, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match verb {
        WatchVerb::Add(args) => add(args, session),
        WatchVerb::List(args) => list(args, session),
        WatchVerb::Show(args) => show(args, session),
        WatchVerb::Remove(args) => remove(args, session),
        WatchVerb::Run(args) => live::run(args, session),
        WatchVerb::Alerts(args) => alerts(args, session),
        WatchVerb::Ack(args) => acknowledge(args, session),
        WatchVerb::Test(args) => sinks::test(args, session),
    }
}

/// What the provenance calls the state file as the place where an answer comes from.
const SOURCE: &str = "watches";

#[derive(serde::Serialize)]
struct NoParameters {}

/// The state file, which is made where there is none.
fn open_state(place: &Place) -> Result<Arc<State>, Failure> {
    Ok(Arc::new(State::open(&place.watch().join("watch.sqlite"))?))
}

/// The state file of a verb that makes no sense without one.
fn open_existing(place: &Place) -> Result<Arc<State>, Failure> {
    if !place.watch().join("watch.sqlite").exists() {
        let message = format!("there are no watches for {}", place.network);
        return Err(
            Failure::unavailable(message).hint("`chainhound watch add NAME --from TXID` adds one")
        );
    }
    open_state(place)
}

fn provenance(place: &Place) -> Provenance<NoParameters> {
    Provenance::of(SOURCE, place.network, None, NoParameters {})
}

fn add(args: &AddArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let question = question(args, &place, session)?;
    let anchor = ledger::ask(&place, None, session.say, |chain| {
        check(args, chain, session)?;
        let tip = chain.ledger().tip();
        let Some(since) = args.since else { return Ok(tip.map(|tip| tip.height)) };
        if tip.is_none_or(|tip| since > tip.height.0) {
            let end =
                tip.map_or_else(|| "is empty".into(), |tip| format!("ends at {}", tip.height));
            return Err(Failure::usage(format!("--since {since}: the chain here {end}")));
        }
        Ok(Some(Height(since)))
    })?;
    let state = open_state(&place)?;
    let text = question.to_json(place.network);
    state.add(&NewWatch { name: args.name.clone(), question: text, anchor })?;
    let watch = WatchRow::of(&state.watch(&args.name)?);
    session.output.answer(args.format.format, provenance(&place), WatchAddedDocument { watch })?;
    Ok(Exit::Done)
}

/// What was typed as a question.
fn question(args: &AddArgs, place: &Place, session: &Session<'_>) -> Result<Question, Failure> {
    let network = place.network;
    let scripts = |texts: &[String]| -> Result<Vec<ScriptBuf>, Failure> {
        let mut scripts = Vec::new();
        for text in texts {
            let script = script::parse(text, network)?;
            if !scripts.contains(&script) {
                scripts.push(script);
            }
        }
        Ok(scripts)
    };
    if !args.address.is_empty() {
        return Ok(Question::Addresses(scripts(&args.address)?));
    }
    if !args.cluster.is_empty() {
        return Ok(Question::Clusters(scripts(&args.cluster)?));
    }
    let mut roots: Vec<RootSpec> = Vec::new();
    for text in &args.from {
        let root = parse_root(text, network)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    let (mut stop_rules, mut stop_addresses) = (Vec::new(), Vec::new());
    for text in &args.stop_at {
        match text.as_str() {
            SERVICE | COINJOIN => stop_rules.push(text.clone()),
            address => stop_addresses.push(script::parse(address, network).map_err(|error| {
                Failure::from(error)
                    .hint("--stop-at takes addresses, and the rules service and coinjoin")
            })?),
        }
    }
    if stop_rules.iter().any(|rule| rule == SERVICE)
        && find_tags(&[], place, session.say)?.is_none()
    {
        return Err(no_labels("--stop-at service", network));
    }
    Ok(Question::Trace(TraceQuestion {
        policy: args.policy,
        fees: args.fees,
        max_hops: args.max_hops,
        min_tainted: args.min_value.unwrap_or_default(),
        max_transactions: args.budget,
        stop_addresses,
        stop_rules,
        ..TraceQuestion::new(roots)
    }))
}

/// Says what cannot be watched, and what is not there yet.
fn check(args: &AddArgs, chain: &Chain, session: &Session<'_>) -> Result<(), Failure> {
    if !chain.is_whole() {
        return Err(Failure::unavailable(
            "a watch needs a chain that grows, and here are single transactions only",
        )
        .hint("`chainhound index --blocks-dir DIR --follow` keeps a store up to date"));
    }
    let network = chain.ledger().network();
    for text in &args.from {
        let root = parse_root(text, network)?;
        match subject::require(chain, text, &root) {
            Err(failure) if failure.exit() != Exit::Unavailable => return Err(failure),
            Err(_) => {
                session.say.note(format_args!("{text} is not on the chain yet: waiting for it"))
            }
            Ok(()) => unspendable(chain, &root)?,
        }
    }
    Ok(())
}

/// Nobody can ever spend a data carrier.
fn unspendable(chain: &Chain, root: &RootSpec) -> Result<(), Failure> {
    let RootSpec::Output(outpoint) = root else { return Ok(()) };
    let ledger = chain.ledger();
    let Some(tx) = ledger.find_tx(&outpoint.txid)? else { return Ok(()) };
    let Some(out) = ledger.output_at(tx, outpoint.vout)? else { return Ok(()) };
    let output = ledger.output(out)?;
    if output.address.is_none() {
        return Err(analyze::Error::Unspendable(*outpoint, output.value).into());
    }
    Ok(())
}

fn list(args: &ListWatchesArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let state = open_existing(&place)?;
    let watches = state.watches()?.iter().map(WatchRow::of).collect();
    let undelivered = state.undelivered()?;
    let body = WatchListDocument { watches, undelivered };
    session.output.answer(args.format.format, provenance(&place), body)?;
    Ok(Exit::Done)
}

fn show(args: &ShowWatchArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let state = open_existing(&place)?;
    let watch = state.watch(&args.name)?;
    let frontier = state.frontier(watch.number)?;
    let body = WatchShowDocument::new(&watch, &frontier);
    session.output.answer(args.format.format, provenance(&place), body)?;
    Ok(Exit::Done)
}

fn remove(args: &RemoveWatchArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    open_existing(&place)?.remove(&args.name)?;
    session.say.note(format_args!("watch '{}' has ended", args.name));
    Ok(Exit::Done)
}

fn alerts(args: &AlertsArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let state = open_existing(&place)?;
    let watch = match &args.name {
        Some(name) => Some(state.watch(name)?.number),
        None => None,
    };
    let alerts = state.alerts(watch, args.open, args.limit)?;
    let body = WatchAlertsDocument { alerts: alerts.iter().map(AlertRow::of).collect() };
    session.output.answer(args.format.format, provenance(&place), body)?;
    Ok(Exit::Done)
}

fn acknowledge(args: &AckArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let state = open_existing(&place)?;
    let mut count = 0;
    for alert in &args.alerts {
        count += state.acknowledge(alert)?;
    }
    session.say.note(format_args!("{count} acknowledged"));
    Ok(Exit::Done)
}

/// Opens the store, and says how to get one.
fn open_chain(place: &Place, session: &Session<'_>) -> Result<Chain, Failure> {
    match ledger::open_if_any(place, None, session.say)? {
        Some(chain @ Chain::Whole(_)) => Ok(chain),
        _ => Err(Failure::unavailable(format!("there is no store of {} here", place.network))
            .hint(
                "`chainhound index --blocks-dir DIR --follow` makes one and keeps it up to date",
            )),
    }
}
