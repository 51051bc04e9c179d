//! `chainhound case run` and `case verify`.

use cases::{
    Case,
    bundle::{Amounts, BlockAt, Counts, Headers, Made, Outcome, Verdict},
    results::{Amount, Line},
};
use chain::{Height, Sats, Tip};
use serde::Serialize;

use super::{Body, Facts, Rows};

/// A bundle that was made.
#[derive(Debug, Serialize)]
pub(crate) struct CaseRunDocument {
    title: String,
    path: String,
    bytes: u64,
    /// Of the whole bundle.
    sha256: String,
    /// Of its manifest: what is signed.
    manifest_sha256: String,
    signed: bool,
    as_of: BlockAt,
    headers: Headers,
    transactions: Counts,
    amounts: Vec<Amounts>,
    policies: Vec<PolicySums>,
}

/// The sums of one policy.
#[derive(Debug, Serialize)]
struct PolicySums {
    policy: String,
    root_sat: u64,
    booked_sat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_lower_sat: Option<u64>,
    steps: u64,
    bookings: Vec<Booked>,
}

#[derive(Debug, Serialize)]
struct Booked {
    stop_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    basis: &'static str,
    count: u64,
    #[serde(flatten)]
    amount: Amount,
}

impl CaseRunDocument {
    pub(crate) fn new(case: &Case, made: &Made, sha256: String, path: String) -> Self {
        let policies = case.policies.iter().zip(&made.results);
        let from = made.provenance.clone();
        Self {
            title: case.title.clone(),
            path,
            bytes: made.bytes.len() as u64,
            sha256,
            manifest_sha256: made.manifest_sha256.clone(),
            signed: made.signed,
            as_of: from.as_of,
            headers: from.headers,
            transactions: from.transactions,
            amounts: from.amounts,
            policies: policies.map(|(policy, found)| sums(policy.name(), &found.lines)).collect(),
        }
    }

    /// Thefts of which the case file says another amount than the chain.
    pub(crate) fn differing(&self) -> impl Iterator<Item = &Amounts> {
        let differs = |one: &&Amounts| one.claimed_sat.is_some_and(|said| said != one.chain_sat);
        self.amounts.iter().filter(differs)
    }

    /// Up to which block it looked.
    pub(crate) fn tip(&self) -> Option<Tip> {
        tip(&self.as_of)
    }
}

pub(super) fn tip(at: &BlockAt) -> Option<Tip> {
    Some(Tip { height: Height(at.height), hash: at.hash.parse().ok()? })
}

fn sums(policy: &str, lines: &[Line]) -> PolicySums {
    let mut sums = PolicySums {
        policy: policy.to_owned(),
        root_sat: 0,
        booked_sat: 0,
        booked_lower_sat: None,
        steps: 0,
        bookings: Vec::new(),
    };
    for line in lines {
        match line {
            Line::Booking(booking) => sums.bookings.push(Booked {
                stop_reason: booking.stop_reason.clone(),
                entity: booking.entity.clone(),
                protocol: booking.protocol.clone(),
                basis: booking.basis.name(),
                count: booking.count,
                amount: booking.amount,
            }),
            Line::Totals(totals) => {
                sums.root_sat = totals.root_sat;
                sums.booked_sat = totals.booked_sat;
                sums.booked_lower_sat = totals.booked_lower_sat;
            }
            Line::Step(_) => sums.steps += 1,
            _ => {}
        }
    }
    sums
}

