//! A trace on the transactions of a bundle, as lines.

use std::collections::{BTreeMap, BTreeSet};

use analyze::{
    exposure::EndsAt,
    trace::{self, CERTAIN, Policy, Status, StopReason, Summary, Trace},
};
use chain::{AddressNum, Height, Ledger, ScriptBuf, Spend, TxNum, script};

use super::{
    Amount, Basis, Booking, CoinJoin, Leaf, Line, Mined, Question, Results, Root, Share, Step,
    Totals,
};
use crate::{
    Case, Error, Label, Result,
    labels::{Labels, Party},
    question::{Asked, MAX_STEPS, SERVICE},
};

/// What a trace gave.
#[derive(Clone, Debug)]
pub struct Computed {
    /// Its lines.
    pub results: Results,
    /// Its sums, without what depends on how the walk was made.
    pub summary: Summary,
    /// The transactions whose inputs it looked at.
    pub asked: BTreeSet<TxNum>,
}

/// Asks a case's question under a policy.
///
/// # Errors
/// What the trace reports, and one of too many steps.
pub fn compute<L: Ledger>(
    case: &Case,
    ledger: &L,
    labels: &Labels,
    until: Height,
    policy: Policy,
) -> Result<Computed> {
    let query = case.query(ledger, policy, until)?;
    let mut asked = BTreeSet::new();
    let rules = case.ends(ledger, labels);
    let mut rules = Asked { rules, transactions: &mut asked, most: usize::MAX };
    let trace = trace::trace(ledger, &query, &mut rules)?;
    rules.rules.check()?;
    let (met, findings) = (rules.rules.met().to_vec(), rules.rules.findings().clone());
    let parties = rules.rules.into_naming().met;
    if trace.flows_truncated || trace.leaves_truncated {
        return Err(Error::TooMuch { policy: policy.name(), what: "steps", most: MAX_STEPS });
    }
    let scripts = BTreeMap::new();
    let mut telling = Telling { ledger, labels, trace: &trace, met, findings, parties, scripts };
    let mut lines = vec![Line::Question(question(case, policy, until))];
    for root in &trace.roots {
        lines.push(Line::Root(telling.root(root)?));
    }
    let bookings = &trace.summary.bookings;
    lines.extend(bookings.iter().map(|booking| Line::Booking(telling.booking(booking))));
    lines.push(Line::Totals(totals(policy, &trace.summary)));
    for leaf in &trace.leaves {
        lines.push(Line::Leaf(telling.leaf(leaf)?));
    }
    for flow in &trace.flows {
        lines.push(Line::Step(telling.step(flow)?));
    }
    let mut summary = trace.summary.clone();
    summary.reach.peak_waiting = 0;
    Ok(Computed { results: Results { lines }, summary, asked })
}

fn question(case: &Case, policy: Policy, until: Height) -> Question {
    let stops = &case.stops;
    let rules = [(stops.services, SERVICE), (stops.coinjoins, "coinjoin")];
    Question {
        policy: policy.name().to_owned(),
        roots: case.thefts.iter().map(|theft| theft.text.clone()).collect(),
        fees: "drop".to_owned(),
        stop_at: rules.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()).collect(),
        stop_addresses: stops.addresses.iter().map(|(text, _)| text.clone()).collect(),
        until_height: until.0,
        max_hops: stops.max_hops,
        min_tainted_sat: stops.min_tainted_sat,
        max_transactions: stops.max_transactions,
        min_confidence: stops.min_confidence,
    }
}

fn sat(n: u128) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn amount(policy: Policy, lower: u128, upper: u128) -> Amount {
    match policy {
        Policy::Bounds => Amount::Between { lower_sat: sat(lower), upper_sat: sat(upper) },
        _ => Amount::Exact { tainted_sat: sat(upper) },
    }
}

