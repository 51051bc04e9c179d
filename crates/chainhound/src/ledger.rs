//! The chain that a question is put to: the store, or a handful of transactions.

use std::path::Path;

use chain::{Ledger, MemoryLedger, Network, TxNum, Txid};
use source::esplora::Transactions;
use store::{Store, StoreError};

use crate::{
    explore::{self, Told},
    failure::Failure,
    place::Place,
    say::Say,
};

/// How often a question is repeated when the chain is reorganised under it.
pub(crate) const TRIES: u32 = 3;

/// An open chain.
#[derive(Debug)]
pub(crate) enum Chain {
    /// All of it, from the store.
    Whole(Box<Store>),
    /// Some transactions; the rest is unknown.
    Sparse(Box<MemoryLedger>),
}

impl Chain {
    /// The chain, whichever it is.
    pub(crate) fn ledger(&self) -> &dyn Ledger {
        match self {
            Self::Whole(store) => store.as_ref(),
            Self::Sparse(memory) => memory.as_ref(),
        }
    }

    /// What the provenance calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Whole(_) => "store",
            Self::Sparse(_) => "sparse",
        }
    }

    /// Whether what is missing does not exist.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// The number of a transaction that has to be there.
    pub(crate) fn find_tx(&self, txid: &Txid) -> Result<TxNum, Failure> {
        let found = self.ledger().find_tx(txid)?;
        found.ok_or_else(|| self.lacks(&format!("transaction {txid}")))
    }

    /// What was asked for is not there. Says how far the chain goes: only up to there is it known.
    pub(crate) fn lacks(&self, what: &str) -> Failure {
        let (ledger, network) = (self.ledger(), self.ledger().network());
        match self {
            Self::Whole(_) => {
                let extent = match ledger.tip() {
                    Some(tip) => format!("on this chain ({network}) up to height {}", tip.height),
                    None => format!("on this chain ({network}), which is empty"),
                };
                Failure::unavailable(format!("{what} is not {extent}")).hint(
                    "is it of another network, unconfirmed, or newer than the last `chainhound index`?",
                )
            }
            Self::Sparse(_) => Failure::unavailable(format!(
                "{what} is not among the {} transactions that are known here",
                ledger.tx_count()
            )),
        }
    }

    /// Whether what was read so far is of one chain.
    ///
    /// # Errors
    /// [`StoreError::Reorganised`] where it may not be.
    pub(crate) fn ensure_current(&self) -> Result<(), StoreError> {
        match self {
            Self::Whole(store) => store.ensure_current(),
            Self::Sparse(_) => Ok(()),
        }
    }
}

/// Evaluates an expression with the chain's ledger as the type that it is, for functions that are
/// generic over ledgers.
macro_rules! on_ledger {
    ($chain:expr, $ledger:ident => $body:expr) => {
        match $chain {
            $crate::ledger::Chain::Whole(store) => {
                let $ledger = store.as_ref();
                $body
            }
            $crate::ledger::Chain::Sparse(memory) => {
                let $ledger = memory.as_ref();
                $body
            }
        }
    };
}
pub(crate) use on_ledger;

/// Which chain to ask.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// The transactions in a file; without one the store, and where there is none what `index
    /// --esplora` kept.
    Disk(Option<&'a Path>),
    /// What a server told.
    Server(&'a Told),
}

impl<'a> From<Option<&'a Path>> for Origin<'a> {
    fn from(file: Option<&'a Path>) -> Self {
        Self::Disk(file)
    }
}

/// Opens the chain, asks, and makes sure that no reorganisation mixed two chains in the answer.
pub(crate) fn ask<'a, T>(
    place: &Place,
    from: impl Into<Origin<'a>>,
    say: &Say,
    mut question: impl FnMut(&Chain) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let file = match from.into() {
        Origin::Disk(file) => file,
        Origin::Server(told) => return question(&told.chain),
    };
    let mut tries = 1;
    loop {
        let chain = open(place, file, say)?;
        let answer = question(&chain);
        match chain.ensure_current() {
            Ok(()) => return answer,
            Err(StoreError::Reorganised) if tries < TRIES => {
                say.detail("the chain was reorganised meanwhile: asking again");
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The transactions of a file or a directory of files as a chain.
pub(crate) fn read_sparse(
    paths: &[&Path],
    network: Network,
    say: &Say,
) -> Result<MemoryLedger, Failure> {
    let mut transactions = Transactions::new(network);
    for path in paths {
        transactions.read_path(path)?;
    }
    let set = transactions.finish();
    if set.txs.is_empty() {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(match set.incomplete.first() {
            Some((txid, prevout)) => Failure::unavailable(format!(
                "{}: no transaction with all its prevouts: {txid} spends {prevout}, which is in \
                 none of the files",
                names.join(", ")
            ))
            .hint("add the transactions whose outputs are spent"),
            None => Failure::unavailable(format!("{}: no transactions", names.join(", "))),
        });
    }
    if let Some((txid, prevout)) = set.incomplete.first() {
        say.warning(format_args!(
            "{} transactions are left out, since outputs that they spend are in none of the files \
             (the first: {txid} spends {prevout})",
            set.incomplete.len()
        ));
    }
    if set.unchecked_txids > 0 {
        say.detail(format_args!(
            "{} transactions came without the fields that their id is the hash of: their inputs and \
             outputs are the file's word",
            set.unchecked_txids
        ));
    }
    Ok(MemoryLedger::from_sparse(network, set.txs)?)
}

/// The chain; `None` where the datadir has none.
pub(crate) fn open_if_any(
    place: &Place,
    file: Option<&Path>,
    say: &Say,
) -> Result<Option<Chain>, Failure> {
    if file.is_none() && !place.has_chain() {
        return Ok(None);
    }
    open(place, file, say).map(Some)
}

fn open(place: &Place, file: Option<&Path>, say: &Say) -> Result<Chain, Failure> {
    if let Some(url) = explore::url(file) {
        return Err(Failure::usage(format!("{url}: this verb does not fetch from servers"))
            .hint("`trace`, `tx` and `address` do; here --esplora takes a file"));
    }
    if let Some(file) = file {
        return Ok(Chain::Sparse(Box::new(read_sparse(&[file], place.network, say)?)));
    }
    let sparse = place.sparse();
    if !place.has_graph() && sparse.is_dir() {
        say.detail(format_args!("no store of the whole chain: using {}", sparse.display()));
        return Ok(Chain::Sparse(Box::new(read_sparse(&[&sparse], place.network, say)?)));
    }
    let store = Store::open(&place.graph())?;
    if store.network() != place.network {
        let (path, found) = (place.graph(), store.network());
        return Err(StoreError::OtherNetwork { path, found, expected: place.network }.into());
    }
    Ok(Chain::Whole(Box::new(store)))
}
