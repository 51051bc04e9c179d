//! Unconfirmed transactions that spend watched outputs or pay watched scripts, and what becomes of them.
//!
//! [`MempoolWatch::poll`] asks a node and tells what happened since it was asked last. What to
//! conclude from the answers is [`MempoolWatch::advance`], which asks nobody.
//!
//! ```no_run
//! # fn main() -> Result<(), source::node::NodeError> {
//! # use source::node::{Node, Login, mempool::{MempoolEvent, MempoolWatch, Watched}};
//! # let node = Node::new("127.0.0.1", Login::Nobody, chain::Network::Regtest)?;
//! # let stolen = bitcoin::OutPoint::null();
//! let mut watch = MempoolWatch::new();
//! let mut watched = Watched::default();
//! watched.outpoints.insert(stolen);
//! for event in watch.poll(&node, &watched)? {
//!     if let MempoolEvent::Seen { tx, .. } = event {
//!         // What follows from there is watched from now on, confirmed or not.
//!         let txid = tx.compute_txid();
//!         watched.outpoints.extend((0..tx.output.len() as u32).map(|vout| bitcoin::OutPoint { txid, vout }));
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Txid};

mod poll;

/// What to look out for. The caller keeps it, and may change it between two polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Outputs whose spending is to be told.
    pub outpoints: BTreeSet<OutPoint>,
    /// Locking scripts to which payments are to be told. Costs the list of the whole mempool at
    /// every poll, which outputs alone do not (from Core 24 on).
    pub scripts: BTreeSet<ScriptBuf>,
}

impl Watched {
    /// Which watched outputs a transaction spends, and which of its own outputs pay a watched script.
    pub fn touched(&self, tx: &Transaction) -> (Vec<OutPoint>, Vec<u32>) {
        let spends = tx.input.iter().map(|input| input.previous_output);
        let spends = spends.filter(|out| self.outpoints.contains(out)).collect();
        let outputs = (0..).zip(&tx.output);
        let pays = outputs.filter(|(_, output)| self.scripts.contains(&output.script_pubkey));
        (spends, pays.map(|(vout, _)| vout).collect())
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MempoolEvent {
    /// A transaction that concerns us is in the mempool: for the first time, or again after a
    /// reorganisation took its block away.
    Seen {
        /// The transaction.
        tx: Transaction,
        /// Which watched outputs it spends, in the order of its inputs.
        spends: Vec<OutPoint>,
        /// Which of its outputs pay a watched script.
        pays: Vec<u32>,
    },
    /// It will not confirm: another transaction spends one of its inputs.
    Replaced {
        /// The one that was seen.
        txid: Txid,
        /// The other.
        by: Txid,
        /// The block that has the other already; `None` while it is unconfirmed too.
        block: Option<BlockHash>,
    },
    /// It left the mempool, and is in none of the blocks since: expired, evicted for its low fee,
    /// or a child of one that was replaced. It may come back.
    Dropped {
        /// The one that was seen.
        txid: Txid,
    },
    /// It is in a block.
    Confirmed {
        /// The one that was seen.
        txid: Txid,
        /// The block.
        block: BlockHash,
    },
    /// It left the mempool while too many blocks came to look into: unknown whether it is in one.
    Unknown {
        /// The one that was seen.
        txid: Txid,
    },
}

/// What a node said, reduced to what concerns us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Unconfirmed transactions that touch what is watched and are not followed yet.
    pub arrived: Vec<Transaction>,
    /// Followed transactions that are in the mempool no more.
    pub left: BTreeSet<Txid>,
    /// What in the mempool spends the inputs of those that left.
    pub spenders: BTreeMap<OutPoint, Txid>,
    /// Those that left and are in a block.
    pub confirmed: BTreeMap<Txid, BlockHash>,
    /// What in a block spends the inputs of those that left.
    pub spent: BTreeMap<OutPoint, (Txid, BlockHash)>,
    /// Whether blocks came that were not looked into.
    pub blocks_missed: bool,
}

/// Follows transactions from their first sight to their end.
#[derive(Clone, Debug, Default)]
pub struct MempoolWatch {
    /// By id, with all their inputs.
    followed: BTreeMap<Txid, Vec<OutPoint>>,
    /// The node's tip at the last poll.
    tip: Option<BlockHash>,
    /// The mempool at the last poll and what was watched then, where all of it is listed.
    listed: HashSet<Txid>,
    sequence: Option<u64>,
    scripts: BTreeSet<ScriptBuf>,
    outpoints: BTreeSet<OutPoint>,
    /// The node cannot say what spends an output: before Core 24.
    without_spending: bool,
}

impl MempoolWatch {
    /// Follows nothing yet: the first poll tells all that is in the mempool.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on with transactions that an earlier run has seen, so that their end is told: their
    /// inputs, by id. `tip` is the node's last block at that run's last poll.
    pub fn resume(
        followed: impl IntoIterator<Item = (Txid, Vec<OutPoint>)>,
        tip: Option<BlockHash>,
    ) -> Self {
        Self { followed: followed.into_iter().collect(), tip, ..Self::default() }
    }

