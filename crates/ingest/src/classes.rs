//! What transactions were recognised as, for the store to keep.
//!
//! Blocks come first: recognising needs values and scripts of what a transaction spends, and those
//! are in the store once a batch is committed. So this reads the store as everybody else does, on
//! all threads, and gives the writer what is missing.

use std::{ops::Range, thread};

use analyze::coinjoin::{Detector, RULES_VERSION, ShapeBuf};
use chain::{LedgerError, TxNum};
use store::{Store, Writer};

use crate::IngestError;

/// Transactions in a step. After each the mapped pages are given back, which keeps memory bounded.
const STEP: u32 = 1 << 18;
/// Fewer are not worth a thread.
const ALONE: u32 = 1 << 12;

/// Recognises the transactions of the last commit that have no class in the store yet, by the rules of
/// [`analyze::coinjoin`], on so many threads. Durable with the writer's next commit.
///
/// [`crate::index`] does this; who appends blocks by other means calls it after a commit. Without it
/// nothing is missing, only slower: whoever asks for a class looks at the transaction then.
///
/// # Errors
/// [`IngestError::Store`], [`IngestError::Ledger`].
pub fn recognise(writer: &mut Writer, threads: usize) -> Result<(), IngestError> {
    let mut from = writer.classified(RULES_VERSION);
    // Opening the store is most of the work when nothing is missing.
    while from < writer.counts().transactions {
        let store = Store::open(writer.dir())?;
        let to = store.counts().transactions.min(from.saturating_add(STEP));
        if from >= to {
            // What is left is not committed yet.
            break;
        }
        writer.make_room();
        let classes = classes(&store, from..to, threads)?;
        drop(store);
        writer.push_classes(RULES_VERSION, &classes)?;
        from = to;
    }
    Ok(())
}

/// One byte for each transaction.
fn classes(store: &Store, txs: Range<u32>, threads: usize) -> Result<Vec<u8>, LedgerError> {
    let mut classes = vec![0; txs.len()];
    let share = txs.len().div_ceil(threads.max(1)).max(ALONE as usize);
    thread::scope(|scope| {
        let parts = classes.chunks_mut(share).zip((txs.start..).step_by(share));
        let workers: Vec<_> =
            parts.map(|(part, first)| scope.spawn(move || classify(store, first, part))).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(classes)
}

fn classify(store: &Store, first: u32, classes: &mut [u8]) -> Result<(), LedgerError> {
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    for (class, tx) in classes.iter_mut().zip(first..) {
        *class = detector.class_of(store, TxNum(tx), &mut buffer)?.byte();
    }
    Ok(())
}
