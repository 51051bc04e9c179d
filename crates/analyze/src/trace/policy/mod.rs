//! How taint passes from the sources of a transaction to its destinations.
//!
//! A policy sees a transaction as a box: satoshis lie in *sources* and leave through
//! *destinations*, as many as came in. Forward the sources are the inputs and the destinations
//! the outputs and the fee; backward it is the other way round. For a coinbase whose fees are
//! followed, the subsidy and the fees stand where the inputs would.

mod bounds;
mod poison;
mod pooled;
mod queue;
mod split;

use super::model::Taint;

pub(super) use bounds::Bounds;
pub(super) use poison::{PoisonMany, PoisonOne};
pub(super) use pooled::{PooledMany, PooledOne, Rule};
pub(super) use queue::{Queue, QueueOrder};

/// A source with its taint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<M> {
    /// Satoshis. Only filled in when the sources are complete (see [`Pool::sources`]).
    pub(super) value: u64,
    pub(super) mark: M,
}

/// What comes in.
#[derive(Clone, Copy)]
pub(super) struct Pool<'a, M, I> {
    /// All sources in order, or just the tainted ones in any order: the latter only for policies
    /// without [`Policy::ORDERED`], and never for [`Policy::pairs`].
    pub(super) sources: &'a [Source<M>],
    /// What their marks point into.
    pub(super) items: &'a [I],
    /// Sum of the values of all sources.
    pub(super) total: u64,
}

/// Where it can go.
#[derive(Clone, Copy)]
pub(super) struct Dests<'a> {
    /// Values in order; they sum up to [`Pool::total`].
    pub(super) values: &'a [u64],
    /// Whether the last one is what is left over (a fee, an unclaimed subsidy), not an output.
    pub(super) rest: bool,
}

/// Marks and what they point into.
#[derive(Debug)]
pub(super) struct Marks<M, I> {
    pub(super) marks: Vec<M>,
    pub(super) items: Vec<I>,
}

impl<M, I> Default for Marks<M, I> {
    fn default() -> Self {
        Self { marks: Vec::new(), items: Vec::new() }
    }
}

/// A run of items that belong to one mark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: usize,
    len: u32,
}

impl Span {
    fn of<I>(self, items: &[I]) -> &[I] {
        items.get(self.start..self.start + self.len as usize).unwrap_or(&[])
    }

    /// From `start` to the end of `items`.
    fn since<I>(start: usize, items: &[I]) -> Self {
        Self { start, len: (items.len() - start) as u32 }
    }

    fn carry<I: Copy>(self, from: &[I], to: &mut Vec<I>) -> Self {
        let start = to.len();
        to.extend_from_slice(self.of(from));
        Self { start, len: self.len }
    }
}

/// A way for taint to pass.
pub(super) trait Policy {
    /// What one output carries, of fixed size.
    type Mark: Copy;
    /// Entry of the list that a mark may point into.
    type Item: Copy;

    /// No taint.
    const CLEAN: Self::Mark;
    /// Whether [`Policy::spread`] needs all sources in order.
    const ORDERED: bool;

    /// Whether the marks of several sources can be merged before [`Policy::spread`], which then
    /// gives the same. Such marks point to no items.
    const MERGES: bool = false;

    /// Two marks as one, where [`Policy::MERGES`]; [`Policy::CLEAN`] changes nothing.
    fn merge(_: Self::Mark, mark: Self::Mark) -> Self::Mark {
        mark
    }

    /// Whether there is no taint at all (under bounds: none possible).
    fn is_clean(mark: Self::Mark) -> bool;

    /// Moves what the mark points to.
    fn carry(mark: Self::Mark, from: &[Self::Item], to: &mut Vec<Self::Item>) -> Self::Mark;

    /// Appends one mark for each destination. `false` if the sources hold more tainted satoshis
    /// than satoshis, which only a damaged ledger can bring about.
    fn spread(
        &mut self,
        pool: Pool<'_, Self::Mark, Self::Item>,
        to: Dests<'_>,
        into: &mut Marks<Self::Mark, Self::Item>,
    ) -> bool;

    /// After [`Policy::spread`]: who got what from whom, as indices of sources and destinations.
    fn pairs(
        &mut self,
        pool: Pool<'_, Self::Mark, Self::Item>,
        to: Dests<'_>,
        spread: &Marks<Self::Mark, Self::Item>,
        each: &mut dyn FnMut(usize, usize, Taint),
    );

    /// Taints all of an output that is still clean with `root`. Returns the new mark and how much
    /// was tainted before, at least and at most.
    fn add_root(
        &mut self,
        mark: Self::Mark,
        items: &mut Vec<Self::Item>,
        value: u64,
        root: u32,
    ) -> (Self::Mark, u64, u64);

    /// Least and most tainted satoshis of an output of this value.
    fn amount(mark: Self::Mark, value: u64) -> (u64, u64);

    /// The same for the reader, with the parts by root where they are kept apart.
    fn taint(&self, mark: Self::Mark, items: &[Self::Item], value: u64) -> Taint;
}
