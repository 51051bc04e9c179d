//! Where did the money come from? Against chain order, from outputs to inputs.

use chain::{Flags, Output, TxNum};

use super::{
    fees::{fee_key, taken_and_fee},
    model::{Place, StopReason},
    policy::Policy,
    visit::{Arrival, Visitor},
    walk::Walk,
};
use crate::Result;

/// Where a backward trace goes on: the slot, and whether to the coinbase of its block.
type Next = (u32, bool);

impl<P: Policy, V: Visitor> Walk<'_, P, V> {
    pub(super) fn backward(&mut self) -> Result<()> {
        self.start_with_unspent()?;
        while let Some(slot) = self.inbox.next(P::merge) {
            let tx = TxNum(self.ledger.tx_count() - 1 - slot);
            self.collect(slot);
            // The coinbase comes first: it draws on the fees of the block's other transactions.
            if !self.fees.entries.is_empty() {
                self.draw_on_fees(tx)?;
            }
            self.keep_to_budget()?;
            if !self.own.entries.is_empty() || self.root_due(false) {
                self.pass_back(tx)?;
            }
        }
        Ok(())
    }

    /// Roots that nobody spends come with no transaction.
    fn start_with_unspent(&mut self) -> Result<()> {
        for index in 0..self.roots.len() {
            let output = self.ledger.output(self.roots[index].out)?;
            if matches!(output.spend, chain::Spend::By(_)) {
                continue;
            }
            self.spread.items.clear();
            self.spread.marks.clear();
            self.spread.marks.push(P::CLEAN);
            self.add_root(0, index);
            let mark = self.spread.marks[0];
            if !P::is_clean(mark) {
                self.reach_output(None, mark, output, 0, Some(index))?;
            }
        }
        Ok(())
    }

    fn pass_back(&mut self, tx: TxNum) -> Result<()> {
        self.ledger.inputs(tx, &mut self.inputs)?;
        self.spread.marks.clear();
        self.spread.items.clear();
        let mut hops = 0;
        if !self.own.entries.is_empty() {
            self.ledger.outputs(tx, &mut self.outputs)?;
            match self.stop_before(tx) {
                Some(reason) => self.end_entries(false, reason)?,
                None => hops = self.spread_outputs(tx)?,
            }
        }
        if self.spread.marks.is_empty() {
            self.spread.marks.resize(self.inputs.len(), P::CLEAN);
        }
        self.add_roots(false, |walk, out| walk.inputs.iter().position(|input| input.source == out));
        for place in 0..self.inputs.len() {
            let mark = self.spread.marks[place];
            if !P::is_clean(mark) {
                let output = self.ledger.output(self.inputs[place].source)?;
                let root = self.root_at(place);
                let hops = if root.is_some() { 0 } else { hops };
                self.reach_output(Some(tx), mark, output, hops, root)?;
            }
        }
        Ok(())
    }

    /// Outputs and fee to inputs; returns the inputs' hops.
    fn spread_outputs(&mut self, tx: TxNum) -> Result<u32> {
        self.values.clear();
        self.values.extend(self.inputs.iter().map(|input| input.value.0));
        let Some((total, fee)) = taken_and_fee(&self.inputs, &self.outputs) else {
            return self.inconsistent(tx, "pays out more than it takes in");
        };
        let outputs = std::mem::take(&mut self.outputs);
        let keys = outputs.iter().map(|output| (output.num.0, output.value.0));
        let hops = self.line_up(tx, false, keys.chain([(fee_key(tx), fee)]))?.saturating_add(1);
        self.outputs = outputs;
        self.reach.transactions += 1;
        self.spread(tx, false, total, false, |walk, source, dest| {
            let from = Place::Output(walk.inputs[dest].source);
            let to = walk.outputs.get(source).map(|output| Place::Output(output.num));
            (from, to.unwrap_or(Place::Fee(tx)))
        })?;
        Ok(hops)
    }

    /// The coinbase of the block that ends with `last`: its outputs come out of the subsidy, then
    /// of the fees in block order.
    fn draw_on_fees(&mut self, last: TxNum) -> Result<()> {
        let Some(block) = self.open_coinbase(last)? else { return Ok(()) };
        let coinbase = block.coinbase();
        let Some(reward) = self.reward(&block)? else { return Ok(()) };
        self.values.clear();
        self.values.extend(reward.fees.iter().map(|(_, fee)| *fee));
        let outputs = std::mem::take(&mut self.outputs);
        let keys = outputs.iter().map(|output| (output.num.0, output.value.0));
        let keys = keys.chain([(fee_key(coinbase), reward.unclaimed)]);
        let hops = self.line_up(coinbase, true, keys)?.saturating_add(1);
        self.outputs = outputs;
        self.reach.transactions += 1;
        self.spread(coinbase, true, reward.total, false, |walk, source, dest| {
            reward.flow(&walk.outputs, dest, source)
        })?;
        for (place, &(tx, fee)) in reward.fees.iter().enumerate() {
            let mark = self.spread.marks[place];
            if P::is_clean(mark) || P::amount(mark, fee).1 == 0 {
                continue;
            }
            if tx == coinbase {
                self.book(mark, StopReason::Coinbase, fee);
            } else if self.stop_small_or_far(mark, fee, hops, false).is_some() {
                self.book(mark, StopReason::Fee, fee);
            } else {
                self.deliver(mark, self.slot_of(tx), false, fee_key(tx), hops);
            }
        }
        Ok(())
    }

    /// An output, spent by `spender`, goes to who made it or ends here.
    fn reach_output(
        &mut self,
        spender: Option<TxNum>,
        mark: P::Mark,
        output: Output,
        hops: u32,
        root: Option<usize>,
    ) -> Result<()> {
        let maker = self.ledger.tx_of(output.num)?;
        let next = self.origin(spender, maker, mark, &output, hops, root.is_some())?;
        let arrival = Arrival { output, tx: maker, hops, root };
        self.count(1, output.value.0.into(), hops);
        self.arrive(mark, &arrival, next.err());
        if let Ok((slot, coinbase)) = next {
            if self.is_past(slot) {
                return self.spent_too_early(maker, coinbase);
            }
            self.deliver(mark, slot, coinbase, output.num.0, hops);
        }
        Ok(())
    }

    /// Who the satoshis of this output come from, or why that is not looked at.
    fn origin(
        &mut self,
        spender: Option<TxNum>,
        maker: TxNum,
        mark: P::Mark,
        output: &Output,
        hops: u32,
        root: bool,
    ) -> Result<Result<Next, StopReason>> {
        if !root && let Some(reason) = self.stop_at(spender.unwrap_or(maker), output) {
            return Ok(Err(reason));
        }
        let flags = self.ledger.flags(maker)?;
        if flags.has(Flags::STUB) {
            return Ok(Err(StopReason::Unknown));
        }
        let mut next = (self.slot_of(maker), false);
        if flags.has(Flags::COINBASE) {
            if !self.rules.follow {
                return Ok(Err(StopReason::Coinbase));
            }
            match self.block_of(maker)? {
                Some(block) => next = (self.slot_of(block.last()), true),
                None => return Ok(Err(StopReason::Unknown)),
            }
        }
        if maker.0 < self.rules.floor {
            return Ok(Err(StopReason::Height));
        }
        let stop = self.stop_small_or_far(mark, output.value.0, hops, root);
        Ok(stop.map_or(Ok(next), Err))
    }
}
