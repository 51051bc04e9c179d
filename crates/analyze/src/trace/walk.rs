//! The walk over the tainted transactions, each once and in chain order: what both directions
//! share.

use chain::{Input, Ledger, OutNum, Output, Sats, TxNum};

use super::{
    StopAt,
    books::Books,
    fees::BlockSpan,
    inbox::{Entry, Inbox, Slot},
    model::{Direction, Place, Reach, Root, Summary, Totals},
    policy::{Dests, Marks, Policy, Pool, Source},
    roots::{self, When},
    rules::Rules,
    visit::Visitor,
};
use crate::{Error, Result};

/// What has been delivered to one transaction.
pub(super) struct Delivered<M, I> {
    pub(super) entries: Vec<Entry<M>>,
    pub(super) items: Vec<I>,
}

/// A root's place in the order of work: slot, whether with the coinbase, index of the root.
type Station = (Slot, bool, usize);

pub(super) struct Walk<'a, P: Policy, V> {
    pub(super) ledger: &'a dyn Ledger,
    pub(super) rules: Rules,
    pub(super) policy: P,
    /// The caller's rules, where there are any.
    pub(super) stops: Option<&'a mut dyn StopAt>,
    /// Whether they are asked about transactions.
    pub(super) transactions_stop: bool,
    pub(super) visitor: V,
    pub(super) inbox: Inbox<P::Mark, P::Item>,
    pub(super) books: Books,
    pub(super) reach: Reach,
    pub(super) roots: Vec<Root>,
    /// Roots still to come, the next one last.
    stations: Vec<Station>,
    /// Roots of the transaction at hand: place among its destinations, index of the root.
    due: Vec<(usize, usize)>,
    /// The slot at hand, `None` before the first.
    pub(super) slot: Option<Slot>,
    /// Delivered to the transaction at hand.
    pub(super) own: Delivered<P::Mark, P::Item>,
    /// Delivered to the coinbase of the block that ends at this slot.
    pub(super) fees: Delivered<P::Mark, P::Item>,
    /// What the destinations get.
    pub(super) spread: Marks<P::Mark, P::Item>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    pub(super) values: Vec<u64>,
    pub(super) sources: Vec<Source<P::Mark>>,
    /// Least hops of what was collected into `sources`.
    pub(super) hops: u32,
    /// The block last asked for.
    pub(super) block: Option<BlockSpan>,
}

impl<'a, P: Policy, V: Visitor> Walk<'a, P, V> {
    pub(super) fn new(
        ledger: &'a dyn Ledger,
        rules: Rules,
        policy: P,
        stops: Option<&'a mut dyn StopAt>,
        visitor: V,
        roots: Vec<Root>,
    ) -> Result<Self> {
        let delivered = || Delivered { entries: Vec::new(), items: Vec::new() };
        let mut walk = Self {
            ledger,
            rules,
            policy,
            transactions_stop: stops.as_ref().is_some_and(|stops| stops.asks_about_transactions()),
            stops,
            visitor,
            inbox: Inbox::new(0, Vec::new()),
            books: Books::default(),
            reach: Reach::default(),
            roots,
            stations: Vec::new(),
            due: Vec::new(),
            slot: None,
            own: delivered(),
            fees: delivered(),
            spread: Marks::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            values: Vec::new(),
            sources: Vec::new(),
            hops: 0,
            block: None,
        };
        for index in 0..walk.roots.len() {
            let (direction, follow) = (walk.rules.direction, walk.rules.follow);
            let station = match roots::when(ledger, walk.roots[index].out, direction, follow)? {
                When::AtOnce => continue,
                When::With(tx) => (walk.slot_of(tx), false, index),
                When::WithFees(tx) => match walk.block_of(tx)? {
                    Some(block) => (walk.slot_of(block.last()), true, index),
                    None => (walk.slot_of(tx), false, index),
                },
            };
            walk.stations.push(station);
        }
        walk.stations.sort_unstable_by(|one, two| two.cmp(one));
        let visits = walk.stations.iter().map(|(slot, ..)| *slot).collect();
        walk.inbox = Inbox::new(ledger.tx_count(), visits);
        // With a budget the outputs that wait have to be told apart when it is used up.
        if P::MERGES && walk.is_pooled() && walk.rules.max_transactions == u64::MAX {
            walk.inbox = walk.inbox.merging(P::CLEAN);
        }
        Ok(walk)
    }

