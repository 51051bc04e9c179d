//! A sparse ledger from single transactions whose prevouts are known.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};

use super::{
    MemoryLedger, MemoryLedgerError,
    agreement::{agree, check_spends, match_inputs, merge},
    order::{infer_heights, order},
};
use crate::{Block, Flags, Height, Network, OutNum, Sats, Spend, Tip};

/// A transaction as some explorer or node told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseTx {
    /// Its id.
    pub txid: Txid,
    /// Its properties as far as known. [`Flags::COINBASE`] is set from the rest; [`Flags::STUB`] says
    /// that `inputs` are not all of them.
    pub flags: Flags,
    /// The height of its block, `None` when unconfirmed or not known.
    pub height: Option<Height>,
    /// The time of its block's header, seconds since 1970 UTC.
    pub time: Option<u32>,
    /// The hash of its block.
    pub block_hash: Option<BlockHash>,
    /// Its place in its block, 0 for the coinbase.
    pub position: Option<u32>,
    /// Whether it is its block's coinbase. Then it has no inputs.
    pub coinbase: bool,
    /// All its inputs, in `vin` order; those that are known, of a [`Flags::STUB`].
    pub inputs: Vec<SparseInput>,
    /// All its outputs, in `vout` order.
    pub outputs: Vec<SparseOutput>,
}

/// An input together with the output that it spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseInput {
    /// The output spent.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Sats,
    /// Its locking script.
    pub script: ScriptBuf,
}

/// An output and what is known of its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseOutput {
    /// Its value.
    pub value: Sats,
    /// Its locking script.
    pub script: ScriptBuf,
    /// What is known of its fate, apart from the other transactions given.
    pub spend: SparseSpend,
}

/// What a source says about the fate of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SparseSpend {
    /// Nothing. Where none of the given transactions spends it: [`Spend::Unknown`].
    #[default]
    Unknown,
    /// Nobody has spent it.
    Unspent,
    /// This transaction spends it. Where that one is not given: [`Spend::Unknown`].
    By(Txid),
}

impl MemoryLedger {
    /// A ledger that knows these transactions and nothing else.
    ///
    /// A transaction that is known only because somebody spends its outputs becomes a
    /// [`Flags::STUB`] with just those outputs. Order: who is spent comes before who spends, and
    /// then by height, place in the block and txid, as far as known; the transactions of one
    /// block stay together, those without a height come before the block of their first spender
    /// with one, or last. A height that follows from those of ancestors and spenders is filled in.
    /// The same transaction may be given twice if the two agree in what both know.
    ///
    /// # Errors
    /// Statements that cannot all be true, with the txid: see [`MemoryLedgerError`].
    pub fn from_sparse(network: Network, txs: Vec<SparseTx>) -> Result<Self, MemoryLedgerError> {
        let mut known: BTreeMap<Txid, SparseTx> = BTreeMap::new();
        for tx in txs {
            let merged = match known.remove(&tx.txid) {
                Some(other) => merge(other, tx)?,
                None => tx,
            };
            known.insert(merged.txid, merged);
        }
        let spenders = match_inputs(&known)?;
        check_spends(&known, &spenders)?;
        infer_heights(&mut known)?;
        let order = order(&known)?;
        let mut blocks: BTreeMap<Height, Vec<&SparseTx>> = BTreeMap::new();
        for tx in known.values() {
            if let Some(height) = tx.height {
                blocks.entry(height).or_default().push(tx);
            }
        }

        let mut ledger = Self::empty(network);
        let mut made: HashMap<OutPoint, OutNum> = HashMap::new();
        for txid in order {
            let tx = &known[&txid];
            // Whatever is spent here and not made by a given transaction becomes a stub; before
            // the block, so that a block's transactions stay together.
            match tx.height.map(|height| blocks.remove(&height)) {
                None => ledger.push_stubs(&[tx], &known, &spenders, &mut made)?,
                Some(Some(block)) => ledger.push_stubs(&block, &known, &spenders, &mut made)?,
                // Its block has begun.
                Some(None) => {}
            }
            ledger.push_known(tx, &mut made)?;
        }
        ledger.set_fates(&known, &made);
        ledger.add_blocks(&known)?;
        Ok(ledger)
    }

    /// The same ledger, told by a source whose chain ended at this block: what it calls unspent it
    /// calls unspent there. Otherwise the last block with a known transaction is taken for the tip.
    #[must_use]
    pub fn as_of(mut self, tip: Tip) -> Self {
        self.told_at = Some(tip);
        self
    }

