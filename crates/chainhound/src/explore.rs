//! A chain from a server that speaks Esplora: as much of it as a question needs.

use std::path::Path;

use chain::{Flags, Ledger, MemoryLedger, TxNum};
use source::esplora::explorer::{Asked, Explorer, ExplorerOptions, Gathered, Start, Wanted};

use crate::{
    args::ServerArgs,
    failure::Failure,
    ledger::{Chain, Origin},
    place::Place,
    run::Counter,
    say::Say,
};

/// A server, if `--esplora` names one and not a file.
pub(crate) fn url(path: Option<&Path>) -> Option<&str> {
    let text = path?.to_str()?;
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)).then_some(text)
}

/// What a server told, as a chain, and what of it has to be said beside the answer.
pub(crate) struct Told {
    /// The chain.
    pub(crate) chain: Chain,
    /// The server.
    pub(crate) server: String,
    /// Whether nothing was left out to stay within `--max-transactions`.
    pub(crate) complete: bool,
    /// What it told, with what proves it.
    pub(crate) gathered: Gathered,
    /// To ask it more.
    pub(crate) explorer: Explorer,
}

impl Told {
    /// Where to put a question: to what was told, if anything was.
    pub(crate) fn or<'a>(told: Option<&'a Self>, file: Option<&'a Path>) -> Origin<'a> {
        told.map_or(Origin::Disk(file), Origin::Server)
    }
}

/// All of these transactions (those of an address, where one is named) and what became of their
/// outputs; nothing if `--esplora` does not name a server.
pub(crate) fn look(
    esplora: Option<&Path>,
    args: &ServerArgs,
    place: &Place,
    say: &Say,
    start: Start,
) -> Result<Option<Told>, Failure> {
    let Some(url) = url(esplora) else { return Ok(None) };
    let mut fates = |ledger: &MemoryLedger| {
        let mut wanted = Wanted::default();
        for tx in (0..ledger.tx_count()).map(TxNum) {
            if !ledger.flags(tx)?.has(Flags::STUB) {
                wanted.fates.insert(ledger.txid(tx)?);
            }
        }
        Ok(wanted)
    };
    gather(url, args, place, say, &[start], &mut fates).map(Some)
}

/// Fetches what a question needs.
pub(crate) fn gather(
    url: &str,
    args: &ServerArgs,
    place: &Place,
    say: &Say,
    starts: &[Start],
    question: &mut dyn FnMut(&MemoryLedger) -> Result<Wanted, Failure>,
) -> Result<Told, Failure> {
    let url = url.trim_end_matches('/');
    let cache = place.server(url);
    // Once for each server that is asked, and not again with every question to it.
    if !args.offline && !cache.exists() {
        let proxy = match args.proxy {
            Some(_) => "; it sees the proxy's address and not yours",
            None => ", and your address; --proxy asks through Tor",
        };
        say.note(format_args!(
            "{url} learns which transactions you look at{proxy}. Only a node of your own tells nobody."
        ));
    }
    let explorer = Explorer::open(ExplorerOptions {
        proxy: args.proxy.clone(),
        connections: args.connections.into(),
        offline: args.offline,
        refresh: args.refresh,
        ..ExplorerOptions::new(url, place.network, cache)
    })?;
    let mut counter = Counter::new(say, "answers", None);
    let mut progress = |_, asked: Asked| counter.at(asked.fetched + asked.kept);
    let most = args.max_transactions as usize;
    let gathered = explorer.gather(starts, most, question, &mut progress);
    counter.finish();
    let gathered = gathered?;
    tell(&gathered, explorer.asked(), args, say);
    let chain = Chain::Sparse(Box::new(gathered.ledger()?));
    let (server, complete) = (url.to_owned(), gathered.complete);
    Ok(Told { chain, server, complete, gathered, explorer })
}

/// What people should know of where the answer comes from.
fn tell(gathered: &Gathered, asked: Asked, args: &ServerArgs, say: &Say) {
    let (transactions, tip) = (gathered.transactions.len(), gathered.tip);
    say.note(format_args!(
        "{transactions} transactions proven, as of block {}: {} answers fetched, {} from before. That an \
         output is unspent is the server's claim.",
        tip.height, asked.fetched, asked.kept
    ));
    if asked.kept > 0 && asked.fetched == 0 && !args.offline {
        say.detail("nothing was asked of the server; --refresh asks what became of outputs since");
    }
    let later: Vec<_> = gathered.spent_later().collect();
    if let Some((output, by)) = later.first() {
        say.warning(format_args!(
            "{} outputs that are unspent in block {} are spent by unconfirmed or later transactions (the \
             first: {output} by {by}); --refresh follows those that are confirmed",
            later.len(),
            tip.height
        ));
    }
    if !gathered.complete {
        say.warning(format_args!(
            "{transactions} transactions are what --max-transactions allows: what lies behind is unknown here"
        ));
    }
}
