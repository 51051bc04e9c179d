//! A small chain in plain memory, naive and obviously right: the oracle that the durable store is
//! tested against, and the ledger of a handful of transactions fetched from elsewhere.

mod agreement;
mod blocks;
mod order;
mod sparse;

use std::collections::{BTreeMap, HashMap};

use bitcoin::{BlockHash, Script, ScriptBuf, Txid};

use crate::{
    AddressNum, Block, Flags, Height, Input, Ledger, LedgerError, Network, OutNum, Output, Result,
    Sats, Spend, Tip, TxNum, script::ScriptKind,
};

pub use sparse::{SparseInput, SparseOutput, SparseSpend, SparseTx};

/// A [`Ledger`] held in vectors and hash maps.
///
/// [`MemoryLedger::from_blocks`] makes a complete one, [`MemoryLedger::from_sparse`] one that
/// knows only the transactions it was given.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    network: Network,
    txs: Vec<Tx>,
    outputs: Vec<Out>,
    addresses: Vec<Address>,
    /// The latest transaction of an id wins (BIP-0030).
    by_txid: HashMap<Txid, TxNum>,
    by_script: HashMap<ScriptBuf, AddressNum>,
    blocks: BTreeMap<Height, Block>,
    by_hash: HashMap<BlockHash, Height>,
    /// Where a source's chain ended when it told all this.
    told_at: Option<Tip>,
}

#[derive(Clone, Debug)]
struct Tx {
    txid: Txid,
    flags: Flags,
    height: Option<Height>,
    /// What a sparse source said; where it said nothing, the block may know.
    time: Option<u32>,
    inputs: Vec<Input>,
    /// In `vout` order; gaps only in a stub.
    outputs: Vec<OutNum>,
}

#[derive(Clone, Debug)]
struct Out {
    tx: TxNum,
    vout: u32,
    value: Sats,
    script: ScriptBuf,
    address: Option<AddressNum>,
    spend: Spend,
}

#[derive(Clone, Debug)]
struct Address {
    script: ScriptBuf,
    /// Ascending.
    outputs: Vec<OutNum>,
}

/// Why these blocks or transactions are no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryLedgerError {
    /// A block does not name the one before it as its parent.
    #[error("block {height} does not build on block {} before it", height.0.wrapping_sub(1))]
    NotLinked {
        /// The block's height.
        height: Height,
    },
    /// The first transaction of a block must be its coinbase, and no other may be one.
    #[error("block {height}: the coinbase is not exactly the first transaction")]
    Coinbase {
        /// The block's height.
        height: Height,
    },
    /// An input spends an output that no earlier transaction made.
    #[error("{}transaction {txid}: input {vin} spends {prevout}, which does not exist", at(*height))]
    UnknownPrevout {
        /// The spending transaction.
        txid: Txid,
        /// Its block's height, where known.
        height: Option<Height>,
        /// The input's place.
        vin: usize,
        /// What it spends.
        prevout: bitcoin::OutPoint,
    },
    /// An input spends an output that was spent before.
    #[error(
        "{}transaction {txid}: input {vin} spends {prevout}, which transaction {by} spent already",
        at(*height)
    )]
    DoubleSpend {
        /// The spending transaction.
        txid: Txid,
        /// Its block's height, where known.
        height: Option<Height>,
        /// The input's place.
        vin: usize,
        /// What it spends.
        prevout: bitcoin::OutPoint,
        /// The transaction that spent it first.
        by: Txid,
    },
    /// An amount, or a sum of amounts, is above 21 million bitcoin.
    #[error("{}transaction {txid}: its {what} exceed 21 million bitcoin", at(*height))]
    ValueOverflow {
        /// The transaction.
        txid: Txid,
        /// Its block's height, where known.
        height: Option<Height>,
        /// `inputs` or `outputs`.
        what: &'static str,
    },
    /// A transaction that is no coinbase pays out more than it takes in.
    #[error(
        "{}transaction {txid}: pays out {paid} bitcoin but takes in only {taken}",
        at(*height)
    )]
    Inflation {
        /// The transaction.
        txid: Txid,
        /// Its block's height, where known.
        height: Option<Height>,
        /// Sum of its outputs.
        paid: Sats,
        /// Sum of its inputs.
        taken: Sats,
    },
    /// What was said about a transaction cannot all be true.
    #[error("{}transaction {txid}: {detail}", at(*height))]
    Contradiction {
        /// The transaction.
        txid: Txid,
        /// Its block's height, where known.
        height: Option<Height>,
        /// What does not fit.
        detail: String,
    },
    /// Transactions spend each other in a circle, or their places in a block contradict who
    /// spends whom.
    #[error("transaction {txid} would have to come before itself")]
    Cycle {
        /// The one of them with the lowest id.
        txid: Txid,
    },
    /// More transactions or scripts than 32-bit numbers can name.
    #[error("more than 4294967295 transactions or scripts")]
    TooLarge,
}

