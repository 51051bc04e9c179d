//! Which transactions join two addresses: the proof path of a merge.

use chain::{AddressNum, Ledger, Spend, TxNum};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    clustering::Clustering,
    rule::{Joined, Rule},
};
use crate::Result;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Outputs of addresses and inputs of transactions that may be looked at.
    pub visits: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { visits: 10_000_000 }
    }
}

/// How two addresses hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The two are one address.
    Same,
    /// They are in different clusters.
    Apart,
    /// The shortest chain of transactions from the first to the second.
    Joined(Vec<Step>),
    /// They are in one cluster, and the limit ended the search after so many visits.
    GaveUp(u64),
}

/// One transaction of a proof path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From this address, which is the last step's [`Step::to`],
    pub from: AddressNum,
    /// to this one
    pub to: AddressNum,
    /// by this transaction,
    pub tx: TxNum,
    /// which joins them in this way.
    pub joint: Joint,
}

/// How a transaction joins two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Both pay.
    Inputs,
    /// One pays, and the other receives what the rule takes for change: a hypothesis.
    Change,
}

impl Joint {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "multi_input",
            Self::Change => "change",
        }
    }
}

/// Why two addresses are in one cluster: the shortest chain of transactions that joins them, as of the
/// clustering's tip, by its rule and without what its guard held back.
///
/// Searches from both ends, each time from the smaller front. Of several chains of the same length it
/// always shows the same one: fronts are visited by address number, an address' transactions by
/// age, and where the fronts meet the smallest address counts.
///
/// # Errors
/// Whatever the ledger reports; `rule` must be the one that made the clustering.
pub fn why<L: Ledger, R: Rule<L>>(
    ledger: &L,
    rule: &R,
    clustering: &Clustering,
    (from, to): (AddressNum, AddressNum),
    limits: Limits,
) -> Result<Why> {
    if rule.name() != clustering.basis().rule {
        let (has, wanted) = (clustering.basis().rule.clone(), rule.name().to_owned());
        return Err(crate::Error::OtherRule { has, wanted });
    }
    if from == to {
        return Ok(Why::Same);
    }
    match (clustering.cluster_of(from), clustering.cluster_of(to)) {
        (Some(one), Some(other)) if one == other => {}
        _ => return Ok(Why::Apart),
    }
    let held = clustering.findings().iter().filter(|finding| finding.held_back);
    let mut search = Search {
        ledger,
        rule,
        memory: rule.memory(),
        held: held.map(|finding| finding.tx).collect(),
        txs: clustering.basis().txs,
        left: limits.visits,
        joined: Joined::default(),
    };
    // From the smaller number, so that both directions show one path.
    let mut near = Side::new(from.min(to));
    let mut far = Side::new(from.max(to));
    let meeting = loop {
        let smaller =
            if near.front.len() <= far.front.len() { (&mut near, &far) } else { (&mut far, &near) };
        match search.advance(smaller.0, smaller.1)? {
            Progress::Met(address) => break address,
            Progress::OutOfVisits => return Ok(Why::GaveUp(limits.visits)),
            // The clustering knows more than the ledger shows: it is of another chain.
            Progress::Exhausted => return Ok(Why::Apart),
            Progress::Further => {}
        }
    };
    let mut steps = near.path(meeting);
    steps.reverse();
    steps.extend(far.path(meeting).into_iter().map(Step::turned));
    if from > to {
        steps.reverse();
        steps = steps.into_iter().map(Step::turned).collect();
    }
    Ok(Why::Joined(steps))
}

impl Step {
    fn turned(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }
}

/// What was reached from one end.
struct Side {
    /// How each address was reached first; the end itself was not.
    reached: FxHashMap<AddressNum, Option<Step>>,
    /// Ascending.
    front: Vec<AddressNum>,
    /// Transactions that were followed already: all that they join is reached.
    followed: FxHashSet<TxNum>,
}

impl Side {
    fn new(end: AddressNum) -> Self {
        let reached = std::iter::once((end, None)).collect();
        Self { reached, front: vec![end], followed: FxHashSet::default() }
    }

    /// The steps that led to an address, the last one first.
    fn path(&self, mut address: AddressNum) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(Some(step)) = self.reached.get(&address) {
            steps.push(*step);
            address = step.from;
        }
        steps
    }
}

enum Progress {
    Met(AddressNum),
    Further,
    Exhausted,
    OutOfVisits,
}

struct Search<'a, L: Ledger, R: Rule<L>> {
    ledger: &'a L,
    rule: &'a R,
    memory: R::Memory,
    held: FxHashSet<TxNum>,
    /// The clustering ends before this transaction.
    txs: u32,
    left: u64,
    joined: Joined,
}

impl<L: Ledger, R: Rule<L>> Search<'_, L, R> {
    /// Goes one transaction further from one end.
    fn advance(&mut self, side: &mut Side, other: &Side) -> Result<Progress> {
        let mut next = Vec::new();
        let mut met: Option<AddressNum> = None;
        let (mut txs, mut inputs) = (Vec::new(), Vec::new());
        for from in std::mem::take(&mut side.front) {
            if !self.transactions_of(from, &mut txs)? {
                return Ok(Progress::OutOfVisits);
            }
            for &tx in &txs {
                if !side.followed.insert(tx) {
                    continue;
                }
                self.ledger.inputs(tx, &mut inputs)?;
                if !self.visit(inputs.len() as u64) {
                    return Ok(Progress::OutOfVisits);
                }
                let pay: Vec<AddressNum> =
                    inputs.iter().filter_map(|input| input.address).collect();
                let rules = (self.ledger, self.rule);
                if !self.joined.fill(rules, tx, &pay, &mut self.memory)? {
                    continue;
                }
                if !self.joined.addresses.contains(&from) {
                    // It pays `from`, but not as change. It may still join others.
                    side.followed.remove(&tx);
                    continue;
                }
                let change = self.joined.change;
                for &to in self.joined.addresses.iter().filter(|to| **to != from) {
                    let hypothesis = change == Some(from) || change == Some(to);
                    let joint = if hypothesis { Joint::Change } else { Joint::Inputs };
                    side.reached.entry(to).or_insert_with(|| {
                        next.push(to);
                        Some(Step { from, to, tx, joint })
                    });
                    if other.reached.contains_key(&to) {
                        met = Some(met.map_or(to, |met| met.min(to)));
                    }
                }
            }
        }
        next.sort_unstable();
        side.front = next;
        Ok(match met {
            Some(address) => Progress::Met(address),
            None if side.front.is_empty() => Progress::Exhausted,
            None => Progress::Further,
        })
    }

    /// The transactions that may join an address with others, oldest first. Whether the limit
    /// allowed it.
    fn transactions_of(&mut self, address: AddressNum, into: &mut Vec<TxNum>) -> Result<bool> {
        into.clear();
        let mut next = self.ledger.last_output_of(address, None)?;
        while let Some(out) = next {
            if !self.visit(1) {
                return Ok(false);
            }
            if let Spend::By(tx) = self.ledger.output(out)?.spend {
                into.push(tx);
            }
            if self.rule.joins_change() {
                into.push(self.ledger.tx_of(out)?);
            }
            next = self.ledger.last_output_of(address, Some(out))?;
        }
        into.sort_unstable();
        into.dedup();
        into.retain(|tx| tx.0 < self.txs && !self.held.contains(tx));
        Ok(true)
    }

    fn visit(&mut self, count: u64) -> bool {
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
