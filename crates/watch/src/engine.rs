//! Puts questions to a chain again when it has changed, and tells the difference.

mod unconfirmed;

use std::collections::{HashMap, HashSet};

use chain::{BlockHash, Height, Ledger, Overlay, Tip, TxNum, Txid, Unconfirmed};

pub use self::unconfirmed::MempoolNews;

use crate::{
    Kind, Question, Result, State, Surroundings, TraceQuestion, WatchError,
    alert::{Draft, Mined, describe},
    evaluate::{Evaluation, Looked, Movement, What, evaluate, is_touched},
    state::{Change, Frontier, Live, NewAlert, StoredWatch},
};

/// Looks after all watches of a state file. One engine at a time: it knows what the file holds.
pub struct Engine<'a> {
    state: &'a State,
    /// By watch: what to look at before putting its question again.
    looked: HashMap<i64, Looked>,
    /// Unconfirmed transactions that concern a watch, in the order in which they came.
    pending: Vec<Unconfirmed>,
}

/// What a look at the chain brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Alerts made.
    pub alerts: usize,
    /// Questions put; the others had nothing new to say.
    pub evaluated: usize,
    /// Watches that could not be looked at, and why. They are looked at again at the next tip.
    pub troubles: Vec<(String, String)>,
}

impl<'a> Engine<'a> {
    /// For this state.
    pub fn new(state: &'a State) -> Self {
        Self { state, looked: HashMap::new(), pending: Vec::new() }
    }

