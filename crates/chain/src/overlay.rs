//! Unconfirmed transactions laid over a ledger, as if they stood in a block behind its tip.

use std::{collections::HashMap, ops::Range};

use bitcoin::{BlockHash, OutPoint, Script, ScriptBuf, Transaction, TxOut, Txid};

use crate::{
    AddressNum, Block, Flags, Height, Input, InputAddresses, Ledger, LedgerError, Network, OutNum,
    Output, Result, Sats, Spend, StoredClass, Tip, TxNum,
};

/// A transaction that no block has yet, and the outputs that it spends, in `vin` order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The transaction.
    pub tx: Transaction,
    /// What its inputs spend: as many as there are inputs.
    pub prevouts: Vec<TxOut>,
}

/// Why a transaction cannot be laid over a ledger.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// The ledger below could not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Not every input came with what it spends.
    #[error(
        "transaction {txid} has {inputs} inputs and came with {prevouts} outputs that they spend"
    )]
    Prevouts {
        /// The transaction.
        txid: Txid,
        /// Its inputs.
        inputs: usize,
        /// The outputs given.
        prevouts: usize,
    },
    /// It spends what something else spends already: on the chain, or among the transactions laid over it.
    #[error("transaction {txid} spends {outpoint}, which is spent already")]
    Conflict {
        /// The transaction.
        txid: Txid,
        /// What it spends.
        outpoint: OutPoint,
    },
    /// There are no numbers left.
    #[error("transaction {0}: the ledger has no numbers left")]
    Full(Txid),
}

/// A ledger with some unconfirmed transactions behind its last block. Without any it answers as the ledger
/// below does.
///
/// Its tip is that of the ledger below: unconfirmed transactions have no height. What they spend and
/// nobody here made (another unconfirmed transaction's output, that is) comes in by a
/// [`Flags::STUB`], as in sparse ledgers.
pub struct Overlay<'a> {
    base: &'a dyn Ledger,
    first_tx: u32,
    first_out: u64,
    first_address: u32,
    txs: Vec<Above>,
    outs: Vec<AboveOut>,
    numbers: HashMap<Txid, TxNum>,
    scripts: HashMap<ScriptBuf, AddressNum>,
    new_scripts: Vec<ScriptBuf>,
    /// Outputs of the ledger below that are spent here.
    spent: HashMap<OutNum, TxNum>,
    /// The newest output here of each address that got any.
    heads: HashMap<AddressNum, usize>,
}

struct Above {
    txid: Txid,
    flags: Flags,
    inputs: Vec<Input>,
    outs: Range<usize>,
}

struct AboveOut {
    tx: TxNum,
    vout: u32,
    value: Sats,
    address: Option<AddressNum>,
    script: ScriptBuf,
    spend: Spend,
    /// The output here before it, of the same address.
    previous: Option<usize>,
}

impl<'a> Overlay<'a> {
    /// A ledger with nothing above it yet.
    ///
    /// # Errors
    /// What the ledger reports.
    pub fn new(base: &'a dyn Ledger) -> Result<Self> {
        let first_tx = base.tx_count();
        // Every transaction has an output, and the last one's are the last.
        let first_out = match first_tx.checked_sub(1) {
            None => 0,
            Some(last) => {
                let mut outputs = Vec::new();
                base.outputs(TxNum(last), &mut outputs)?;
                outputs.last().map_or(0, |output| output.num.0.saturating_add(1))
            }
        };
        Ok(Self {
            base,
            first_tx,
            first_out,
            first_address: base.address_count(),
            txs: Vec::new(),
            outs: Vec::new(),
            numbers: HashMap::new(),
            scripts: HashMap::new(),
            new_scripts: Vec::new(),
            spent: HashMap::new(),
            heads: HashMap::new(),
        })
    }

