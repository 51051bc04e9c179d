//! What is too much for a picture becomes fewer boxes. Nothing is lost: a box stands for all its
//! members, and sums stay exact. Only small fees are left out, and how much they are is said.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Options,
    graph::{End, Fold, Graph, Kind, Sum},
    rank::{columns, ranks},
};

/// Fees are drawn while they are this few, …
const FEW_FEES: usize = 6;
/// … or at least one part in this many of the whole.
const SMALL_FEES: u64 = 100;
/// A chain shorter than this is not worth a fold.
const SHORT_CHAIN: usize = 3;

/// Of the ends of a folded box, at most this many stay by themselves, …
const LARGE_ENDS: usize = 3;
/// … if they are at least one part in this many of all of their sort.
const LARGE_PART: u64 = 3;

/// What was left out of the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Fees.
    pub(super) fees: u64,
    /// Satoshis of them; 0 under poison, which does not say.
    pub(super) sum: Sum,
    /// Outputs without value.
    pub(super) empty: u64,
}

/// Folds until columns and rows are few enough; `backward` folds what is far from the right side.
pub(super) fn fold(graph: &mut Graph, options: &Options, backward: bool) -> LeftOut {
    let left_out = leave_out(graph);
    same_address(graph);
    if !fits(graph, options) {
        chains(graph);
        ends_of_folds(graph);
    }
    if !fits(graph, options) {
        beyond(graph, options, backward);
        ends_of_folds(graph);
        for column in 0..options.columns {
            thin(graph, column, options.rows, false);
            ends_of_folds(graph);
            thin(graph, column, options.rows, true);
        }
    }
    mark_smaller(graph);
    left_out
}

fn fits(graph: &Graph, options: &Options) -> bool {
    let columns = columns(&ranks(graph));
    columns.len() <= options.columns && columns.iter().all(|column| column.len() <= options.rows)
}

/// Removes ends without value, and fees if they are many and small.
fn leave_out(graph: &mut Graph) -> LeftOut {
    let is_fee = |node: usize| graph.nodes[node].kind == Kind::End(End::Fee);
    let all = || 0..graph.nodes.len();
    let (fees, others): (Vec<usize>, Vec<usize>) =
        all().filter(|&node| graph.nodes[node].is_end()).partition(|&node| is_fee(node));
    let mut sum = Sum::default();
    fees.iter().for_each(|&node| sum.add(graph.nodes[node].sum));
    let whole = others.iter().map(|&node| graph.nodes[node].sum.upper);
    let whole = whole.fold(0_u64, u64::saturating_add);
    let few = fees.len() <= FEW_FEES && sum.upper > 0;
    let large = sum.upper >= whole / SMALL_FEES && sum.upper > 0;
    let fees = if few || large { Vec::new() } else { fees };
    let empty: Vec<usize> =
        others.into_iter().filter(|&node| graph.nodes[node].sum.upper == 0).collect();
    let left_out = LeftOut {
        fees: fees.len() as u64,
        sum: if fees.is_empty() { Sum::default() } else { sum },
        empty: empty.len() as u64,
    };
    graph.remove(&fees.into_iter().chain(empty).collect());
    left_out
}

/// Outputs of one transaction to one address are one box.
fn same_address(graph: &mut Graph) {
    let near = graph.neighbours();
    let mut sets: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        if !node.is_tx() && node.kind != Kind::End(End::Fee) {
            let around = (&near.before[number], &near.after[number]);
            let key = (node.kind, &node.reason, &node.place, around);
            sets.entry(key).or_default().push(number);
        }
    }
    let sets: Vec<_> = sets.into_values().map(|set| (set, Fold::SameAddress)).collect();
    graph.merge(&sets);
}

