//! Traces through our own client are those of the store, and need no server the second time.

use std::{collections::BTreeSet, path::Path};

use analyze::trace::{
    Direction, Fees, NoStops, Policy, Query, RootSpec, Stops, Trace, missing, trace,
};
use chain::{Flags, Height, Ledger, MemoryLedger, Network, Sats, Txid};
use source::{
    SourceError,
    esplora::explorer::{Explorer, ExplorerOptions, Gathered, Start, Wanted},
};

use crate::running::{Running, World};

fn explorer(url: &str, cache: &Path, offline: bool) -> Explorer {
    let mut options = ExplorerOptions::new(url, Network::Regtest, cache.to_owned());
    options.offline = offline;
    Explorer::open(options).unwrap()
}

/// What a query needs of a server.
fn gather(explorer: &Explorer, query: &Query, most: usize) -> Gathered {
    let starts: Vec<Start> = query
        .roots
        .iter()
        .map(|root| match root {
            RootSpec::Transaction(txid) => Start::Transaction(*txid),
            RootSpec::Output(output) => Start::Transaction(output.txid),
            RootSpec::Script(script) => Start::Script(script.clone()),
        })
        .collect();
    let mut question = |ledger: &MemoryLedger| -> Result<Wanted, SourceError> {
        let missing = missing(ledger, query, &mut NoStops).unwrap();
        Ok(Wanted { spends: missing.spenders, fates: missing.fates, transactions: missing.makers })
    };
    explorer.gather(&starts, most, &mut question, &mut |_, _| ()).unwrap()
}

/// A trace in words that do not depend on a ledger's numbers; leaves whose spender nobody had to
/// know have no status.
fn told(trace: &Trace, ledger: &dyn Ledger) -> Vec<String> {
    let stopped = |status: &str, reason: &str| match reason {
        "unspent" | "op_return" => status.to_owned(),
        _ => String::new(),
    };
    let mut lines: Vec<String> = trace
        .leaves
        .iter()
        .map(|leaf| {
            format!(
                "{} {} {:?} {} {} {}",
                leaf.outpoint,
                leaf.value,
                leaf.taint,
                leaf.hops,
                stopped(leaf.status.name(), leaf.reason.name()),
                leaf.reason.name()
            )
        })
        .collect();
    for node in &trace.nodes {
        let height = ledger.height(node.tx).unwrap();
        lines.push(format!(
            "{} {height:?} {:?}",
            ledger.txid(node.tx).unwrap(),
            ledger.time(node.tx)
        ));
    }
    lines.push(format!("{} flows", trace.flows.len()));
    lines.push(format!("{:?}", trace.summary.totals));
    lines
}

/// Transactions to start from: every so many-th that has something to follow.
fn roots(world: &World, every: usize) -> Vec<Txid> {
    let store = world.store();
    (0..store.tx_count())
        .map(chain::TxNum)
        .filter(|tx| !store.flags(*tx).unwrap().has(Flags::COINBASE))
        .step_by(every)
        .map(|tx| store.txid(tx).unwrap())
        .collect()
}

#[track_caller]
fn check(world: &World, explorer: &Explorer, query: &Query) -> Gathered {
    let store = world.store();
    let expected = trace(&store, query, &mut NoStops).unwrap();
    let gathered = gather(explorer, query, usize::MAX);
    assert!(gathered.complete);
    let ledger = gathered.ledger().unwrap();
    assert_eq!(ledger.tip(), store.tip());
    let found = trace(&ledger, query, &mut NoStops).unwrap();
    assert_eq!(told(&found, &ledger), told(&expected, &store), "{query:?}");
    gathered
}

#[test]
fn traces_are_those_of_the_store() {
    let world = World::new(400);
    let server = world.serve();
    let cache = tempfile::tempdir().unwrap();
    let explorer = explorer(&server.url, cache.path(), false);
    let mut largest = 0;
    for (number, root) in roots(&world, 29).into_iter().enumerate() {
        let policy = Policy::ALL[number % Policy::ALL.len()];
        let query = Query { policy, ..Query::new(vec![RootSpec::Transaction(root)]) };
        largest = largest.max(check(&world, &explorer, &query).transactions.len());
    }
    assert!(largest > 20, "the longest trace passed {largest} transactions");
}

