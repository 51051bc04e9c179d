//! The walk over the tainted transactions, each once and in chain order: what both directions
//! share.

use chain::{Input, Ledger, OutNum, Output, Sats, Spend, TxNum};

use super::{
    StopAt,
    books::Books,
    fees::{BlockSpan, fee_of},
    inbox::{Entry, Inbox, Slot},
    model::{Direction, Place, Reach, Root, Status, StopReason, Summary, Totals},
    policy::{Dests, Marks, Policy, Pool, Source},
    roots::{self, When},
    rules::Rules,
    visit::{Arrival, End, Visitor},
};
use crate::{Error, Result};

/// What has been delivered to one transaction.
pub(super) struct Delivered<M, I> {
    pub(super) entries: Vec<Entry<M>>,
    pub(super) items: Vec<I>,
}

/// A root's place in the order of work: slot, whether with the coinbase, index of the root.
type Station = (Slot, bool, usize);

pub(super) struct Walk<'a, L, P: Policy, S, V> {
    pub(super) ledger: &'a L,
    pub(super) rules: Rules,
    pub(super) policy: P,
    pub(super) stops: &'a mut S,
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

impl<'a, L: Ledger, P: Policy, S: StopAt, V: Visitor> Walk<'a, L, P, S, V> {
    pub(super) fn new(
        ledger: &'a L,
        rules: Rules,
        policy: P,
        stops: &'a mut S,
        visitor: V,
        roots: Vec<Root>,
    ) -> Result<Self> {
        let delivered = || Delivered { entries: Vec::new(), items: Vec::new() };
        let mut walk = Self {
            ledger,
            rules,
            policy,
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
        let named_stops = self.stops.names();
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
    const POOLED: bool = !(P::ORDERED || V::STEPS || S::TRANSACTIONS);

    /// As [`Self::POOLED`], for the transaction at hand: when the budget is used up, what arrives
    /// becomes leaves. Backward is not worth the trouble.
    #[inline]
    fn is_pooled(&self) -> bool {
        Self::POOLED
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

    /// When the budget is used up, ends the trace at all that was delivered here. Before anything
    /// is read: a trace that stops early has many more outputs waiting than it has passed.
    #[inline]
    pub(super) fn keep_to_budget(&mut self) -> Result<()> {
        if self.reach.transactions >= self.rules.max_transactions && !self.own.entries.is_empty() {
            self.end_entries(false, StopReason::Budget)?;
            self.own.entries.clear();
        }
        Ok(())
    }

    /// Whether taint may not pass the transaction whose inputs and outputs are at hand.
    #[inline]
    pub(super) fn stop_before(&mut self, tx: TxNum) -> Option<StopReason> {
        if S::TRANSACTIONS {
            return self.stops.transaction(tx, &self.inputs, &self.outputs).map(StopReason::Named);
        }
        None
    }

    /// Ends the trace at everything that was delivered to `from`.
    pub(super) fn end_entries(&mut self, coinbase: bool, reason: StopReason) -> Result<()> {
        let from = if coinbase { &mut self.fees } else { &mut self.own };
        from.entries.sort_unstable_by_key(|entry| entry.source);
        let apart = self.rules.keep_roots_apart;
        for &Entry { source, hops, mark, .. } in &from.entries {
            let (tx, output) = match fee_of(source) {
                Some(_) => {
                    // A fee is no output: there is nothing but the sum to show for it.
                    book(&mut self.books, &self.policy, apart, reason, mark, &from.items, 0);
                    continue;
                }
                None => (self.ledger.tx_of(OutNum(source))?, self.ledger.output(OutNum(source))?),
            };
            let value = output.value.0;
            book(&mut self.books, &self.policy, apart, reason, mark, &from.items, value);
            let arrival = Arrival { output, tx, hops, root: None };
            let status = status(&output, self.rules.end);
            let end = End { status, reason, confidence: self.stops.confidence(output.num) };
            self.visitor.leaf(&arrival, end, || self.policy.taint(mark, &from.items, value));
        }
        Ok(())
    }

    /// Taint reaches an output: the trace ends there for `reason`, or the caller delivers it
    /// further.
    #[inline]
    pub(super) fn arrive(&mut self, mark: P::Mark, arrival: &Arrival, reason: Option<StopReason>) {
        let items = &self.spread.items;
        let value = arrival.output.value.0;
        self.visitor.arrive(arrival, || self.policy.taint(mark, items, value));
        if let Some(reason) = reason {
            let apart = self.rules.keep_roots_apart;
            book(&mut self.books, &self.policy, apart, reason, mark, items, value);
            let status = status(&arrival.output, self.rules.end);
            let confidence = self.stops.confidence(arrival.output.num);
            let end = End { status, reason, confidence };
            self.visitor.leaf(arrival, end, || self.policy.taint(mark, items, value));
        }
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

    /// Books satoshis that end at no output.
    #[inline]
    pub(super) fn book(&mut self, mark: P::Mark, reason: StopReason, value: u64) {
        let items = &self.spread.items;
        let apart = self.rules.keep_roots_apart;
        book(&mut self.books, &self.policy, apart, reason, mark, items, value);
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
            self.inbox.push(slot, entry, |mark, into| P::carry(mark, items, into));
        }
    }

    /// The common stop rules for an output that is no root.
    #[inline]
    pub(super) fn stop_at(&mut self, tx: TxNum, output: &Output) -> Option<StopReason> {
        if let Some(rule) = self.stops.output(tx, output) {
            return Some(StopReason::Named(rule));
        }
        match output.address {
            Some(address)
                if !self.rules.addresses.is_empty()
                    && self.rules.addresses.contains(&address.0) =>
            {
                Some(StopReason::Address)
            }
            _ => None,
        }
    }

    /// The stop rules for amounts and hops.
    #[inline]
    pub(super) fn stop_small_or_far(
        &self,
        mark: P::Mark,
        value: u64,
        hops: u32,
        root: bool,
    ) -> Option<StopReason> {
        if self.rules.min_tainted > 0 && !root && P::amount(mark, value).1 < self.rules.min_tainted
        {
            return Some(StopReason::Value);
        }
        (hops >= self.rules.max_hops).then_some(StopReason::Hops)
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

/// Adds to the sums.
#[inline]
fn book<P: Policy>(
    books: &mut Books,
    policy: &P,
    apart: bool,
    reason: StopReason,
    mark: P::Mark,
    items: &[P::Item],
    value: u64,
) {
    books.add(reason, P::amount(mark, value));
    if apart {
        books.add_shares(reason, &policy.taint(mark, items, value).by_root);
    }
}

/// What became of an output, seen from the end of the trace.
fn status(output: &Output, end: u32) -> Status {
    match output.spend {
        _ if output.address.is_none() => Status::Unspendable,
        Spend::By(tx) if tx.0 < end => Status::Spent,
        Spend::By(_) | Spend::Unspent => Status::Unspent,
        Spend::Unknown => Status::Unknown,
    }
}
