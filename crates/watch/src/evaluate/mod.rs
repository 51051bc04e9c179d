//! One answer to a question: what moved, and what is waited for.

mod addresses;
mod traced;

use analyze::trace::Taint;
use chain::{Ledger, OutNum, OutPoint, Overlay, Sats, ScriptBuf, TxNum};

use crate::{Question, Result, Surroundings, WatchError};

/// More movements or outputs than these are no watch-list any more.
pub(crate) const MOST: usize = 1_000_000;

/// All that a question has to say about a chain.
#[derive(Debug, Default)]
pub(crate) struct Evaluation {
    /// In chain order.
    pub(crate) movements: Vec<Movement>,
    /// Watched outputs that nobody has spent, in chain order.
    pub(crate) frontier: Vec<Waiting>,
    /// Locking scripts whose next output matters, and their newest one.
    pub(crate) scripts: Vec<(ScriptBuf, Option<OutNum>)>,
    /// Transactions that are to come on the chain yet.
    pub(crate) missing: Vec<chain::Txid>,
}

/// An unspent output that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) out: OutNum,
    pub(crate) outpoint: OutPoint,
    pub(crate) value: Sats,
    /// `None` where there is no taint to speak of: a watched address.
    pub(crate) taint: Option<(Sats, Sats)>,
}

/// What a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum What {
    /// Watched outputs were spent.
    Moved,
    /// Outputs came under watch: a root, or paid to a watched address.
    Received,
}

impl What {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Received => "received",
        }
    }
}

/// A transaction that matters to a watch.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) what: What,
    pub(crate) tx: TxNum,
    /// Watched outputs that it spends.
    pub(crate) from: Vec<Part>,
    /// Outputs that it makes: those that carry taint, or all where there is none.
    pub(crate) to: Vec<Part>,
    /// Taint that was paid as a fee.
    pub(crate) fee: Option<Taint>,
    /// The stop rule that ends the watch here.
    pub(crate) ended: Option<String>,
    /// At most so much is stolen in all: what bounds add up to may be more.
    pub(crate) cap: u128,
}

/// An output of a movement.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) out: OutNum,
    pub(crate) taint: Option<Taint>,
    /// How sure the way there is, 0 to 100.
    pub(crate) confidence: u8,
    /// The stop rule that ends the watch at this output.
    pub(crate) ended: Option<String>,
}

/// Puts a question to a ledger. Movements of transactions before `from` are left out.
pub(crate) fn evaluate(
    ledger: &Overlay<'_>,
    question: &Question,
    surroundings: &dyn Surroundings,
    from: TxNum,
) -> Result<Evaluation> {
    let mut evaluation = match question {
        Question::Trace(trace) => traced::evaluate(ledger, trace, surroundings, from)?,
        Question::Addresses(scripts) => addresses::evaluate(ledger, scripts.clone(), from)?,
        Question::Clusters(scripts) => {
            let mut members = Vec::new();
            for script in scripts {
                members.extend(surroundings.cluster(ledger, script)?);
            }
            members.sort();
            members.dedup();
            addresses::evaluate(ledger, members, from)?
        }
    };
    evaluation.movements.sort_by_key(|movement| (movement.tx, movement.what));
    Ok(evaluation)
}

/// Whether anything happened that a question could answer differently for: a frontier output spent, a
/// script paid, a missing transaction come.
pub(crate) fn is_touched(ledger: &dyn Ledger, last: &Looked) -> Result<bool> {
    for out in &last.frontier {
        if matches!(ledger.output(*out)?.spend, chain::Spend::By(_)) {
            return Ok(true);
        }
    }
    for (script, newest) in &last.scripts {
        if newest_output(ledger, script)? != *newest {
            return Ok(true);
        }
    }
    for txid in &last.missing {
        if ledger.find_tx(txid)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What [`is_touched`] looks at.
#[derive(Debug)]
pub(crate) struct Looked {
    frontier: Vec<OutNum>,
    /// The same as the chain names them.
    pub(crate) outpoints: Vec<OutPoint>,
    pub(crate) scripts: Vec<(ScriptBuf, Option<OutNum>)>,
    missing: Vec<chain::Txid>,
}

impl From<&Evaluation> for Looked {
    fn from(evaluation: &Evaluation) -> Self {
        Self {
            frontier: evaluation.frontier.iter().map(|waiting| waiting.out).collect(),
            outpoints: evaluation.frontier.iter().map(|waiting| waiting.outpoint).collect(),
            scripts: evaluation.scripts.clone(),
            missing: evaluation.missing.clone(),
        }
    }
}

/// The newest output of a locking script, `None` where it never got any.
pub(crate) fn newest_output(ledger: &dyn Ledger, script: &ScriptBuf) -> Result<Option<OutNum>> {
    match ledger.find_script(script)? {
        Some(address) => Ok(ledger.last_output_of(address, None)?),
        None => Ok(None),
    }
}

/// The outpoint of an output.
pub(crate) fn outpoint_of(ledger: &dyn Ledger, out: OutNum) -> Result<OutPoint> {
    let txid = ledger.txid(ledger.tx_of(out)?)?;
    Ok(OutPoint { txid, vout: ledger.output(out)?.vout })
}

fn too_large<T>() -> Result<T> {
    Err(WatchError::TooLarge(MOST))
}

/// The taint of parts, added up; at most `cap`, for what bounds add up to may be more than was stolen.
pub(crate) fn sum_of(parts: &[Part], cap: u128) -> analyze::trace::Taint {
    let mut sum = analyze::trace::Taint::default();
    for taint in parts.iter().filter_map(|part| part.taint.as_ref()) {
        traced::add(&mut sum, taint);
    }
    let cap = u64::try_from(cap).unwrap_or(u64::MAX);
    sum.upper = Sats(sum.upper.0.min(cap).max(sum.lower.0));
    sum
}