fn shares<'a>(
    policy: Policy,
    shares: impl IntoIterator<Item = &'a trace::RootShare>,
) -> Vec<Share> {
    let one = |share: &trace::RootShare| Share {
        root: share.root,
        amount: amount(policy, share.lower.0.into(), share.upper.0.into()),
    };
    shares.into_iter().map(one).collect()
}

fn totals(policy: Policy, summary: &Summary) -> Totals {
    let (totals, reach) = (&summary.totals, &summary.reach);
    Totals {
        root_sat: sat(totals.root_upper),
        booked_sat: sat(totals.booked_upper),
        booked_lower_sat: (policy == Policy::Bounds).then(|| sat(totals.booked_lower)),
        transactions: reach.transactions,
        outputs: reach.outputs,
        max_hops: reach.max_hops,
    }
}

struct Telling<'a, L> {
    ledger: &'a L,
    labels: &'a Labels,
    trace: &'a Trace,
    met: Vec<EndsAt>,
    findings: BTreeMap<TxNum, analyze::coinjoin::Finding>,
    parties: Vec<Party>,
    /// Scripts and their texts.
    scripts: BTreeMap<AddressNum, (ScriptBuf, String)>,
}

impl<L: Ledger> Telling<'_, L> {
    fn policy(&self) -> Policy {
        self.trace.query.policy
    }

    fn end(&self, reason: StopReason) -> Option<EndsAt> {
        match reason {
            StopReason::Named(number) => self.met.get(number as usize).copied(),
            _ => None,
        }
    }

    fn script(&mut self, address: AddressNum) -> Result<(ScriptBuf, String)> {
        if let Some(known) = self.scripts.get(&address) {
            return Ok(known.clone());
        }
        let script = self.ledger.script(address)?;
        let text = script::address(&script, self.ledger.network())
            .unwrap_or_else(|| format!("script:{}", script.to_hex_string()));
        self.scripts.insert(address, (script.clone(), text.clone()));
        Ok((script, text))
    }

    /// Address and labels.
    fn held(&mut self, address: Option<AddressNum>) -> Result<(Option<String>, Vec<Label>)> {
        let Some(address) = address else { return Ok((None, Vec::new())) };
        let (script, text) = self.script(address)?;
        Ok((Some(text), self.labels.of(&script).to_vec()))
    }

    fn mined(&self, tx: TxNum) -> Result<Mined> {
        let height = self.ledger.height(tx)?.map(|height| height.0);
        Ok(Mined { height, time: self.ledger.time(tx)? })
    }

    fn root(&mut self, root: &trace::Root) -> Result<Root> {
        let (address, labels) = self.held(root.address)?;
        let lower = root.value.0.saturating_sub(root.covered_upper.0);
        let upper = root.value.0.saturating_sub(root.covered_lower.0);
        Ok(Root {
            root: root.root,
            txid: root.outpoint.txid.to_string(),
            vout: root.outpoint.vout,
            address,
            value_sat: root.value.0,
            amount: amount(self.policy(), lower.into(), upper.into()),
            mined: self.mined(self.ledger.tx_of(root.out)?)?,
            basis: Basis::Fact {},
            labels,
        })
    }

    fn booking(&self, booking: &trace::Booking) -> Booking {
        let end = self.end(booking.reason);
        let party = match end {
            Some(EndsAt::Party(number)) => self.parties.get(number as usize),
            _ => None,
        };
        let protocol = match end {
            Some(EndsAt::CoinJoin(protocol)) => Some(protocol),
            _ => None,
        };
        let by_root = booking.by_root.iter().map(|share| Share {
            root: share.root,
            amount: amount(self.policy(), share.lower, share.upper),
        });
        Booking {
            stop_reason: self.trace.summary.reason_name(booking.reason).to_owned(),
            entity: party.map(|party| party.entity.clone()),
            category: party.and_then(|party| party.category.clone()),
            protocol: protocol.map(|protocol| protocol.name().to_owned()),
            count: booking.count,
            amount: amount(self.policy(), booking.lower, booking.upper),
            by_root: by_root.collect(),
            basis: match (party, protocol) {
                (Some(party), _) => Basis::of_party(party),
                (None, Some(protocol)) => Basis::of_protocol(protocol),
                (None, None) => Basis::Fact {},
            },
        }
    }

    fn leaf(&mut self, leaf: &trace::Leaf) -> Result<Leaf> {
        let policy = self.policy();
        let (address, labels) = self.held(leaf.address)?;
        let mut basis = Basis::Fact {};
        let (mut entity, mut coinjoin) = (None, None);
        match self.end(leaf.reason) {
            Some(EndsAt::Party(_)) => {
                if let Some(label) = labels.iter().find(|label| label.ends) {
                    basis = Basis::of_label(label);
                    entity = Some(label.entity.clone());
                }
            }
            Some(EndsAt::CoinJoin(_)) => {
                if let Spend::By(tx) = self.ledger.output(leaf.out)?.spend
                    && let Some(finding) = self.findings.get(&tx)
                {
                    basis = Basis::of_finding(finding);
                    coinjoin = Some(self.coinjoin(tx, finding)?);
                }
            }
            None => {}
        }
        Ok(Leaf {
            txid: leaf.outpoint.txid.to_string(),
            vout: leaf.outpoint.vout,
            address,
            value_sat: leaf.value.0,
            amount: amount(policy, leaf.taint.lower.0.into(), leaf.taint.upper.0.into()),
            by_root: shares(policy, &leaf.taint.by_root),
            status: leaf.status.name().to_owned(),
            status_proven: matches!(leaf.status, Status::Spent | Status::Unspendable),
            stop_reason: self.trace.summary.reason_name(leaf.reason).to_owned(),
            entity,
            coinjoin,
            hops: leaf.hops,
            path_confidence: (leaf.confidence < CERTAIN).then_some(leaf.confidence),
            mined: self.mined(self.ledger.tx_of(leaf.out)?)?,
            basis,
            labels,
        })
    }

    fn coinjoin(&self, tx: TxNum, finding: &analyze::coinjoin::Finding) -> Result<CoinJoin> {
        let groups = finding.denominations.iter();
        Ok(CoinJoin {
            txid: self.ledger.txid(tx)?.to_string(),
            protocol: finding.protocol.name().to_owned(),
            anonymity_set: groups.map(|group| group.outputs).max().unwrap_or(1),
            participants_lower: finding.participants.lower,
            participants_upper: finding.participants.upper,
        })
    }

    fn step(&mut self, flow: &trace::Flow) -> Result<Step> {
        let policy = self.policy();
        let poison = policy == Policy::Poison;
        let taint = &flow.taint;
        Ok(Step {
            txid: flow.txid.to_string(),
            mined: self.mined(flow.tx)?,
            from: self.place(flow.from)?,
            to: self.place(flow.to)?,
            amount: match poison {
                true => Amount::Unmeasured {},
                false => amount(policy, taint.lower.0.into(), taint.upper.0.into()),
            },
            by_root: if poison { Vec::new() } else { shares(policy, &taint.by_root) },
            basis: Basis::Fact {},
        })
    }

    fn place(&self, place: trace::Place) -> Result<String> {
        let (tx, what) = match place {
            trace::Place::Output(out) => match self.trace.node(out) {
                Some(node) => return Ok(node.outpoint.to_string()),
                None => {
                    let vout = self.ledger.output(out)?.vout;
                    (self.ledger.tx_of(out)?, vout.to_string())
                }
            },
            trace::Place::Fee(tx) => (tx, "fee".to_owned()),
            trace::Place::Unclaimed(tx) => (tx, "unclaimed".to_owned()),
            trace::Place::Subsidy(tx) => (tx, "subsidy".to_owned()),
        };
        Ok(format!("{}:{what}", self.ledger.txid(tx)?))
    }
}
