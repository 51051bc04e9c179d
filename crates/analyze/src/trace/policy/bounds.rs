//! Bounds: what holds under every policy that conserves value.
//!
//! A policy conserves value if every output of a transaction, and its fee, gets between nothing
//! and its own value of the taint, and all of them together exactly what the inputs carry. Let an
//! output have value *v* in a transaction of *S* satoshis whose inputs carry at least *L* and at
//! most *U*. Then it gets at most *min(v, U)*, for it cannot get more than there is; and at least
//! *max(0, v − (S − L))*, for only *S − L* satoshis are clean and the rest of *v* has to be
//! filled with taint. It also never gets more than all roots together. Derivation, and why this is
//! the best that can be said of one transaction: `docs/methods/tracing.md`.

use chain::Sats;

use super::{Dests, Marks, Policy, Pool, Span};
use crate::trace::model::{RootShare, Taint};

/// Least and most satoshis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::trace) struct Interval {
    lower: u64,
    upper: u64,
}

impl Interval {
    /// What a destination of value `value` gets out of a transaction of `total`.
    fn pass(self, value: u64, total: u64, cap: u64) -> Self {
        let clean = total.saturating_sub(self.lower);
        Self { lower: value.saturating_sub(clean), upper: value.min(self.upper).min(cap) }
    }

    fn plus(self, other: Self) -> Self {
        // Sums of lower bounds stay below the value; those of upper bounds may not.
        Self {
            lower: self.lower.saturating_add(other.lower),
            upper: self.upper.saturating_add(other.upper),
        }
    }
}

/// The interval for all roots together, and those of each.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::trace) struct Range {
    all: Interval,
    parts: Span,
}

#[derive(Debug)]
pub(in crate::trace) struct Bounds {
    keep_roots_apart: bool,
    /// The value of all roots: nothing carries more.
    cap: u64,
    /// The same by root.
    caps: Vec<u64>,
    parts: Vec<(u32, Interval)>,
}

impl Bounds {
    /// `caps` are the values of the roots, by root.
    pub(in crate::trace) fn new(caps: Vec<u64>, keep_roots_apart: bool) -> Self {
        let cap = caps.iter().fold(0, |sum: u64, cap| sum.saturating_add(*cap));
        Self { keep_roots_apart, cap, caps, parts: Vec::new() }
    }

    fn cap_of(&self, root: u32) -> u64 {
        self.caps.get(root as usize).copied().unwrap_or(self.cap)
    }
}

impl Policy for Bounds {
    type Mark = Range;
    type Item = (u32, Interval);

    const CLEAN: Range =
        Range { all: Interval { lower: 0, upper: 0 }, parts: Span { start: 0, len: 0 } };
    const ORDERED: bool = false;

    fn is_clean(mark: Range) -> bool {
        mark.all.upper == 0
    }

    fn carry(mark: Range, from: &[Self::Item], to: &mut Vec<Self::Item>) -> Range {
        Range { all: mark.all, parts: mark.parts.carry(from, to) }
    }

    fn spread(
        &mut self,
        pool: Pool<'_, Range, Self::Item>,
        to: Dests<'_>,
        into: &mut Marks<Range, Self::Item>,
    ) -> bool {
        let mut all = Interval::default();
        self.parts.clear();
        for source in pool.sources {
            all = all.plus(source.mark.all);
            self.parts.extend_from_slice(source.mark.parts.of(pool.items));
        }
        self.parts.sort_by_key(|(root, _)| *root);
        self.parts.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.plus(later.1);
            }
            same
        });
        for &value in to.values {
            let start = into.items.len();
            for &(root, part) in &self.parts {
                let part = part.pass(value, pool.total, self.cap_of(root));
                if part.upper > 0 {
                    into.items.push((root, part));
                }
            }
            let all = all.pass(value, pool.total, self.cap);
            into.marks.push(Range { all, parts: Span::since(start, &into.items) });
        }
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, Range, Self::Item>,
        to: Dests<'_>,
        _: &Marks<Range, Self::Item>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        // What does not fit into the other destinations has to go to this one.
        let pass = |part: Interval, value: u64| Interval {
            lower: part.lower.saturating_sub(pool.total - value),
            upper: part.upper.min(value),
        };
        for (from, source) in pool.sources.iter().enumerate() {
            for (at, &value) in to.values.iter().enumerate() {
                let all = pass(source.mark.all, value);
                if all.upper > 0 {
                    let parts = source.mark.parts.of(pool.items).iter();
                    let parts = parts.map(|(root, part)| (*root, pass(*part, value)));
                    each(from, at, taint(all, parts));
                }
            }
        }
    }

    /// Afterwards all of the output is tainted; the root's own part is what others left.
    fn add_root(
        &mut self,
        mark: Range,
        items: &mut Vec<Self::Item>,
        value: u64,
        root: u32,
    ) -> (Range, u64, u64) {
        let Interval { lower, upper } = mark.all;
        let mut parts = mark.parts.of(items).to_vec();
        if self.keep_roots_apart {
            let at = match parts.binary_search_by_key(&root, |(root, _)| *root) {
                Ok(at) => at,
                Err(at) => {
                    parts.insert(at, (root, Interval::default()));
                    at
                }
            };
            let old = std::mem::take(&mut parts[at].1);
            let others = parts.iter().fold(Interval::default(), |sum, (_, part)| sum.plus(*part));
            let others_upper = others.upper.min(upper.saturating_sub(old.lower));
            let others_lower = others.lower.max(lower.saturating_sub(old.upper));
            parts[at].1 = Interval {
                lower: value.saturating_sub(others_upper),
                upper: value.saturating_sub(others_lower),
            };
        }
        let start = items.len();
        items.extend_from_slice(&parts);
        let all = Interval { lower: value, upper: value };
        (Range { all, parts: Span::since(start, items) }, lower, upper)
    }

    fn amount(mark: Range, _: u64) -> (u64, u64) {
        (mark.all.lower, mark.all.upper)
    }

    fn taint(&self, mark: Range, items: &[Self::Item], _: u64) -> Taint {
        taint(mark.all, mark.parts.of(items).iter().copied())
    }
}

fn taint(all: Interval, parts: impl Iterator<Item = (u32, Interval)>) -> Taint {
    let share = |(root, part): (u32, Interval)| RootShare {
        root,
        lower: Sats(part.lower),
        upper: Sats(part.upper),
    };
    let by_root = parts.filter(|(_, part)| part.upper > 0).map(share).collect();
    Taint { lower: Sats(all.lower), upper: Sats(all.upper), by_root }
}
