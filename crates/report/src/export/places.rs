//! The places of a trace, each once: what the graph formats call nodes.

use std::collections::HashMap;

use crate::model::{Leaf, Place, Root, TraceDocument};

/// A place and what it is in the trace.
pub(super) struct Spot<'a> {
    pub(super) place: Place,
    pub(super) root: Option<&'a Root>,
    pub(super) leaf: Option<&'a Leaf>,
}

impl Spot<'_> {
    /// `root`, `leaf`, `fee`, `unclaimed`, `subsidy` or `output`.
    pub(super) const fn role(&self) -> &'static str {
        match (&self.root, &self.leaf, &self.place) {
            (Some(_), _, _) => "root",
            (_, Some(_), _) => "leaf",
            (_, _, Place::Fee { .. }) => "fee",
            (_, _, Place::Unclaimed { .. }) => "unclaimed",
            (_, _, Place::Subsidy { .. }) => "subsidy",
            (_, _, Place::Output { .. }) => "output",
        }
    }
}

/// All places, in the order in which roots, flows and leaves name them, and the index of each.
pub(super) struct Places<'a> {
    pub(super) spots: Vec<Spot<'a>>,
    numbers: HashMap<Place, usize>,
}

impl<'a> Places<'a> {
    pub(super) fn of(document: &'a TraceDocument) -> Self {
        let mut places = Self { spots: Vec::new(), numbers: HashMap::new() };
        for root in &document.roots {
            places.spot(root.output.place()).root = Some(root);
        }
        for flow in &document.flows {
            places.spot(flow.from.clone());
            places.spot(flow.to.clone());
        }
        for leaf in &document.leaves {
            places.spot(leaf.output.place()).leaf = Some(leaf);
        }
        places
    }

    /// The index of a place of this trace; past the end for any other.
    pub(super) fn number(&self, place: &Place) -> usize {
        self.numbers.get(place).copied().unwrap_or(self.spots.len())
    }

    fn spot(&mut self, place: Place) -> &mut Spot<'a> {
        let next = self.spots.len();
        let number = *self.numbers.entry(place.clone()).or_insert(next);
        if number == next {
            self.spots.push(Spot { place, root: None, leaf: None });
        }
        &mut self.spots[number]
    }
}