    /// The transactions that were seen and have not ended, with their inputs.
    pub fn followed(&self) -> &BTreeMap<Txid, Vec<OutPoint>> {
        &self.followed
    }

    /// The node's tip at the last poll.
    pub fn tip(&self) -> Option<BlockHash> {
        self.tip
    }

    /// Concludes what happened: first sights, in the order given, then ends, in the order of ids.
    pub fn advance(&mut self, snapshot: Snapshot, watched: &Watched) -> Vec<MempoolEvent> {
        let mut events = Vec::new();
        for tx in snapshot.arrived {
            let inputs = tx.input.iter().map(|input| input.previous_output).collect();
            let (spends, pays) = watched.touched(&tx);
            let untouched = spends.is_empty() && pays.is_empty();
            if !untouched && self.followed.insert(tx.compute_txid(), inputs).is_none() {
                events.push(MempoolEvent::Seen { tx, spends, pays });
            }
        }
        for txid in snapshot.left {
            let Some(inputs) = self.followed.remove(&txid) else { continue };
            let in_block = inputs.iter().find_map(|input| snapshot.spent.get(input));
            let spenders = inputs.iter().filter_map(|input| snapshot.spenders.get(input));
            let in_mempool = spenders.filter(|by| **by != txid).min();
            events.push(match (snapshot.confirmed.get(&txid), in_block, in_mempool) {
                (Some(&block), ..) => MempoolEvent::Confirmed { txid, block },
                (None, Some(&(by, block)), _) => {
                    MempoolEvent::Replaced { txid, by, block: Some(block) }
                }
                (None, None, Some(&by)) => MempoolEvent::Replaced { txid, by, block: None },
                (None, None, None) if snapshot.blocks_missed => MempoolEvent::Unknown { txid },
                (None, None, None) => MempoolEvent::Dropped { txid },
            });
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::{Amount, Sequence, TxIn, TxOut, hashes::Hash, transaction::Version};

    use super::*;

    fn out(tag: u8) -> OutPoint {
        OutPoint { txid: Txid::from_byte_array([tag; 32]), vout: 0 }
    }

    fn block(tag: u8) -> BlockHash {
        BlockHash::from_byte_array([tag; 32])
    }

    /// Spends these outputs and pays so much to the script `51`.
    fn tx(inputs: &[u8], value: u64) -> Transaction {
        let input = |tag: &u8| TxIn {
            previous_output: out(*tag),
            sequence: Sequence::MAX,
            ..TxIn::default()
        };
        let script_pubkey = ScriptBuf::from(vec![0x51]);
        Transaction {
            version: Version::TWO,
            lock_time: bitcoin::absolute::LockTime::ZERO,
            input: inputs.iter().map(input).collect(),
            output: vec![TxOut { value: Amount::from_sat(value), script_pubkey }],
        }
    }

    fn watching(outpoints: &[u8]) -> Watched {
        Watched { outpoints: outpoints.iter().map(|tag| out(*tag)).collect(), ..Watched::default() }
    }

    /// One that was seen and has left: what is concluded from the rest of the snapshot.
    #[track_caller]
    fn check(snapshot: Snapshot, expected: fn(Txid) -> MempoolEvent) {
        let (tx, watched) = (tx(&[1, 2], 5), watching(&[2]));
        let txid = tx.compute_txid();
        let mut watch = MempoolWatch::new();
        let arrived = Snapshot { arrived: vec![tx.clone()], ..Snapshot::default() };
        let seen = MempoolEvent::Seen { tx, spends: vec![out(2)], pays: vec![] };
        assert_eq!(watch.advance(arrived.clone(), &watched), [seen]);
        assert_eq!(watch.advance(arrived, &watched), [], "seen once");
        let confirmed = match snapshot.confirmed.values().next() {
            Some(&block) => [(txid, block)].into(),
            None => BTreeMap::new(),
        };
        let snapshot = Snapshot { left: [txid].into(), confirmed, ..snapshot };
        assert_eq!(watch.advance(snapshot.clone(), &watched), [expected(txid)]);
        assert!(watch.followed().is_empty());
        assert_eq!(watch.advance(snapshot, &watched), [], "ended once");
    }

    #[test]
    fn every_end_has_its_event() {
        let none = Snapshot::default;
        let other = out(9).txid;
        let (spenders, spent) = ([(out(1), other)], [(out(1), (other, block(8)))]);
        check(none(), |txid| MempoolEvent::Dropped { txid });
        check(Snapshot { blocks_missed: true, ..none() }, |txid| MempoolEvent::Unknown { txid });
        check(Snapshot { spenders: spenders.into(), ..none() }, |txid| MempoolEvent::Replaced {
            txid,
            by: out(9).txid,
            block: None,
        });
        let in_block = Snapshot { spent: spent.into(), blocks_missed: true, ..none() };
        check(in_block, |txid| MempoolEvent::Replaced {
            txid,
            by: out(9).txid,
            block: Some(block(8)),
        });
        let confirmed = [(other, block(7))].into();
        let both = Snapshot { confirmed, spenders: spenders.into(), ..none() };
        check(both, |txid| MempoolEvent::Confirmed { txid, block: block(7) });
        // Someone spends other outputs.
        let foreign = Snapshot { spenders: [(out(3), other)].into(), ..none() };
        check(foreign, |txid| MempoolEvent::Dropped { txid });
    }

    #[test]
    fn payments_to_scripts_are_seen_and_others_are_not() {
        let mut watch = MempoolWatch::new();
        let mut watched = watching(&[]);
        let snapshot = || Snapshot { arrived: vec![tx(&[1], 5)], ..Snapshot::default() };
        assert_eq!(watch.advance(snapshot(), &watched), []);
        watched.scripts.insert(ScriptBuf::from(vec![0x51]));
        let seen = MempoolEvent::Seen { tx: tx(&[1], 5), spends: vec![], pays: vec![0] };
        assert_eq!(watch.advance(snapshot(), &watched), [seen]);
    }

    #[test]
    fn what_comes_back_is_seen_again() {
        let (mut watch, watched) = (MempoolWatch::new(), watching(&[1]));
        let arrived = || Snapshot { arrived: vec![tx(&[1], 5)], ..Snapshot::default() };
        let txid = tx(&[1], 5).compute_txid();
        let left = Snapshot {
            left: [txid].into(),
            confirmed: [(txid, block(1))].into(),
            ..Snapshot::default()
        };
        let kinds: Vec<bool> = [arrived(), left, arrived()]
            .into_iter()
            .flat_map(|snapshot| watch.advance(snapshot, &watched))
            .map(|event| matches!(event, MempoolEvent::Seen { .. }))
            .collect();
        assert_eq!(kinds, [true, false, true]);
    }

    #[test]
    fn a_replacement_is_seen_before_the_first_one_ends() {
        let (mut watch, watched) = (MempoolWatch::new(), watching(&[1]));
        let (first, second) = (tx(&[1], 5), tx(&[1], 4));
        watch.advance(Snapshot { arrived: vec![first.clone()], ..Snapshot::default() }, &watched);
        let events = watch.advance(
            Snapshot {
                arrived: vec![second.clone()],
                left: [first.compute_txid()].into(),
                spenders: [(out(1), second.compute_txid())].into(),
                ..Snapshot::default()
            },
            &watched,
        );
        let ended = MempoolEvent::Replaced {
            txid: first.compute_txid(),
            by: second.compute_txid(),
            block: None,
        };
        assert!(matches!(&events[..], [MempoolEvent::Seen { .. }, end] if *end == ended));
    }
}
