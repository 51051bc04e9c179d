//! Fetching as much as a question needs: ask, see what is missing, fetch it, ask again.

use std::collections::{BTreeMap, BTreeSet};

use chain::{
    BlockHash, Height, MemoryLedger, OutPoint, ScriptBuf, Transaction, Txid,
    header::check_difficulty,
};

use super::{
    Asked, Explorer, error,
    fault::ServerFault,
    gathered::{Fate, Gathered, InBlock, Proven},
};
use crate::SourceError;

/// Where a question starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a transaction.
    Transaction(Txid),
    /// At an address: all transactions that pay to it or spend from it.
    Script(ScriptBuf),
}

/// What a question could not be answered without. What is here already may be named again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Outputs whose spender matters.
    pub spends: BTreeSet<OutPoint>,
    /// Transactions of whose outputs it matters whether they are spent, and not by whom.
    pub fates: BTreeSet<Txid>,
    /// Transactions that matter themselves.
    pub transactions: BTreeSet<Txid>,
}

/// The block of a transaction, as claimed: height and hash.
type Claimed = Option<(u32, BlockHash)>;
/// Transactions to fetch, and who of them is said to spend what.
type Missing = (BTreeMap<Txid, Claimed>, Vec<(OutPoint, Txid)>);

impl Explorer {
    /// Fetches what a question needs. `question` is put to what is there so far and says what it
    /// misses; that is fetched, until it misses nothing, or nothing that the server has, or until
    /// there are `most` transactions. `progress` hears how much there is, now and then.
    ///
    /// The same answers of the server in another order give the same result.
    ///
    /// # Errors
    /// [`SourceError::Server`]; what the question says.
    pub fn gather<E: From<SourceError>>(
        &self,
        starts: &[Start],
        most: usize,
        question: &mut dyn FnMut(&MemoryLedger) -> Result<Wanted, E>,
        progress: &mut dyn FnMut(usize, Asked),
    ) -> Result<Gathered, E> {
        let mut gathered = Gathered::new(self.network(), self.tip());
        let mut queue: BTreeMap<Txid, Claimed> = BTreeMap::new();
        let mut spends: Vec<(OutPoint, Txid)> = Vec::new();
        for start in starts {
            match start {
                Start::Transaction(txid) => _ = queue.insert(*txid, self.block_of(*txid)?),
                Start::Script(script) => {
                    for (txid, height, hash) in self.history(script, most)? {
                        queue.insert(txid, Some((height, hash)));
                    }
                }
            }
        }
        loop {
            self.fetch(&mut gathered, queue, &spends, most, progress)?;
            let ledger = gathered.ledger().map_err(|contradiction| {
                let fault = ServerFault::Contradiction(contradiction.to_string());
                error(&self.options.url, "", fault)
            })?;
            let wanted = question(&ledger)?;
            if !gathered.complete {
                return Ok(gathered);
            }
            (queue, spends) = self.missing(&mut gathered, &wanted)?;
            progress(gathered.transactions.len(), self.asked());
            if queue.is_empty() {
                return Ok(gathered);
            }
        }
    }

    /// Fetches these transactions, where they are, and what they spend.
    fn fetch(
        &self,
        gathered: &mut Gathered,
        queue: BTreeMap<Txid, Claimed>,
        spends: &[(OutPoint, Txid)],
        most: usize,
        progress: &mut dyn FnMut(usize, Asked),
    ) -> Result<(), SourceError> {
        // Earlier blocks first, so that what is left out is what is farthest away.
        let mut queue: Vec<(Txid, Claimed)> = queue.into_iter().collect();
        queue
            .sort_by_key(|(txid, claimed)| (claimed.map_or(u32::MAX, |(height, _)| height), *txid));
        let room = most.saturating_sub(gathered.transactions.len());
        if queue.len() > room {
            queue.truncate(room);
            gathered.complete = false;
        }
        let txs = self.all(&queue, |(txid, _)| self.transaction(*txid))?;
        self.check_spends(gathered, spends, &txs)?;
        let hashes: BTreeSet<BlockHash> =
            queue.iter().filter_map(|(_, claimed)| claimed.map(|(_, hash)| hash)).collect();
        let new = |hash: &BlockHash| !gathered.headers.contains_key(hash);
        let hashes: Vec<BlockHash> = hashes.into_iter().filter(new).collect();
        let headers = self.all(&hashes, |hash| self.header(*hash))?;
        gathered.headers.extend(hashes.into_iter().zip(headers));
        let places: Vec<(&Transaction, Claimed)> =
            txs.iter().zip(queue.iter().map(|(_, claimed)| *claimed)).collect();
        let blocks = self.all(&places, |(tx, claimed)| self.prove(gathered, tx, *claimed))?;
        let mut parents = BTreeSet::new();
        for (((txid, _), tx), block) in queue.into_iter().zip(txs).zip(blocks) {
            if !tx.is_coinbase() {
                parents.extend(tx.input.iter().map(|input| input.previous_output.txid));
            }
            gathered.parents.remove(&txid);
            gathered.transactions.insert(txid, Proven { tx, block });
        }
        progress(gathered.transactions.len(), self.asked());
        parents.retain(|txid| gathered.known(txid).is_none());
        let parents: Vec<Txid> = parents.into_iter().collect();
        // In portions, so that somebody hears of a transaction with thousands of inputs.
        for portion in parents.chunks(64) {
            let made = self.all(portion, |txid| self.transaction(*txid))?;
            gathered.parents.extend(portion.iter().copied().zip(made));
            progress(gathered.transactions.len(), self.asked());
        }
        Ok(())
    }

