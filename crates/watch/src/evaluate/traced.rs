//! Traces: the ordinary [`analyze::trace`], and what in it is a movement.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use analyze::trace::{
    Limits, Place, Policy, Query, RootShare, RootSpec, Status, StopReason, Stops, Taint, Trace,
};
use chain::{Ledger, OutNum, Overlay, Sats, Spend, TxNum};

use super::{Evaluation, MOST, Movement, Part, Waiting, What, addresses, newest_output, too_large};
use crate::{Result, Surroundings, TraceQuestion, surroundings::End};

/// Traces up to the tip.
pub(super) fn evaluate(
    ledger: &Overlay<'_>,
    question: &TraceQuestion,
    surroundings: &dyn Surroundings,
    from: TxNum,
) -> Result<Evaluation> {
    let mut evaluation = Evaluation::default();
    // Roots that are there, and their place among all roots.
    let (mut roots, mut places) = (Vec::new(), Vec::new());
    for (place, root) in (0u32..).zip(&question.roots) {
        if is_there(ledger, root, &mut evaluation)? {
            roots.push(root.clone());
            places.push(place);
        }
    }
    if roots.is_empty() {
        return Ok(evaluation);
    }
    let query = query(ledger, question, roots)?;
    let (trace, ends) = surroundings.trace(ledger, &query, &question.stop_rules)?;
    if trace.flows_truncated || trace.leaves_truncated {
        return too_large();
    }
    let reader = Reader { ledger, trace: &trace, ends: &ends, places: &places, from };
    reader.read(&mut evaluation)?;
    Ok(evaluation)
}

/// Whether a root is on the chain; notes what has to be looked at until it is, or comes again.
fn is_there(ledger: &Overlay<'_>, root: &RootSpec, evaluation: &mut Evaluation) -> Result<bool> {
    let txid = match root {
        RootSpec::Output(outpoint) => outpoint.txid,
        RootSpec::Transaction(txid) => *txid,
        RootSpec::Script(script) => {
            let newest = newest_output(ledger, script)?;
            evaluation.scripts.push((script.clone(), newest));
            return Ok(newest.is_some());
        }
    };
    let there = ledger.find_tx(&txid)?.is_some();
    if !there {
        evaluation.missing.push(txid);
    }
    Ok(there)
}

fn query(ledger: &Overlay<'_>, question: &TraceQuestion, roots: Vec<RootSpec>) -> Result<Query> {
    let mut addresses = BTreeSet::new();
    for script in &question.stop_addresses {
        addresses.extend(ledger.find_script(script)?);
    }
    Ok(Query {
        policy: question.policy,
        fees: question.fees,
        stops: Stops {
            max_hops: question.max_hops,
            min_tainted: question.min_tainted,
            until_height: None,
            max_transactions: question.max_transactions,
            addresses,
        },
        limits: Limits { flows: MOST, leaves: MOST },
        keep_roots_apart: question.roots.len() > 1,
        ..Query::new(roots)
    })
}

struct Reader<'a> {
    ledger: &'a Overlay<'a>,
    trace: &'a Trace,
    ends: &'a [End],
    /// By index into the query's roots: the index into the question's.
    places: &'a [u32],
    from: TxNum,
}

