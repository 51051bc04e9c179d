//! `chainhound.peel.v1`.

use std::collections::HashMap;

use report::model::{Basis, Tag, UtcTime};
use serde::Serialize;

use super::{Body, Facts, Lock, OutputFate, Rows, status::coins};

/// A peel chain with its branches.
#[derive(Debug, Serialize)]
pub(crate) struct PeelDocument {
    /// `inference`: which output is the rest is one, everywhere here.
    pub(crate) basis: &'static str,
    /// `peel_chain`.
    pub(crate) heuristic: &'static str,
    /// The first begins with the output asked about; each ambiguous hop adds two.
    pub(crate) branches: Vec<PeelBranch>,
    /// Every payment, in the order of branches and hops.
    pub(crate) payments: Vec<PeelPayment>,
    /// The sums over all branches.
    pub(crate) totals: PeelTotals,
}

/// A run of hops without a choice.
#[derive(Debug, Serialize)]
pub(crate) struct PeelBranch {
    /// Its place in the list.
    pub(crate) branch: usize,
    /// The branch that split; `null` for the first.
    pub(crate) parent: Option<usize>,
    /// The output that it begins with.
    pub(crate) start: PeelOutput,
    /// Its hops.
    pub(crate) hops: Vec<PeelHop>,
    /// Where it ends.
    pub(crate) end: PeelEnd,
}

/// An output, and what is said about its address.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PeelOutput {
    /// The transaction that made it.
    pub(crate) txid: String,
    /// Its place there.
    pub(crate) vout: u32,
    /// How much.
    pub(crate) value_sat: u64,
    /// Who can spend it.
    #[serde(flatten)]
    pub(crate) lock: Lock,
    /// Who it belongs to, where that is said.
    pub(crate) entity: Option<String>,
    /// On what that rests.
    pub(crate) entity_basis: Option<Basis>,
    /// Labels of its address.
    pub(crate) tags: Vec<Tag>,
}

/// A transaction of the chain.
#[derive(Debug, Serialize)]
pub(crate) struct PeelHop {
    /// From the beginning of the chain, 1 for the first.
    pub(crate) hop: u32,
    /// The transaction.
    pub(crate) txid: String,
    /// Its input that spends the coin that was followed.
    pub(crate) vin: u32,
    /// Its block's height.
    pub(crate) height: Option<u32>,
    /// Its block's time.
    pub(crate) time: Option<UtcTime>,
    /// Whether both outputs are followed, for want of signs.
    pub(crate) ambiguous: bool,
    /// The outputs that are followed.
    pub(crate) vout_continue: Vec<u32>,
    /// The outputs that are payments.
    pub(crate) vout_peel: Vec<u32>,
    /// What was peeled off.
    pub(crate) peeled_sat: u64,
    /// Further inputs of the sender's own.
    pub(crate) added_sat: u64,
    /// The fee.
    pub(crate) fee_sat: u64,
    /// What speaks for which output.
    pub(crate) signs: Vec<PeelSign>,
}

/// Something that speaks for an output being the rest.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PeelSign {
    /// For which.
    pub(crate) vout: u32,
    /// What it rests on; signs of the same evidence are one.
    pub(crate) evidence: &'static str,
    /// The heuristic.
    pub(crate) heuristic: &'static str,
    /// In words.
    pub(crate) why: String,
}

/// Where a branch ends.
#[derive(Debug, Serialize)]
pub(crate) struct PeelEnd {
    /// The output.
    #[serde(flatten)]
    pub(crate) output: PeelOutput,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) fate: OutputFate,
    /// Why the branch ends.
    pub(crate) stop_reason: String,
    /// The kind of CoinJoin that ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<&'static str>,
    /// The signs that do not decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) signs: Vec<PeelSign>,
}

/// A peel.
#[derive(Debug, Serialize)]
pub(crate) struct PeelPayment {
    /// The branch.
    pub(crate) branch: usize,
    /// The hop.
    pub(crate) hop: u32,
    /// The output.
    #[serde(flatten)]
    pub(crate) output: PeelOutput,
    /// Its block's height.
    pub(crate) height: Option<u32>,
    /// Its block's time.
    pub(crate) time: Option<UtcTime>,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) fate: OutputFate,
}

