//! Traces: over a whole chain, of a thousand transactions, and twenty hops far.

use std::{env, path::Path, process::Command, time::Duration};

use analyze::trace::{NoStops, Policy, Query, RootSpec, Summary};
use anyhow::Context as _;
use chain::{Height, Ledger, TxNum};
use serde_json::{Value, json};

use crate::{
    clock::{Clock, median, quickest},
    figures::{Figures, Target},
    graph::{self, Question},
    indexing::Product,
    process,
};

/// Every so manieth coinbase is a root of a sweep, so that nearly everything is tainted.
const EVERY: u32 = 10;

/// Traces a whole chain once to warm up and then at least three times and for so long, and tells
/// what that took.
pub(crate) fn sweep_whole(
    ledger: &impl Ledger,
    policy: Policy,
    at_least: Duration,
) -> anyhow::Result<Value> {
    let mut roots = Vec::new();
    let mut height = Height(EVERY);
    while let Some(block) = ledger.block(height)? {
        roots.push(RootSpec::Transaction(ledger.txid(TxNum(block.txs.start))?));
        height = height.checked_add(EVERY).context("the last height there can be")?;
    }
    let mut query = Query::new(roots);
    query.keep_roots_apart = false;
    query.policy = policy;
    let summary = sweep(ledger, &query)?;
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    while cpus.len() < 3 || cpus.iter().sum::<Duration>() < at_least {
        let clock = Clock::start();
        sweep(ledger, &query)?;
        let passed = clock.passed();
        walls.push(passed.wall);
        cpus.push(passed.cpu);
    }
    Ok(json!({
        "transactions": summary.reach.transactions,
        "waiting": summary.reach.peak_waiting,
        "wall_s": median(walls).as_secs_f64(),
        "cpu_s": median(cpus).as_secs_f64(),
    }))
}

fn sweep(ledger: &impl Ledger, query: &Query) -> anyhow::Result<Summary> {
    Ok(analyze::trace::totals(ledger, query, &mut NoStops)?)
}

/// Sweeps of a store, each in a process of its own. Targets are for the `yardstick`.
pub(crate) fn measure(
    ledger: &impl Ledger,
    store: &Path,
    yardstick: bool,
) -> anyhow::Result<Figures> {
    let count = f64::from(ledger.tx_count());
    let mut figures = Figures::default();
    figures.group(format!("Tracing a whole chain of {count} transactions, warm, one thread"));
    for policy in Policy::ALL {
        let target = match policy {
            Policy::Haircut | Policy::Poison if yardstick => Target::AtLeast(5e6),
            Policy::Fifo | Policy::Lifo if yardstick => Target::AtLeast(1e6),
            _ => Target::None,
        };
        let mut command = Command::new(env::current_exe()?);
        command.arg("sweep").arg(store).arg(policy.name());
        let usage = process::measure(&mut command)?;
        let answer: Value = serde_json::from_str(&usage.stdout)?;
        let number = |key: &str| answer[key].as_f64().context("a sweep's answer");
        let (tainted, waiting) = (number("transactions")?, number("waiting")?);
        let what = format!("{policy}, {:.0} % of them tainted", 100.0 * tainted / count);
        figures.add(what, tainted / number("cpu_s")?, "tx/CPU s", target);
        figures.add("… on the wall", tainted / number("wall_s")?, "tx/s", Target::None);
        let each = usage.own as f64 / waiting.max(1.0);
        let what = format!("… memory per output waiting ({waiting} at most)");
        figures.add(what, each, "bytes", Target::None);
    }
    Ok(figures)
}

/// A trace of about a thousand transactions by the command as users start it.
pub(crate) fn small(
    ledger: &impl Ledger,
    product: &Product,
    datadir: &Path,
) -> anyhow::Result<Figures> {
    let (root, touched) = root_of_about(ledger, 1000)?;
    let txid = ledger.txid(root)?.to_string();
    let mut figures = Figures::default();
    figures.group("One process, started anew each time, warm");
    for (format, target) in [("table", Target::AtMost(10.0)), ("json", Target::None)] {
        let args = ["--from", &txid, "--policy", "haircut", "--format", format];
        let (mut cpu, mut bytes) = (Duration::MAX, 0);
        let time = quickest(11, || {
            let usage = product.run("trace", datadir, &args)?;
            cpu = cpu.min(usage.cpu);
            bytes = usage.stdout.len();
            Ok(usage.wall)
        })?;
        let what = format!("trace that touches {touched} transactions, {format} of {bytes} bytes");
        figures.add(what, time.as_secs_f64() * 1e3, "ms", target);
        figures.add("… on the processor", cpu.as_secs_f64() * 1e3, "CPU ms", Target::None);
    }
    let time = quickest(11, || Ok(product.run("status", datadir, &["--format", "json"])?.wall))?;
    figures.add("status", time.as_secs_f64() * 1e3, "ms", Target::AtMost(20.0));
    Ok(figures)
}

/// A transaction whose haircut trace touches about so many transactions.
fn root_of_about(ledger: &impl Ledger, wanted: u64) -> anyhow::Result<(TxNum, u64)> {
    let count = u64::from(ledger.tx_count());
    let mut best = (TxNum(0), 0u64);
    for step in 1..=500 {
        // From near the end, where traces are short, backwards.
        let Some(number) = count.checked_sub(1 + step * count / 2000) else { break };
        let root = TxNum(u32::try_from(number)?);
        let mut query = Query::new(vec![RootSpec::Transaction(ledger.txid(root)?)]);
        query.stops.max_transactions = Some(4 * wanted);
        let touched = sweep(ledger, &query)?.reach.transactions;
        if touched.abs_diff(wanted) < best.1.abs_diff(wanted) {
            best = (root, touched);
        }
    }
    Ok(best)
}

/// Forward reach, by the tracing that the product has; and the seconds that it took.
pub(crate) fn reach(ledger: &impl Ledger, question: Question) -> anyhow::Result<(Figures, f64)> {
    let mut query = Query::new(vec![RootSpec::Transaction(ledger.txid(question.root)?)]);
    query.policy = Policy::Poison;
    query.stops.max_hops = Some(question.hops);
    // The root itself is not counted as passed.
    let reach = sweep(ledger, &query)?.reach;
    let reached = reach.transactions + 1;
    let traced = quickest(5, || {
        let clock = Clock::start();
        sweep(ledger, &query)?;
        Ok(clock.passed().wall)
    })?;
    let walked = quickest(5, || {
        let clock = Clock::start();
        graph::reach(ledger, question.root, question.hops)?;
        Ok(clock.passed().wall)
    })?;
    let mut figures = Figures::default();
    let Question { root, hops, .. } = question;
    figures.group(format!(
        "Forward reach of {hops} hops from number {root}: {reached} transactions, {} outputs",
        reach.outputs
    ));
    let traced = traced.as_secs_f64();
    figures.add("chainhound, poison trace", traced * 1e3, "ms", Target::AtMost(150.0));
    let walked = walked.as_secs_f64();
    figures.add("a walk through its store, counting only", walked * 1e3, "ms", Target::None);
    if reached != u64::from(question.reached) {
        figures.note(format!("the walk reaches {}, the trace {reached}", question.reached));
    }
    Ok((figures, traced))
}
