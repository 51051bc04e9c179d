//! `chainhound trace`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use analyze::trace::{Direction, Limits, NoStops, Policy, Query, RootSpec, StopAt, Stops};
use chain::{AddressNum, Height, Ledger, Network, OutPoint, Sats, ScriptBuf, script};
use report::{
    export::{self, Format, csv::Part},
    model::{Context, TraceDocument},
};

use super::Session;
use crate::{
    args::TraceArgs,
    failure::{Exit, Failure},
    ledger::{self, Chain},
    output::side_by_side,
    root::parse_root,
    say::Say,
};

/// Traces and prints.
pub(crate) fn run(args: &TraceArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let policies = args.policies().map_err(Failure::usage)?;
    check_flags(args, &policies)?;
    let place = session.place()?;
    let question = Question::parse(args, place.network, session.say)?;
    let documents = ledger::ask(&place, args.esplora.as_deref(), session.say, |chain| {
        question.check(chain, session.say)?;
        policies.iter().map(|&policy| question.ask(chain, policy)).collect::<Result<Vec<_>, _>>()
    })?;

    let colour = session.output.colour() && args.out.is_none();
    let write = |out: &mut dyn Write| -> Result<(), Failure> {
        match (documents.as_slice(), args.part) {
            ([document], Some(part)) => export::csv::write(document, part, out)?,
            ([document], None) => export::write(document, args.format, out)?,
            (several, _) => out.write_all(side_by_side(several, colour).as_bytes())?,
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

/// The document of a trace.
pub(crate) fn document(
    chain: &Chain,
    query: &Query,
    context: &Context,
    stops: &mut impl StopAt,
) -> Result<TraceDocument, Failure> {
    // Once for each kind of chain, so that the walk knows which one it has.
    fn on<L: Ledger>(
        ledger: &L,
        query: &Query,
        context: &Context,
        stops: &mut impl StopAt,
    ) -> Result<TraceDocument, Failure> {
        let trace = analyze::trace::trace(ledger, query, stops)?;
        Ok(TraceDocument::new(&trace, ledger, context)?)
    }
    match chain {
        Chain::Whole(store) => on(store.as_ref(), query, context, stops),
        Chain::Sparse(memory) => on(memory.as_ref(), query, context, stops),
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

/// What was asked, apart from the policy.
struct Question<'a> {
    args: &'a TraceArgs,
    /// As typed, and what it means.
    roots: Vec<(String, RootSpec)>,
    stop_at: Vec<(String, ScriptBuf)>,
}

impl<'a> Question<'a> {
    fn parse(args: &'a TraceArgs, network: Network, say: &Say) -> Result<Self, Failure> {
        let mut roots: Vec<(String, RootSpec)> = Vec::new();
        for text in &args.from {
            let root = parse_root(text, network)?;
            if roots.iter().any(|(_, known)| *known == root) {
                say.warning(format_args!("--from {text} is there twice: counted once"));
            } else {
                roots.push((text.clone(), root));
            }
        }
        let mut stop_at = Vec::new();
        for text in stop_addresses(&args.stop_at)? {
            let script = script::parse(&text, network)?;
            stop_at.push((text, script));
        }
        Ok(Self { args, roots, stop_at })
    }

    /// Says what is not there in better words than a library that does not know the chain's name.
    fn check(&self, chain: &Chain, say: &Say) -> Result<(), Failure> {
        let ledger = chain.ledger();
        for (text, root) in &self.roots {
            let there = match root {
                RootSpec::Transaction(txid) => ledger.find_tx(txid)?.is_some(),
                RootSpec::Script(script) => ledger.find_script(script)?.is_some(),
                RootSpec::Output(outpoint) => check_output(chain, *outpoint)?,
            };
            if !there {
                let what = match root {
                    RootSpec::Script(_) => format!("address {text}"),
                    RootSpec::Transaction(txid) => format!("transaction {txid}"),
                    RootSpec::Output(outpoint) => format!("transaction {}", outpoint.txid),
                };
                return Err(chain.lacks(&what));
            }
        }
        let tip = ledger.tip().map(|tip| tip.height.0);
        if let (Some(until), Some(tip)) = (self.args.until_height, tip)
            && until > tip
        {
            say.warning(format_args!(
                "--until-height {until}: the chain here ends at height {tip}"
            ));
        }
        Ok(())
    }

    fn ask(&self, chain: &Chain, policy: Policy) -> Result<TraceDocument, Failure> {
        let (addresses, unseen) = self.stop_numbers(chain)?;
        let stops = Stops {
            max_hops: self.args.max_hops,
            min_tainted: self.args.min_value.unwrap_or(Sats::ZERO),
            until_height: self.args.until_height.map(Height),
            max_transactions: self.args.budget,
            addresses,
        };
        let mut limits = Limits::default();
        if self.args.format == Format::Table {
            // Tables show no flows, and a sweep over millions of transactions has millions.
            limits.flows = 0;
        }
        if matches!(self.args.part, Some(Part::Leaves | Part::Bookings)) {
            limits.flows = 0;
        }
        let direction = if self.args.backward { Direction::Backward } else { Direction::Forward };
        let query = Query {
            policy,
            direction,
            fees: self.args.fees,
            stops,
            limits,
            ..Query::new(self.roots.iter().map(|(_, root)| root.clone()).collect())
        };
        let mut parameters = BTreeMap::from([("source".to_owned(), chain.kind().into())]);
        if !unseen.is_empty() {
            parameters.insert("stop_addresses_never_seen".to_owned(), unseen.into());
        }
        let context = Context {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            parameters,
            ..Context::default()
        };
        document(chain, &query, &context, &mut NoStops)
    }

    /// The stop addresses as numbers, and those that nobody ever paid: nothing can arrive there.
    fn stop_numbers(&self, chain: &Chain) -> Result<(BTreeSet<AddressNum>, Vec<String>), Failure> {
        let (mut numbers, mut unseen) = (BTreeSet::new(), Vec::new());
        for (text, script) in &self.stop_at {
            match chain.ledger().find_script(script)? {
                Some(number) => _ = numbers.insert(number),
                None => unseen.push(text.clone()),
            }
        }
        Ok((numbers, unseen))
    }
}

/// Whether the transaction is there; an error if it is, and has no such output.
fn check_output(chain: &Chain, outpoint: OutPoint) -> Result<bool, Failure> {
    let ledger = chain.ledger();
    let Some(tx) = ledger.find_tx(&outpoint.txid)? else { return Ok(false) };
    if ledger.output_at(tx, outpoint.vout)?.is_some() {
        return Ok(true);
    }
    let mut outputs = Vec::new();
    ledger.outputs(tx, &mut outputs)?;
    let OutPoint { txid, vout } = outpoint;
    if ledger.flags(tx)?.has(chain::Flags::STUB) {
        return Err(chain.lacks(&format!("output {vout} of {txid}")));
    }
    Err(Failure::usage(format!(
        "transaction {txid} has no output {vout}: its {} outputs are numbered from 0",
        outputs.len()
    )))
}

/// Addresses as typed, and those in the files that `@FILE` names: one a line, `#` starts a comment.
fn stop_addresses(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut addresses = Vec::new();
    for text in typed {
        let Some(path) = text.strip_prefix('@') else {
            addresses.push(text.trim().to_owned());
            continue;
        };
        let path = Path::new(path);
        let lines = fs::read_to_string(path).map_err(|error| {
            let failure = Failure::file(path, error);
            failure.hint("--stop-at @FILE names a text file with one address a line")
        })?;
        let words = lines.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        addresses.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    Ok(addresses)
}
