//! What is drawn: transactions, the outputs where money starts and ends, and what passes between.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Amount, UtcTime};

/// Names that a folded box still lists in its tooltip.
const MOST_NAMES: usize = 12;

/// A directed graph without circles.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// At most one between any two nodes, ascending by ends.
    pub(super) edges: Vec<Edge>,
}

/// A box of the picture.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Why the trace ended here, as in bookings; empty unless an end.
    pub(super) reason: String,
    /// Whose it is, where all members agree.
    pub(super) entity: Option<String>,
    /// Ends and roots: address or outpoint. Transactions: what the only output spent is called.
    pub(super) place: Option<String>,
    /// Full names of the members, at most [`MOST_NAMES`].
    pub(super) names: Vec<String>,
    /// Outputs (or transactions) in the box.
    pub(super) members: u64,
    /// Satoshis of an end or root. A transaction's are those of its edges.
    pub(super) sum: Sum,
    /// Satoshis of the largest member of an end or root, at most.
    pub(super) largest: u64,
    /// Whether all members are smaller than others of the kind that stand by themselves.
    pub(super) smaller: bool,
    /// Time of the first and the last member.
    pub(super) times: Option<(UtcTime, UtcTime)>,
    pub(super) fold: Fold,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// Outputs that the trace starts from; the number is that of the root as it was named.
    Root(u32),
    Tx,
    CoinJoinTx,
    End(End),
}

/// How the money ends (backward: where it begins).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum End {
    Unspent,
    Service,
    Bridge,
    CoinJoin,
    Fee,
    Minted,
    Lost,
    Unknown,
    Stop,
}

impl End {
    /// The look of a stop reason.
    pub(super) fn of(reason: &str) -> Self {
        match reason {
            "unspent" => Self::Unspent,
            "fee" => Self::Fee,
            "op_return" | "unclaimed" => Self::Lost,
            "coinbase" | "subsidy" => Self::Minted,
            "unknown" | UNLISTED => Self::Unknown,
            "address" | "hops" | "value" | "height" | "budget" => Self::Stop,
            named if named.contains("join") || named.contains("mix") => Self::CoinJoin,
            named if named.contains("bridge") => Self::Bridge,
            named if named.contains("service") || named.contains("exchange") => Self::Service,
            _ => Self::Stop,
        }
    }
}

/// The reason of a place that the trace passed on, where the list of flows was cut off.
pub(super) const UNLISTED: &str = "unlisted";

/// Why several things are one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fold {
    /// They are not.
    None,
    /// Outputs of one transaction to one address.
    SameAddress,
    /// Transactions in a row.
    Chain,
    /// The smaller ones of a column.
    Smaller,
    /// All that is too far away.
    Beyond,
}

/// Satoshis, at least and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Sum {
    pub(super) lower: u64,
    pub(super) upper: u64,
}

impl Sum {
    pub(super) const fn of(amount: Amount) -> Self {
        Self { lower: amount.lower(), upper: amount.upper() }
    }

    pub(super) const fn whole(sat: u64) -> Self {
        Self { lower: sat, upper: sat }
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.lower = self.lower.saturating_add(other.lower);
        self.upper = self.upper.saturating_add(other.upper);
    }

    /// What two statements about the same satoshis say together.
    pub(super) fn narrow(self, other: Self) -> Self {
        let both = Self { lower: self.lower.max(other.lower), upper: self.upper.min(other.upper) };
        match (self.lower == self.upper, other.lower == other.upper) {
            (false, true) => other,
            (false, false) if both.lower <= both.upper => both,
            _ => self,
        }
    }

    /// As an amount for people.
    pub(super) const fn amount(self) -> Amount {
        if self.lower == self.upper {
            Amount::Exact { tainted_sat: self.upper }
        } else {
            Amount::Between { lower_sat: self.lower, upper_sat: self.upper }
        }
    }
}

/// What passes from one box to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sum: Sum,
    /// Outputs behind it.
    pub(super) places: u64,
}

impl Graph {
    /// Adds to the edge between two nodes.
    pub(super) fn set_edges(&mut self, edges: impl IntoIterator<Item = Edge>) {
        let mut sums: BTreeMap<(usize, usize), (Sum, u64)> = BTreeMap::new();
        for edge in edges {
            let (sum, places) = sums.entry((edge.from, edge.to)).or_default();
            sum.add(edge.sum);
            *places += edge.places;
        }
        let edge = |((from, to), (sum, places))| Edge { from, to, sum, places };
        self.edges = sums.into_iter().map(edge).collect();
    }

