//! `check(chain, question, answer)`: known numbers, worked by hand.

mod backward;
mod fees;
mod oracle;
mod policies;
pub(crate) mod properties;
mod roots;
mod stops;

use std::collections::BTreeMap;

use chain::{Ledger, MemoryLedger, Network, OutNum, Sats, Spend, Txid};
use testkit::Chain;

use super::*;

/// Puts a question in words to a chain in testkit's language and compares the answer in words.
///
/// Question: `POLICY from NAME:VOUT|NAME|@ADDRESS …` and any of `backward`, `follow`, `apart`,
/// `hops=N`, `min=SATS`, `until=HEIGHT`, `budget=N`, `stop=NAME`. Answer: one line per leaf
/// (`outpoint amount reason`), sorted, then one per sum that belongs to no output (`= reason
/// amount`). Amounts are satoshis, `lower..upper` under bounds, `[root:amount …]` with `apart`.
#[track_caller]
fn check(text: &str, question: &str, answer: &str) {
    let chain = Chain::parse(text).unwrap();
    let lines = ask(&chain, question).unwrap();
    let expected: Vec<&str> = answer.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(lines, expected, "{question}");
}

#[track_caller]
fn check_error(text: &str, question: &str, message: &str) {
    let chain = Chain::parse(text).unwrap();
    let mut error = ask(&chain, question).unwrap_err().to_string();
    for block in chain.blocks() {
        for tx in &block.txdata {
            let txid = tx.compute_txid();
            error = error.replace(&txid.to_string(), chain.tx_name(&txid).unwrap());
        }
    }
    assert_eq!(error, message, "{question}");
}

fn ask(chain: &Chain, question: &str) -> Result<Vec<String>> {
    let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
    let query = query(chain, &ledger, question);
    let trace = trace(&ledger, &query, &mut NoStops)?;
    assert_sound(&ledger, &trace);
    Ok(words(chain, &trace))
}

fn query(chain: &Chain, ledger: &MemoryLedger, question: &str) -> Query {
    let mut query = Query::new(Vec::new());
    let mut words = question.split_whitespace();
    query.policy = words.next().unwrap().parse().unwrap();
    query.keep_roots_apart = false;
    for word in words {
        let script = |name: &str| chain.script(name).unwrap().to_owned();
        match word.split_once('=').unwrap_or((word, "0")) {
            ("from", _) => {}
            ("backward", _) => query.direction = Direction::Backward,
            ("follow", _) => query.fees = Fees::Follow,
            ("apart", _) => query.keep_roots_apart = true,
            ("hops", n) => query.stops.max_hops = n.parse().ok(),
            ("min", n) => query.stops.min_tainted = Sats(n.parse().unwrap()),
            ("until", n) => query.stops.until_height = n.parse().ok().map(chain::Height),
            ("budget", n) => query.stops.max_transactions = n.parse().ok(),
            ("stop", name) => {
                let address = ledger.find_script(&script(name)).unwrap().unwrap();
                query.stops.addresses.insert(address);
            }
            (root, _) => query.roots.push(match (root.strip_prefix('@'), root.split_once(':')) {
                (Some(name), _) => RootSpec::Script(script(name)),
                (None, Some((tx, vout))) => RootSpec::Output(chain::OutPoint {
                    txid: chain.txid(tx).unwrap(),
                    vout: vout.parse().unwrap(),
                }),
                (None, None) => RootSpec::Transaction(chain.txid(root).unwrap()),
            }),
        }
    }
    query
}

fn words(chain: &Chain, trace: &Trace) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: BTreeMap<StopReason, (i128, i128)> = BTreeMap::new();
    for booking in &trace.summary.bookings {
        rest.insert(booking.reason, (booking.lower as i128, booking.upper as i128));
    }
    for leaf in &trace.leaves {
        let Taint { lower, upper, by_root } = &leaf.taint;
        let sum = rest.get_mut(&leaf.reason).unwrap();
        *sum = (sum.0 - i128::from(lower.0), sum.1 - i128::from(upper.0));
        let mut line = chain.outpoint_name(&leaf.outpoint) + " " + &range(lower.0, upper.0);
        if trace.query.keep_roots_apart {
            let parts: Vec<_> = by_root
                .iter()
                .map(|part| format!("{}:{}", part.root, range(part.lower.0, part.upper.0)))
                .collect();
            line += &format!(" [{}]", parts.join(" "));
        }
        lines.push(line + " " + trace.summary.reason_name(leaf.reason));
    }
    lines.sort();
    for (reason, (lower, upper)) in rest {
        if upper > 0 {
            let name = trace.summary.reason_name(reason);
            lines.push(format!("= {name} {}", range(lower, upper)));
        }
    }
    lines
}