fn at(height: Option<Height>) -> String {
    height.map_or_else(String::new, |height| format!("block {height}: "))
}

impl MemoryLedger {
    fn empty(network: Network) -> Self {
        Self {
            network,
            txs: Vec::new(),
            outputs: Vec::new(),
            addresses: Vec::new(),
            by_txid: HashMap::new(),
            by_script: HashMap::new(),
            blocks: BTreeMap::new(),
            by_hash: HashMap::new(),
            told_at: None,
        }
    }

    /// Appends a transaction whose inputs are resolved; checks sums; numbers its outputs.
    fn push(
        &mut self,
        txid: Txid,
        flags: Flags,
        height: Option<Height>,
        sources: &[OutNum],
        outputs: Vec<(u32, Sats, ScriptBuf)>,
    ) -> Result<TxNum, MemoryLedgerError> {
        let num = TxNum(u32::try_from(self.txs.len()).map_err(|_| MemoryLedgerError::TooLarge)?);
        let taken = sum(sources.iter().map(|source| self.outputs[source.index()].value))
            .ok_or(MemoryLedgerError::ValueOverflow { txid, height, what: "inputs" })?;
        let paid = sum(outputs.iter().map(|(_, value, _)| *value))
            .ok_or(MemoryLedgerError::ValueOverflow { txid, height, what: "outputs" })?;
        let mints = flags.has(Flags::COINBASE) || flags.has(Flags::STUB);
        if !mints && paid > taken {
            return Err(MemoryLedgerError::Inflation { txid, height, paid, taken });
        }
        let mut inputs = Vec::new();
        for &source in sources {
            let out = &mut self.outputs[source.index()];
            out.spend = Spend::By(num);
            inputs.push(Input { source, value: out.value, address: out.address });
        }
        let mut numbers = Vec::new();
        for (vout, value, script) in outputs {
            let out = OutNum(self.outputs.len() as u64);
            let address = self.number_script(&script, out)?;
            let spend = Spend::Unspent;
            self.outputs.push(Out { tx: num, vout, value, script, address, spend });
            numbers.push(out);
        }
        self.txs.push(Tx { txid, flags, height, time: None, inputs, outputs: numbers });
        self.by_txid.insert(txid, num);
        Ok(num)
    }

    fn number_script(
        &mut self,
        script: &ScriptBuf,
        out: OutNum,
    ) -> Result<Option<AddressNum>, MemoryLedgerError> {
        if ScriptKind::of(script.as_bytes()) == ScriptKind::OpReturn {
            return Ok(None);
        }
        let address = match self.by_script.get(script) {
            Some(&address) => address,
            None => {
                let next =
                    u32::try_from(self.addresses.len()).map_err(|_| MemoryLedgerError::TooLarge)?;
                self.addresses.push(Address { script: script.clone(), outputs: Vec::new() });
                self.by_script.insert(script.clone(), AddressNum(next));
                AddressNum(next)
            }
        };
        self.addresses[address.index()].outputs.push(out);
        Ok(Some(address))
    }

    fn tx(&self, tx: TxNum) -> Result<&Tx> {
        get(&self.txs, "transaction", tx.index())
    }

    fn out(&self, out: OutNum) -> Result<&Out> {
        get(&self.outputs, "output", out.index())
    }

    fn address(&self, address: AddressNum) -> Result<&Address> {
        get(&self.addresses, "address", address.index())
    }
}

