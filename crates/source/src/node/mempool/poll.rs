//! Asking a node what its mempool holds.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bitcoin::{Block, BlockHash, OutPoint, Transaction, Txid, consensus::deserialize};
use chain::Height;
use serde::Deserialize;
use serde_json::json;

use super::{MempoolEvent, MempoolWatch, Snapshot, Watched};
use crate::node::{Node, NodeError, answers::Text};

/// Transactions fetched at once: with those that do not concern us thrown away in between.
const FETCHED: usize = 1000;
/// A block that comes between two questions makes the answers contradict each other: then they are
/// asked again, so often.
const ATTEMPTS: usize = 5;
/// Blocks looked into for transactions that left the mempool while nobody looked: a day's.
const BLOCKS: u32 = 144;

#[derive(Deserialize)]
struct Info {
    /// Whether the mempool of before a restart is read; Core 0.20 on.
    #[serde(default = "yes")]
    loaded: bool,
}

fn yes() -> bool {
    true
}

impl MempoolWatch {
    /// Asks the node, and tells what happened since the last time: nothing, while it still reads
    /// the mempool that it had before a restart.
    ///
    /// # Errors
    /// [`NodeError`]; nothing is forgotten then, and the next poll tells what this one would have.
    pub fn poll(&mut self, node: &Node, watched: &Watched) -> Result<Vec<MempoolEvent>, NodeError> {
        for _ in 0..ATTEMPTS {
            let Text(tip): Text<BlockHash> = node.call("getbestblockhash", json!([]))?;
            if !node.call::<Info>("getmempoolinfo", json!([]))?.loaded {
                return Ok(Vec::new());
            }
            let look = self.look(node, watched)?;
            let Text(after): Text<BlockHash> = node.call("getbestblockhash", json!([]))?;
            if tip != after {
                continue;
            }
            let mut snapshot = look.snapshot;
            self.look_into_blocks(node, &mut snapshot)?;
            self.tip = Some(tip);
            if let Some((listed, sequence)) = look.list {
                (self.listed, self.sequence) = (listed, Some(sequence));
                self.scripts.clone_from(&watched.scripts);
                self.outpoints.clone_from(&watched.outpoints);
            }
            return Ok(self.advance(snapshot, watched));
        }
        // Blocks come faster than we can ask: the next poll is as good as another attempt.
        Ok(Vec::new())
    }

    fn look(&mut self, node: &Node, watched: &Watched) -> Result<Look, NodeError> {
        let mut look = Look::default();
        // The list comes first: what is replaced between the two questions has its replacement in the
        // second answer, and its end is told at the next poll.
        if self.without_spending || !watched.scripts.is_empty() {
            self.look_at_all(node, watched, &mut look)?;
        }
        let mut present = HashSet::new();
        if !self.without_spending {
            let inputs = self.followed.values().flatten();
            let asked: BTreeSet<OutPoint> =
                watched.outpoints.iter().chain(inputs).copied().collect();
            let asked: Vec<OutPoint> = asked.into_iter().collect();
            let spending = match node.spending(&asked) {
                Err(NodeError::NoMethod { .. }) => {
                    self.without_spending = true;
                    return self.look(node, watched);
                }
                spending => spending?,
            };
            let pairs = asked.into_iter().zip(spending);
            let spenders: BTreeMap<_, _> = pairs.filter_map(|(out, by)| Some((out, by?))).collect();
            let known: HashSet<Txid> =
                look.snapshot.arrived.iter().map(Transaction::compute_txid).collect();
            let spent = watched.outpoints.iter().filter_map(|out| spenders.get(out).copied());
            let new: BTreeSet<Txid> = spent
                .filter(|txid| !self.followed.contains_key(txid) && !known.contains(txid))
                .collect();
            let new: Vec<Txid> = new.into_iter().collect();
            self.fetch(node, &new, watched, &mut look.snapshot.arrived)?;
            present.extend(spenders.values().copied());
            look.snapshot.spenders = spenders;
        }
        let present = look.list.as_ref().map_or(&present, |(listed, _)| listed);
        let followed = self.followed.keys().copied();
        look.snapshot.left = followed.filter(|txid| !present.contains(txid)).collect();
        Ok(look)
    }