    /// Makes each set of nodes one box, in the place of its first member. Edges within a set
    /// vanish, others add up, so that what enters and leaves the set stays the same.
    pub(super) fn merge(&mut self, sets: &[(Vec<usize>, Fold)]) {
        let mut leader: Vec<usize> = (0..self.nodes.len()).collect();
        let mut folds: BTreeMap<usize, Fold> = BTreeMap::new();
        for (set, fold) in sets.iter().filter(|(set, _)| set.len() > 1) {
            let Some(&first) = set.iter().min() else { continue };
            set.iter().for_each(|&node| leader[node] = first);
            folds.insert(first, *fold);
        }
        if folds.is_empty() {
            return;
        }
        let mut number = vec![0; self.nodes.len()];
        let mut nodes: Vec<Node> = Vec::new();
        for (old, mut node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            if leader[old] == old {
                number[old] = nodes.len();
                node.fold = folds.get(&old).copied().unwrap_or(node.fold);
                nodes.push(node);
            } else {
                number[old] = number[leader[old]];
                nodes[number[old]].absorb(node);
            }
        }
        self.nodes = nodes;
        let moved = std::mem::take(&mut self.edges).into_iter().map(|edge| Edge {
            from: number[edge.from],
            to: number[edge.to],
            ..edge
        });
        self.set_edges(moved.filter(|edge| edge.from != edge.to).collect::<Vec<_>>());
    }

    /// Removes nodes and their edges.
    pub(super) fn remove(&mut self, gone: &BTreeSet<usize>) {
        let mut number = vec![0; self.nodes.len()];
        let mut left = Vec::new();
        for (old, node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            number[old] = left.len();
            if !gone.contains(&old) {
                left.push(node);
            }
        }
        self.nodes = left;
        let stays = |edge: &Edge| !gone.contains(&edge.from) && !gone.contains(&edge.to);
        let edges: Vec<Edge> = self.edges.iter().copied().filter(stays).collect();
        let moved = |edge: Edge| Edge { from: number[edge.from], to: number[edge.to], ..edge };
        self.set_edges(edges.into_iter().map(moved));
    }

    /// Who pays into each node and whom it pays, each ascending.
    pub(super) fn neighbours(&self) -> Neighbours {
        let mut before = vec![Vec::new(); self.nodes.len()];
        let mut after = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            before[edge.to].push(edge.from);
            after[edge.from].push(edge.to);
        }
        Neighbours { before, after }
    }

    /// What passes through each node: its own sum, or of a transaction what enters, and where
    /// that says less, what leaves (which may lack a fee that is not drawn).
    pub(super) fn through(&self) -> Vec<Sum> {
        let mut entering = vec![Sum::default(); self.nodes.len()];
        let mut leaving = entering.clone();
        for edge in &self.edges {
            entering[edge.to].add(edge.sum);
            leaving[edge.from].add(edge.sum);
        }
        let one = |(node, (entering, leaving)): (&Node, (Sum, Sum))| {
            let most = if entering.upper == 0 { leaving.upper } else { entering.upper };
            let sum = Sum { lower: entering.lower.max(leaving.lower).min(most), upper: most };
            if node.is_tx() { sum } else { node.sum }
        };
        self.nodes.iter().zip(entering.into_iter().zip(leaving)).map(one).collect()
    }
}

/// The nodes next to each node.
pub(super) struct Neighbours {
    pub(super) before: Vec<Vec<usize>>,
    pub(super) after: Vec<Vec<usize>>,
}

impl Node {
    pub(super) const fn is_tx(&self) -> bool {
        matches!(self.kind, Kind::Tx | Kind::CoinJoinTx)
    }

    pub(super) const fn is_end(&self) -> bool {
        matches!(self.kind, Kind::End(_))
    }

    fn absorb(&mut self, other: Self) {
        if self.kind != other.kind {
            self.kind = if self.is_tx() || other.is_tx() { Kind::Tx } else { self.kind };
        }
        if self.entity != other.entity {
            self.entity = None;
        }
        if self.place != other.place || self.is_tx() {
            self.place = None;
        }
        self.members = self.members.saturating_add(other.members);
        self.sum.add(other.sum);
        self.largest = self.largest.max(other.largest);
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (times, None) | (None, times) => times,
        };
        let room = MOST_NAMES.saturating_sub(self.names.len());
        self.names.extend(other.names.into_iter().take(room));
    }
}
