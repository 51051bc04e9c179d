//! One transaction after the other, in the order of the files, in memory for one of them.

use std::path::Path;

use bitcoin::{OutPoint, Txid};
use chain::{Network, SparseInput, SparseTx};

use super::{Statement, files, open, statements};
use crate::SourceError;

/// A transaction by itself, as one statement tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Single {
    /// All that it spends stands beside it.
    Whole(SparseTx),
    /// What it spends does not stand beside it. [`super::Transactions`] looks for that elsewhere.
    Incomplete {
        /// Its id.
        txid: Txid,
        /// The first output whose value and script are not there.
        prevout: OutPoint,
    },
}

/// Hands on each transaction of a file, or of the files of a directory that
/// [`super::Transactions::read_path`] reads. What is told twice is handed on twice, and what two
/// statements say is not compared.
///
/// # Errors
/// [`SourceError::Io`], [`SourceError::Text`] and [`SourceError::Transaction`], with the line. What
/// came before has been handed on.
pub fn each_transaction(
    path: &Path,
    network: Network,
    each: &mut dyn FnMut(Single),
) -> Result<(), SourceError> {
    for file in files(path)? {
        statements(&file, open(&file)?, network, &mut |statement| {
            each(statement.single());
            Ok(())
        })?;
    }
    Ok(())
}

impl Statement {
    fn single(self) -> Single {
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (outpoint, coin) in &self.inputs {
            let Some((value, script)) = coin else {
                return Single::Incomplete { txid: self.txid, prevout: *outpoint };
            };
            inputs.push(SparseInput { outpoint: *outpoint, value: *value, script: script.clone() });
        }
        Single::Whole(self.sparse(inputs))
    }
}
