//! Transactions that no block has yet: told before they are mined, and what becomes of them.

use std::collections::BTreeSet;

use chain::{Ledger, OutPoint, Overlay, OverlayError, ScriptBuf, TxNum, Txid, Unconfirmed};

use super::{Engine, Look, Outcome};
use crate::{
    Kind, Question, Result, Surroundings,
    alert::Draft,
    evaluate::{What, evaluate, is_touched},
    state::{Change, Live, StoredWatch},
};

/// What a node's mempool has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MempoolNews {
    /// A transaction is there that spends or pays what is watched.
    Seen(Unconfirmed),
    /// Another one took its place, and it will not be confirmed.
    Replaced {
        /// The one that was seen.
        txid: Txid,
        /// The other.
        by: Txid,
    },
    /// It is not there any more, and in no block.
    Dropped(Txid),
    /// It is not there any more, since a block has it: the chain will say so.
    Settled(Txid),
}

impl Engine<'_> {
    /// What to ask a mempool about: outputs that watches wait for, what unconfirmed transactions made
    /// of them, and watched scripts.
    pub fn watched(&self) -> (BTreeSet<OutPoint>, BTreeSet<ScriptBuf>) {
        let (mut outpoints, mut scripts) = (BTreeSet::new(), BTreeSet::new());
        for looked in self.looked.values() {
            outpoints.extend(&looked.outpoints);
            scripts.extend(looked.scripts.iter().map(|(script, _)| script.clone()));
        }
        for Unconfirmed { tx, .. } in &self.pending {
            let txid = tx.compute_txid();
            let outputs = (0..).zip(&tx.output);
            outpoints.extend(outputs.map(|(vout, _)| OutPoint { txid, vout }));
        }
        (outpoints, scripts)
    }

    /// Unconfirmed transactions of an earlier run that nothing has ended yet: their ids, and the
    /// watched outputs that they spend.
    ///
    /// # Errors
    /// Those of the state file.
    pub fn unsettled(&self) -> Result<Vec<(Txid, Vec<OutPoint>)>> {
        let mut unsettled: Vec<(Txid, Vec<OutPoint>)> = Vec::new();
        for watch in self.state.watches()? {
            for alert in self.state.unconfirmed(watch.number)? {
                if alert.kind == Kind::Unconfirmed
                    && !unsettled.iter().any(|(txid, _)| *txid == alert.txid)
                {
                    unsettled.push((alert.txid, self.state.spent_by(&alert.id)?));
                }
            }
        }
        Ok(unsettled)
    }

    /// Takes in what the mempool has to say: alerts for what is about to move, and for what will not.
    /// [`Engine::step`] comes first, with the same ledger. After an error the same news can be given again.
    ///
    /// # Errors
    /// As [`Engine::step`].
    pub fn unconfirmed(
        &mut self,
        ledger: &dyn Ledger,
        surroundings: &dyn Surroundings,
        news: &[MempoolNews],
    ) -> Result<Outcome> {
        for one in news {
            match one {
                MempoolNews::Seen(seen) if self.pending.contains(seen) => {}
                MempoolNews::Seen(seen) => self.pending.push(seen.clone()),
                MempoolNews::Replaced { txid, .. }
                | MempoolNews::Dropped(txid)
                | MempoolNews::Settled(txid) => self.forget(*txid),
            }
        }
        let mut overlay = Overlay::new(ledger)?;
        for unconfirmed in &self.pending {
            // One that this ledger has in a block, or whose coins another one in a block spends, may come
            // again: the mempool knows of a reorganisation before the store does.
            if let Err(OverlayError::Ledger(error)) = overlay.push(unconfirmed) {
                return Err(error.into());
            }
        }
        let mut outcome = Outcome::default();
        for watch in self.state.watches()? {
            let look = Look { state: self.state, ledger: &overlay, surroundings };
            let Some(looked) = self.looked.get(&watch.number) else { continue };
            let mut drafts = look.ends(&watch, news)?;
            if is_touched(&overlay, looked)? {
                outcome.evaluated += 1;
                look.arrivals(&watch, TxNum(ledger.tx_count()), &mut drafts)?;
            }
            if drafts.is_empty() {
                continue;
            }
            let alerts = look.finish(&watch, drafts, &watch.surroundings);
            surroundings.ensure_current()?;
            let change = Change {
                watch: &watch,
                anchor: watch.anchor,
                seen: watch.seen,
                surroundings: &watch.surroundings,
                alerts: &alerts,
                frontier: None,
            };
            if self.state.commit(&change)? {
                outcome.alerts += alerts.len();
            }
        }
        Ok(outcome)
    }

    fn forget(&mut self, txid: Txid) {
        self.pending.retain(|unconfirmed| unconfirmed.tx.compute_txid() != txid);
    }
}

impl Look<'_> {
    /// Alerts about unconfirmed transactions that will not be confirmed.
    fn ends(&self, watch: &StoredWatch, news: &[MempoolNews]) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        if !news
            .iter()
            .any(|one| matches!(one, MempoolNews::Replaced { .. } | MempoolNews::Dropped(_)))
        {
            return Ok(drafts);
        }
        let live = self.state.unconfirmed(watch.number)?;
        for one in news {
            let (txid, kind, by) = match one {
                MempoolNews::Replaced { txid, by } => (*txid, Kind::Replaced, Some(*by)),
                MempoolNews::Dropped(txid) => (*txid, Kind::Dropped, None),
                MempoolNews::Seen(_) | MempoolNews::Settled(_) => continue,
            };
            let unconfirmed = |alert: &&Live| alert.kind == Kind::Unconfirmed && alert.txid == txid;
            for alert in live.iter().filter(unconfirmed) {
                drafts.push(Draft {
                    kind,
                    what: if alert.received { What::Received } else { What::Moved },
                    txid,
                    mined: None,
                    refers_to: Some(alert.id.clone()),
                    replaced_by: by,
                    content: None,
                });
            }
        }
        Ok(drafts)
    }

    /// Alerts about unconfirmed transactions that nobody was told of.
    fn arrivals(&self, watch: &StoredWatch, from: TxNum, drafts: &mut Vec<Draft>) -> Result<()> {
        let question = Question::from_json(&watch.question, self.ledger.network())?;
        let evaluation = evaluate(self.ledger, &question, self.surroundings, from)?;
        let trace = match &question {
            Question::Trace(trace) => Some(trace),
            Question::Addresses(_) | Question::Clusters(_) => None,
        };
        let live = self.state.unconfirmed(watch.number)?;
        for movement in &evaluation.movements {
            let txid = self.ledger.txid(movement.tx)?;
            let received = movement.what == What::Received;
            let told = |alert: &Live| {
                alert.block.is_none() && alert.txid == txid && alert.received == received
            };
            if !live.iter().any(told) {
                drafts.push(self.draft(Kind::Unconfirmed, txid, None, None, trace, movement)?);
            }
        }
        Ok(())
    }
}