    /// Walks to the end.
    pub(super) fn run(mut self) -> Result<(Summary, Vec<Root>, V)> {
        match self.rules.direction {
            Direction::Forward => self.forward()?,
            Direction::Backward => self.backward()?,
        }
        let mut totals = Totals::default();
        for root in &self.roots {
            totals.root_lower += u128::from(root.value.0 - root.covered_upper.0);
            totals.root_upper += u128::from(root.value.0 - root.covered_lower.0);
        }
        self.reach.peak_waiting = self.inbox.peak();
        let bookings = self.books.close();
        for booking in &bookings {
            totals.booked_lower += booking.lower;
            totals.booked_upper += booking.upper;
        }
        let named_stops = self.stops.as_ref().map_or_else(Vec::new, |stops| stops.names());
        let summary = Summary { bookings, totals, reach: self.reach, named_stops };
        Ok((summary, self.roots, self.visitor))
    }

    /// A transaction's place in the order of work, and back.
    #[inline]
    pub(super) fn slot_of(&self, tx: TxNum) -> Slot {
        match self.rules.direction {
            Direction::Forward => tx.0,
            Direction::Backward => self.ledger.tx_count() - 1 - tx.0,
        }
    }

    /// Whether it is enough to know what taint arrives, not from which input. That saves a third
    /// of a sweep.
    const POOLED: bool = !(P::ORDERED || V::STEPS);

    /// As [`Self::POOLED`], for the transaction at hand: when the budget is used up, what arrives
    /// becomes leaves. Backward is not worth the trouble.
    #[inline]
    fn is_pooled(&self) -> bool {
        Self::POOLED
            && !self.transactions_stop
            && self.rules.direction == Direction::Forward
            && self.reach.transactions < self.rules.max_transactions
    }

    /// Takes what was delivered to `slot` into `own` and `fees`. Where [`Self::POOLED`] and there
    /// is budget left, what is for the transaction itself goes straight into `sources` (with
    /// `own.items`) and `hops`.
    #[inline]
    pub(super) fn collect(&mut self, slot: Slot) {
        self.slot = Some(slot);
        self.own.entries.clear();
        self.own.items.clear();
        self.fees.entries.clear();
        self.fees.items.clear();
        let pooled = self.is_pooled();
        let (own, fees) = (&mut self.own, &mut self.fees);
        self.sources.clear();
        if pooled {
            let (sources, mut hops) = (&mut self.sources, u32::MAX);
            self.inbox.take(slot, |entry, items| {
                if entry.coinbase {
                    let mark = P::carry(entry.mark, items, &mut fees.items);
                    fees.entries.push(Entry { mark, ..entry });
                } else {
                    let mark = P::carry(entry.mark, items, &mut own.items);
                    sources.push(Source { value: 0, mark });
                    hops = hops.min(entry.hops);
                }
            });
            self.hops = hops;
            return;
        }
        self.inbox.take(slot, |entry, items| {
            let into = if entry.coinbase { &mut *fees } else { &mut *own };
            let mark = P::carry(entry.mark, items, &mut into.items);
            into.entries.push(Entry { mark, ..entry });
        });
    }

    /// Whether a root comes up with the transaction (or coinbase) at hand.
    #[inline]
    pub(super) fn root_due(&self, coinbase: bool) -> bool {
        self.stations.last().is_some_and(|next| (Some(next.0), next.1) == (self.slot, coinbase))
    }

    /// Taints the roots among the destinations, which `out_of` finds the outputs of.
    pub(super) fn add_roots(
        &mut self,
        coinbase: bool,
        place_of: impl Fn(&Self, OutNum) -> Option<usize>,
    ) {
        self.due.clear();
        while self.root_due(coinbase)
            && let Some((.., index)) = self.stations.pop()
        {
            let place = place_of(self, self.roots[index].out);
            if let Some(place) = place {
                self.due.push((place, index));
                self.add_root(place, index);
            }
        }
    }

    /// Taints one root whose mark is at `place`.
    pub(super) fn add_root(&mut self, place: usize, index: usize) {
        let root = &mut self.roots[index];
        let mark = self.spread.marks[place];
        let items = &mut self.spread.items;
        let (mark, lower, upper) = self.policy.add_root(mark, items, root.value.0, root.root);
        self.spread.marks[place] = mark;
        (root.covered_lower, root.covered_upper) = (Sats(lower), Sats(upper));
    }

    /// Index of the root at a place among the destinations.
    #[inline]
    pub(super) fn root_at(&self, place: usize) -> Option<usize> {
        if self.due.is_empty() {
            return None;
        }
        self.due.iter().find(|(at, _)| *at == place).map(|(_, index)| *index)
    }

