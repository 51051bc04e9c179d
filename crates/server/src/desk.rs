//! Where questions are put: a bounded number of workers, each with the store as of its last commit.

use std::{cell::RefCell, sync::Arc};

use bitcoin::{Transaction, consensus::encode};
use chain::{Block, BlockHash, Ledger, Network, TxNum, Txid};
use store::Store;
use tokio::{sync::Semaphore, task};

use crate::{Options, error::Refusal};

/// How often a question is put again when the chain is reorganised under it.
const TRIES: u32 = 3;

/// What all requests share.
pub(crate) struct Desk {
    options: Options,
    workers: Arc<Semaphore>,
}

/// The chain as one question sees it.
pub(crate) struct View<'a> {
    pub(crate) store: &'a Store,
    options: &'a Options,
    /// The block that was read last: a page's transactions often share one.
    read: RefCell<Option<Arc<bitcoin::Block>>>,
}

impl Desk {
    pub(crate) fn new(options: Options) -> Self {
        let workers = Arc::new(Semaphore::new(options.limits.workers.max(1)));
        Self { options, workers }
    }

    /// Puts a question to the store, on a worker's thread.
    pub(crate) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        question: impl Fn(&View<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        // Only closing it, which nobody does, makes it refuse.
        let permit = self.workers.clone().acquire_owned().await.map_err(|_| Refusal::Again)?;
        let work = move || {
            // A request that gave up leaves its worker busy until here.
            let _permit = permit;
            let answer = self.work(&question);
            if let Err(Refusal::Inside(detail)) = &answer {
                (self.options.log)(detail);
            }
            answer
        };
        let done = task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Refusal::Inside("a worker was lost".into())))
    }

    fn work<T>(&self, question: &impl Fn(&View<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        for _ in 0..TRIES {
            let store = Store::open(&self.options.store)?;
            let view = View { store: &store, options: &self.options, read: RefCell::new(None) };
            let answer = question(&view);
            // What was found missing may be there on the new chain.
            if store.ensure_current().is_ok() && !matches!(answer, Err(Refusal::Again)) {
                return answer;
            }
        }
        Err(Refusal::Again)
    }
}

impl View<'_> {
    pub(crate) fn network(&self) -> Network {
        self.options.network
    }

    /// How many outputs of an address are looked at.
    pub(crate) fn history_limit(&self) -> usize {
        self.options.limits.history
    }

    /// The transaction that a path names.
    pub(crate) fn tx(&self, text: &str) -> Result<TxNum, Refusal> {
        let txid: Txid =
            text.parse().map_err(|_| Refusal::Bad("a txid has 64 hexadecimal digits"))?;
        self.store.find_tx(&txid)?.ok_or(Refusal::Missing("Transaction not found"))
    }

    /// The block that a path names.
    pub(crate) fn block(&self, text: &str) -> Result<Block, Refusal> {
        self.block_if_any(text)?.ok_or(Refusal::Missing("Block not found"))
    }

    /// The block that a path names, where it is in the best chain.
    pub(crate) fn block_if_any(&self, text: &str) -> Result<Option<Block>, Refusal> {
        let hash: BlockHash =
            text.parse().map_err(|_| Refusal::Bad("a block hash has 64 hexadecimal digits"))?;
        match self.store.find_block(&hash)? {
            Some(height) => Ok(self.store.block(height)?),
            None => Ok(None),
        }
    }

    /// The block of a transaction.
    pub(crate) fn block_of(&self, tx: TxNum) -> Result<Block, Refusal> {
        let height = self.store.height(tx)?.ok_or(Refusal::Again)?;
        self.store.block(height)?.ok_or(Refusal::Again)
    }

    /// The bytes of a block, from block files or a node.
    pub(crate) fn raw_block(&self, hash: &BlockHash) -> Result<Vec<u8>, Refusal> {
        let none = Refusal::NotHere(
            "this server has no raw transactions: start it with --blocks-dir or --node",
        );
        let blocks = self.options.blocks.as_ref().ok_or(none)?;
        let raw = blocks.raw_block(hash).map_err(|error| Refusal::Inside(error.to_string()))?;
        raw.ok_or(Refusal::NotHere("the block files or the node do not have this block"))
    }

    /// A block, decoded.
    pub(crate) fn decoded(&self, hash: &BlockHash) -> Result<Arc<bitcoin::Block>, Refusal> {
        let kept = self.read.borrow().clone();
        if let Some(block) = kept.filter(|block| block.block_hash() == *hash) {
            return Ok(block);
        }
        let block: bitcoin::Block = encode::deserialize(&self.raw_block(hash)?)
            .map_err(|error| Refusal::Inside(format!("block {hash}: {error}")))?;
        let block = Arc::new(block);
        *self.read.borrow_mut() = Some(block.clone());
        Ok(block)
    }

    /// The whole transaction, scripts that unlock and witnesses included.
    pub(crate) fn whole(&self, tx: TxNum) -> Result<Transaction, Refusal> {
        let block = self.block_of(tx)?;
        let place = tx.0.checked_sub(block.txs.start).ok_or(Refusal::Again)?;
        let decoded = self.decoded(&block.hash)?;
        let found = decoded.txdata.get(place as usize);
        let found = found.ok_or_else(|| damaged(&block.hash))?;
        if found.compute_txid() != self.store.txid(tx)? {
            return Err(damaged(&block.hash));
        }
        Ok(found.clone())
    }

    /// The same, nothing where this server has no raw transactions.
    pub(crate) fn whole_if_any(&self, tx: TxNum) -> Result<Option<Transaction>, Refusal> {
        match self.whole(tx) {
            Ok(tx) => Ok(Some(tx)),
            Err(Refusal::NotHere(_)) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn damaged(hash: &BlockHash) -> Refusal {
    Refusal::Inside(format!("block {hash}: not the transactions that were indexed"))
}