    /// Looks at the chain as it is now: alerts for what moved, withdrawals of what is not on it any more.
    ///
    /// # Errors
    /// [`WatchError::Reorganised`]: open the ledger again and repeat. Errors of the ledger and of the state file.
    /// What concerns one watch alone is in [`Outcome::troubles`].
    pub fn step(
        &mut self,
        ledger: &dyn Ledger,
        surroundings: &dyn Surroundings,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let watches = self.state.watches()?;
        self.looked.retain(|number, _| watches.iter().any(|watch| watch.number == *number));
        if watches.is_empty() {
            return Ok(outcome);
        }
        surroundings.ensure_current()?;
        self.state.take_in_chain(ledger, true)?;
        let overlay = Overlay::new(ledger)?;
        // Anchors may be lower now.
        for watch in self.state.watches()? {
            let look = Look { state: self.state, ledger: &overlay, surroundings };
            match look.at(&watch, &mut self.looked, &mut outcome) {
                Ok(()) => {}
                Err(
                    error @ (WatchError::Analyze(_)
                    | WatchError::Surroundings(_)
                    | WatchError::Question(_)
                    | WatchError::TooLarge(_)),
                ) => {
                    surroundings.ensure_current()?;
                    self.looked.remove(&watch.number);
                    self.state.note_trouble(watch.number, &error.to_string())?;
                    outcome.troubles.push((watch.name, error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outcome)
    }
}

/// One look.
struct Look<'a> {
    state: &'a State,
    ledger: &'a Overlay<'a>,
    surroundings: &'a dyn Surroundings,
}

impl Look<'_> {
    fn at(
        &self,
        watch: &StoredWatch,
        looked: &mut HashMap<i64, Looked>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let tip = self.ledger.tip();
        let question = Question::from_json(&watch.question, self.ledger.network())?;
        let digest = self.surroundings.digest(&question);
        let same_labels = watch.surroundings == digest;
        if let Some(last) = looked.get(&watch.number)
            && same_labels
            && watch.trouble.is_none()
            && self.is_on_chain(watch.seen)?
            && !is_touched(self.ledger, last)?
        {
            if watch.seen != tip {
                self.surroundings.ensure_current()?;
                let (seen, surroundings) = (tip, digest.as_str());
                let anchor = watch.anchor;
                let change =
                    Change { watch, anchor, seen, surroundings, alerts: &[], frontier: None };
                self.state.commit(&change)?;
            }
            return Ok(());
        }
        outcome.evaluated += 1;
        let anchor = self.anchor(watch, same_labels)?;
        // What is in the block last seen or before it was told, as long as that block is on the chain.
        let told = match self.is_on_chain(watch.seen)? {
            true => watch.seen.map(|tip| tip.height),
            false => None,
        };
        let after = self.after(anchor.max(told))?;
        let evaluation = evaluate(self.ledger, &question, self.surroundings, after)?;
        let drafts = self.drafts(watch, &question, &evaluation, told)?;
        let alerts = self.finish(watch, drafts, &digest);
        let frontier: Vec<Frontier> = evaluation
            .frontier
            .iter()
            .map(|one| Frontier { outpoint: one.outpoint, value: one.value, taint: one.taint })
            .collect();
        // What was read may be a mixture until this says that it is not.
        self.surroundings.ensure_current()?;
        let change = Change {
            watch,
            anchor,
            seen: tip,
            surroundings: &digest,
            alerts: &alerts,
            frontier: Some(&frontier),
        };
        if self.state.commit(&change)? {
            outcome.alerts += alerts.len();
            looked.insert(watch.number, Looked::from(&evaluation));
        }
        Ok(())
    }

    fn is_on_chain(&self, tip: Option<Tip>) -> Result<bool> {
        match tip {
            None => Ok(false),
            Some(tip) => self.has_block(tip.height, tip.hash),
        }
    }

    fn has_block(&self, height: Height, hash: BlockHash) -> Result<bool> {
        Ok(self.ledger.block(height)?.is_some_and(|block| block.hash == hash))
    }

    /// What is in this block or before it is no news.
    ///
    /// Other labels or clusters make no news of what happened long ago: they count from the block last seen on.
    fn anchor(&self, watch: &StoredWatch, same_labels: bool) -> Result<Option<Height>> {
        if same_labels || !self.is_on_chain(watch.seen)? {
            return Ok(watch.anchor);
        }
        Ok(watch.anchor.max(watch.seen.map(|tip| tip.height)))
    }

    /// The first transaction that may be news.
    fn after(&self, anchor: Option<Height>) -> Result<TxNum> {
        let Some(height) = anchor else { return Ok(TxNum(0)) };
        Ok(match self.ledger.block(height)? {
            Some(block) => TxNum(block.txs.end),
            None => TxNum(self.ledger.tx_count()),
        })
    }

    /// Alerts about what changed above the block `up_to`.
    fn drafts(
        &self,
        watch: &StoredWatch,
        question: &Question,
        evaluation: &Evaluation,
        up_to: Option<Height>,
    ) -> Result<Vec<Draft>> {
        let live = self.state.live(watch.number, up_to)?;
        let mut drafts = Vec::new();
        let mut told: HashSet<(Txid, bool, BlockHash)> = HashSet::new();
        let mut waiting: HashMap<(Txid, bool), &Live> = HashMap::new();
        for alert in &live {
            match alert.block {
                Some((height, hash)) if self.has_block(height, hash)? => {
                    told.insert((alert.txid, alert.received, hash));
                }
                Some((height, hash)) => drafts.push(withdrawal(alert, height, hash)),
                None if alert.kind == Kind::Unconfirmed => {
                    waiting.insert((alert.txid, alert.received), alert);
                }
                None => {}
            }
        }
        let trace = match question {
            Question::Trace(trace) => Some(trace),
            Question::Addresses(_) | Question::Clusters(_) => None,
        };
        for movement in &evaluation.movements {
            let txid = self.ledger.txid(movement.tx)?;
            let Some(mined) = self.mined(movement.tx)? else { continue };
            let received = movement.what == What::Received;
            if told.contains(&(txid, received, mined.hash)) {
                continue;
            }
            let earlier = waiting.get(&(txid, received));
            let kind = match (earlier, movement.what) {
                (Some(_), _) => Kind::Confirmed,
                (None, What::Moved) => Kind::Moved,
                (None, What::Received) => Kind::Received,
            };
            let refers_to = earlier.map(|alert| alert.id.clone());
            drafts.push(self.draft(kind, txid, Some(mined), refers_to, trace, movement)?);
        }
        Ok(drafts)
    }

    fn draft(
        &self,
        kind: Kind,
        txid: Txid,
        mined: Option<Mined>,
        refers_to: Option<String>,
        trace: Option<&TraceQuestion>,
        movement: &Movement,
    ) -> Result<Draft> {
        let content = Some(describe(self.ledger, self.surroundings, trace, movement)?);
        Ok(Draft { kind, what: movement.what, txid, mined, refers_to, replaced_by: None, content })
    }

    fn mined(&self, tx: TxNum) -> Result<Option<Mined>> {
        let Some(height) = self.ledger.height(tx)? else { return Ok(None) };
        let Some(block) = self.ledger.block(height)? else { return Ok(None) };
        Ok(Some(Mined { height: height.0, hash: block.hash, time: Some(block.time) }))
    }

    fn finish(&self, watch: &StoredWatch, drafts: Vec<Draft>, digest: &str) -> Vec<NewAlert> {
        let network = self.ledger.network();
        let number = |(sequence, draft): (u64, Draft)| {
            let named = (watch.name.as_str(), watch.number);
            let (id, body) = draft.finish(named, sequence, network, digest);
            let Draft { kind, what, txid, mined, refers_to, .. } = draft;
            NewAlert { sequence, id, kind, what: what.name(), txid, mined, refers_to, body }
        };
        (watch.sequence + 1..).zip(drafts).map(number).collect()
    }
}

fn withdrawal(alert: &Live, height: Height, hash: BlockHash) -> Draft {
    Draft {
        kind: Kind::Withdrawn,
        what: if alert.received { What::Received } else { What::Moved },
        txid: alert.txid,
        mined: Some(Mined { height: height.0, hash, time: None }),
        refers_to: Some(alert.id.clone()),
        replaced_by: None,
        content: None,
    }
}