fn get<'a, T>(all: &'a [T], what: &'static str, number: usize) -> Result<&'a T> {
    all.get(number).ok_or(LedgerError::OutOfRange {
        what,
        number: number as u64,
        count: all.len() as u64,
    })
}

/// The sum, `None` where a part or the whole is above [`Sats::MAX_MONEY`].
fn sum(values: impl Iterator<Item = Sats>) -> Option<Sats> {
    let mut total = Sats::ZERO;
    for value in values {
        total = total.checked_add(value).filter(|&total| total <= Sats::MAX_MONEY)?;
    }
    Some(total)
}

impl Ledger for MemoryLedger {
    fn network(&self) -> Network {
        self.network
    }

    fn tip(&self) -> Option<Tip> {
        let last = self.blocks.values().next_back();
        self.told_at.or(last.map(|block| Tip { height: block.height, hash: block.hash }))
    }

    fn tx_count(&self) -> u32 {
        // `push` refuses a transaction whose number does not fit.
        u32::try_from(self.txs.len()).unwrap_or(u32::MAX)
    }

    fn find_tx(&self, txid: &Txid) -> Result<Option<TxNum>> {
        Ok(self.by_txid.get(txid).copied())
    }

    fn txid(&self, tx: TxNum) -> Result<Txid> {
        Ok(self.tx(tx)?.txid)
    }

    fn flags(&self, tx: TxNum) -> Result<Flags> {
        Ok(self.tx(tx)?.flags)
    }

    fn height(&self, tx: TxNum) -> Result<Option<Height>> {
        Ok(self.tx(tx)?.height)
    }

    fn time(&self, tx: TxNum) -> Result<Option<u32>> {
        let Tx { height, time, .. } = self.tx(tx)?;
        let block = height.and_then(|height| self.blocks.get(&height));
        Ok(block.map(|block| block.time).or(*time))
    }

    fn block(&self, height: Height) -> Result<Option<Block>> {
        Ok(self.blocks.get(&height).cloned())
    }

    fn find_block(&self, hash: &BlockHash) -> Result<Option<Height>> {
        Ok(self.by_hash.get(hash).copied())
    }

    fn inputs(&self, tx: TxNum, into: &mut Vec<Input>) -> Result<()> {
        into.clear();
        into.extend_from_slice(&self.tx(tx)?.inputs);
        Ok(())
    }

    fn outputs(&self, tx: TxNum, into: &mut Vec<Output>) -> Result<()> {
        into.clear();
        for &num in &self.tx(tx)?.outputs {
            into.push(self.output(num)?);
        }
        Ok(())
    }

    fn output(&self, out: OutNum) -> Result<Output> {
        let found = self.out(out)?;
        Ok(Output {
            num: out,
            vout: found.vout,
            value: found.value,
            address: found.address,
            spend: found.spend,
        })
    }

    fn output_at(&self, tx: TxNum, vout: u32) -> Result<Option<OutNum>> {
        let outputs = &self.tx(tx)?.outputs;
        Ok(outputs.iter().copied().find(|out| self.outputs[out.index()].vout == vout))
    }

    fn tx_of(&self, out: OutNum) -> Result<TxNum> {
        Ok(self.out(out)?.tx)
    }

    fn address_count(&self) -> u32 {
        // `number_script` refuses an address whose number does not fit.
        u32::try_from(self.addresses.len()).unwrap_or(u32::MAX)
    }

    fn find_script(&self, script: &Script) -> Result<Option<AddressNum>> {
        Ok(self.by_script.get(script).copied())
    }

    fn script(&self, address: AddressNum) -> Result<ScriptBuf> {
        Ok(self.address(address)?.script.clone())
    }

    fn output_script(&self, out: OutNum) -> Result<ScriptBuf> {
        Ok(self.out(out)?.script.clone())
    }

    fn last_output_of(
        &self,
        address: AddressNum,
        before: Option<OutNum>,
    ) -> Result<Option<OutNum>> {
        let outputs = &self.address(address)?.outputs;
        let below = |out: &&OutNum| before.is_none_or(|before| **out < before);
        Ok(outputs.iter().rev().find(below).copied())
    }
}
