//! What is kept of a walk: everything up to the limits, or only what the caller looks at.

use chain::{Ledger, OutNum, OutPoint, TxNum};

use super::{
    Ended,
    model::{Flow, Leaf, Limits, Node, Place, Query, Root, Summary, Taint, Trace},
    visit::{Arrival, End, Visitor},
};
use crate::Result;

/// Hands each leaf to the caller, if the caller looks, and keeps nothing.
pub(super) struct Leaves<'a>(pub(super) Option<&'a mut dyn FnMut(Ended)>);

impl Visitor for Leaves<'_> {
    const STEPS: bool = false;

    fn step(&mut self) {}

    fn flow(&mut self, _: TxNum, _: Place, _: Place, _: Taint) {}

    fn arrive(&mut self, _: &Arrival, _: impl FnOnce() -> Taint) {}

    #[inline]
    fn leaf(
        &mut self,
        arrival: &Arrival,
        end: impl FnOnce() -> End,
        taint: impl FnOnce() -> Taint,
    ) {
        if let Some(look) = &mut self.0 {
            let &Arrival { output, tx, hops, .. } = arrival;
            let End { status, reason, confidence } = end();
            look(Ended { output, tx, hops, status, reason, taint: taint(), confidence });
        }
    }
}

/// Keeps flows, nodes and leaves by number; ids are looked up at the end.
pub(super) struct Recorder {
    limits: Limits,
    flows: Vec<(TxNum, Place, Place, Taint)>,
    nodes: Vec<(Arrival, Taint)>,
    leaves: Vec<(Arrival, End, Taint)>,
    flows_truncated: bool,
    leaves_truncated: bool,
    /// Nodes are kept up to the end of the step in which the flows were full, so that every flow
    /// has its nodes.
    nodes_full: bool,
}

impl Recorder {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            flows: Vec::new(),
            nodes: Vec::new(),
            leaves: Vec::new(),
            flows_truncated: false,
            leaves_truncated: false,
            nodes_full: false,
        }
    }

    /// The trace in the chain's own words.
    pub(super) fn finish(
        self,
        ledger: &dyn Ledger,
        query: Query,
        roots: Vec<Root>,
        summary: Summary,
    ) -> Result<Trace> {
        let outpoint = |arrival: &Arrival| -> Result<OutPoint> {
            Ok(OutPoint::new(ledger.txid(arrival.tx)?, arrival.output.vout))
        };
        let mut flows = Vec::with_capacity(self.flows.len());
        for (tx, from, to, taint) in self.flows {
            flows.push(Flow { tx, txid: ledger.txid(tx)?, from, to, taint });
        }
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (arrival, taint) in self.nodes {
            let output = arrival.output;
            nodes.push(Node {
                out: output.num,
                outpoint: outpoint(&arrival)?,
                tx: arrival.tx,
                height: ledger.height(arrival.tx)?,
                hops: arrival.hops,
                value: output.value,
                address: output.address,
                spend: output.spend,
                taint,
                root: arrival.root,
            });
        }
        nodes.sort_by_key(|node: &Node| -> OutNum { node.out });
        let mut leaves = Vec::with_capacity(self.leaves.len());
        for (arrival, End { status, reason, confidence }, taint) in self.leaves {
            leaves.push(Leaf {
                out: arrival.output.num,
                outpoint: outpoint(&arrival)?,
                height: ledger.height(arrival.tx)?,
                address: arrival.output.address,
                value: arrival.output.value,
                taint,
                hops: arrival.hops,
                status,
                reason,
                confidence,
            });
        }
        Ok(Trace {
            query,
            roots,
            nodes,
            flows,
            flows_truncated: self.flows_truncated,
            leaves,
            leaves_truncated: self.leaves_truncated,
            summary,
        })
    }
}

impl Visitor for Recorder {
    const STEPS: bool = true;

    fn step(&mut self) {
        self.nodes_full = self.flows_truncated;
    }

    fn flow(&mut self, tx: TxNum, from: Place, to: Place, taint: Taint) {
        if self.flows.len() < self.limits.flows {
            self.flows.push((tx, from, to, taint));
        } else {
            self.flows_truncated = true;
        }
    }

    fn arrive(&mut self, arrival: &Arrival, taint: impl FnOnce() -> Taint) {
        if !self.nodes_full || arrival.root.is_some() {
            self.nodes.push((*arrival, taint()));
        }
    }

    fn leaf(
        &mut self,
        arrival: &Arrival,
        end: impl FnOnce() -> End,
        taint: impl FnOnce() -> Taint,
    ) {
        if self.leaves.len() < self.limits.leaves {
            self.leaves.push((*arrival, end(), taint()));
        } else {
            self.leaves_truncated = true;
        }
    }
}