impl Reader<'_> {
    fn read(&self, into: &mut Evaluation) -> Result<()> {
        let mut moved: BTreeMap<TxNum, Passed> = BTreeMap::new();
        for flow in self.trace.flows.iter().filter(|flow| flow.tx >= self.from) {
            let Place::Output(from) = flow.from else { continue };
            let passed = moved.entry(flow.tx).or_default();
            passed.from.insert(from);
            match flow.to {
                Place::Output(to) => _ = passed.to.insert(to),
                Place::Fee(_) => passed.fee.add(&flow.taint),
                Place::Unclaimed(_) | Place::Subsidy(_) => {}
            }
        }
        let mut leaves = HashMap::new();
        for leaf in &self.trace.leaves {
            let end = match leaf.reason {
                StopReason::Named(rule) => self.ends.get(rule as usize),
                _ => None,
            };
            if leaf.reason == StopReason::Unspent && leaf.status == Status::Unspent {
                into.frontier.push(Waiting {
                    out: leaf.out,
                    outpoint: leaf.outpoint,
                    value: leaf.value,
                    taint: Some((leaf.taint.lower, leaf.taint.upper)),
                });
            }
            // The watch ends before this transaction, which moves the coins all the same.
            if let Some(end) = end.filter(|end| end.before_transaction)
                && let Spend::By(spender) = self.ledger.output(leaf.out)?.spend
                && spender >= self.from
            {
                let passed = moved.entry(spender).or_default();
                passed.from.insert(leaf.out);
                passed.ended = Some(end.name.clone());
            }
            leaves.insert(leaf.out, leaf);
        }
        into.frontier.sort_by_key(|waiting| waiting.out);
        let ended = |out: &OutNum| {
            let leaf = leaves.get(out)?;
            match leaf.reason {
                StopReason::Unspent => None,
                StopReason::Named(rule)
                    if self.ends.get(rule as usize).is_some_and(|end| end.before_transaction) =>
                {
                    None
                }
                reason => Some(self.trace.summary.reason_name(reason).to_owned()),
            }
        };
        let part = |out: OutNum| Part {
            out,
            taint: self.trace.node(out).map(|node| self.named(&node.taint)),
            confidence: leaves.get(&out).map_or(100, |leaf| leaf.confidence),
            ended: ended(&out),
        };
        // Poison taints more than was stolen.
        let cap = match self.trace.query.policy {
            Policy::Poison => u128::MAX,
            _ => self.trace.summary.totals.root_upper,
        };
        for (tx, passed) in moved {
            let to = match passed.ended {
                None => passed.to.into_iter().map(part).collect(),
                Some(_) => addresses::all_outputs(self.ledger, tx)?,
            };
            let exact = self.trace.query.policy.conserves_value();
            into.movements.push(Movement {
                what: What::Moved,
                tx,
                from: passed.from.into_iter().map(part).collect(),
                to,
                fee: exact.then(|| self.named(&passed.fee.0)).filter(|fee| fee.upper > Sats::ZERO),
                ended: passed.ended,
                cap,
            });
        }
        self.received(into, cap)
    }

    /// Roots: where taint begins.
    fn received(&self, into: &mut Evaluation, cap: u128) -> Result<()> {
        let mut received: BTreeMap<TxNum, Vec<Part>> = BTreeMap::new();
        for root in &self.trace.roots {
            let tx = self.ledger.tx_of(root.out)?;
            if tx < self.from {
                continue;
            }
            let lower = Sats(root.value.0.saturating_sub(root.covered_upper.0));
            let upper = Sats(root.value.0.saturating_sub(root.covered_lower.0));
            let by_root = match self.trace.query.keep_roots_apart {
                true => vec![RootShare { root: root.root, lower, upper }],
                false => Vec::new(),
            };
            let taint = self.named(&Taint { lower, upper, by_root });
            let part = Part { out: root.out, taint: Some(taint), confidence: 100, ended: None };
            received.entry(tx).or_default().push(part);
        }
        for (tx, to) in received {
            let (from, fee, ended, what) = (Vec::new(), None, None, What::Received);
            into.movements.push(Movement { what, tx, from, to, fee, ended, cap });
        }
        Ok(())
    }

    /// With the question's own numbers of roots.
    fn named(&self, taint: &Taint) -> Taint {
        let mut taint = taint.clone();
        for share in &mut taint.by_root {
            share.root = self.places.get(share.root as usize).copied().unwrap_or(share.root);
        }
        taint
    }
}

/// What passed a transaction.
#[derive(Default)]
struct Passed {
    from: BTreeSet<OutNum>,
    to: BTreeSet<OutNum>,
    fee: Sum,
    ended: Option<String>,
}

/// Taints, added up.
#[derive(Default)]
struct Sum(Taint);

impl Sum {
    fn add(&mut self, more: &Taint) {
        add(&mut self.0, more);
    }
}

/// Adds a taint to another, root by root.
pub(crate) fn add(sum: &mut Taint, more: &Taint) {
    sum.lower = Sats(sum.lower.0.saturating_add(more.lower.0));
    sum.upper = Sats(sum.upper.0.saturating_add(more.upper.0));
    for share in &more.by_root {
        match sum.by_root.binary_search_by_key(&share.root, |known| known.root) {
            Ok(at) => {
                if let Some(known) = sum.by_root.get_mut(at) {
                    known.lower = Sats(known.lower.0.saturating_add(share.lower.0));
                    known.upper = Sats(known.upper.0.saturating_add(share.upper.0));
                }
            }
            Err(at) => sum.by_root.insert(at, *share),
        }
    }
}