    /// Lists the whole mempool and looks at what is new in it.
    fn look_at_all(
        &self,
        node: &Node,
        watched: &Watched,
        look: &mut Look,
    ) -> Result<(), NodeError> {
        let mempool = node.mempool()?;
        // Whoever watches something else now has to look at everything again.
        let same = watched.scripts.is_subset(&self.scripts)
            && (!self.without_spending || watched.outpoints.is_subset(&self.outpoints));
        let is_old =
            |txid: &Txid| same && self.listed.contains(txid) || self.followed.contains_key(txid);
        let unchanged = same && self.sequence == Some(mempool.mempool_sequence);
        if !unchanged {
            let new = mempool.txids.iter().filter(|txid| !is_old(txid));
            let new: Vec<Txid> = new.copied().collect();
            self.fetch(node, &new, watched, &mut look.snapshot.arrived)?;
        }
        if self.without_spending {
            // Whoever spends an input of a followed transaction has to be among those that arrived.
            for tx in &look.snapshot.arrived {
                let txid = tx.compute_txid();
                let spends = tx.input.iter().map(|input| (input.previous_output, txid));
                look.snapshot.spenders.extend(spends);
            }
        }
        look.list = Some((mempool.txids.into_iter().collect(), mempool.mempool_sequence));
        Ok(())
    }

    /// Fetches transactions and keeps those that concern us.
    fn fetch(
        &self,
        node: &Node,
        txids: &[Txid],
        watched: &Watched,
        into: &mut Vec<Transaction>,
    ) -> Result<(), NodeError> {
        for txids in txids.chunks(FETCHED) {
            let found = node.transactions(txids)?.into_iter().flatten();
            into.extend(found.filter(|tx| {
                let (spends, pays) = watched.touched(tx);
                !spends.is_empty() || !pays.is_empty()
            }));
        }
        Ok(())
    }

    /// Looks for those that left in the blocks that came since the last poll.
    fn look_into_blocks(&self, node: &Node, snapshot: &mut Snapshot) -> Result<(), NodeError> {
        if snapshot.left.is_empty() {
            return Ok(());
        }
        let wanted: BTreeSet<OutPoint> = snapshot
            .left
            .iter()
            .filter_map(|txid| self.followed.get(txid))
            .flatten()
            .copied()
            .collect();
        let Some(mut height) = self.known_height(node)? else {
            snapshot.blocks_missed = true;
            return Ok(());
        };
        for _ in 0..BLOCKS {
            let Some(next) = height.checked_add(1) else { return Ok(()) };
            height = next;
            let Some(hash) = node.block_hash(Height(height))? else { return Ok(()) };
            let Some(bytes) = node.block(&hash)? else { break };
            let block: Block = deserialize(&bytes)
                .map_err(|error| node.nonsense(&format!("block {hash}"), error))?;
            for tx in &block.txdata {
                if !tx.input.iter().any(|input| wanted.contains(&input.previous_output)) {
                    continue;
                }
                let txid = tx.compute_txid();
                if snapshot.left.contains(&txid) {
                    snapshot.confirmed.insert(txid, hash);
                } else {
                    let spends = tx.input.iter().map(|input| input.previous_output);
                    let spends = spends.filter(|out| wanted.contains(out));
                    snapshot.spent.extend(spends.map(|out| (out, (txid, hash))));
                }
            }
        }
        snapshot.blocks_missed = node.block_hash(Height(height.saturating_add(1)))?.is_some();
        Ok(())
    }

    /// The height of the last block that is in the node's chain now and was at the last poll.
    fn known_height(&self, node: &Node) -> Result<Option<u32>, NodeError> {
        let mut hash = self.tip;
        for _ in 0..BLOCKS {
            let Some(header) = hash.map(|hash| node.header_info(&hash)).transpose()?.flatten()
            else {
                return Ok(None);
            };
            if header.confirmations >= 0 {
                return Ok(Some(header.height));
            }
            hash = header.previousblockhash;
        }
        Ok(None)
    }
}

#[derive(Default)]
struct Look {
    snapshot: Snapshot,
    /// The whole mempool, where it was listed.
    list: Option<(HashSet<Txid>, u64)>,
}