fn range<T: PartialEq + std::fmt::Display>(lower: T, upper: T) -> String {
    if lower == upper { lower.to_string() } else { format!("{lower}..{upper}") }
}

/// What must hold of any trace.
#[track_caller]
fn assert_sound(ledger: &MemoryLedger, trace: &Trace) {
    let query = &trace.query;
    let totals = trace.summary.totals;
    if query.policy.conserves_value() {
        assert_eq!(totals.root_lower, totals.root_upper);
        assert_eq!(totals.booked_lower, totals.root_lower, "every root satoshi booked once");
        assert_eq!(totals.booked_upper, totals.root_lower);
    }
    if query.policy == Policy::Bounds {
        assert!(totals.booked_lower <= totals.root_upper, "{totals:?}");
        assert!(totals.root_lower <= totals.booked_upper, "{totals:?}");
    }
    // The same walk without a record gives the same sums and leaves.
    let mut leaves = Vec::new();
    let summary = sweep(ledger, query, &mut NoStops, |leaf| {
        leaves.push((leaf.output.num, leaf.taint, leaf.reason, leaf.hops, leaf.status));
    });
    assert_eq!(summary.unwrap(), trace.summary);
    let recorded: Vec<_> = trace
        .leaves
        .iter()
        .map(|leaf| (leaf.out, leaf.taint.clone(), leaf.reason, leaf.hops, leaf.status))
        .collect();
    assert_eq!(leaves, recorded);

    assert_eq!(trace.summary.reach.outputs, trace.nodes.len() as u64);
    assert!(trace.nodes.windows(2).all(|pair| pair[0].out < pair[1].out));
    for leaf in &trace.leaves {
        assert_eq!(trace.node(leaf.out).unwrap().taint, leaf.taint);
    }
    for node in &trace.nodes {
        let taint = &node.taint;
        assert!(taint.lower <= taint.upper && taint.upper <= node.value);
        if query.keep_roots_apart && query.policy.conserves_value() {
            assert_eq!(taint.by_root.iter().map(|part| part.upper.0).sum::<u64>(), taint.upper.0);
        }
        assert!(taint.by_root.windows(2).all(|pair| pair[0].root < pair[1].root));
    }
    if query.policy.conserves_value() {
        assert_flows_add_up(trace);
    }
}

/// Into and out of every node goes what is there, except what a root adds and a leaf keeps.
#[track_caller]
fn assert_flows_add_up(trace: &Trace) {
    let (mut before, mut after): (BTreeMap<OutNum, u64>, BTreeMap<OutNum, u64>) =
        Default::default();
    for flow in &trace.flows {
        let ends = match trace.query.direction {
            Direction::Forward => (flow.from, flow.to),
            Direction::Backward => (flow.to, flow.from),
        };
        if let Place::Output(out) = ends.0 {
            *after.entry(out).or_default() += flow.taint.upper.0;
        }
        if let Place::Output(out) = ends.1 {
            *before.entry(out).or_default() += flow.taint.upper.0;
        }
        assert!(flow.taint.upper > Sats::ZERO);
        let apart: u64 = flow.taint.by_root.iter().map(|part| part.upper.0).sum();
        assert_eq!(apart, if trace.query.keep_roots_apart { flow.taint.upper.0 } else { 0 });
    }
    let leaves: std::collections::BTreeSet<_> = trace.leaves.iter().map(|leaf| leaf.out).collect();
    for node in &trace.nodes {
        let own = node
            .root
            .map_or(0, |index| trace.roots[index].value.0 - trace.roots[index].covered_upper.0);
        let came = before.get(&node.out).copied().unwrap_or(0);
        assert_eq!(came + own, node.taint.upper.0, "into {}", node.outpoint);
        let went = after.get(&node.out).copied().unwrap_or(0);
        let kept = if leaves.contains(&node.out) { node.taint.upper.0 } else { 0 };
        assert_eq!(went + kept, node.taint.upper.0, "out of {}", node.outpoint);
    }
}
