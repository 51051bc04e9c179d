//! Poison: whatever touches taint is tainted as a whole.

use chain::Sats;

use super::{Dests, Marks, Policy, Pool, Span};
use crate::trace::model::{RootShare, Taint};

fn whole(value: u64, roots: &[u32]) -> Taint {
    let value = Sats(value);
    let share = |root: &u32| RootShare { root: *root, lower: value, upper: value };
    Taint { lower: value, upper: value, by_root: roots.iter().map(share).collect() }
}

/// Every destination after a source: there are no amounts to tell.
fn all_pairs<M>(
    sources: &[super::Source<M>],
    tainted: impl Fn(&M) -> bool,
    dests: usize,
    each: &mut dyn FnMut(usize, usize, Taint),
) {
    for (from, source) in sources.iter().enumerate() {
        if tainted(&source.mark) {
            for to in 0..dests {
                each(from, to, Taint::default());
            }
        }
    }
}

/// Tainted or not.
#[derive(Debug)]
pub(in crate::trace) struct PoisonOne;

impl Policy for PoisonOne {
    type Mark = bool;
    type Item = ();

    const CLEAN: bool = false;
    const ORDERED: bool = false;
    const MERGES: bool = true;

    fn merge(one: bool, two: bool) -> bool {
        one | two
    }

    fn is_clean(mark: bool) -> bool {
        !mark
    }

    fn carry(mark: bool, _: &[()], _: &mut Vec<()>) -> bool {
        mark
    }

    fn spread(
        &mut self,
        pool: Pool<'_, bool, ()>,
        to: Dests<'_>,
        into: &mut Marks<bool, ()>,
    ) -> bool {
        let tainted = pool.sources.iter().any(|source| source.mark);
        into.marks.resize(into.marks.len() + to.values.len(), tainted);
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, bool, ()>,
        to: Dests<'_>,
        _: &Marks<bool, ()>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        all_pairs(pool.sources, |mark| *mark, to.values.len(), each);
    }

    fn add_root(&mut self, mark: bool, _: &mut Vec<()>, value: u64, _: u32) -> (bool, u64, u64) {
        let covered = if mark { value } else { 0 };
        (true, covered, covered)
    }

    fn amount(_: bool, value: u64) -> (u64, u64) {
        (value, value)
    }

    fn taint(&self, _: bool, _: &[()], value: u64) -> Taint {
        whole(value, &[])
    }
}

/// The set of roots that reach an output, ascending.
#[derive(Debug, Default)]
pub(in crate::trace) struct PoisonMany {
    roots: Vec<u32>,
}

impl Policy for PoisonMany {
    type Mark = Span;
    type Item = u32;

    const CLEAN: Span = Span { start: 0, len: 0 };
    const ORDERED: bool = false;

    fn is_clean(mark: Span) -> bool {
        mark.len == 0
    }

    fn carry(mark: Span, from: &[u32], to: &mut Vec<u32>) -> Span {
        mark.carry(from, to)
    }

    fn spread(
        &mut self,
        pool: Pool<'_, Span, u32>,
        to: Dests<'_>,
        into: &mut Marks<Span, u32>,
    ) -> bool {
        self.roots.clear();
        for source in pool.sources {
            self.roots.extend_from_slice(source.mark.of(pool.items));
        }
        self.roots.sort_unstable();
        self.roots.dedup();
        // All destinations share one list.
        let start = into.items.len();
        into.items.extend_from_slice(&self.roots);
        let span = Span::since(start, &into.items);
        into.marks.resize(into.marks.len() + to.values.len(), span);
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, Span, u32>,
        to: Dests<'_>,
        _: &Marks<Span, u32>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        all_pairs(pool.sources, |mark| mark.len > 0, to.values.len(), each);
    }

    fn add_root(
        &mut self,
        mark: Span,
        items: &mut Vec<u32>,
        value: u64,
        root: u32,
    ) -> (Span, u64, u64) {
        let mut roots = mark.of(items).to_vec();
        let covered = if roots.is_empty() { 0 } else { value };
        if let Err(at) = roots.binary_search(&root) {
            roots.insert(at, root);
        }
        let start = items.len();
        items.extend_from_slice(&roots);
        (Span::since(start, items), covered, covered)
    }

    fn amount(_: Span, value: u64) -> (u64, u64) {
        (value, value)
    }

    fn taint(&self, mark: Span, items: &[u32], value: u64) -> Taint {
        whole(value, mark.of(items))
    }
}
