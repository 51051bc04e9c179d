//! The order of boxes in each column, such that few lines cross.

use super::{graph::Graph, rank};

/// Rounds of sorting, each once to the right and once to the left.
const ROUNDS: usize = 12;
/// Rounds of swapping neighbours after each.
const SWAPS: usize = 8;

/// Something in a column: a box, or a line on its way past the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The node.
    Box(usize),
    /// The edge.
    Line(usize),
}

/// Columns of items from left to right, and how edges run through them.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    pub(super) items: Vec<Item>,
    /// Items of each column, from top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
    /// For each edge, the items from its start to its end, one in each column.
    pub(super) routes: Vec<Vec<usize>>,
    /// Items in the column before that each is linked to, and the edge between.
    pub(super) before: Vec<Vec<(usize, usize)>>,
    /// The same in the column after.
    pub(super) after: Vec<Vec<(usize, usize)>>,
}

impl Lanes {
    pub(super) fn new(graph: &Graph) -> Self {
        let ranks = rank::ranks(graph);
        let mut columns = rank::columns(&ranks);
        let mut items: Vec<Item> = (0..graph.nodes.len()).map(Item::Box).collect();
        let mut routes = Vec::new();
        for (number, edge) in graph.edges.iter().enumerate() {
            let mut route = vec![edge.from];
            let between = columns.iter_mut().take(ranks[edge.to]).skip(ranks[edge.from] + 1);
            for column in between {
                column.push(items.len());
                route.push(items.len());
                items.push(Item::Line(number));
            }
            route.push(edge.to);
            routes.push(route);
        }
        let mut before = vec![Vec::new(); items.len()];
        let mut after = vec![Vec::new(); items.len()];
        for (edge, route) in routes.iter().enumerate() {
            for step in route.windows(2) {
                if let &[left, right] = step {
                    before[right].push((left, edge));
                    after[left].push((right, edge));
                }
            }
        }
        let mut lanes = Self { items, columns, routes, before, after };
        lanes.start(graph);
        lanes.sort();
        lanes
    }

    /// What is large comes first; ends come after what goes on.
    fn start(&mut self, graph: &Graph) {
        let through = graph.through();
        for column in &mut self.columns {
            column.sort_by_key(|&item| match self.items[item] {
                Item::Box(node) => {
                    (graph.nodes[node].is_end(), std::cmp::Reverse(through[node].upper), item)
                }
                Item::Line(edge) => (false, std::cmp::Reverse(graph.edges[edge].sum.upper), item),
            });
        }
    }

    /// Sorts every column by the mean place of its neighbours (Sugiyama et al. 1981) and keeps
    /// the best of all rounds.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for _ in 0..ROUNDS {
            for column in 1..self.columns.len() {
                self.sort_column(column, true);
            }
            for column in (0..self.columns.len().saturating_sub(1)).rev() {
                self.sort_column(column, false);
            }
            self.swap();
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn sort_column(&mut self, column: usize, by_left: bool) {
        let neighbour = if by_left { column.wrapping_sub(1) } else { column + 1 };
        let place = self.places(neighbour);
        let links = if by_left { &self.before } else { &self.after };
        let mean = |(own, &item): (usize, &usize)| {
            let count = links[item].len();
            let sum: usize = links[item].iter().map(|(other, _)| place[*other] * 2048).sum();
            // What has no neighbour there stays about where it is.
            let mean = sum.checked_div(count).unwrap_or(own * 2048);
            (mean, own, item)
        };
        let mut means: Vec<_> = self.columns[column].iter().enumerate().map(mean).collect();
        means.sort_unstable();
        self.columns[column] = means.into_iter().map(|(_, _, item)| item).collect();
    }

    /// Swaps neighbours of a column while that makes fewer lines cross.
    fn swap(&mut self) {
        let mut place = vec![0; self.items.len()];
        for column in 0..self.columns.len() {
            self.number(column, &mut place);
        }
        for _ in 0..SWAPS {
            let mut better = false;
            for column in 0..self.columns.len() {
                for upper in 1..self.columns[column].len() {
                    let (a, b) = (self.columns[column][upper - 1], self.columns[column][upper]);
                    if self.crossings_of(b, a, &place) < self.crossings_of(a, b, &place) {
                        self.columns[column].swap(upper - 1, upper);
                        better = true;
                    }
                }
                self.number(column, &mut place);
            }
            if !better {
                break;
            }
        }
    }

    /// How often the lines of two items cross if the first is above the second.
    fn crossings_of(&self, above: usize, below: usize, place: &[usize]) -> usize {
        let count = |links: &[Vec<(usize, usize)>]| {
            let over = |&(a, _): &(usize, usize)| {
                links[below].iter().filter(|(b, _)| place[*b] < place[a]).count()
            };
            links[above].iter().map(over).sum::<usize>()
        };
        count(&self.before) + count(&self.after)
    }

    fn number(&self, column: usize, place: &mut [usize]) {
        for (number, &item) in self.columns[column].iter().enumerate() {
            place[item] = number;
        }
    }

    /// The place of each item in a column; 0 for items of others.
    fn places(&self, column: usize) -> Vec<usize> {
        let mut places = vec![0; self.items.len()];
        self.number(column, &mut places);
        places
    }

    /// How often lines cross between neighbouring columns.
    pub(super) fn crossings(&self) -> usize {
        (1..self.columns.len()).map(|column| self.crossings_before(column)).sum()
    }

    fn crossings_before(&self, column: usize) -> usize {
        let (left, right) = (self.places(column - 1), self.places(column));
        let items = self.columns[column].iter();
        let mut lines: Vec<(usize, usize)> = items
            .flat_map(|&item| self.before[item].iter().map(move |&(other, _)| (other, item)))
            .map(|(other, item)| (left[other], right[item]))
            .collect();
        lines.sort_unstable();
        // Inversions, counted with a Fenwick tree.
        let mut seen = vec![0_usize; self.columns[column].len() + 1];
        let mut crossings = 0;
        for (before, (_, end)) in lines.into_iter().enumerate() {
            let mut at = end + 1;
            let mut not_above = 0;
            while at > 0 {
                not_above += seen[at];
                at &= at - 1;
            }
            crossings += before - not_above;
            let mut at = end + 1;
            while at < seen.len() {
                seen[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
        crossings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{export::svg::gather, tests::shapes};

    #[test]
    fn a_tree_has_no_crossings() {
        for case in [shapes::tiny(), shapes::wide(30), shapes::deep(6)] {
            let graph = gather::graph(&case.document());
            assert_eq!(Lanes::new(&graph).crossings(), 0);
        }
    }

    #[test]
    fn routes_have_one_step_in_each_column() {
        let graph = gather::graph(&shapes::backward().document());
        let lanes = Lanes::new(&graph);
        let ranks = rank::ranks(&graph);
        for (edge, route) in graph.edges.iter().zip(&lanes.routes) {
            assert_eq!(route.len(), ranks[edge.to] - ranks[edge.from] + 1);
            for (item, column) in route.iter().zip(ranks[edge.from]..) {
                assert!(lanes.columns[column].contains(item));
            }
        }
    }
}
