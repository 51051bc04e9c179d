//! The transactions of a bundle, and the sparse ledger that they make.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::Transaction;
use chain::{
    Flags, MemoryLedger, Network, OutPoint, Sats, SparseInput, SparseOutput, SparseSpend, SparseTx,
    Txid,
};

use super::{HeaderChain, LineFault, ProvenTx, Role};
use crate::{Error, Result};

/// The transactions of a bundle, in the order of their file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transactions {
    list: Vec<ProvenTx>,
}

impl Transactions {
    /// Puts them in their order.
    ///
    /// # Errors
    /// The same transaction twice.
    pub fn new(mut list: Vec<ProvenTx>) -> Result<Self> {
        list.sort_by_cached_key(ProvenTx::order);
        let mut seen = BTreeSet::new();
        for tx in &list {
            if !seen.insert(tx.txid()) {
                return Err(Error::proof(format!("transaction {}", tx.txid()), "is there twice"));
            }
        }
        Ok(Self { list })
    }

    /// All of them.
    pub fn list(&self) -> &[ProvenTx] {
        &self.list
    }

    /// How many there are of a role.
    pub fn count(&self, role: Role) -> usize {
        self.list.iter().filter(|tx| tx.role == role).count()
    }

    /// The file.
    ///
    /// # Errors
    /// None that can happen.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = String::new();
        for tx in &self.list {
            out.push_str(&tx.to_line()?);
            out.push('\n');
        }
        Ok(out.into_bytes())
    }

    /// Reads the file and checks every line, its order, and that what a transaction of
    /// [`Role::Passed`] spends is there.
    ///
    /// # Errors
    /// [`LineFault`] for the first line that proves nothing.
    pub fn check(text: &str, headers: &HeaderChain) -> Result<Self, LineFault> {
        let mut list: Vec<ProvenTx> = Vec::new();
        let mut ids: BTreeMap<Txid, usize> = BTreeMap::new();
        let mut before = None;
        for (number, line) in (1..).zip(text.lines()) {
            let fault = |detail: String| LineFault { line: number, detail };
            let tx = ProvenTx::check_line(line, headers).map_err(fault)?;
            let order = tx.order();
            if ids.insert(order.3, list.len()).is_some() {
                return Err(fault(format!("transaction {} is there twice", order.3)));
            }
            if before.is_some_and(|before| before >= order) {
                return Err(fault(format!(
                    "transaction {} is not in its place in the file",
                    order.3
                )));
            }
            before = Some(order);
            list.push(tx);
        }
        for (number, tx) in (1..).zip(&list).filter(|(_, tx)| tx.role == Role::Passed) {
            for input in tx.tx.input.iter().filter(|_| !tx.tx.is_coinbase()) {
                let prevout = input.previous_output;
                let source = ids.get(&prevout.txid).and_then(|at| list.get(*at));
                if source.and_then(|source| source.tx.output.get(prevout.vout as usize)).is_none() {
                    let detail = format!(
                        "transaction {} spends {prevout}, which is not in the bundle: its value is not proven",
                        tx.txid()
                    );
                    return Err(LineFault { line: number, detail });
                }
            }
        }
        Ok(Self { list })
    }

    /// The ledger that they make. `unspent` are outputs of which whoever made the bundle says that nobody
    /// spent them: that alone cannot be proven.
    ///
    /// # Errors
    /// Transactions that contradict each other.
    pub fn ledger(
        &self,
        network: Network,
        headers: &HeaderChain,
        unspent: &BTreeSet<OutPoint>,
    ) -> Result<MemoryLedger> {
        let by_id: BTreeMap<Txid, &Transaction> =
            self.list.iter().map(|proven| (proven.txid(), &proven.tx)).collect();
        let sparse = self.list.iter().filter_map(|proven| {
            let (height, path) = proven.place.as_ref()?;
            let header = headers.get(*height)?;
            let (tx, txid) = (&proven.tx, proven.txid());
            let inputs = tx.input.iter().filter_map(|input| {
                let outpoint = input.previous_output;
                let output = by_id.get(&outpoint.txid)?.output.get(outpoint.vout as usize)?;
                Some(SparseInput {
                    outpoint,
                    value: Sats(output.value.to_sat()),
                    script: output.script_pubkey.clone(),
                })
            });
            // A trace that passes it would have to know what else goes in.
            let mut flags = Flags::of(tx, Some(*height));
            if proven.role == Role::Named {
                flags = flags.with(Flags::STUB);
            }
            let outputs = (0..).zip(&tx.output).map(|(vout, output)| SparseOutput {
                value: Sats(output.value.to_sat()),
                script: output.script_pubkey.clone(),
                spend: match unspent.contains(&OutPoint::new(txid, vout)) {
                    true => SparseSpend::Unspent,
                    false => SparseSpend::Unknown,
                },
            });
            Some(SparseTx {
                txid,
                flags,
                height: Some(*height),
                time: Some(header.time),
                block_hash: Some(header.block_hash()),
                position: Some(path.position()),
                coinbase: tx.is_coinbase(),
                inputs: inputs.collect(),
                outputs: outputs.collect(),
            })
        });
        Ok(MemoryLedger::from_sparse(network, sparse.collect())?)
    }
}
