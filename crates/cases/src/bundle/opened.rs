//! A bundle as those read it who report on it or export it.

use std::collections::BTreeMap;

use analyze::trace::Policy;
use chain::{Height, OutPoint, ScriptBuf};

use super::{CASE, HEADERS, LABELS, PROVENANCE, Provenance, TRANSACTIONS, results_name};
use crate::{
    Case, Error, Result, container,
    evidence::{HeaderChain, Transactions},
    labels::Labels,
    results::Results,
};

/// What a bundle says.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The case.
    pub case: Case,
    /// From what the bundle was made.
    pub provenance: Provenance,
    /// The results, in the order of the case's policies.
    pub results: Vec<(Policy, Results)>,
    /// Every output of its transactions: satoshis and locking script.
    pub outputs: BTreeMap<OutPoint, (u64, ScriptBuf)>,
    pub(crate) labels: Labels,
    pub(crate) headers: HeaderChain,
    pub(crate) transactions: Transactions,
}

impl Opened {
    /// Reads a bundle. Check it with [`super::verify`] first: this looks at no digest and computes
    /// nothing again.
    ///
    /// # Errors
    /// [`Error::Proof`] with the file that cannot be read, and why.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let entries =
            container::read(bytes).map_err(|error| Error::proof("the container", error))?;
        let file = |name: &str| {
            let found = entries.iter().find(|entry| entry.name == name);
            let missing = || Error::proof(name, "is not in the bundle");
            found.map(|entry| entry.bytes).ok_or_else(missing)
        };
        let text = |name: &str| {
            std::str::from_utf8(file(name)?).map_err(|error| Error::proof(name, error))
        };
        let case = Case::parse(text(CASE)?)?;
        let provenance: Provenance = serde_json::from_slice(file(PROVENANCE)?)
            .map_err(|error| Error::proof(PROVENANCE, error))?;
        let first = Height(provenance.checkpoint.height);
        let headers = HeaderChain::from_bytes(first, file(HEADERS)?)
            .map_err(|fault| Error::proof(HEADERS, fault))?;
        let labels = Labels::read(text(LABELS)?, case.network)
            .map_err(|fault| Error::proof(LABELS, fault))?;
        let transactions = Transactions::check(text(TRANSACTIONS)?, &headers)
            .map_err(|fault| Error::proof(TRANSACTIONS, fault))?;
        let mut outputs = BTreeMap::new();
        for proven in transactions.list() {
            let txid = proven.txid();
            for (vout, output) in (0..).zip(&proven.tx.output) {
                let said = (output.value.to_sat(), output.script_pubkey.clone());
                outputs.insert(OutPoint { txid, vout }, said);
            }
        }
        let mut results = Vec::new();
        for &policy in &case.policies {
            let name = results_name(policy);
            let lines = Results::read(text(&name)?).map_err(|fault| Error::proof(&name, fault))?;
            results.push((policy, lines));
        }
        Ok(Self { case, provenance, results, outputs, labels, headers, transactions })
    }
}