    fn push_stubs(
        &mut self,
        spending: &[&SparseTx],
        known: &BTreeMap<Txid, SparseTx>,
        spenders: &BTreeMap<OutPoint, (Txid, usize)>,
        made: &mut HashMap<OutPoint, OutNum>,
    ) -> Result<(), MemoryLedgerError> {
        let inputs = spending.iter().flat_map(|tx| &tx.inputs);
        let mut stubs: BTreeSet<Txid> = inputs.map(|input| input.outpoint.txid).collect();
        stubs.retain(|txid| !known.contains_key(txid) && !self.by_txid.contains_key(txid));
        for txid in stubs {
            self.push_stub(txid, known, spenders, made)?;
        }
        Ok(())
    }

    fn push_stub(
        &mut self,
        txid: Txid,
        known: &BTreeMap<Txid, SparseTx>,
        spenders: &BTreeMap<OutPoint, (Txid, usize)>,
        made: &mut HashMap<OutPoint, OutNum>,
    ) -> Result<(), MemoryLedgerError> {
        let mut outputs = Vec::new();
        let all = OutPoint::new(txid, 0)..=OutPoint::new(txid, u32::MAX);
        for (outpoint, (spender, vin)) in spenders.range(all) {
            let input = &known[spender].inputs[*vin];
            outputs.push((outpoint.vout, input.value, input.script.clone()));
        }
        let num = self.push(txid, Flags::STUB, None, &[], outputs)?;
        for &out in &self.txs[num.index()].outputs {
            made.insert(OutPoint::new(txid, self.outputs[out.index()].vout), out);
        }
        Ok(())
    }

    fn push_known(
        &mut self,
        tx: &SparseTx,
        made: &mut HashMap<OutPoint, OutNum>,
    ) -> Result<(), MemoryLedgerError> {
        let sources: Vec<OutNum> = tx.inputs.iter().map(|input| made[&input.outpoint]).collect();
        let mut outputs = Vec::new();
        for (vout, output) in tx.outputs.iter().enumerate() {
            let vout = u32::try_from(vout).map_err(|_| MemoryLedgerError::TooLarge)?;
            outputs.push((vout, output.value, output.script.clone()));
        }
        let mut flags = Flags(tx.flags.0 & !Flags::COINBASE.0);
        if tx.coinbase {
            flags = flags.with(Flags::COINBASE);
        }
        let num = self.push(tx.txid, flags, tx.height, &sources, outputs)?;
        self.txs[num.index()].time = tx.time;
        for (vout, &out) in (0..).zip(&self.txs[num.index()].outputs) {
            made.insert(OutPoint::new(tx.txid, vout), out);
        }
        Ok(())
    }

    /// What nobody here spends is unspent only where a source said so.
    fn set_fates(&mut self, known: &BTreeMap<Txid, SparseTx>, made: &HashMap<OutPoint, OutNum>) {
        for tx in known.values() {
            for (vout, output) in (0..).zip(&tx.outputs) {
                let out = &mut self.outputs[made[&OutPoint::new(tx.txid, vout)].index()];
                if out.spend == Spend::Unspent && output.spend != SparseSpend::Unspent {
                    out.spend = Spend::Unknown;
                }
            }
        }
    }

    /// Blocks whose hash and time are known; the order has put their transactions side by side.
    fn add_blocks(&mut self, known: &BTreeMap<Txid, SparseTx>) -> Result<(), MemoryLedgerError> {
        let mut headers: BTreeMap<Height, (Option<BlockHash>, Option<u32>)> = BTreeMap::new();
        for tx in known.values() {
            let Some(height) = tx.height else { continue };
            let (hash, time) = headers.entry(height).or_default();
            agree(tx, hash, tx.block_hash, "block hashes")?;
            agree(tx, time, tx.time, "block times")?;
        }
        let mut places: BTreeMap<Height, Range<u32>> = BTreeMap::new();
        for (num, tx) in (0..).zip(&self.txs) {
            let Some(height) = tx.height else { continue };
            places.entry(height).or_insert(num..num).end = num + 1;
        }
        for (height, header) in headers {
            let (Some(hash), Some(time)) = header else { continue };
            let txs = places.remove(&height).unwrap_or_default();
            self.blocks.insert(height, Block { height, hash, time, txs });
            self.by_hash.insert(hash, height);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