    /// Lays a transaction over it. Those whose outputs it spends come before it, if they are to be known.
    /// One that is there already, above or below, is left as it is.
    ///
    /// # Errors
    /// [`OverlayError`]; nothing is changed then.
    pub fn push(&mut self, unconfirmed: &Unconfirmed) -> Result<TxNum, OverlayError> {
        let Unconfirmed { tx, prevouts } = unconfirmed;
        let txid = tx.compute_txid();
        if let Some(known) = self.find_tx(&txid)? {
            return Ok(known);
        }
        let (inputs, given) = (tx.input.len(), prevouts.len());
        if inputs != given {
            return Err(OverlayError::Prevouts { txid, inputs, prevouts: given });
        }
        let most = inputs.saturating_add(1);
        let room = u32::try_from(most).ok().and_then(|most| self.tx_count().checked_add(most));
        let scripts = u32::try_from(inputs.saturating_add(tx.output.len())).ok();
        if room.and(scripts.and_then(|more| self.address_count().checked_add(more))).is_none() {
            return Err(OverlayError::Full(txid));
        }
        let mut known = Vec::with_capacity(inputs);
        for input in &tx.input {
            let outpoint = input.previous_output;
            let output = self.known_output(&outpoint)?;
            if output.is_some_and(|output| matches!(output.spend, Spend::By(_))) {
                return Err(OverlayError::Conflict { txid, outpoint });
            }
            if known.iter().any(|(other, _)| *other == outpoint) {
                return Err(OverlayError::Conflict { txid, outpoint });
            }
            known.push((outpoint, output));
        }
        let mut inputs = Vec::with_capacity(known.len());
        for ((outpoint, output), prevout) in known.into_iter().zip(prevouts) {
            let output = match output {
                Some(output) => output,
                None => self.push_stub(outpoint, prevout)?,
            };
            let Output { num, value, address, .. } = output;
            inputs.push(Input { source: num, value, address });
        }
        let number = TxNum(self.tx_count());
        for input in &inputs {
            match self.above(input.source) {
                Some(at) => {
                    if let Some(out) = self.outs.get_mut(at) {
                        out.spend = Spend::By(number);
                    }
                }
                None => _ = self.spent.insert(input.source, number),
            }
        }
        let outs: Vec<_> = (0..).zip(&tx.output).collect();
        self.push_tx(txid, Flags::default(), inputs, &outs, Spend::Unspent)?;
        Ok(number)
    }

    /// Transactions above the ledger, those that are known as sources only included.
    pub fn unconfirmed(&self) -> usize {
        self.txs.len()
    }

    /// Whether a transaction is one of those above the ledger.
    pub const fn is_above(&self, tx: TxNum) -> bool {
        tx.0 >= self.first_tx
    }

    fn known_output(&self, outpoint: &OutPoint) -> Result<Option<Output>> {
        let Some(tx) = self.find_tx(&outpoint.txid)? else { return Ok(None) };
        match self.output_at(tx, outpoint.vout)? {
            Some(num) => self.output(num).map(Some),
            None => Ok(None),
        }
    }

    /// An output that nobody here made.
    fn push_stub(&mut self, outpoint: OutPoint, prevout: &TxOut) -> Result<Output> {
        let outs = [(outpoint.vout, prevout)];
        let number = self.push_tx(outpoint.txid, Flags::STUB, Vec::new(), &outs, Spend::Unknown)?;
        self.output(OutNum(self.first_out + self.tx(number)?.outs.start as u64))
    }

    fn push_tx(
        &mut self,
        txid: Txid,
        flags: Flags,
        inputs: Vec<Input>,
        outs: &[(u32, &TxOut)],
        spend: Spend,
    ) -> Result<TxNum> {
        let number = TxNum(self.tx_count());
        let start = self.outs.len();
        for (vout, out) in outs {
            let script = out.script_pubkey.clone();
            let address = match script.is_op_return() {
                true => None,
                false => Some(self.number_of(&script)?),
            };
            let previous = address.and_then(|address| self.heads.insert(address, self.outs.len()));
            let value = Sats(out.value.to_sat());
            let spend = if address.is_none() { Spend::Unspent } else { spend };
            let vout = *vout;
            self.outs.push(AboveOut { tx: number, vout, value, address, script, spend, previous });
        }
        self.txs.push(Above { txid, flags, inputs, outs: start..self.outs.len() });
        // A stub may be one of several of the same transaction: the last one answers for all.
        self.numbers.insert(txid, number);
        Ok(number)
    }

