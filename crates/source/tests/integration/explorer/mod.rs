//! A server that speaks Esplora: honest, busy, broken, and lying.

mod honest;
mod lies;
mod proxy;
mod trouble;

use std::{path::Path, time::Duration};

use bitcoin::{OutPoint, Txid};
use chain::{Flags, Ledger, MemoryLedger, Network, Spend, TxNum};
use source::{
    SourceError,
    esplora::explorer::{
        Explorer, ExplorerOptions, Gathered, Patience, ServerFault, Start, Wanted,
    },
};
use tempfile::TempDir;
use testkit::server::{Reply, Server};

use honest::World;

/// A server that has the chain, and what a test does to its answers: the path, how often it was
/// asked for before, and the honest answer.
fn serve(change: impl Fn(&str, usize, Reply) -> Reply + Send + Sync + 'static) -> (World, Server) {
    let world = World::new();
    let knows = world.clone();
    let asked = std::sync::Mutex::new(std::collections::HashMap::<String, usize>::new());
    let server = Server::start(move |request| {
        let path = request.path.trim_start_matches('/');
        let before = {
            let mut asked = asked.lock().unwrap();
            let count = asked.entry(path.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        change(path, before, knows.answer(path))
    });
    (world, server.unwrap())
}

/// Impatient, so that tests end.
fn options(url: &str, cache: &Path) -> ExplorerOptions {
    let mut options = ExplorerOptions::new(url, Network::Regtest, cache.to_owned());
    options.patience = Patience {
        timeout: Duration::from_secs(10),
        tries: 3,
        first: Duration::from_millis(1),
        longest: Duration::from_secs(2),
    };
    options
}

/// Follows everything from the theft on.
fn follow(options: ExplorerOptions, from: Txid) -> Result<Gathered, SourceError> {
    let explorer = Explorer::open(options)?;
    explorer.gather(&[Start::Transaction(from)], 1000, &mut question, &mut |_, _| ())
}

/// Wants to know who spends every output that is known.
fn question(ledger: &MemoryLedger) -> Result<Wanted, SourceError> {
    let mut wanted = Wanted::default();
    let mut outputs = Vec::new();
    for tx in (0..ledger.tx_count()).map(TxNum) {
        if ledger.flags(tx).unwrap().has(Flags::STUB) {
            continue;
        }
        ledger.outputs(tx, &mut outputs).unwrap();
        let unknown = outputs.iter().filter(|output| output.spend == Spend::Unknown);
        let txid = ledger.txid(tx).unwrap();
        wanted.spends.extend(unknown.map(|output| OutPoint::new(txid, output.vout)));
    }
    Ok(wanted)
}

fn cache() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The fault of an error.
#[track_caller]
fn fault<T: std::fmt::Debug>(told: Result<T, SourceError>) -> ServerFault {
    match told {
        Err(SourceError::Server(error)) => error.fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_server_is_believed_and_asked_once() {
    let (world, server) = serve(|_, _, honest| honest);
    let cache = cache();
    let first = follow(options(&server.url(), cache.path()), world.theft()).unwrap();
    assert!(first.complete);
    assert_eq!(first.tip, world.tip());
    assert_eq!(first.transactions.len(), world.tainted());
    for (txid, proven) in &first.transactions {
        let block = proven.block.as_ref().unwrap();
        let header = &first.headers[&block.hash];
        assert_eq!(block.path.prove(&proven.tx, header), Ok(()), "{txid}");
    }
    let requests = server.requests();
    for connections in [1, 3, 32] {
        let again = ExplorerOptions { connections, ..options(&server.url(), cache.path()) };
        assert_eq!(follow(again, world.theft()).unwrap(), first);
        // And from scratch, whatever the order in which answers come.
        let fresh = tempfile::tempdir().unwrap();
        let fresh = ExplorerOptions { connections, ..options(&server.url(), fresh.path()) };
        assert_eq!(follow(fresh, world.theft()).unwrap(), first);
    }
    assert_eq!(server.requests(), requests * 4, "kept answers were asked for again");
}

#[test]
fn a_refresh_asks_for_what_can_change_and_nothing_else() {
    let (world, server) = serve(|_, _, honest| honest);
    let cache = cache();
    let first = follow(options(&server.url(), cache.path()), world.theft()).unwrap();
    let before = server.requests();
    let refresh = ExplorerOptions { refresh: true, ..options(&server.url(), cache.path()) };
    assert_eq!(follow(refresh, world.theft()).unwrap(), first);
    // The tip twice, the root's block, and the fates of each transaction.
    assert_eq!(server.requests() - before, 3 + world.tainted());
}
