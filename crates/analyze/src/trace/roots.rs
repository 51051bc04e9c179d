//! From what a person named to the outputs that a trace starts from.

use chain::{
    AddressNum, Flags, Height, Ledger, OutNum, OutPoint, Output, Sats, ScriptBuf, Spend, TxNum,
    Txid, script,
};

use super::model::{Direction, Query, Root, RootSpec};
use crate::{Error, Result};

/// The first transaction after block `height`: the ledger up to there ends before it.
///
/// A transaction without a height (sparse ledgers) belongs to the next one with a height, before
/// whose block it stands.
pub(super) fn first_after(ledger: &dyn Ledger, height: Height) -> Result<u32> {
    let count = ledger.tx_count();
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut at = middle;
        let mut found = None;
        while at < high && found.is_none() {
            found = ledger.height(TxNum(at))?;
            at += 1;
        }
        match found {
            Some(found) if found <= height => low = at,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The outputs that the query's roots stand for, in chain order, each once.
///
/// `end` is the first transaction that the trace does not look at.
///
/// # Errors
/// A root that does not exist, cannot be followed, or is not there yet at the end of the trace.
pub(super) fn resolve(ledger: &dyn Ledger, query: &Query, end: u32) -> Result<Vec<Root>> {
    let mut finder = Finder { ledger, query, end, found: Vec::new(), outputs: Vec::new() };
    for (index, spec) in (0..).zip(&query.roots) {
        match spec {
            RootSpec::Output(outpoint) => finder.output(index, *outpoint)?,
            RootSpec::Transaction(txid) => finder.transaction(index, *txid)?,
            RootSpec::Script(script) => finder.script(index, script)?,
        }
    }
    let mut roots = finder.found;
    // The first that names an output has it.
    roots.sort_by_key(|root| (root.out, root.root));
    roots.dedup_by_key(|root| root.out);
    if roots.is_empty() { Err(Error::NoRoots) } else { Ok(roots) }
}

struct Finder<'a> {
    ledger: &'a dyn Ledger,
    query: &'a Query,
    end: u32,
    found: Vec<Root>,
    outputs: Vec<Output>,
}

impl Finder<'_> {
    fn output(&mut self, index: u32, outpoint: OutPoint) -> Result<()> {
        let tx = self.ledger.find_tx(&outpoint.txid)?.ok_or(Error::TxNotFound(outpoint.txid))?;
        let num = self.ledger.output_at(tx, outpoint.vout)?;
        let output = self.ledger.output(num.ok_or(Error::OutputNotFound(outpoint))?)?;
        self.in_time(tx, || format!("output {outpoint}"))?;
        if output.address.is_none() && self.query.direction == Direction::Forward {
            return Err(Error::Unspendable(outpoint, output.value));
        }
        self.push(index, tx, outpoint.txid, output)
    }

    fn transaction(&mut self, index: u32, txid: Txid) -> Result<()> {
        let tx = self.ledger.find_tx(&txid)?.ok_or(Error::TxNotFound(txid))?;
        self.in_time(tx, || format!("transaction {txid}"))?;
        let mut outputs = std::mem::take(&mut self.outputs);
        self.ledger.outputs(tx, &mut outputs)?;
        for output in &outputs {
            if output.address.is_some() || output.value > Sats::ZERO {
                self.push(index, tx, txid, *output)?;
            }
        }
        self.outputs = outputs;
        Ok(())
    }

    fn script(&mut self, index: u32, script: &ScriptBuf) -> Result<()> {
        let name = || {
            let address = script::address(script, self.ledger.network());
            address.unwrap_or_else(|| format!("script:{}", script.to_hex_string()))
        };
        let not_found = || Error::AddressNotFound(name());
        let address: AddressNum = self.ledger.find_script(script)?.ok_or_else(not_found)?;
        let mut next: Option<OutNum> = self.ledger.last_output_of(address, None)?;
        let mut first = None;
        let before = self.found.len();
        while let Some(out) = next {
            let tx = self.ledger.tx_of(out)?;
            first = Some(tx);
            if tx.0 < self.end {
                let txid = self.ledger.txid(tx)?;
                self.push(index, tx, txid, self.ledger.output(out)?)?;
            }
            next = self.ledger.last_output_of(address, Some(out))?;
        }
        match first {
            None => Err(not_found()),
            Some(first) if self.found.len() == before => {
                self.in_time(first, || format!("the first output of address {}", name()))
            }
            Some(_) => Ok(()),
        }
    }

    fn in_time(&self, tx: TxNum, what: impl FnOnce() -> String) -> Result<()> {
        match self.query.stops.until_height {
            Some(until) if tx.0 >= self.end => {
                let made = self.ledger.height(tx)?;
                Err(Error::RootAboveHeight { what: what(), made, until })
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, root: u32, tx: TxNum, txid: Txid, output: Output) -> Result<()> {
        self.found.push(Root {
            root,
            out: output.num,
            outpoint: OutPoint::new(txid, output.vout),
            height: self.ledger.height(tx)?,
            value: output.value,
            address: output.address,
            covered_lower: Sats::ZERO,
            covered_upper: Sats::ZERO,
        });
        Ok(())
    }
}

/// When the walk comes by a root: forward with the transaction that makes it, backward with the
/// one that spends it. Taint of other roots is there by then, and the root gets what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// Nobody spends it, and the walk goes backward: before everything else.
    AtOnce,
    /// With this transaction.
    With(TxNum),
    /// With this coinbase, after its block's other transactions: fees are followed into it.
    WithFees(TxNum),
}

/// See [`When`]. `follow` says whether fees are followed.
pub(super) fn when(
    ledger: &dyn Ledger,
    out: OutNum,
    direction: Direction,
    follow: bool,
) -> Result<When> {
    match direction {
        Direction::Forward => {
            let tx = ledger.tx_of(out)?;
            if follow && ledger.flags(tx)?.has(Flags::COINBASE) {
                return Ok(When::WithFees(tx));
            }
            Ok(When::With(tx))
        }
        Direction::Backward => match ledger.output(out)?.spend {
            Spend::By(tx) => Ok(When::With(tx)),
            Spend::Unspent | Spend::Unknown => Ok(When::AtOnce),
        },
    }
}