/// Transactions that follow each other without a fork or a join are one box.
fn chains(graph: &mut Graph) {
    let near = graph.neighbours();
    let only = |list: &[usize]| {
        let mut txs = list.iter().copied().filter(|&next| !graph.nodes[next].is_end());
        let first = txs.next();
        // A root in between must stay to be seen.
        let plain = first.is_none_or(|next| graph.nodes[next].is_tx());
        (plain && txs.next().is_none()).then_some(first)
    };
    let link = |node: usize| -> Option<(Option<usize>, Option<usize>)> {
        if graph.nodes[node].kind != Kind::Tx {
            return None;
        }
        Some((only(&near.before[node])?, only(&near.after[node])?))
    };
    let links: Vec<_> = (0..graph.nodes.len()).map(link).collect();
    let in_chain = |node: usize| matches!(links[node], Some((a, b)) if a.is_some() || b.is_some());
    let mut sets = Vec::new();
    for start in (0..graph.nodes.len()).filter(|&node| in_chain(node)) {
        let before = links[start].and_then(|(before, _)| before);
        if before.is_some_and(in_chain) {
            continue;
        }
        let mut set = vec![start];
        let mut next = links[start].and_then(|(_, after)| after);
        while let Some(node) = next.filter(|&node| in_chain(node)) {
            set.push(node);
            next = links[node].and_then(|(_, after)| after);
        }
        if set.len() >= SHORT_CHAIN {
            sets.push((set, Fold::Chain));
        }
    }
    graph.merge(&sets);
}

/// Ends that hang on one folded box are one box for each reason and owner; the few that are a
/// large part of these stay by themselves.
fn ends_of_folds(graph: &mut Graph) {
    let near = graph.neighbours();
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is_end()) {
        let around: Vec<usize> =
            near.before[number].iter().chain(&near.after[number]).copied().collect();
        let &[owner] = around.as_slice() else { continue };
        if matches!(graph.nodes[owner].fold, Fold::Chain | Fold::Smaller | Fold::Beyond) {
            groups.entry((owner, node.kind, &node.reason, &node.entity)).or_default().push(number);
        }
    }
    let mut sets = Vec::new();
    for (_, mut group) in groups {
        let one = |node: usize| (graph.nodes[node].members == 1, graph.nodes[node].sum.upper);
        group.sort_by_key(|&node| (Reverse(one(node)), node));
        let all = group.iter().fold(0_u64, |sum, &node| sum.saturating_add(one(node).1));
        let is_large = |node: &&usize| one(**node) >= (true, all / LARGE_PART);
        let large = group.iter().take(LARGE_ENDS).take_while(is_large).count();
        group.drain(..large);
        sets.push((group, Fold::Smaller));
    }
    graph.merge(&sets);
}

/// Transactions beyond the last column that there is room for are one box.
fn beyond(graph: &mut Graph, options: &Options, backward: bool) {
    let mut rank = ranks(graph);
    let last = rank.iter().copied().max().unwrap_or(0);
    if last < options.columns {
        return;
    }
    if backward {
        rank.iter_mut().for_each(|rank| *rank = last - *rank);
    }
    let near = graph.neighbours();
    // The last column is for the ends of the box in the one before.
    let first = options.columns.saturating_sub(2).max(1);
    let is_far = |&node: &usize| rank[node] >= first && graph.nodes[node].is_tx();
    let mut far: BTreeSet<usize> = (0..graph.nodes.len()).filter(is_far).collect();
    // A start within would be paid by the box and pay it.
    let within = |node: &usize| {
        let paid = near.before[*node].iter().any(|node| far.contains(node));
        let pays = near.after[*node].iter().any(|node| far.contains(node));
        paid && pays
    };
    let starts: Vec<usize> = (0..graph.nodes.len()).filter(within).collect();
    far.extend(starts);
    graph.merge(&[(far.into_iter().collect(), Fold::Beyond)]);
}

/// Joins the smaller transactions (or ends) of a column until it has few enough rows.
fn thin(graph: &mut Graph, column: usize, rows: usize, ends: bool) {
    let Some(crowd) = Crowd::of(graph, column, rows, ends) else { return };
    // What hangs on the same box is joined first: then no lines cross for it.
    if let Some(keep) = kept(&crowd.beside, crowd.room) {
        return graph.merge(&rest(&crowd.order, &crowd.beside, keep));
    }
    graph.merge(&rest(&crowd.order, &crowd.beside, 0));
    let Some(crowd) = Crowd::of(graph, column, rows, ends) else { return };
    let sets = match kept(&crowd.alike, crowd.room) {
        Some(keep) => rest(&crowd.order, &crowd.alike, keep),
        None => rest(&crowd.order, &crowd.kinds, kept(&crowd.kinds, crowd.room).unwrap_or(0)),
    };
    graph.merge(&sets);
}