    /// Where a transaction is, proven to be in the block that it is said to be in.
    fn prove(
        &self,
        gathered: &Gathered,
        tx: &Transaction,
        claimed: Claimed,
    ) -> Result<Option<InBlock>, SourceError> {
        let Some((height, hash)) = claimed else { return Ok(None) };
        let Some(header) = gathered.headers.get(&hash) else { return Ok(None) };
        let height = Height(height);
        check_difficulty(header, height, self.network()).map_err(|easy| {
            error(&self.options.url, &format!("block/{hash}/header"), easy.into())
        })?;
        let path = self.proof(tx, header, height)?;
        Ok(Some(InBlock { height, hash, path }))
    }

    /// What is wanted and not there, once the fates of the outputs are known; and who is said to spend
    /// what.
    fn missing(&self, gathered: &mut Gathered, wanted: &Wanted) -> Result<Missing, SourceError> {
        let there = |txid: &&Txid| gathered.transactions.contains_key(*txid);
        let new: Vec<Txid> =
            wanted.transactions.iter().filter(|txid| !there(txid)).copied().collect();
        let blocks = self.all(&new, |txid| self.block_of(*txid))?;
        let mut queue: BTreeMap<Txid, Claimed> = new.into_iter().zip(blocks).collect();

        let made: BTreeSet<Txid> = wanted
            .spends
            .iter()
            .map(|output| output.txid)
            .chain(wanted.fates.iter().copied())
            .collect();
        let unasked: Vec<&Transaction> = made
            .iter()
            .filter(|txid| !gathered.fates.contains_key(*txid))
            .filter_map(|txid| gathered.known(txid))
            .collect();
        let fates = self.all(&unasked, |tx| Ok((tx.compute_txid(), self.fates(tx)?)))?;
        gathered.fates.extend(fates);

        let mut spends = Vec::new();
        for output in &wanted.spends {
            let fates = gathered.fates.get(&output.txid);
            let fate = fates.and_then(|fates| fates.get(output.vout as usize));
            let Some(Fate::SpentBy { txid, height, hash }) = fate else { continue };
            spends.push((*output, *txid));
            if !gathered.transactions.contains_key(txid) {
                queue.insert(*txid, Some((height.0, *hash)));
            }
        }
        Ok((queue, spends))
    }

    /// A transaction that is said to spend an output has to spend it, whether it came now or before.
    fn check_spends(
        &self,
        gathered: &Gathered,
        spends: &[(OutPoint, Txid)],
        new: &[Transaction],
    ) -> Result<(), SourceError> {
        let new: BTreeMap<Txid, &Transaction> =
            new.iter().map(|tx| (tx.compute_txid(), tx)).collect();
        for (output, by) in spends {
            let known = gathered.transactions.get(by).map(|proven| &proven.tx);
            let Some(tx) = new.get(by).copied().or(known) else { continue };
            if !tx.input.iter().any(|input| input.previous_output == *output) {
                let fault = ServerFault::NotSpent { output: *output, by: *by };
                let route = format!("tx/{}/outspends", output.txid);
                return Err(error(&self.options.url, &route, fault));
            }
        }
        Ok(())
    }
}