#[test]
fn stopped_traces_fetch_no_more_than_they_show() {
    let world = World::new(400);
    let server = world.serve();
    let cache = tempfile::tempdir().unwrap();
    let explorer = explorer(&server.url, cache.path(), false);
    for root in roots(&world, 41) {
        let start = Query::new(vec![RootSpec::Transaction(root)]);
        let free = check(&world, &explorer, &start);
        let hops = Stops { max_hops: Some(2), ..Stops::default() };
        let query = Query { stops: hops, ..start.clone() };
        let near = check(&world, &explorer, &query);
        // The root, and what its taint passed: nothing behind that.
        let ledger = near.ledger().unwrap();
        let passed = trace(&ledger, &query, &mut NoStops).unwrap().nodes;
        let passed = passed.iter().map(|node| node.outpoint.txid).chain([root]);
        let fetched: BTreeSet<Txid> = near.transactions.keys().copied().collect();
        assert_eq!(fetched, passed.collect());
        assert!(fetched.len() <= free.transactions.len());
        let small = Stops { min_tainted: Sats(50_000_000), ..Stops::default() };
        check(&world, &explorer, &Query { stops: small, ..start.clone() });
        let early = Stops { until_height: Some(Height(130)), ..Stops::default() };
        let store = world.store();
        let height = store.height(store.find_tx(&root).unwrap().unwrap()).unwrap().unwrap();
        if height < Height(130) {
            check(&world, &explorer, &Query { stops: early, ..start.clone() });
        }
    }
}

#[test]
fn backward_and_from_addresses() {
    let world = World::new(300);
    let server = world.serve();
    let cache = tempfile::tempdir().unwrap();
    let explorer = explorer(&server.url, cache.path(), false);
    let store = world.store();
    for root in roots(&world, 60).into_iter().rev().take(3) {
        let query = Query {
            direction: Direction::Backward,
            fees: Fees::Drop,
            stops: Stops { max_hops: Some(3), ..Stops::default() },
            ..Query::new(vec![RootSpec::Transaction(root)])
        };
        check(&world, &explorer, &query);
        let tx = store.find_tx(&root).unwrap().unwrap();
        let mut outputs = Vec::new();
        store.outputs(tx, &mut outputs).unwrap();
        let address = outputs.iter().find_map(|output| output.address).unwrap();
        let script = store.script(address).unwrap();
        if chain::script::address(&script, Network::Regtest).is_some() {
            check(&world, &explorer, &Query::new(vec![RootSpec::Script(script)]));
        }
    }
}

#[test]
fn the_second_time_needs_no_server() {
    let world = World::new(300);
    let server: Running = world.serve();
    let cache = tempfile::tempdir().unwrap();
    let root = roots(&world, 40)[1];
    let query = Query::new(vec![RootSpec::Transaction(root)]);
    let first = gather(&explorer(&server.url, cache.path(), false), &query, usize::MAX);
    let url = server.url.clone();
    server.stop();
    let again = explorer(&url, cache.path(), true);
    assert_eq!(gather(&again, &query, usize::MAX), first);
    assert_eq!(again.asked().fetched, 0);
    // Neither does the server's absence matter where nothing new is asked.
    let online = explorer(&url, cache.path(), false);
    assert_eq!(gather(&online, &query, usize::MAX), first);
    assert_eq!(online.asked().fetched, 0);
}

#[test]
fn a_budget_leaves_the_far_end_unknown() {
    let world = World::new(400);
    let server = world.serve();
    let cache = tempfile::tempdir().unwrap();
    let explorer = explorer(&server.url, cache.path(), false);
    for root in roots(&world, 50) {
        let query = Query::new(vec![RootSpec::Transaction(root)]);
        let all = gather(&explorer, &query, usize::MAX);
        let some = gather(&explorer, &query, 3);
        assert!(some.transactions.len() <= 3);
        assert_eq!(some.complete, all.transactions.len() <= 3, "{root}");
        let ledger = some.ledger().unwrap();
        let trace = trace(&ledger, &query, &mut NoStops).unwrap();
        let unknown = trace.leaves.iter().any(|leaf| leaf.reason.name() == "unknown");
        assert_eq!(unknown, !some.complete);
    }
}
