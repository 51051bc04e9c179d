//! The sums of a trace and its largest leaves: what a table shows.
//!
//! A trace on a whole chain may end in millions of outputs. A person reads the first forty, so no
//! more than those are kept, whatever the size of the trace.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use analyze::trace::{Ended, Leaf, Limits, NoStops, Query, Trace};
use chain::{Ledger, OutNum, OutPoint};
use report::model::{Context, TraceDocument};

use crate::{
    failure::Failure,
    ledger::Chain,
    output::{LISTED, Survey},
    run::stops::{self, Met, Rules},
};

/// The sums and the largest leaves of a trace.
pub(super) fn largest(
    chain: &Chain,
    query: &Query,
    context: &Context,
    rules: &Rules<'_>,
) -> Result<Survey, Failure> {
    let kept = Kept::walk(chain, query, rules, LISTED, &BTreeSet::new())?;
    kept.survey(chain, query, context, rules)
}

/// Of several policies: each with the leaves that are among the largest under any of them.
pub(super) fn side_by_side(
    chain: &Chain,
    queries: &[Query],
    context: &Context,
    rules: &Rules<'_>,
) -> Result<Vec<Survey>, Failure> {
    let mut wanted = BTreeSet::new();
    let mut first = Vec::new();
    for query in queries {
        let kept = Kept::walk(chain, query, rules, LISTED, &BTreeSet::new())?;
        wanted.extend(kept.leaves.values().map(|ended| ended.output.num));
        first.push(kept);
    }
    let mut surveys = Vec::new();
    for (query, mut kept) in queries.iter().zip(first) {
        // What another policy takes for large may be small here, and was let go.
        if kept.count > kept.leaves.len() as u64 {
            kept = Kept::walk(chain, query, rules, 0, &wanted)?;
        }
        surveys.push(kept.survey(chain, query, context, rules)?);
    }
    Ok(surveys)
}

/// Amount at most, amount at least, and the earlier one first.
type Size = (u64, u64, Reverse<u64>);

/// What is kept of the leaves while they go by.
struct Kept {
    summary: analyze::trace::Summary,
    met: Met,
    leaves: BTreeMap<Size, Ended>,
    count: u64,
}

impl Kept {
    /// Walks the whole trace; keeps the `largest` leaves and those that are `wanted`.
    fn walk(
        chain: &Chain,
        query: &Query,
        rules: &Rules<'_>,
        largest: usize,
        wanted: &BTreeSet<OutNum>,
    ) -> Result<Self, Failure> {
        let mut leaves: BTreeMap<Size, Ended> = BTreeMap::new();
        let mut count = 0_u64;
        let look = |ended: Ended| {
            count += 1;
            let size = (ended.taint.upper.0, ended.taint.lower.0, Reverse(count));
            if wanted.contains(&ended.output.num) {
                leaves.insert(size, ended);
            } else if largest > 0 {
                let full = leaves.len() >= largest;
                if full && leaves.first_key_value().is_some_and(|(least, _)| *least > size) {
                    return;
                }
                leaves.insert(size, ended);
                if full {
                    leaves.pop_first();
                }
            }
        };
        let (summary, met) = match chain {
            Chain::Whole(store) => stops::sweep(store.as_ref(), query, rules, look)?,
            Chain::Sparse(memory) => stops::sweep(memory.as_ref(), query, rules, look)?,
        };
        Ok(Self { summary, met, leaves, count })
    }

    fn survey(
        self,
        chain: &Chain,
        query: &Query,
        context: &Context,
        rules: &Rules<'_>,
    ) -> Result<Survey, Failure> {
        match chain {
            Chain::Whole(store) => self.survey_on(store.as_ref(), query, context, rules),
            Chain::Sparse(memory) => self.survey_on(memory.as_ref(), query, context, rules),
        }
    }

    fn survey_on<L: Ledger>(
        self,
        ledger: &L,
        query: &Query,
        context: &Context,
        rules: &Rules<'_>,
    ) -> Result<Survey, Failure> {
        // A sweep does not say which outputs the roots are; a trace of no steps does.
        let mut start = query.clone();
        start.stops.max_transactions = Some(0);
        start.limits = Limits { flows: 0, leaves: 0 };
        let roots = analyze::trace::trace(ledger, &start, &mut NoStops)?.roots;

        let mut order: Vec<(Size, Ended)> = self.leaves.into_iter().collect();
        order.sort_by_key(|((_, _, Reverse(number)), _)| *number);
        let leaves = order.into_iter().map(|(_, ended)| leaf(ledger, ended));
        let trace = Trace {
            query: query.clone(),
            roots,
            nodes: Vec::new(),
            flows: Vec::new(),
            flows_truncated: true,
            leaves: leaves.collect::<chain::Result<_>>()?,
            leaves_truncated: false,
            summary: self.summary,
        };
        let context = stops::context(context, ledger, &trace, rules, &self.met)?;
        let document = TraceDocument::new(&trace, ledger, &context)?;
        Ok(Survey { document, leaves: self.count })
    }
}

fn leaf(ledger: &impl Ledger, ended: Ended) -> chain::Result<Leaf> {
    let Ended { output, tx, hops, status, reason, taint, confidence } = ended;
    Ok(Leaf {
        out: output.num,
        outpoint: OutPoint::new(ledger.txid(tx)?, output.vout),
        height: ledger.height(tx)?,
        address: output.address,
        value: output.value,
        taint,
        hops,
        status,
        reason,
        confidence,
    })
}