/// `start_sat + added_sat = paid_sat + fee_sat + burned_sat + left_sat`.
#[derive(Debug, Serialize)]
pub(crate) struct PeelTotals {
    /// The output asked about.
    pub(crate) start_sat: u64,
    /// Further inputs of the sender's own.
    pub(crate) added_sat: u64,
    /// Peeled off.
    pub(crate) paid_sat: u64,
    /// Fees.
    pub(crate) fee_sat: u64,
    /// Burned in data carriers.
    pub(crate) burned_sat: u64,
    /// What the branches end with.
    pub(crate) left_sat: u64,
    /// Whether both sides are equal.
    pub(crate) equal: bool,
    /// Transactions passed.
    pub(crate) hops: usize,
    /// How many of them are ambiguous.
    pub(crate) ambiguous: usize,
}

impl PeelOutput {
    fn whose(&self) -> String {
        let place = self.lock.shown();
        match &self.entity {
            Some(entity) => format!("{place} ({entity})"),
            None => place,
        }
    }
}

impl PeelBranch {
    fn title(&self) -> String {
        let PeelOutput { txid, vout, value_sat, .. } = &self.start;
        let start = format!("{} BTC of {txid}:{vout}", coins(*value_sat));
        match self.parent {
            None => start,
            Some(parent) => format!("branch {} (of {parent}): {start}", self.branch),
        }
    }

    fn ending(&self) -> String {
        let end = &self.end;
        let reason = end.stop_reason.replace('_', " ");
        let reason = match end.protocol {
            Some(protocol) => format!("{reason} ({protocol})"),
            None => reason,
        };
        format!("{reason}: {} BTC, {}", coins(end.output.value_sat), end.output.whose())
    }
}

impl Body for PeelDocument {
    const SCHEMA: &'static str = "chainhound.peel.v1";

    fn to_table(&self, colour: bool) -> String {
        let totals = &self.totals;
        let mut facts = Facts::new(colour);
        facts.push("start", format!("{} BTC", coins(totals.start_sat)));
        if totals.added_sat > 0 {
            facts.push("added", format!("{} BTC", coins(totals.added_sat)));
        }
        let peels = self.payments.len();
        facts.push("peeled", format!("{} BTC in {peels} payments", coins(totals.paid_sat)));
        facts.push("fees", format!("{} BTC", coins(totals.fee_sat)));
        if totals.burned_sat > 0 {
            facts.push("burned", format!("{} BTC", coins(totals.burned_sat)));
        }
        facts.push("left", format!("{} BTC", coins(totals.left_sat)));
        facts.push("hops", format!("{}, {} of them ambiguous", totals.hops, totals.ambiguous));
        let mut text = facts.to_text();
        let payments: HashMap<_, _> =
            self.payments.iter().map(|paid| ((paid.branch, paid.hop), paid)).collect();
        for branch in &self.branches {
            text.push_str(&format!("\n{}\n", branch.title()));
            if !branch.hops.is_empty() {
                let mut rows = Rows::new(&[">hop", "time", ">BTC peeled", "to", "signs"], colour);
                for hop in &branch.hops {
                    rows.push(hop.cells(payments.get(&(branch.branch, hop.hop)).copied()));
                }
                text.push_str(&rows.to_text());
            }
            text.push_str(&format!("ends: {}\n", branch.ending()));
        }
        text
    }
}

impl PeelHop {
    fn cells(&self, paid: Option<&PeelPayment>) -> [String; 5] {
        let time = self.time.map_or_else(String::new, |time| time.to_string());
        let mut evidence: Vec<String> = Vec::new();
        for sign in &self.signs {
            let of = match self.ambiguous {
                true => format!("{}:{}", sign.vout, sign.evidence),
                false => sign.evidence.to_owned(),
            };
            if !evidence.contains(&of) {
                evidence.push(of);
            }
        }
        let (amount, to) = match paid {
            Some(paid) => (coins(self.peeled_sat), paid.output.whose()),
            None => (String::new(), "ambiguous: both outputs are followed".to_owned()),
        };
        [self.hop.to_string(), time, amount, to, evidence.join(" ")]
    }
}