    /// Counts outputs reached and their value.
    #[inline]
    pub(super) fn count(&mut self, outputs: u64, value: u128, hops: u32) {
        self.reach.outputs += outputs;
        self.reach.value += value;
        if outputs > 0 {
            self.reach.max_hops = self.reach.max_hops.max(hops);
        }
    }

    /// Delivers a mark to a slot, which may be the one at hand if it is for the part of it that
    /// is still to come.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        mark: P::Mark,
        slot: Slot,
        coinbase: bool,
        source: u64,
        hops: u32,
    ) {
        let items = &self.spread.items;
        let entry = Entry { source, coinbase, hops, mark };
        if Some(slot) == self.slot {
            let into = if coinbase { &mut self.fees } else { &mut self.own };
            let mark = P::carry(mark, items, &mut into.items);
            into.entries.push(Entry { mark, ..entry });
        } else {
            self.inbox.push(slot, entry, |mark, into| P::carry(mark, items, into), P::merge);
        }
    }

    /// Spreads what `sources` holds over `values`, and shows the flows to the visitor.
    ///
    /// `complete` tells whether `sources` has all of them in order.
    pub(super) fn spread(
        &mut self,
        tx: TxNum,
        coinbase: bool,
        total: u64,
        rest: bool,
        flow: impl Fn(&Self, usize, usize) -> (Place, Place),
    ) -> Result<()> {
        let from = if coinbase { &self.fees } else { &self.own };
        let pool = Pool { sources: &self.sources, items: &from.items, total };
        let to = Dests { values: &self.values, rest };
        if !self.policy.spread(pool, to, &mut self.spread) {
            return self.inconsistent(tx, "spends more tainted satoshis than it spends at all");
        }
        if V::STEPS {
            self.visitor.step();
            let mut pairs = Vec::new();
            let each = &mut |from, to, taint| pairs.push((from, to, taint));
            self.policy.pairs(pool, to, &self.spread, each);
            for (source, dest, taint) in pairs {
                let (from, to) = flow(self, source, dest);
                self.visitor.flow(tx, from, to, taint);
            }
        }
        Ok(())
    }

    /// Fills `sources` from the `own` or `fees` entries. `keys` are all sources in order, with
    /// their values; they are asked for only where the policy or the visitor needs them.
    ///
    /// Returns the least hops of any.
    #[inline]
    pub(super) fn line_up(
        &mut self,
        tx: TxNum,
        coinbase: bool,
        keys: impl Iterator<Item = (u64, u64)>,
    ) -> Result<u32> {
        let from = if coinbase { &mut self.fees } else { &mut self.own };
        let hops = from.entries.iter().map(|entry| entry.hops).min().unwrap_or(0);
        self.sources.clear();
        if !(P::ORDERED || V::STEPS) {
            let sources = from.entries.iter().map(|entry| Source { value: 0, mark: entry.mark });
            self.sources.extend(sources);
            return Ok(hops);
        }
        let mut found = 0;
        if from.entries.len() > 8 {
            from.entries.sort_unstable_by_key(|entry| entry.source);
        }
        for (key, value) in keys {
            let at = if from.entries.len() > 8 {
                from.entries.binary_search_by_key(&key, |entry| entry.source).ok()
            } else {
                from.entries.iter().position(|entry| entry.source == key)
            };
            let mark = at.map_or(P::CLEAN, |at| from.entries[at].mark);
            found += usize::from(at.is_some());
            self.sources.push(Source { value, mark });
        }
        if found < from.entries.len() {
            return self.inconsistent(tx, "does not spend what it is said to spend");
        }
        Ok(hops)
    }

    /// Whether a slot lies behind or at the one at hand: only a damaged ledger spends an output
    /// before it is made.
    #[inline]
    pub(super) fn is_past(&self, slot: Slot) -> bool {
        self.slot.is_some_and(|at| slot <= at)
    }

    /// The error where [`Self::is_past`]; `coinbase` tells whether the maker is one.
    pub(super) fn spent_too_early<T>(&self, maker: TxNum, coinbase: bool) -> Result<T> {
        match coinbase {
            true => Err(Error::ImmatureCoinbase(self.ledger.txid(maker)?)),
            false => self.inconsistent(maker, "is spent by a transaction before it"),
        }
    }

    pub(super) fn inconsistent<T>(&self, tx: TxNum, detail: &'static str) -> Result<T> {
        Err(Error::Inconsistent { txid: self.ledger.txid(tx)?, detail })
    }
}
