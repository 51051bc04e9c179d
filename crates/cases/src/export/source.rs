//! A bundle as exports read it: by address and by transaction.

use std::collections::{BTreeMap, BTreeSet};

use analyze::trace::Policy;
use chain::{Height, Network, OutPoint, ScriptBuf, script};

use crate::{
    Case, Error, Label, Result,
    bundle::{HEADERS, Opened, Provenance, TRANSACTIONS},
    evidence::Transactions,
    labels::Labels,
    results::{Leaf, Line, Mined, Results, Root, Step},
};

/// What a bundle says.
pub struct Source {
    pub(super) case: Case,
    pub(super) provenance: Provenance,
    pub(super) results: Vec<(Policy, Results)>,
    pub(super) labels: Labels,
    /// By address, or `script:HEX`.
    pub(super) wallets: BTreeMap<String, Wallet>,
    /// By txid.
    pub(super) transactions: BTreeMap<String, Passed>,
    /// When the first of the roots was mined; where no root was, [`Self::last`].
    pub(super) first: u32,
    /// When the last block that was looked at was mined.
    pub(super) last: u32,
}

/// An address that a trace reached.
#[derive(Default)]
pub(super) struct Wallet {
    pub(super) is_root: bool,
    pub(super) labels: Vec<Label>,
    /// What ended there.
    pub(super) leaves: Vec<(Policy, Leaf)>,
}

/// A transaction that makes a root or is passed by taint.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) mined: Option<Mined>,
    /// Of its inputs those that are in a trace, with address and satoshis.
    pub(super) inputs: BTreeMap<OutPoint, (Option<String>, u64)>,
    /// Of its outputs those that are in a trace.
    pub(super) outputs: BTreeMap<OutPoint, (Option<String>, u64)>,
    /// How many it has in all.
    pub(super) in_all: (usize, usize),
    pub(super) steps: Vec<(Policy, Step)>,
}

impl Source {
    /// Reads a bundle. Check it with [`crate::bundle::verify`] first: this computes nothing again.
    ///
    /// # Errors
    /// [`Error::Proof`] with the file that cannot be read, and why.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let Opened { case, provenance, results, labels, headers, transactions: proven, .. } =
            Opened::read(bytes)?;
        let as_of = headers.get(Height(provenance.as_of.height));
        let last = as_of.map(|header| header.time);
        let last = last.ok_or_else(|| Error::proof(HEADERS, "ends before the last block"))?;
        let (wallets, transactions) = (BTreeMap::new(), BTreeMap::new());
        let mut source =
            Self { case, provenance, results, labels, wallets, transactions, first: last, last };
        source.sort(&proven)?;
        Ok(source)
    }

    /// Orders the lines by what they are about.
    fn sort(&mut self, proven: &Transactions) -> Result<()> {
        let mut outputs = BTreeMap::new();
        for proven in proven.list() {
            let txid = proven.txid();
            for (vout, output) in (0..).zip(&proven.tx.output) {
                let address = address(&output.script_pubkey, self.case.network);
                outputs.insert(OutPoint { txid, vout }, (address, output.value.to_sat()));
            }
            let passed = self.transactions.entry(txid.to_string()).or_default();
            passed.in_all = (proven.tx.input.len(), proven.tx.output.len());
        }
        let mut known = BTreeSet::new();
        let mut first = None;
        for (policy, results) in &self.results {
            for line in &results.lines {
                match line {
                    Line::Root(root) => {
                        known.insert(root.txid.clone());
                        let at = place(&outputs, &output_of(root))?;
                        if let Some((at, held)) = at {
                            if let Some(address) = &held.0 {
                                self.wallets.entry(address.clone()).or_default().is_root = true;
                            }
                            let passed = self.transactions.entry(root.txid.clone()).or_default();
                            passed.outputs.insert(at, held);
                            passed.mined = Some(root.mined);
                        }
                        first = [first, root.mined.time].into_iter().flatten().min();
                    }
                    Line::Leaf(leaf) => {
                        if let Some(address) = &leaf.address {
                            let wallet = self.wallets.entry(address.clone()).or_default();
                            wallet.leaves.push((*policy, leaf.clone()));
                        }
                    }
                    Line::Step(step) => {
                        known.insert(step.txid.clone());
                        let (from, to) = (place(&outputs, &step.from)?, place(&outputs, &step.to)?);
                        for (_, held) in from.iter().chain(&to) {
                            if let Some(address) = &held.0 {
                                self.wallets.entry(address.clone()).or_default();
                            }
                        }
                        let passed = self.transactions.entry(step.txid.clone()).or_default();
                        passed.inputs.extend(from);
                        passed.outputs.extend(to);
                        passed.mined = Some(step.mined);
                        passed.steps.push((*policy, step.clone()));
                    }
                    Line::Question(_) | Line::Booking(_) | Line::Totals(_) => {}
                }
            }
        }
        self.transactions.retain(|txid, _| known.contains(txid));
        self.first = first.unwrap_or(self.last);
        for (script, labels) in self.labels.iter() {
            let wallet = address(script, self.case.network);
            if let Some(wallet) = wallet.and_then(|address| self.wallets.get_mut(&address)) {
                wallet.labels = labels.to_vec();
            }
        }
        Ok(())
    }

    /// What makes this case the same case: the start of every name in an export.
    pub(super) fn key(&self) -> String {
        let thefts: Vec<_> = self.case.thefts.iter().map(|theft| theft.text.as_str()).collect();
        format!("{}:{}:{}", self.case.network.name(), thefts.join(","), self.case.title)
    }
}

fn output_of(root: &Root) -> String {
    format!("{}:{}", root.txid, root.vout)
}

type Held = (Option<String>, u64);

/// The output that a line names; nothing for fees.
fn place(outputs: &BTreeMap<OutPoint, Held>, text: &str) -> Result<Option<(OutPoint, Held)>> {
    let Ok(at) = text.parse::<OutPoint>() else { return Ok(None) };
    let missing = || Error::proof(TRANSACTIONS, format!("{text} is not there"));
    Ok(Some((at, outputs.get(&at).cloned().ok_or_else(missing)?)))
}

/// As results write it; nothing for data carriers.
fn address(script: &chain::Script, network: Network) -> Option<String> {
    if script.is_op_return() {
        return None;
    }
    let hex = || format!("script:{}", ScriptBuf::from(script).to_hex_string());
    Some(script::address(script, network).unwrap_or_else(hex))
}

/// A header's time in UTC, with the milliseconds that STIX writes.
pub(super) fn time(seconds: u32) -> String {
    let time = jiff::Timestamp::from_second(seconds.into()).unwrap_or_default();
    format!("{time:.3}")
}
