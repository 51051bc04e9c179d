//! Columns: everything is to the right of what pays it.

use super::graph::Graph;

/// The column of each node, from 0: the longest way from where money starts. Starts themselves
/// move next to what they pay. An end whose way was not recorded is in the last column.
pub(super) fn ranks(graph: &Graph) -> Vec<usize> {
    let near = graph.neighbours();
    let mut waiting: Vec<usize> = near.before.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..graph.nodes.len()).filter(|&node| waiting[node] == 0).collect();
    let mut rank = vec![0_usize; graph.nodes.len()];
    while let Some(node) = ready.pop() {
        for &next in &near.after[node] {
            rank[next] = rank[next].max(rank[node] + 1);
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(next);
            }
        }
    }
    let last = rank.iter().copied().max().unwrap_or(0);
    for node in (0..graph.nodes.len()).filter(|&node| near.before[node].is_empty()) {
        let next = near.after[node].iter().map(|&next| rank[next]).min();
        rank[node] = match next {
            Some(next) => next.saturating_sub(1),
            None if graph.nodes[node].is_end() => last,
            None => rank[node],
        };
    }
    rank
}

/// The nodes of each column, ascending.
pub(super) fn columns(ranks: &[usize]) -> Vec<Vec<usize>> {
    let count = ranks.iter().max().map_or(0, |last| last + 1);
    let mut columns = vec![Vec::new(); count];
    for (node, &rank) in ranks.iter().enumerate() {
        columns[rank].push(node);
    }
    columns
}
