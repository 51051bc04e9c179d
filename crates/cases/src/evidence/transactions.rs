//! Transactions as lines of a file, and what a line has to prove.

use bitcoin::{Transaction, consensus::encode};
use chain::{Height, MerklePath, Txid};
use serde::{Deserialize, Serialize};

use super::HeaderChain;
use crate::{Error, Result, digest::hex};

/// What a transaction of a bundle is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Taint was passed on through it under some policy, or a trace ended before it because of what it
    /// is: every output that it spends is in the bundle.
    Passed,
    /// It made a root, or it spends an output where a trace ended. Not all outputs that it spends need be
    /// in the bundle.
    Named,
    /// Others spend its outputs: it shows their values. It needs no path, for the transaction that
    /// spends it is in a block and names it by the hash of its bytes.
    Source,
}

/// A transaction and where it is in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenTx {
    /// What it is there for.
    pub role: Role,
    /// Without witnesses: the txid does not cover them, so nothing here would prove them.
    pub tx: Transaction,
    /// Its block and the path in it; nothing for [`Role::Source`].
    pub place: Option<(Height, MerklePath)>,
}

/// A line that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {detail}")]
pub struct LineFault {
    /// Its number, from 1 on.
    pub line: usize,
    /// What is wrong, and with which transaction.
    pub detail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    txid: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    /// From the leaves up, printed like txids.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Vec<String>>,
    raw: String,
}

impl ProvenTx {
    /// Its id.
    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    /// Where it stands in the file: by place in the chain, and behind these those without one, by txid.
    pub(crate) fn order(&self) -> (bool, u32, u32, Txid) {
        match &self.place {
            Some((height, path)) => (false, height.0, path.position(), self.txid()),
            None => (true, 0, 0, self.txid()),
        }
    }

    /// Its line.
    pub(crate) fn to_line(&self) -> Result<String> {
        let place = self.place.as_ref();
        let line = Line {
            txid: self.txid().to_string(),
            role: self.role,
            height: place.map(|(height, _)| height.0),
            position: place.map(|(_, path)| path.position()),
            path: place.map(|(_, path)| path.siblings().iter().map(ToString::to_string).collect()),
            raw: hex(&encode::serialize(&self.tx)),
        };
        serde_json::to_string(&line).map_err(|error| Error::proof("a transaction", error))
    }

    /// Reads a line and checks it: the bytes hash to the txid, the path leads to the root in the header of
    /// the block.
    pub(crate) fn check_line(text: &str, headers: &HeaderChain) -> Result<Self, String> {
        let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let said = &line.txid;
        let tx: Transaction = encode::deserialize_hex(&line.raw).map_err(|error| {
            format!("transaction {said}: its bytes are no transaction: {error}")
        })?;
        let txid = tx.compute_txid();
        if txid.to_string() != *said {
            return Err(format!("transaction {said}: its bytes hash to {txid}"));
        }
        if hex(&encode::serialize(&tx)) != line.raw {
            return Err(format!("transaction {said}: its bytes are not in their one form"));
        }
        if tx.input.iter().any(|input| !input.witness.is_empty()) {
            return Err(format!("transaction {said}: has witnesses, which its id does not cover"));
        }
        let place = match (line.role, line.height, line.position, line.path) {
            (Role::Source, None, None, None) => None,
            (Role::Passed | Role::Named, Some(height), Some(position), Some(path)) => {
                let siblings = path.iter().map(|node| node.parse()).collect::<Result<_, _>>();
                let siblings = siblings
                    .map_err(|_| format!("transaction {said}: its path has a hash that is none"))?;
                let path = MerklePath::new(siblings, position)
                    .map_err(|error| format!("transaction {said}: its path: {error}"))?;
                let header = headers.get(Height(height)).ok_or_else(|| {
                    format!("transaction {said}: there is no header of its block {height}")
                })?;
                path.prove(&tx, header)
                    .map_err(|error| format!("transaction {said}, block {height}: {error}"))?;
                if tx.is_coinbase() != (position == 0) {
                    return Err(format!(
                        "transaction {said}: a coinbase, and only it, is the first of its block"
                    ));
                }
                Some((Height(height), path))
            }
            _ => {
                return Err(format!(
                    "transaction {said}: height, position and path belong to all but sources, and all \
                     three of them"
                ));
            }
        };
        Ok(Self { role: line.role, tx, place })
    }
}