/// The transactions (or ends) of a column that has too many, largest first, and what makes two of
/// them one.
struct Crowd {
    /// How many boxes may be left.
    room: usize,
    order: Vec<usize>,
    /// Of one sort, and between the same boxes (transactions: paid by the same ones).
    beside: Vec<(Alike, Vec<usize>)>,
    alike: Vec<Alike>,
    kinds: Vec<Kind>,
}

/// Kind and reason, and for transactions the sorts of ends that they lead to.
type Alike = (Kind, String, BTreeSet<(Kind, String)>);

impl Crowd {
    fn of(graph: &Graph, column: usize, rows: usize, ends: bool) -> Option<Self> {
        let columns = columns(&ranks(graph));
        let column = columns.get(column).filter(|column| column.len() > rows)?;
        let (mut order, others): (Vec<usize>, Vec<usize>) =
            column.iter().partition(|&&node| graph.nodes[node].is_end() == ends);
        let room = rows.saturating_sub(others.len()).max(rows / 2);
        if order.len() <= room {
            return None;
        }
        let through = graph.through();
        order.sort_by_key(|&node| (Reverse(through[node].upper), node));
        let near = graph.neighbours();
        let sort = |node: usize| (graph.nodes[node].kind, graph.nodes[node].reason.clone());
        let alike = |&node: &usize| {
            let around = near.before[node].iter().chain(&near.after[node]);
            let leads = around.filter(|_| !ends).map(|&next| sort(next)).collect();
            (graph.nodes[node].kind, graph.nodes[node].reason.clone(), leads)
        };
        let alike: Vec<Alike> = order.iter().map(alike).collect();
        let beside = |(&node, alike): (&usize, &Alike)| {
            let mut around = near.before[node].clone();
            if ends {
                around.extend(&near.after[node]);
            }
            (alike.clone(), around)
        };
        let beside = order.iter().zip(&alike).map(beside).collect();
        let kinds = order.iter().map(|&node| graph.nodes[node].kind).collect();
        Some(Self { room, order, beside, alike, kinds })
    }
}

/// How many of the first may stay by themselves if the others are joined by key.
fn kept<K: Ord>(keys: &[K], room: usize) -> Option<usize> {
    let boxes = |keep: usize| keep + keys.iter().skip(keep).collect::<BTreeSet<_>>().len();
    (0..room).rev().find(|&keep| boxes(keep) <= room)
}

fn rest<K: Ord>(order: &[usize], keys: &[K], keep: usize) -> Vec<(Vec<usize>, Fold)> {
    let mut sets: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
    for (&node, key) in order.iter().zip(keys).skip(keep) {
        sets.entry(key).or_default().push(node);
    }
    sets.into_values().map(|set| (set, Fold::Smaller)).collect()
}

/// Marks the boxes whose members are all smaller than one of the same sort beside them.
fn mark_smaller(graph: &mut Graph) {
    let near = graph.neighbours();
    let sort = |node: usize| {
        let about = &graph.nodes[node];
        let around = near.before[node].first().or(near.after[node].first());
        about.is_end().then_some((around, about.kind, &about.reason))
    };
    let mut largest = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.members == 1) {
        if let Some(sort) = sort(number) {
            let known: &mut u64 = largest.entry(sort).or_default();
            *known = node.sum.upper.max(*known);
        }
    }
    let is_smaller = |number: usize| {
        let node = &graph.nodes[number];
        let beside = sort(number).and_then(|sort| largest.get(&sort));
        node.fold == Fold::Smaller && beside.is_some_and(|beside| *beside >= node.largest)
    };
    let smaller: Vec<bool> = (0..graph.nodes.len()).map(is_smaller).collect();
    graph.nodes.iter_mut().zip(smaller).for_each(|(node, smaller)| node.smaller = smaller);
}
