//! Blocks and their fees, for coinbases into which fees are followed.

use std::ops::Range;

use chain::{Flags, Height, Ledger, TxNum};

use super::{StopAt, policy::Policy, visit::Visitor, walk::Walk};
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

/// What a coinbase draws on, in order: the subsidy (under the coinbase's own number), then the
/// fee of each transaction.
///
/// This reads the whole block, tainted or not, because the share of a tainted fee (haircut) and
/// its place in the queue (FIFO) depend on the clean ones.
pub(super) fn block_fees(ledger: &impl Ledger, block: &BlockSpan) -> Result<Vec<(TxNum, u64)>> {
    let subsidy = ledger.network().subsidy(block.height.0);
    let mut fees = vec![(block.coinbase(), subsidy)];
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut total = subsidy;
    for tx in block.txs.clone().skip(1).map(TxNum) {
        ledger.inputs(tx, &mut inputs)?;
        ledger.outputs(tx, &mut outputs)?;
        let taken: u128 = inputs.iter().map(|input| u128::from(input.value.0)).sum();
        let paid: u128 = outputs.iter().map(|output| u128::from(output.value.0)).sum();
        let fee = taken.checked_sub(paid).and_then(|fee| u64::try_from(fee).ok());
        let sum = fee.and_then(|fee| total.checked_add(fee));
        let (Some(fee), Some(sum)) = (fee, sum) else {
            let detail = "pays out more than it takes in";
            return Err(Error::Inconsistent { txid: ledger.txid(tx)?, detail });
        };
        total = sum;
        fees.push((tx, fee));
    }
    Ok(fees)
}

impl<L: Ledger, P: Policy, S: StopAt, V: Visitor> Walk<'_, L, P, S, V> {
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
}

/// Marks the source of a delivery as the fee of a transaction: above any 40-bit output number.
const FEE: u64 = 1 << 47;

pub(super) const fn fee_key(tx: TxNum) -> u64 {
    FEE | tx.0 as u64
}

pub(super) fn fee_of(source: u64) -> Option<TxNum> {
    (source & FEE != 0).then_some(TxNum(source as u32))
}
