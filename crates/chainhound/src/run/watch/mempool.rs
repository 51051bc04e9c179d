//! The node's mempool, in the words of a watch.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bitcoin::{OutPoint, Transaction, TxOut, Txid};
use chain::{BlockHash, Ledger, Unconfirmed};
use source::node::{
    Node, NodeError,
    mempool::{MempoolEvent, MempoolWatch, Watched},
};
use watch::{Engine, MempoolNews};

use crate::{failure::Failure, say::Say};

/// Between two looks: so a transaction is told well within a second.
const PAUSE: Duration = Duration::from_millis(500);

/// Follows unconfirmed transactions that concern watches.
pub(super) struct Mempool<'a> {
    node: Node,
    say: &'a Say,
    watch: MempoolWatch,
    /// Of an earlier run, to be fetched once.
    unsettled: Vec<Txid>,
    /// Seen, and not told yet: what some inputs spend is not known here.
    incomplete: Vec<Transaction>,
    /// What no watch was told of yet.
    queue: Vec<MempoolNews>,
    last: Option<Instant>,
    in_trouble: bool,
}

impl<'a> Mempool<'a> {
    /// Goes on where an earlier run ended, with the node's block at that time.
    pub(super) fn resume(
        node: Node,
        unsettled: Vec<(Txid, Vec<OutPoint>)>,
        tip: Option<BlockHash>,
        say: &'a Say,
    ) -> Self {
        let ids = unsettled.iter().map(|(txid, _)| *txid).collect();
        let watch = MempoolWatch::resume(unsettled, tip);
        let (incomplete, queue) = (Vec::new(), Vec::new());
        let (last, in_trouble) = (None, false);
        Self { node, say, watch, unsettled: ids, incomplete, queue, last, in_trouble }
    }

    /// What is new and not yet [told](Self::told), if it is time to ask. Trouble with the node is said once, and passes.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) fn news(
        &mut self,
        engine: &Engine<'_>,
        ledger: &dyn Ledger,
    ) -> Result<&[MempoolNews], Failure> {
        if self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return Ok(&self.queue);
        }
        self.last = Some(Instant::now());
        match self.ask(engine, ledger)? {
            Ok(news) => {
                if self.in_trouble {
                    self.say.note("the node's mempool can be asked again");
                }
                self.in_trouble = false;
                self.queue.extend(news);
            }
            Err(error) => {
                if !self.in_trouble {
                    self.say.warning(format_args!("the mempool: {error}; trying again"));
                }
                self.in_trouble = true;
            }
        }
        Ok(&self.queue)
    }

    /// All watches know.
    pub(super) fn told(&mut self) {
        self.queue.clear();
    }

    fn ask(
        &mut self,
        engine: &Engine<'_>,
        ledger: &dyn Ledger,
    ) -> Result<Result<Vec<MempoolNews>, NodeError>, Failure> {
        let (outpoints, scripts) = engine.watched();
        let events = match self.watch.poll(&self.node, &Watched { outpoints, scripts }) {
            Ok(events) => events,
            Err(error) => return Ok(Err(error)),
        };
        if !self.unsettled.is_empty() {
            match self.node.transactions(&self.unsettled) {
                Ok(found) => self.incomplete.extend(found.into_iter().flatten()),
                Err(error) => return Ok(Err(error)),
            }
            self.unsettled.clear();
        }
        let mut news = Vec::new();
        for event in events {
            match event {
                MempoolEvent::Seen { tx, .. } => self.incomplete.push(tx),
                MempoolEvent::Replaced { txid, by, .. } => {
                    news.push(MempoolNews::Replaced { txid, by });
                }
                MempoolEvent::Dropped { txid } => news.push(MempoolNews::Dropped(txid)),
                MempoolEvent::Confirmed { txid, .. } | MempoolEvent::Unknown { txid } => {
                    news.push(MempoolNews::Settled(txid));
                }
            }
            if let Some(
                MempoolNews::Replaced { txid, .. }
                | MempoolNews::Dropped(txid)
                | MempoolNews::Settled(txid),
            ) = news.last()
            {
                self.incomplete.retain(|tx| tx.compute_txid() != *txid);
            }
        }
        let mut incomplete = Vec::new();
        for tx in std::mem::take(&mut self.incomplete) {
            match self.prevouts(&tx, ledger)? {
                Ok(Some(prevouts)) => news.push(MempoolNews::Seen(Unconfirmed { tx, prevouts })),
                Ok(None) => incomplete.push(tx),
                Err(error) => {
                    incomplete.push(tx);
                    self.say.detail(format_args!("the mempool: {error}"));
                }
            }
        }
        self.incomplete = incomplete;
        Ok(Ok(news))
    }

    /// What a transaction spends: from the chain, or from its unconfirmed parents.
    fn prevouts(
        &self,
        tx: &Transaction,
        ledger: &dyn Ledger,
    ) -> Result<Result<Option<Vec<TxOut>>, NodeError>, Failure> {
        let mut known: HashMap<OutPoint, TxOut> = HashMap::new();
        let mut parents = Vec::new();
        for input in &tx.input {
            let outpoint = input.previous_output;
            match mined(ledger, outpoint)? {
                Some(output) => _ = known.insert(outpoint, output),
                None if parents.contains(&outpoint.txid) => {}
                None => parents.push(outpoint.txid),
            }
        }
        if !parents.is_empty() {
            let found = match self.node.transactions(&parents) {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            for parent in found.into_iter().flatten() {
                let txid = parent.compute_txid();
                for (vout, output) in (0..).zip(parent.output) {
                    known.insert(OutPoint { txid, vout }, output);
                }
            }
        }
        let prevouts = tx.input.iter().map(|input| known.get(&input.previous_output).cloned());
        Ok(Ok(prevouts.collect()))
    }
}

fn mined(ledger: &dyn Ledger, outpoint: OutPoint) -> Result<Option<TxOut>, Failure> {
    let Some(tx) = ledger.find_tx(&outpoint.txid)? else { return Ok(None) };
    let Some(out) = ledger.output_at(tx, outpoint.vout)? else { return Ok(None) };
    let value = bitcoin::Amount::from_sat(ledger.output(out)?.value.0);
    Ok(Some(TxOut { value, script_pubkey: ledger.output_script(out)? }))
}
