//! From a document to the graph that is drawn.

use std::collections::HashMap;

use chain::Txid;

use super::graph::{Edge, End, Fold, Graph, Kind, Node, Sum, UNLISTED};
use crate::{
    export::places::{Places, Spot},
    model::{Amount, Flow, Place, TraceDocument, UtcTime},
    words,
};

/// Every transaction and every output where money starts or ends. Outputs between two
/// transactions become edges.
pub(super) fn graph(document: &TraceDocument) -> Graph {
    let places = Places::of(document);
    let mut txs = Txs::new(document);
    let mut ways = vec![Way::default(); places.spots.len()];
    for flow in &document.flows {
        let tx = txs.number(flow);
        let (from, to) = (places.number(&flow.from), places.number(&flow.to));
        ways[from].spender = Some(tx);
        ways[from].leaving.add(Sum::of(flow.amount));
        ways[to].maker = Some(tx);
        ways[to].entering.add(Sum::of(flow.amount));
        txs.spends(tx, from, &flow.from);
    }
    let mut nodes = txs.nodes;
    let mut edges = Vec::new();
    let parameters = &document.provenance.parameters;
    let backward = parameters.direction == "backward";
    for (spot, way) in places.spots.iter().zip(ways) {
        let sum = way.sum(spot, parameters.policy);
        let start = spot.root.map(|_| (root(spot), sum));
        let end = match (spot.leaf, loose_end(spot, &way)) {
            (Some(leaf), _) => {
                let sum = Sum::of(leaf.amount);
                Some((end(spot, &leaf.stop_reason, sum), sum))
            }
            (None, reason) => reason.map(|reason| (end(spot, reason, sum), sum)),
        };
        // A backward trace ends where the money comes from.
        let stations = if backward { [end, start] } else { [start, end] };
        let mut last = way.maker;
        for (node, sum) in stations.into_iter().flatten() {
            let to = nodes.len();
            nodes.push(node);
            edges.extend(last.map(|from| Edge { from, to, sum, places: 1 }));
            last = Some(to);
        }
        if let (Some(from), Some(to)) = (last, way.spender) {
            edges.push(Edge { from, to, sum, places: 1 });
        }
    }
    let mut graph = Graph { nodes, edges: Vec::new() };
    graph.set_edges(edges);
    graph
}

/// The transactions on either side of a place, and what they move.
#[derive(Clone, Copy, Default)]
struct Way {
    maker: Option<usize>,
    spender: Option<usize>,
    entering: Sum,
    leaving: Sum,
}

impl Way {
    /// What lies in the place, as far as its flows say: under bounds their intervals add up to
    /// wider ones, of which there are up to three. Poison draws whole values.
    fn sum(&self, spot: &Spot<'_>, policy: &str) -> Sum {
        let value = match spot.place {
            Place::Output { value_sat, .. } => Some(value_sat),
            _ => None,
        };
        if policy == "poison" {
            return Sum::whole(value.unwrap_or(0));
        }
        let mut sum = self.entering;
        if let Some(root) = spot.root {
            sum.add(Sum::of(root.amount));
        }
        if self.maker.is_none() && spot.root.is_none() {
            sum = self.leaving;
        } else if self.spender.is_some() {
            sum = sum.narrow(self.leaving);
        }
        let cap = value.unwrap_or(u64::MAX);
        Sum { lower: sum.lower.min(cap), upper: sum.upper.min(cap) }
    }
}

/// Why a place that is no leaf has nothing on one of its sides.
const fn loose_end(spot: &Spot<'_>, way: &Way) -> Option<&'static str> {
    match (&spot.place, way.maker, way.spender) {
        (_, Some(_), Some(_)) => None,
        (Place::Fee { .. }, Some(_), None) => Some("fee"),
        (Place::Unclaimed { .. }, _, _) => Some("unclaimed"),
        (Place::Subsidy { .. }, _, _) => Some("coinbase"),
        (_, _, _) if spot.root.is_some() => None,
        (_, _, _) => Some(UNLISTED),
    }
}

fn root(spot: &Spot<'_>) -> Node {
    let root = spot.root;
    let amount = root.map_or(Amount::Unmeasured {}, |root| root.amount);
    let times = root.and_then(|root| root.mined.time).map(|time| (time, time));
    let kind = Kind::Root(root.map_or(0, |root| root.root));
    Node { kind, times, ..end(spot, "", Sum::of(amount)) }
}

fn end(spot: &Spot<'_>, reason: &str, sum: Sum) -> Node {
    let place = match &spot.place {
        Place::Output { address: Some(address), .. } => address.to_string(),
        other => other.name(),
    };
    let leaf = spot.leaf.filter(|_| !reason.is_empty());
    let time = leaf.and_then(|leaf| leaf.mined.time);
    let entity = leaf.and_then(|leaf| leaf.entity.clone());
    let mut names = vec![spot.place.name()];
    if place != names[0] {
        names.insert(0, place.clone());
    }
    Node {
        kind: Kind::End(End::of(reason)),
        reason: reason.to_owned(),
        entity,
        place: Some(place),
        names: vec![names.join(" ")],
        members: 1,
        sum,
        largest: sum.upper,
        smaller: false,
        times: time.map(|time: UtcTime| (time, time)),
        fold: Fold::None,
    }
}

/// The transactions in order of appearance.
struct Txs<'a> {
    nodes: Vec<Node>,
    numbers: HashMap<Txid, usize>,
    coinjoins: HashMap<Txid, &'a str>,
    /// The one place that each spends, `None` for several.
    only: Vec<Option<usize>>,
}

impl<'a> Txs<'a> {
    fn new(document: &'a TraceDocument) -> Self {
        let notes = document.transactions.iter();
        let coinjoins = notes.map(|tx| (tx.txid, tx.note.class.as_str())).collect();
        Self { nodes: Vec::new(), numbers: HashMap::new(), coinjoins, only: Vec::new() }
    }

    fn number(&mut self, flow: &Flow) -> usize {
        let next = self.nodes.len();
        let number = *self.numbers.entry(flow.txid).or_insert(next);
        if number == next {
            let class = self.coinjoins.get(&flow.txid).copied().unwrap_or_default();
            let coinjoin = End::of(class) == End::CoinJoin;
            self.nodes.push(Node {
                kind: if coinjoin { Kind::CoinJoinTx } else { Kind::Tx },
                reason: String::new(),
                entity: None,
                place: None,
                names: vec![flow.txid.to_string()],
                members: 1,
                sum: Sum::default(),
                largest: 0,
                smaller: false,
                times: flow.time.map(|time| (time, time)),
                fold: Fold::None,
            });
            self.only.push(None);
        }
        number
    }

    fn spends(&mut self, tx: usize, number: usize, place: &Place) {
        let Some(node) = self.nodes.get_mut(tx) else { return };
        let Place::Output { address, .. } = place else { return };
        let name = address.as_ref().map(|address| address.to_string());
        match self.only.get(tx) {
            Some(None) => node.place = name,
            Some(Some(known)) if *known != number && node.place != name => node.place = None,
            _ => {}
        }
        if let Some(only) = self.only.get_mut(tx) {
            *only = Some(number);
        }
    }
}

/// The last part of a transaction's label: which one it is.
pub(super) fn short_name(node: &Node) -> String {
    node.names.first().map(|name| words::short(name, 6, 4)).unwrap_or_default()
}
