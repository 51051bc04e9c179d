//! Where did the money go? In chain order, from inputs to outputs.

use chain::{Input, OutNum, Output, Sats, Spend, TxNum};

use super::{
    fees::fee_key,
    model::{Place, StopReason},
    policy::Policy,
    visit::{Arrival, Visitor},
    walk::Walk,
};
use crate::Result;

impl<P: Policy, V: Visitor> Walk<'_, P, V> {
    pub(super) fn forward(&mut self) -> Result<()> {
        while let Some(slot) = self.inbox.next(P::merge) {
            self.collect(slot);
            self.keep_to_budget()?;
            if self.has_own() || self.root_due(false) {
                self.pass_on(TxNum(slot))?;
            }
            // The block's last transaction is done, so all fees for its coinbase are here.
            if !self.fees.entries.is_empty() || self.root_due(true) {
                self.collect_fees(TxNum(slot))?;
            }
        }
        Ok(())
    }

    /// Whether anything was delivered to the transaction at hand, one way or the other.
    #[inline]
    fn has_own(&self) -> bool {
        !self.own.entries.is_empty() || !self.sources.is_empty()
    }

    #[inline]
    fn pass_on(&mut self, tx: TxNum) -> Result<()> {
        self.ledger.outputs(tx, &mut self.outputs)?;
        self.spread.marks.clear();
        self.spread.items.clear();
        let mut hops = 0;
        if !self.sources.is_empty() {
            let total = self.ledger.input_sum(tx)?.0;
            hops = self.hops.saturating_add(1);
            self.spread_inputs(tx, total, hops)?;
        } else if !self.own.entries.is_empty() {
            self.ledger.inputs(tx, &mut self.inputs)?;
            match self.stop_before(tx) {
                Some(reason) => self.end_entries(false, reason)?,
                None => {
                    let inputs = std::mem::take(&mut self.inputs);
                    let keys = inputs.iter().map(|input| (input.source.0, input.value.0));
                    hops = self.line_up(tx, false, keys)?.saturating_add(1);
                    let add = |sum: u64, input: &Input| sum.saturating_add(input.value.0);
                    let total = inputs.iter().fold(0, add);
                    self.inputs = inputs;
                    self.spread_inputs(tx, total, hops)?;
                }
            }
        }
        self.reach_outputs(tx, false, hops)
    }

    /// What is in `sources`, part of `total` satoshis, to outputs and fee.
    #[inline]
    fn spread_inputs(&mut self, tx: TxNum, total: u64, hops: u32) -> Result<()> {
        let paid = self.fill_values();
        let possible = total <= Sats::MAX_MONEY.0;
        let Some(fee) = paid.and_then(|paid| total.checked_sub(paid)).filter(|_| possible) else {
            return self.inconsistent(tx, "pays out more than it takes in");
        };
        self.values.push(fee);
        self.reach.transactions += 1;
        self.spread(tx, false, total, true, |walk, source, dest| {
            let from = Place::Output(walk.inputs[source].source);
            let to = walk.outputs.get(dest).map(|output| Place::Output(output.num));
            (from, to.unwrap_or(Place::Fee(tx)))
        })?;
        let mark = self.spread.marks[self.outputs.len()];
        if !P::is_clean(mark) {
            self.pay_fee(tx, mark, fee, hops)?;
        }
        Ok(())
    }

    /// The outputs' values, and their sum if it is no nonsense.
    fn fill_values(&mut self) -> Option<u64> {
        let mut paid = Some(0u64);
        self.values.clear();
        for output in &self.outputs {
            paid = paid.and_then(|sum| sum.checked_add(output.value.0));
            self.values.push(output.value.0);
        }
        paid
    }

    /// Tainted satoshis are paid as a fee.
    #[inline]
    fn pay_fee(&mut self, tx: TxNum, mark: P::Mark, fee: u64, hops: u32) -> Result<()> {
        // Without taint there is nothing to say, and poison would count fees of nothing.
        if P::amount(mark, fee).1 == 0 {
            return Ok(());
        }
        if !self.rules.follow || self.stop_small_or_far(mark, fee, hops, false).is_some() {
            self.book(mark, StopReason::Fee, fee);
            return Ok(());
        }
        match self.block_of(tx)? {
            Some(block) => {
                let slot = self.slot_of(block.last());
                self.deliver(mark, slot, true, fee_key(tx), hops);
            }
            None => self.book(mark, StopReason::Unknown, fee),
        }
        Ok(())
    }

    /// The coinbase of the block that ends with `last`: subsidy first, then fees in block order.
    fn collect_fees(&mut self, last: TxNum) -> Result<()> {
        let Some(block) = self.open_coinbase(last)? else { return Ok(()) };
        let coinbase = block.coinbase();
        let mut hops = 0;
        if !self.fees.entries.is_empty()
            && let Some(reward) = self.reward(&block)?
        {
            let unclaimed = reward.unclaimed;
            self.fill_values();
            self.values.push(unclaimed);
            let keys = reward.fees.iter().map(|(tx, fee)| (fee_key(*tx), *fee));
            hops = self.line_up(coinbase, true, keys)?.saturating_add(1);
            self.reach.transactions += 1;
            self.spread(coinbase, true, reward.total, true, |walk, source, dest| {
                reward.flow(&walk.outputs, source, dest)
            })?;
            let mark = self.spread.marks[self.outputs.len()];
            if !P::is_clean(mark) && P::amount(mark, unclaimed).1 > 0 {
                self.book(mark, StopReason::Unclaimed, unclaimed);
            }
        }
        self.reach_outputs(coinbase, true, hops)
    }

    /// What the outputs got, and the roots among them, goes to their spenders or ends here.
    #[inline]
    fn reach_outputs(&mut self, tx: TxNum, coinbase: bool, hops: u32) -> Result<()> {
        if self.spread.marks.is_empty() {
            self.spread.marks.resize(self.outputs.len(), P::CLEAN);
        }
        self.add_roots(coinbase, |walk, out| walk.place_of(out));
        let outputs = std::mem::take(&mut self.outputs);
        let (mut count, mut value) = (0, 0);
        for (place, output) in outputs.iter().enumerate() {
            let mark = self.spread.marks[place];
            if P::is_clean(mark) {
                continue;
            }
            let root = self.root_at(place);
            let hops = if root.is_some() { 0 } else { hops };
            count += 1;
            value += u128::from(output.value.0);
            let next = self.fate(tx, mark, output, hops, root.is_some());
            let arrival = Arrival { output: *output, tx, hops, root };
            self.arrive(mark, &arrival, next.err());
            if let Ok(spender) = next {
                if self.is_past(spender.0) {
                    return self.spent_too_early(tx, coinbase);
                }
                self.deliver(mark, spender.0, false, output.num.0, hops);
            }
        }
        self.outputs = outputs;
        // The roots among them are at 0 hops, which is not more.
        self.count(count, value, hops);
        Ok(())
    }

    fn place_of(&self, out: OutNum) -> Option<usize> {
        self.outputs.iter().position(|output| output.num == out)
    }

    /// Who passes the taint of this output on, or why nobody does.
    #[inline]
    fn fate(
        &mut self,
        tx: TxNum,
        mark: P::Mark,
        output: &Output,
        hops: u32,
        root: bool,
    ) -> Result<TxNum, StopReason> {
        if output.address.is_none() {
            return Err(StopReason::OpReturn);
        }
        if !root && let Some(reason) = self.stop_at(tx, output) {
            return Err(reason);
        }
        let spender = match output.spend {
            Spend::By(spender) if spender.0 < self.rules.end => spender,
            Spend::By(_) | Spend::Unspent => return Err(StopReason::Unspent),
            // Where it would not be followed anyhow, nothing is missing.
            Spend::Unknown => {
                let stop = self.stop_small_or_far(mark, output.value.0, hops, root);
                return Err(stop.unwrap_or(StopReason::Unknown));
            }
        };
        match self.stop_small_or_far(mark, output.value.0, hops, root) {
            Some(reason) => Err(reason),
            None => Ok(spender),
        }
    }
}
