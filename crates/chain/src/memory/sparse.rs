//! A sparse ledger from single transactions whose prevouts are known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};

use super::{
    MemoryLedger, MemoryLedgerError,
    order::{infer_heights, order},
};
use crate::{Block, Flags, Height, Network, OutNum, Sats, Spend};

/// A transaction as some explorer or node told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseTx {
    /// Its id.
    pub txid: Txid,
    /// Its properties as far as known. [`Flags::COINBASE`] and [`Flags::STUB`] are set from the
    /// rest.
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
    /// All its inputs, in `vin` order.
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

        let mut ledger = Self::empty(network);
        let mut made: HashMap<OutPoint, OutNum> = HashMap::new();
        let mut begun: Option<Height> = None;
        for txid in order {
            let tx = &known[&txid];
            // Whatever is spent here and not made by a given transaction becomes a stub; before
            // the block, so that a block's transactions stay together.
            if tx.height.is_none() {
                ledger.push_stubs(&[tx], &known, &spenders, &mut made)?;
            } else if tx.height != begun {
                let block: Vec<_> = known.values().filter(|t| t.height == tx.height).collect();
                ledger.push_stubs(&block, &known, &spenders, &mut made)?;
                begun = tx.height;
            }
            ledger.push_known(tx, &mut made)?;
        }
        ledger.set_fates(&known, &made);
        ledger.add_blocks(&known)?;
        Ok(ledger)
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
        let mut flags = Flags(tx.flags.0 & !Flags::STUB.0 & !Flags::COINBASE.0);
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
        for (height, header) in headers {
            let (Some(hash), Some(time)) = header else { continue };
            let here = |tx: &super::Tx| tx.height == Some(height);
            let first = self.txs.iter().position(here).unwrap_or(0) as u32;
            let count = self.txs.iter().filter(|tx| here(tx)).count() as u32;
            self.blocks.insert(height, Block { height, hash, time, txs: first..first + count });
            self.by_hash.insert(hash, height);
        }
        Ok(())
    }
}

pub(super) fn contradiction(tx: &SparseTx, detail: impl Into<String>) -> MemoryLedgerError {
    let detail = detail.into();
    MemoryLedgerError::Contradiction { txid: tx.txid, height: tx.height, detail }
}