impl Body for CaseRunDocument {
    const SCHEMA: &'static str = "chainhound.case_run.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        let counts = &self.transactions;
        facts.push("case", &self.title);
        facts.push("bundle", format!("{}, {} bytes", self.path, self.bytes));
        facts.push("sha256", &self.sha256);
        facts.push("signed", if self.signed { "yes" } else { "no" });
        facts.push("as of", format!("block {} ({})", self.as_of.height, self.as_of.hash));
        facts.push(
            "transactions",
            format!(
                "{} in their blocks, {} more for the values that they spend",
                counts.passed + counts.named,
                counts.source
            ),
        );
        let headers = &self.headers;
        facts.push(
            "headers",
            format!("{} to {}, linked, with their work", headers.first, headers.last),
        );
        let mut rows = Rows::new(&["POLICY", ">BTC", "WHERE IT IS", "BASIS", ">OUTPUTS"], colour);
        for sums in &self.policies {
            for booking in &sums.bookings {
                let words = [booking.entity.as_deref(), booking.protocol.as_deref()];
                let place = words.into_iter().flatten().chain([booking.stop_reason.as_str()]);
                rows.push([
                    sums.policy.clone(),
                    shown(booking.amount),
                    place.collect::<Vec<_>>().join(", ").replace('_', " "),
                    booking.basis.to_owned(),
                    booking.count.to_string(),
                ]);
            }
        }
        format!("{}\n{}", facts.to_text(), rows.to_text())
    }
}

fn shown(amount: Amount) -> String {
    match amount {
        Amount::Exact { tainted_sat } => Sats(tainted_sat).to_string(),
        Amount::Between { lower_sat, upper_sat } if lower_sat == upper_sat => {
            Sats(upper_sat).to_string()
        }
        Amount::Between { lower_sat, upper_sat } => {
            format!("{}..{}", Sats(lower_sat), Sats(upper_sat))
        }
        Amount::Unmeasured {} => "-".to_owned(),
    }
}

/// What a check of a bundle found.
#[derive(Debug, Serialize)]
pub(crate) struct CaseVerifyDocument {
    path: String,
    /// `good`, `bad`, or `incomplete`: the results were not computed again.
    verdict: &'static str,
    title: Option<String>,
    sha256: String,
    manifest_sha256: Option<String>,
    signer: Option<String>,
    tool_version: Option<String>,
    binary_sha256: Option<String>,
    as_of: Option<BlockAt>,
    checks: Vec<CheckRow>,
}

#[derive(Debug, Serialize)]
struct CheckRow {
    check: &'static str,
    file: Option<String>,
    outcome: &'static str,
    detail: String,
}

impl CaseVerifyDocument {
    pub(crate) fn new(verdict: &Verdict, path: String) -> Self {
        let from = verdict.provenance.as_ref();
        let row = |check: &cases::bundle::Check| CheckRow {
            check: check.name,
            file: check.file.clone(),
            outcome: check.outcome.name(),
            detail: check.detail.clone(),
        };
        Self {
            path,
            verdict: match (verdict.fails(), verdict.is_complete()) {
                (true, _) => "bad",
                (false, true) => "good",
                (false, false) => "incomplete",
            },
            title: verdict.title.clone(),
            sha256: verdict.bundle_sha256.clone(),
            manifest_sha256: verdict.manifest_sha256.clone(),
            signer: verdict.signer.clone(),
            tool_version: from.map(|from| from.tool_version.clone()),
            binary_sha256: from.and_then(|from| from.binary_sha256.clone()),
            as_of: from.map(|from| from.as_of.clone()),
            checks: verdict.checks.iter().map(row).collect(),
        }
    }

    /// Up to which block the bundle looks.
    pub(crate) fn tip(&self) -> Option<Tip> {
        self.as_of.as_ref().and_then(tip)
    }
}

impl Body for CaseVerifyDocument {
    const SCHEMA: &'static str = "chainhound.case_verify.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("bundle", &self.path);
        facts.push_some("case", self.title.as_ref());
        facts.push("sha256", &self.sha256);
        let mut rows = Rows::new(&["CHECK", "FILE", "", "WHAT"], colour);
        for check in &self.checks {
            let outcome = match check.outcome {
                outcome if outcome == Outcome::Fails.name() => "FAILS",
                outcome => outcome,
            };
            let file = check.file.as_deref().unwrap_or("");
            rows.push([check.check, file, outcome, check.detail.as_str()]);
        }
        let verdict = match self.verdict {
            "good" => "good: every proof holds, and the results are the same when computed again",
            "bad" => "BAD: this bundle must not be relied on",
            _ => "incomplete: the proofs hold, and the results were not computed again",
        };
        format!("{}\n{}\n{verdict}\n", facts.to_text(), rows.to_text())
    }
}
