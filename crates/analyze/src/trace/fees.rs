//! The fees of a block, for a coinbase into which they are followed.

use chain::{Ledger, TxNum};

use super::walk::BlockSpan;
use crate::{Error, Result};

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