    fn number_of(&mut self, script: &ScriptBuf) -> Result<AddressNum> {
        if let Some(number) = self.find_script(script)? {
            return Ok(number);
        }
        let number = AddressNum(self.address_count());
        self.new_scripts.push(script.clone());
        self.scripts.insert(script.clone(), number);
        Ok(number)
    }

    /// The place of an output among those above.
    fn above(&self, out: OutNum) -> Option<usize> {
        usize::try_from(out.0.checked_sub(self.first_out)?).ok()
    }

    fn tx(&self, tx: TxNum) -> Result<&Above> {
        let at = tx.0.checked_sub(self.first_tx).unwrap_or(u32::MAX);
        self.txs.get(at as usize).ok_or(LedgerError::OutOfRange {
            what: "transaction",
            number: tx.0.into(),
            count: self.tx_count().into(),
        })
    }

    fn out(&self, at: usize) -> Result<&AboveOut> {
        self.outs.get(at).ok_or(LedgerError::OutOfRange {
            what: "output",
            number: self.first_out.saturating_add(at as u64),
            count: self.first_out.saturating_add(self.outs.len() as u64),
        })
    }

    fn output_above(&self, at: usize) -> Result<Output> {
        let AboveOut { vout, value, address, spend, .. } = *self.out(at)?;
        let num = OutNum(self.first_out.saturating_add(at as u64));
        Ok(Output { num, vout, value, address, spend })
    }

    /// An output of the ledger below, spent here or not.
    fn as_seen(&self, mut output: Output) -> Output {
        if let Some(spender) = self.spent.get(&output.num) {
            output.spend = Spend::By(*spender);
        }
        output
    }
}

