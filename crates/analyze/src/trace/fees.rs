//! Blocks and their fees, for coinbases into which fees are followed.

use std::ops::Range;

use chain::{Flags, Height, Input, Ledger, Output, TxNum};

use super::{
    model::{Place, StopReason},
    policy::Policy,
    visit::Visitor,
    walk::Walk,
};
use crate::{Error, Result};

/// A block whose coinbase is known.
#[derive(Clone, Debug)]
pub(super) struct BlockSpan {
    pub(super) height: Height,
    /// The coinbase first.
    pub(super) txs: Range<u32>,
}

impl BlockSpan {
    pub(super) fn coinbase(&self) -> TxNum {
        TxNum(self.txs.start)
    }

    pub(super) fn last(&self) -> TxNum {
        TxNum(self.txs.end - 1)
    }
}

/// What a coinbase draws on.
pub(super) struct Reward {
    coinbase: TxNum,
    /// In order: the subsidy (under the coinbase's own number), then the fee of each transaction.
    pub(super) fees: Vec<(TxNum, u64)>,
    /// Their sum.
    pub(super) total: u64,
    /// What of it the coinbase does not pay out.
    pub(super) unclaimed: u64,
}

impl Reward {
    /// The ends of a flow from a fee to one of the coinbase's outputs, or to what is unclaimed.
    pub(super) fn flow(&self, outputs: &[Output], fee: usize, output: usize) -> (Place, Place) {
        let from = match self.fees[fee].0 {
            tx if tx == self.coinbase => Place::Subsidy(tx),
            tx => Place::Fee(tx),
        };
        let to = outputs.get(output).map(|output| Place::Output(output.num));
        (from, to.unwrap_or(Place::Unclaimed(self.coinbase)))
    }
}

/// What a transaction takes in, and its fee; `None` where it pays out more than that.
pub(super) fn taken_and_fee(inputs: &[Input], outputs: &[Output]) -> Option<(u64, u64)> {
    let taken: u128 = inputs.iter().map(|input| u128::from(input.value.0)).sum();
    let fee = taken.checked_sub(sum(outputs))?;
    Some((u64::try_from(taken).ok()?, u64::try_from(fee).ok()?))
}

fn sum(outputs: &[Output]) -> u128 {
    outputs.iter().map(|output| u128::from(output.value.0)).sum()
}

/// The subsidy and the fees of a block, as in [`Reward::fees`], and their sum.
///
/// This reads the whole block, tainted or not, because the share of a tainted fee (haircut) and
/// its place in the queue (FIFO) depend on the clean ones.
fn block_fees(ledger: &dyn Ledger, block: &BlockSpan) -> Result<(Vec<(TxNum, u64)>, u64)> {
    let subsidy = ledger.network().subsidy(block.height.0);
    let mut fees = vec![(block.coinbase(), subsidy)];
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut total = subsidy;
    for tx in block.txs.clone().skip(1).map(TxNum) {
        ledger.inputs(tx, &mut inputs)?;
        ledger.outputs(tx, &mut outputs)?;
        let fee = taken_and_fee(&inputs, &outputs).map(|(_, fee)| fee);
        let sum = fee.and_then(|fee| total.checked_add(fee));
        let (Some(fee), Some(sum)) = (fee, sum) else {
            let detail = "pays out more than it takes in";
            return Err(Error::Inconsistent { txid: ledger.txid(tx)?, detail });
        };
        total = sum;
        fees.push((tx, fee));
    }
    Ok((fees, total))
}

impl<P: Policy, V: Visitor> Walk<'_, P, V> {
    /// The block of a transaction, `None` where its coinbase is not known.
    pub(super) fn block_of(&mut self, tx: TxNum) -> Result<Option<BlockSpan>> {
        if let Some(block) = &self.block
            && block.txs.contains(&tx.0)
        {
            return Ok(Some(block.clone()));
        }
        let Some(height) = self.ledger.height(tx)? else { return Ok(None) };
        let Some(block) = self.ledger.block(height)? else { return Ok(None) };
        let span = BlockSpan { height, txs: block.txs };
        if !span.txs.contains(&tx.0) || !self.ledger.flags(span.coinbase())?.has(Flags::COINBASE) {
            return Ok(None);
        }
        self.block = Some(span.clone());
        Ok(Some(span))
    }

    /// Takes the coinbase of the block that ends with `last` in hand; `None` where it is not known.
    pub(super) fn open_coinbase(&mut self, last: TxNum) -> Result<Option<BlockSpan>> {
        let Some(block) = self.block_of(last)? else { return Ok(None) };
        self.ledger.outputs(block.coinbase(), &mut self.outputs)?;
        self.spread.marks.clear();
        self.spread.items.clear();
        Ok(Some(block))
    }

    /// What the coinbase in hand draws on. Where it claims more than we see (a sparse ledger lacks
    /// some of the block's fees), the trace ends at all that was delivered to it.
    pub(super) fn reward(&mut self, block: &BlockSpan) -> Result<Option<Reward>> {
        let (fees, total) = block_fees(self.ledger, block)?;
        let paid = u64::try_from(sum(&self.outputs)).ok();
        let Some(unclaimed) = paid.and_then(|paid| total.checked_sub(paid)) else {
            self.end_entries(true, StopReason::Unknown)?;
            return Ok(None);
        };
        Ok(Some(Reward { coinbase: block.coinbase(), fees, total, unclaimed }))
    }
}

/// Marks the source of a delivery as the fee of a transaction: above any 40-bit output number.
const FEE: u64 = 1 << 47;

pub(super) const fn fee_key(tx: TxNum) -> u64 {
    FEE | tx.0 as u64
}

pub(super) fn fee_of(source: u64) -> Option<TxNum> {
    (source & FEE != 0).then_some(TxNum(source as u32))
}