fn agree<T: Copy + PartialEq>(
    tx: &SparseTx,
    known: &mut Option<T>,
    said: Option<T>,
    what: &str,
) -> Result<(), MemoryLedgerError> {
    match (*known, said) {
        (Some(known), Some(said)) if known != said => {
            Err(contradiction(tx, format!("two different {what}")))
        }
        (None, said) => {
            *known = said;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// One transaction from two statements about it.
fn merge(mut one: SparseTx, two: SparseTx) -> Result<SparseTx, MemoryLedgerError> {
    agree(&two, &mut one.height, two.height, "heights")?;
    agree(&two, &mut one.time, two.time, "block times")?;
    agree(&two, &mut one.block_hash, two.block_hash, "block hashes")?;
    agree(&two, &mut one.position, two.position, "places in the block")?;
    let paid = |tx: &SparseTx| -> Vec<(Sats, ScriptBuf)> {
        tx.outputs.iter().map(|out| (out.value, out.script.clone())).collect()
    };
    if one.inputs != two.inputs || one.coinbase != two.coinbase || paid(&one) != paid(&two) {
        return Err(contradiction(&two, "given twice with different inputs or outputs"));
    }
    one.flags = one.flags.with(two.flags);
    for (vout, (mine, theirs)) in one.outputs.iter_mut().zip(&two.outputs).enumerate() {
        match (mine.spend, theirs.spend) {
            (SparseSpend::Unknown, said) => mine.spend = said,
            (_, SparseSpend::Unknown) => {}
            (mine, theirs) if mine == theirs => {}
            _ => return Err(contradiction(&two, format!("two different fates of output {vout}"))),
        }
    }
    Ok(one)
}

/// Who spends what (txid and `vin`), once each input agrees with the output that it names.
fn match_inputs(
    known: &BTreeMap<Txid, SparseTx>,
) -> Result<BTreeMap<OutPoint, (Txid, usize)>, MemoryLedgerError> {
    let mut spenders: BTreeMap<OutPoint, (Txid, usize)> = BTreeMap::new();
    for tx in known.values() {
        if tx.coinbase && !tx.inputs.is_empty() {
            return Err(contradiction(tx, "a coinbase with inputs"));
        }
        let (txid, height) = (tx.txid, tx.height);
        for (vin, input) in tx.inputs.iter().enumerate() {
            let prevout = input.outpoint;
            if let Some((by, _)) = spenders.insert(prevout, (txid, vin)) {
                return Err(MemoryLedgerError::DoubleSpend { txid, height, vin, prevout, by });
            }
            let Some(source) = known.get(&prevout.txid) else { continue };
            let Some(output) = source.outputs.get(prevout.vout as usize) else {
                return Err(MemoryLedgerError::UnknownPrevout { txid, height, vin, prevout });
            };
            if (output.value, &output.script) != (input.value, &input.script) {
                let detail = format!("input {vin} gives {prevout} another value or script");
                return Err(contradiction(tx, detail));
            }
        }
    }
    Ok(spenders)
}

/// No output is said to be spent by one transaction and seen spent by another.
fn check_spends(
    known: &BTreeMap<Txid, SparseTx>,
    spenders: &BTreeMap<OutPoint, (Txid, usize)>,
) -> Result<(), MemoryLedgerError> {
    for tx in known.values() {
        for (vout, output) in (0..).zip(&tx.outputs) {
            let seen = spenders.get(&OutPoint::new(tx.txid, vout)).map(|(by, _)| *by);
            let detail = match (output.spend, seen) {
                (SparseSpend::Unspent, Some(by)) => {
                    format!("output {vout} is said to be unspent, but {by} spends it")
                }
                (SparseSpend::By(said), Some(by)) if said != by => {
                    format!("output {vout} is said to be spent by {said}, but {by} spends it")
                }
                (SparseSpend::By(said), None) if known.contains_key(&said) => {
                    format!("output {vout} is said to be spent by {said}, which does not spend it")
                }
                _ => continue,
            };
            return Err(contradiction(tx, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;

    use super::*;
    use crate::{Ledger, TxNum};

    fn id(tag: u8) -> Txid {
        Txid::from_byte_array([tag; 32])
    }

    fn tx(tag: u8, inputs: &[(u8, u32)], outputs: usize) -> SparseTx {
        let script = || ScriptBuf::from_bytes(vec![0x51]);
        let input = |&(from, vout): &(u8, u32)| SparseInput {
            outpoint: OutPoint::new(id(from), vout),
            value: Sats(0),
            script: script(),
        };
        let output =
            || SparseOutput { value: Sats(0), script: script(), spend: SparseSpend::Unknown };
        SparseTx {
            txid: id(tag),
            flags: Flags::VERSION_2,
            height: None,
            time: None,
            block_hash: None,
            position: None,
            coinbase: false,
            inputs: inputs.iter().map(input).collect(),
            outputs: (0..outputs).map(|_| output()).collect(),
        }
    }

    fn in_block(mut tx: SparseTx, height: u32, position: Option<u32>) -> SparseTx {
        tx.height = Some(Height(height));
        tx.time = Some(1_000 + height);
        tx.block_hash = Some(BlockHash::from_byte_array([height as u8; 32]));
        tx.position = position;
        tx
    }

    fn ledger(txs: &[SparseTx]) -> Result<MemoryLedger, MemoryLedgerError> {
        MemoryLedger::from_sparse(Network::Regtest, txs.to_vec())
    }

    #[track_caller]
    fn check_order(txs: &[SparseTx], expected: &[u8]) {
        let ledger = ledger(txs).unwrap();
        let order: Vec<Txid> = ledger.txs.iter().map(|tx| tx.txid).collect();
        assert_eq!(order, expected.iter().map(|tag| id(*tag)).collect::<Vec<_>>());
    }

    #[track_caller]
    fn check_error(txs: &[SparseTx], message: &str) {
        let error = ledger(txs).unwrap_err().to_string();
        let tags =
            (1..=9).fold(error, |text, tag| text.replace(&id(tag).to_string(), &tag.to_string()));
        assert_eq!(tags, message);
    }

    #[test]
    fn what_was_not_seen_is_unknown() {
        let mut theft = tx(5, &[(1, 3), (1, 0)], 2);
        theft.outputs[1].spend = SparseSpend::Unspent;
        let ledger = ledger(&[theft]).unwrap();
        assert_eq!(ledger.tx_count(), 2);
        assert_eq!(ledger.flags(TxNum(0)).unwrap(), Flags::STUB);
        assert_eq!(ledger.height(TxNum(0)).unwrap(), None);
        let mut outputs = Vec::new();
        ledger.outputs(TxNum(0), &mut outputs).unwrap();
        assert_eq!(outputs.iter().map(|out| out.vout).collect::<Vec<_>>(), [0, 3]);
        assert!(outputs.iter().all(|out| out.spend == Spend::By(TxNum(1))));
        assert_eq!(ledger.output_at(TxNum(0), 1).unwrap(), None);
        assert_eq!(ledger.output_at(TxNum(0), 3).unwrap(), Some(OutNum(1)));
        ledger.outputs(TxNum(1), &mut outputs).unwrap();
        assert_eq!(outputs[0].spend, Spend::Unknown);
        assert_eq!(outputs[1].spend, Spend::Unspent);
        assert_eq!(ledger.tip(), None);
    }

    #[test]
    fn a_time_without_a_height_is_kept() {
        let mut told = tx(1, &[], 1);
        told.time = Some(1_600_000_000);
        let ledger = ledger(&[told, tx(2, &[(1, 0)], 1)]).unwrap();
        assert_eq!(ledger.time(TxNum(0)).unwrap(), Some(1_600_000_000));
        assert_eq!(ledger.time(TxNum(1)).unwrap(), None);
        let mined = in_block(tx(1, &[], 1), 8, None);
        let time = mined.time;
        assert_eq!(super::tests::ledger(&[mined]).unwrap().time(TxNum(0)).unwrap(), time);
    }

    #[test]
    fn order_is_chain_order_as_far_as_known() {
        // Heights first, then places, then txids; who is spent before who spends.
        check_order(
            &[
                in_block(tx(1, &[], 1), 8, Some(4)),
                in_block(tx(2, &[], 1), 8, Some(1)),
                in_block(tx(3, &[], 1), 7, None),
                tx(4, &[], 1),
            ],
            &[3, 2, 1, 4],
        );
        check_order(&[tx(1, &[(2, 0)], 1), tx(2, &[], 1)], &[2, 1]);
        // 2 has no height: it stands before the block of its spender 1, not inside a block.
        check_order(
            &[
                in_block(tx(1, &[(2, 0)], 1), 8, None),
                tx(2, &[], 1),
                in_block(tx(3, &[], 1), 8, None),
                in_block(tx(4, &[], 1), 7, None),
            ],
            &[4, 2, 1, 3],
        );
        // A place that is not known waits for the ones that are.
        check_order(
            &[
                in_block(tx(1, &[(3, 0)], 1), 8, Some(1)),
                in_block(tx(2, &[], 1), 8, Some(2)),
                in_block(tx(3, &[], 1), 8, None),
            ],
            &[3, 1, 2],
        );
    }

    #[test]
    fn stubs_stand_before_the_block_and_not_in_it() {
        let ledger =
            ledger(&[in_block(tx(1, &[], 1), 8, None), in_block(tx(2, &[(9, 0)], 1), 8, None)])
                .unwrap();
        assert_eq!(ledger.flags(TxNum(0)).unwrap(), Flags::STUB);
        assert_eq!(ledger.block(Height(8)).unwrap().unwrap().txs, 1..3);
    }

    #[test]
    fn a_height_between_equal_heights_is_filled_in() {
        let ledger = ledger(&[
            in_block(tx(1, &[], 1), 8, None),
            tx(2, &[(1, 0)], 1),
            in_block(tx(3, &[(2, 0)], 1), 8, None),
        ])
        .unwrap();
        assert_eq!(ledger.height(TxNum(1)).unwrap(), Some(Height(8)));
        let block = ledger.block(Height(8)).unwrap().unwrap();
        assert_eq!((block.txs, block.time), (0..3, 1_008));
        assert_eq!(ledger.tip().unwrap().height, Height(8));
        assert_eq!(ledger.find_block(&block.hash).unwrap(), Some(Height(8)));
    }

    #[test]
    fn two_statements_about_one_transaction_become_one() {
        let mut unspent = tx(1, &[], 1);
        unspent.outputs[0].spend = SparseSpend::Unspent;
        let ledger = ledger(&[in_block(tx(1, &[], 1), 8, None), unspent]).unwrap();
        assert_eq!(ledger.tx_count(), 1);
        assert_eq!(ledger.height(TxNum(0)).unwrap(), Some(Height(8)));
        assert_eq!(ledger.output(OutNum(0)).unwrap().spend, Spend::Unspent);
    }

    #[test]
    fn contradictions_name_the_transaction() {
        check_error(
            &[tx(1, &[(2, 0)], 1), tx(2, &[(1, 0)], 1)],
            "transaction 1 would have to come before itself",
        );
        check_error(
            &[in_block(tx(1, &[], 1), 8, Some(5)), in_block(tx(2, &[(1, 0)], 1), 8, Some(3))],
            "transaction 1 would have to come before itself",
        );
        check_error(
            &[in_block(tx(1, &[], 1), 9, None), in_block(tx(2, &[(1, 0)], 1), 8, None)],
            "block 9: transaction 1: must be in block 9 or later, but in block 8 or earlier",
        );
        check_error(
            &[tx(1, &[(3, 0)], 1), tx(2, &[(3, 0)], 1)],
            "transaction 2: input 0 spends 3:0, which transaction 1 spent already",
        );
        check_error(
            &[tx(1, &[], 1), tx(2, &[(1, 1)], 1)],
            "transaction 2: input 0 spends 1:1, which does not exist",
        );
        let mut other = tx(2, &[(1, 0)], 1);
        other.inputs[0].value = Sats(11);
        check_error(
            &[tx(1, &[], 1), other],
            "transaction 2: input 0 gives 1:0 another value or script",
        );
        let mut unspent = tx(1, &[(4, 0)], 1);
        unspent.outputs[0].spend = SparseSpend::Unspent;
        check_error(
            &[unspent.clone(), tx(2, &[(1, 0)], 1)],
            "transaction 1: output 0 is said to be unspent, but 2 spends it",
        );
        unspent.outputs[0].spend = SparseSpend::By(id(3));
        check_error(
            &[unspent.clone(), tx(2, &[(1, 0)], 1)],
            "transaction 1: output 0 is said to be spent by 3, but 2 spends it",
        );
        check_error(
            &[unspent, tx(3, &[], 1)],
            "transaction 1: output 0 is said to be spent by 3, which does not spend it",
        );
        check_error(
            &[in_block(tx(1, &[], 1), 8, None), in_block(tx(1, &[], 1), 9, None)],
            "block 9: transaction 1: two different heights",
        );
        let mut more = tx(1, &[(2, 0)], 2);
        more.inputs[0].value = Sats(10);
        more.outputs[0].value = Sats(20);
        check_error(
            &[more],
            "transaction 1: pays out 0.00000020 bitcoin but takes in only 0.00000010",
        );
    }
}
