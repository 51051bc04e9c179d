//! Policies that pool a transaction's taint and hand it out anew: haircut and TIHO.

use std::cmp::Reverse;

use chain::Sats;

use super::{Dests, Marks, Policy, Pool, Span, split::Splitter};
use crate::trace::model::{RootShare, Taint};

/// How the pool is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum Rule {
    /// In proportion to value; the fee is one more output.
    Haircut,
    /// Highest outputs first, the first of equal ones first, the fee last.
    Tiho,
}

#[derive(Debug)]
struct Hand {
    rule: Rule,
    splitter: Splitter,
    order: Vec<u32>,
}

impl Hand {
    fn new(rule: Rule) -> Self {
        Self { rule, splitter: Splitter::default(), order: Vec::new() }
    }

    /// Appends what each destination gets of `amount`.
    fn out(&mut self, amount: u64, total: u64, to: Dests<'_>, into: &mut Vec<u64>) {
        match self.rule {
            Rule::Haircut => self.splitter.split(amount, total, to.values, into),
            Rule::Tiho => {
                let first = into.len();
                into.resize(first + to.values.len(), 0);
                let outputs = to.values.len() - usize::from(to.rest);
                self.order.clear();
                self.order.extend(0..outputs as u32);
                self.order.sort_by_key(|&at| Reverse(to.values[at as usize]));
                if to.rest {
                    self.order.push(outputs as u32);
                }
                let mut left = amount;
                for &at in &self.order {
                    let part = left.min(to.values[at as usize]);
                    into[first + at as usize] = part;
                    left -= part;
                    if left == 0 {
                        break;
                    }
                }
            }
        }
    }
}

/// One amount per output.
#[derive(Debug)]
pub(in crate::trace) struct PooledOne {
    hand: Hand,
    splitter: Splitter,
}

impl PooledOne {
    pub(in crate::trace) fn new(rule: Rule) -> Self {
        Self { hand: Hand::new(rule), splitter: Splitter::default() }
    }
}

impl Policy for PooledOne {
    type Mark = u64;
    type Item = ();

    const CLEAN: u64 = 0;
    const ORDERED: bool = false;
    const MERGES: bool = true;

    fn merge(one: u64, two: u64) -> u64 {
        one.saturating_add(two)
    }

    fn is_clean(mark: u64) -> bool {
        mark == 0
    }

    fn carry(mark: u64, _: &[()], _: &mut Vec<()>) -> u64 {
        mark
    }

    #[inline]
    fn spread(
        &mut self,
        pool: Pool<'_, u64, ()>,
        to: Dests<'_>,
        into: &mut Marks<u64, ()>,
    ) -> bool {
        let amount = pool.sources.iter().map(|source| source.mark).sum();
        if amount > pool.total {
            return false;
        }
        self.hand.out(amount, pool.total, to, &mut into.marks);
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, u64, ()>,
        _: Dests<'_>,
        spread: &Marks<u64, ()>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        let sources = pool.sources.iter().map(|source| source.mark);
        divide(&mut self.splitter, sources, spread.marks.iter().copied(), |from, to, amount| {
            each(from, to, exact(amount, Vec::new()));
        });
    }

    fn add_root(&mut self, mark: u64, _: &mut Vec<()>, value: u64, _: u32) -> (u64, u64, u64) {
        (value, mark, mark)
    }

    fn amount(mark: u64, _: u64) -> (u64, u64) {
        (mark, mark)
    }

    fn taint(&self, mark: u64, _: &[()], _: u64) -> Taint {
        exact(mark, Vec::new())
    }
}

pub(super) fn exact(amount: u64, by_root: Vec<RootShare>) -> Taint {
    Taint { lower: Sats(amount), upper: Sats(amount), by_root }
}

pub(super) fn exact_share((root, amount): (u32, u64)) -> RootShare {
    RootShare { root, lower: Sats(amount), upper: Sats(amount) }
}

/// Divides each destination's amount over the sources in proportion to what they have left, so
/// that what a source gives and what a destination gets are both exact.
fn divide(
    splitter: &mut Splitter,
    sources: impl Iterator<Item = u64>,
    dests: impl Iterator<Item = u64>,
    mut each: impl FnMut(usize, usize, u64),
) {
    let mut left: Vec<u64> = sources.collect();
    let mut total: u64 = left.iter().sum();
    let mut parts = Vec::new();
    for (to, amount) in dests.enumerate() {
        if amount == 0 {
            continue;
        }
        parts.clear();
        splitter.split(amount, total, &left, &mut parts);
        total -= amount;
        for (from, part) in parts.iter().enumerate() {
            left[from] -= part;
            if *part > 0 {
                each(from, to, *part);
            }
        }
    }
}

/// The amount of an output and where its parts by root are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::trace) struct Amount {
    sum: u64,
    parts: Span,
}