impl Ledger for Overlay<'_> {
    fn network(&self) -> Network {
        self.base.network()
    }

    fn tip(&self) -> Option<Tip> {
        self.base.tip()
    }

    fn tx_count(&self) -> u32 {
        self.first_tx.saturating_add(u32::try_from(self.txs.len()).unwrap_or(u32::MAX))
    }

    fn find_tx(&self, txid: &Txid) -> Result<Option<TxNum>> {
        match self.numbers.get(txid) {
            Some(number) => Ok(Some(*number)),
            None => self.base.find_tx(txid),
        }
    }

    fn txid(&self, tx: TxNum) -> Result<Txid> {
        if self.is_above(tx) { Ok(self.tx(tx)?.txid) } else { self.base.txid(tx) }
    }

    fn flags(&self, tx: TxNum) -> Result<Flags> {
        if self.is_above(tx) { Ok(self.tx(tx)?.flags) } else { self.base.flags(tx) }
    }

    fn height(&self, tx: TxNum) -> Result<Option<Height>> {
        if self.is_above(tx) { self.tx(tx).map(|_| None) } else { self.base.height(tx) }
    }

    fn time(&self, tx: TxNum) -> Result<Option<u32>> {
        if self.is_above(tx) { self.tx(tx).map(|_| None) } else { self.base.time(tx) }
    }

    fn class(&self, tx: TxNum) -> Result<Option<StoredClass>> {
        if self.is_above(tx) { self.tx(tx).map(|_| None) } else { self.base.class(tx) }
    }

    fn block(&self, height: Height) -> Result<Option<Block>> {
        self.base.block(height)
    }

    fn find_block(&self, hash: &BlockHash) -> Result<Option<Height>> {
        self.base.find_block(hash)
    }

    fn inputs(&self, tx: TxNum, into: &mut Vec<Input>) -> Result<()> {
        if !self.is_above(tx) {
            return self.base.inputs(tx, into);
        }
        into.clear();
        into.extend_from_slice(&self.tx(tx)?.inputs);
        Ok(())
    }

    fn input_sum(&self, tx: TxNum) -> Result<Sats> {
        if !self.is_above(tx) {
            return self.base.input_sum(tx);
        }
        let inputs = &self.tx(tx)?.inputs;
        Ok(Sats(inputs.iter().fold(0, |sum: u64, input| sum.saturating_add(input.value.0))))
    }

    fn input_addresses(&self, txs: Range<u32>, into: &mut InputAddresses) -> Result<()> {
        if txs.end <= self.first_tx {
            return self.base.input_addresses(txs, into);
        }
        into.clear();
        let mut inputs = Vec::new();
        for tx in txs {
            self.inputs(TxNum(tx), &mut inputs)?;
            into.push_tx(inputs.iter().filter_map(|input| input.address));
        }
        Ok(())
    }

    fn outputs(&self, tx: TxNum, into: &mut Vec<Output>) -> Result<()> {
        if self.is_above(tx) {
            into.clear();
            for at in self.tx(tx)?.outs.clone() {
                into.push(self.output_above(at)?);
            }
            return Ok(());
        }
        self.base.outputs(tx, into)?;
        if !self.spent.is_empty() {
            for output in into {
                *output = self.as_seen(*output);
            }
        }
        Ok(())
    }

    fn output(&self, out: OutNum) -> Result<Output> {
        match self.above(out) {
            Some(at) => self.output_above(at),
            None => Ok(self.as_seen(self.base.output(out)?)),
        }
    }

    fn output_at(&self, tx: TxNum, vout: u32) -> Result<Option<OutNum>> {
        if !self.is_above(tx) {
            return self.base.output_at(tx, vout);
        }
        let outs = self.tx(tx)?.outs.clone();
        let found = outs.into_iter().find(|at| self.outs.get(*at).is_some_and(|o| o.vout == vout));
        Ok(found.map(|at| OutNum(self.first_out.saturating_add(at as u64))))
    }

    fn tx_of(&self, out: OutNum) -> Result<TxNum> {
        match self.above(out) {
            Some(at) => Ok(self.out(at)?.tx),
            None => self.base.tx_of(out),
        }
    }

    fn address_count(&self) -> u32 {
        let more = u32::try_from(self.new_scripts.len()).unwrap_or(u32::MAX);
        self.first_address.saturating_add(more)
    }

    fn find_script(&self, script: &Script) -> Result<Option<AddressNum>> {
        match self.scripts.get(script) {
            Some(number) => Ok(Some(*number)),
            None => self.base.find_script(script),
        }
    }

    fn script(&self, address: AddressNum) -> Result<ScriptBuf> {
        let Some(at) = address.0.checked_sub(self.first_address) else {
            return self.base.script(address);
        };
        self.new_scripts.get(at as usize).cloned().ok_or(LedgerError::OutOfRange {
            what: "address",
            number: address.0.into(),
            count: self.address_count().into(),
        })
    }

    fn output_script(&self, out: OutNum) -> Result<ScriptBuf> {
        match self.above(out) {
            Some(at) => Ok(self.out(at)?.script.clone()),
            None => self.base.output_script(out),
        }
    }

    fn last_output_of(
        &self,
        address: AddressNum,
        before: Option<OutNum>,
    ) -> Result<Option<OutNum>> {
        let limit = before.map_or(self.outs.len(), |out| self.above(out).unwrap_or(0));
        let mut next = self.heads.get(&address).copied();
        while let Some(at) = next {
            if at < limit {
                return Ok(Some(OutNum(self.first_out.saturating_add(at as u64))));
            }
            next = self.out(at)?.previous;
        }
        if address.0 >= self.first_address {
            return self.script(address).map(|_| None);
        }
        self.base.last_output_of(address, before.filter(|out| out.0 < self.first_out))
    }
}
