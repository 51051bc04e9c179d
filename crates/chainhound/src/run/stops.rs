//! Stop rules that rest on labels and on heuristics, for every verb that walks; and what they met,
//! in the words of a document.

use std::collections::BTreeMap;

use analyze::{
    coinjoin::Finding,
    exposure::{AtCoinJoin, Ends, EndsAt},
    trace::{Direction, Ended, Leaf, Missing, NoStops, Query, StopReason, Summary, Trace},
};
use chain::{Ledger, Spend, TxNum};
use report::model::{Basis, CoinJoin, Context, EndNote};

use crate::{
    failure::Failure,
    names::{Names, Party, Selection, note_of},
};

/// Where walks end before the money does.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// At addresses of parties.
    pub(crate) parties: bool,
    /// Before CoinJoins.
    pub(crate) coinjoins: bool,
    /// Who the parties are, and what is said about other addresses.
    pub(crate) names: Selection<'a>,
}

impl<'a> Rules<'a> {
    fn are_none(&self) -> bool {
        !self.parties && !self.coinjoins
    }

    /// The rules for a walk.
    pub(crate) fn ends<L: Ledger>(
        &self,
        ledger: &'a L,
        direction: Direction,
    ) -> Ends<'a, L, Names<'a, L>> {
        let set = self.names.set.filter(|_| self.parties);
        let names = Names::new(ledger, Selection { set, ..self.names });
        let coinjoins = if self.coinjoins { AtCoinJoin::Stop } else { AtCoinJoin::Pass };
        Ends::new(ledger, names, direction, coinjoins, "service")
    }
}

/// What the rules met on a walk.
#[derive(Default)]
pub(crate) struct Met {
    ends: Vec<EndsAt>,
    parties: Vec<Party>,
    findings: BTreeMap<TxNum, Finding>,
}

impl Met {
    fn of<L: Ledger>(mut ends: Ends<'_, L, Names<'_, L>>) -> Result<Self, Failure> {
        ends.check()?;
        let (met, findings) = (ends.met().to_vec(), ends.findings().clone());
        Ok(Self { ends: met, parties: ends.into_naming().into_parties(), findings })
    }
}

impl Met {
    /// Whether a rule, by its number, ends walks before transactions.
    pub(crate) fn is_coinjoin(&self, rule: usize) -> bool {
        matches!(self.ends.get(rule), Some(EndsAt::CoinJoin(_)))
    }
}

/// A trace under these rules.
pub(crate) fn trace<L: Ledger>(
    ledger: &L,
    query: &Query,
    rules: &Rules<'_>,
) -> Result<(Trace, Met), Failure> {
    if rules.are_none() {
        return Ok((analyze::trace::trace(ledger, query, &mut NoStops)?, Met::default()));
    }
    let mut ends = rules.ends(ledger, query.direction);
    let trace = analyze::trace::trace(ledger, query, &mut ends)?;
    Ok((trace, Met::of(ends)?))
}

/// A sweep under these rules.
pub(crate) fn sweep<L: Ledger>(
    ledger: &L,
    query: &Query,
    rules: &Rules<'_>,
    look: impl FnMut(Ended),
) -> Result<(Summary, Met), Failure> {
    if rules.are_none() {
        return Ok((analyze::trace::sweep(ledger, query, &mut NoStops, look)?, Met::default()));
    }
    let mut ends = rules.ends(ledger, query.direction);
    let summary = analyze::trace::sweep(ledger, query, &mut ends, look)?;
    Ok((summary, Met::of(ends)?))
}

/// What a sparse ledger lacks for a trace under these rules.
pub(crate) fn missing<L: Ledger>(
    ledger: &L,
    query: &Query,
    rules: &Rules<'_>,
) -> Result<Missing, Failure> {
    if rules.are_none() {
        return Ok(analyze::trace::missing(ledger, query, &mut NoStops)?);
    }
    let mut ends = rules.ends(ledger, query.direction);
    let missing = analyze::trace::missing(ledger, query, &mut ends)?;
    ends.check()?;
    Ok(missing)
}

/// What a trace's document says besides the trace: who the leaves belong to, and what the rules
/// stand for.
pub(crate) fn context<L: Ledger>(
    base: &Context,
    ledger: &L,
    trace: &Trace,
    rules: &Rules<'_>,
    met: &Met,
) -> Result<Context, Failure> {
    let mut context = base.clone();
    context.tag_set_digest = rules.names.set.map(|set| set.digest().to_string());
    let notes = &mut context.notes;
    notes.ends = met.ends.iter().map(|end| end_note(end, &met.parties)).collect();
    for leaf in &trace.leaves {
        if rules.names.set.is_some()
            && let Some(address) = leaf.address
            && let Some((text, note)) = note_of(ledger, address, &rules.names)?
        {
            notes.addresses.insert(text, note);
        }
        if let Some(coinjoin) = coinjoin(ledger, leaf, trace.query.direction, met)? {
            notes.coinjoins.insert(leaf.outpoint, coinjoin);
        }
    }
    Ok(context)
}

fn end_note(end: &EndsAt, parties: &[Party]) -> EndNote {
    match end {
        EndsAt::CoinJoin(protocol) => EndNote {
            protocol: Some(protocol.name()),
            basis: Basis::Inference { heuristic: protocol.name().to_owned(), confidence: None },
            ..EndNote::default()
        },
        EndsAt::Party(number) => match parties.get(*number as usize) {
            Some(party) => EndNote {
                entity: Some(party.entity.clone()),
                category: Some(party.category.clone()),
                protocol: None,
                basis: party.basis(),
            },
            None => EndNote::default(),
        },
    }
}

/// The CoinJoin before which the trace ended at a leaf.
fn coinjoin(
    ledger: &impl Ledger,
    leaf: &Leaf,
    direction: Direction,
    met: &Met,
) -> Result<Option<CoinJoin>, Failure> {
    let StopReason::Named(rule) = leaf.reason else { return Ok(None) };
    if !met.is_coinjoin(rule as usize) {
        return Ok(None);
    }
    let tx = match direction {
        Direction::Backward => ledger.tx_of(leaf.out)?,
        Direction::Forward => match ledger.output(leaf.out)?.spend {
            Spend::By(tx) => tx,
            Spend::Unspent | Spend::Unknown => return Ok(None),
        },
    };
    let Some(finding) = met.findings.get(&tx) else { return Ok(None) };
    let groups = || finding.denominations.iter();
    let group = match direction {
        Direction::Forward => groups().map(|group| group.outputs).max(),
        Direction::Backward => groups().find(|g| g.value == leaf.value).map(|group| group.outputs),
    };
    Ok(Some(CoinJoin {
        txid: ledger.txid(tx)?,
        protocol: finding.protocol.name(),
        rule: finding.rule,
        label: finding.label,
        anonymity_set: group.unwrap_or(1),
        participants_lower: finding.participants.lower,
        participants_upper: finding.participants.upper,
    }))
}