/// Amounts by root: (root, satoshis), ascending by root.
#[derive(Debug)]
pub(in crate::trace) struct PooledMany {
    hand: Hand,
    splitter: Splitter,
    sums: Vec<u64>,
    left: Vec<(u32, u64)>,
    weights: Vec<u64>,
    parts: Vec<u64>,
}

impl PooledMany {
    pub(in crate::trace) fn new(rule: Rule) -> Self {
        Self {
            hand: Hand::new(rule),
            splitter: Splitter::default(),
            sums: Vec::new(),
            left: Vec::new(),
            weights: Vec::new(),
            parts: Vec::new(),
        }
    }
}

impl Policy for PooledMany {
    type Mark = Amount;
    type Item = (u32, u64);

    const CLEAN: Amount = Amount { sum: 0, parts: Span { start: 0, len: 0 } };
    const ORDERED: bool = false;

    fn is_clean(mark: Amount) -> bool {
        mark.sum == 0
    }

    fn carry(mark: Amount, from: &[(u32, u64)], to: &mut Vec<(u32, u64)>) -> Amount {
        Amount { sum: mark.sum, parts: mark.parts.carry(from, to) }
    }

    /// The sums are those of [`PooledOne`]. Then, destination by destination, the sum is divided
    /// over the roots in proportion to what is left of each: no root loses or gains a satoshi.
    fn spread(
        &mut self,
        pool: Pool<'_, Amount, (u32, u64)>,
        to: Dests<'_>,
        into: &mut Marks<Amount, (u32, u64)>,
    ) -> bool {
        self.left.clear();
        for source in pool.sources {
            self.left.extend_from_slice(source.mark.parts.of(pool.items));
        }
        self.left.sort_unstable_by_key(|(root, _)| *root);
        self.left.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 += if same { later.1 } else { 0 };
            same
        });
        let mut total = self.left.iter().map(|(_, amount)| amount).sum();
        if total > pool.total {
            return false;
        }
        self.sums.clear();
        self.hand.out(total, pool.total, to, &mut self.sums);
        for &sum in &self.sums {
            let start = into.items.len();
            if sum > 0 {
                self.parts.clear();
                self.weights.clear();
                self.weights.extend(self.left.iter().map(|(_, amount)| amount));
                self.splitter.split(sum, total, &self.weights, &mut self.parts);
                total -= sum;
                for ((root, left), &part) in self.left.iter_mut().zip(&self.parts) {
                    *left -= part;
                    if part > 0 {
                        into.items.push((*root, part));
                    }
                }
            }
            let parts = Span::since(start, &into.items);
            into.marks.push(Amount { sum, parts });
        }
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, Amount, (u32, u64)>,
        _: Dests<'_>,
        spread: &Marks<Amount, (u32, u64)>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        let part = |mark: Amount, items: &[(u32, u64)], root: u32| {
            let found = mark.parts.of(items).iter().find(|(of, _)| *of == root);
            found.map_or(0, |(_, amount)| *amount)
        };
        let mut roots: Vec<u32> = Vec::new();
        for source in pool.sources {
            roots.extend(source.mark.parts.of(pool.items).iter().map(|(root, _)| *root));
        }
        roots.sort_unstable();
        roots.dedup();
        let mut pairs: Vec<(usize, usize, u32, u64)> = Vec::new();
        for root in roots {
            let sources = pool.sources.iter().map(|source| part(source.mark, pool.items, root));
            let dests = spread.marks.iter().map(|mark| part(*mark, &spread.items, root));
            divide(&mut self.splitter, sources, dests, |from, to, amount| {
                pairs.push((to, from, root, amount));
            });
        }
        pairs.sort_unstable();
        for same in pairs.chunk_by(|one, two| (one.0, one.1) == (two.0, two.1)) {
            let sum = same.iter().map(|(.., amount)| amount).sum();
            let shares = same.iter().map(|(.., root, amount)| exact_share((*root, *amount)));
            each(same[0].1, same[0].0, exact(sum, shares.collect()));
        }
    }

    fn add_root(
        &mut self,
        mark: Amount,
        items: &mut Vec<(u32, u64)>,
        value: u64,
        root: u32,
    ) -> (Amount, u64, u64) {
        let mut parts = mark.parts.of(items).to_vec();
        let own = value - mark.sum;
        match parts.binary_search_by_key(&root, |(root, _)| *root) {
            Ok(at) => parts[at].1 += own,
            Err(at) if own > 0 => parts.insert(at, (root, own)),
            Err(_) => {}
        }
        let start = items.len();
        items.extend_from_slice(&parts);
        (Amount { sum: value, parts: Span::since(start, items) }, mark.sum, mark.sum)
    }

    fn amount(mark: Amount, _: u64) -> (u64, u64) {
        (mark.sum, mark.sum)
    }

    fn taint(&self, mark: Amount, items: &[(u32, u64)], _: u64) -> Taint {
        exact(mark.sum, mark.parts.of(items).iter().copied().map(exact_share).collect())
    }
}
