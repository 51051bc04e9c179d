//! What a watch tells: `chainhound.alert.v1`, one JSON document a line.
//!
//! The names of the fields here are the names in JSON and a promise to other programs. What the chain
//! says is plain; who somebody is carries its basis.

use analyze::trace::{Policy, Taint};
use bitcoin::hashes::{Hash, sha256};
use chain::{BlockHash, Ledger, Network, OutNum, Overlay, Txid};
use serde::Serialize;

use crate::{
    Result, Surroundings, TraceQuestion,
    evaluate::{Movement, Part, What, outpoint_of, sum_of},
    question::{root_text, text_of},
    surroundings::{Advice, Party},
};

/// The `schema` of an alert.
pub const ALERT_SCHEMA: &str = "chainhound.alert.v1";

/// Inputs and outputs that an alert lists; the others are counted.
const LISTED: usize = 200;

/// What an alert tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Watched coins were spent by a transaction in a block.
    Moved,
    /// Coins came under watch.
    Received,
    /// An earlier alert is not true any more: its block is not on the chain.
    Withdrawn,
    /// A transaction that no block has yet spends watched coins.
    Unconfirmed,
    /// Another transaction took the place of an unconfirmed one.
    Replaced,
    /// The node forgot an unconfirmed transaction.
    Dropped,
    /// An unconfirmed transaction is in a block now.
    Confirmed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Moved,
        Self::Received,
        Self::Withdrawn,
        Self::Unconfirmed,
        Self::Replaced,
        Self::Dropped,
        Self::Confirmed,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Received => "received",
            Self::Withdrawn => "withdrawn",
            Self::Unconfirmed => "unconfirmed",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Confirmed => "confirmed",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mined {
    pub(crate) height: u32,
    pub(crate) hash: BlockHash,
    /// Not kept with an alert that is withdrawn.
    pub(crate) time: Option<u32>,
}

/// An alert before it has its number.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) what: What,
    pub(crate) txid: Txid,
    pub(crate) mined: Option<Mined>,
    /// The alert that this one follows up.
    pub(crate) refers_to: Option<String>,
    /// The transaction that took this one's place.
    pub(crate) replaced_by: Option<Txid>,
    pub(crate) content: Option<Content>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    id: &'a str,
    watch: &'a str,
    sequence: u64,
    kind: &'static str,
    network: &'static str,
    txid: String,
    /// `confirmed`, `unconfirmed` or `gone`.
    status: &'static str,
    height: Option<u32>,
    block_hash: Option<String>,
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refers_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
    #[serde(flatten)]
    content: Option<&'a Content>,
    advice: &'a [Advice],
    provenance: Provenance<'a>,
}

#[derive(Serialize)]
struct Provenance<'a> {
    tool: &'static str,
    tool_version: &'static str,
    labels_and_clusters: Option<&'a str>,
}

/// What moved.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Content {
    /// `null` where nothing is traced: watched addresses.
    policy: Option<&'static str>,
    /// What the watched inputs (received: outputs) are worth.
    value_sat: u64,
    #[serde(flatten)]
    amount: Amount,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_root: Vec<Share>,
    from: Vec<Output>,
    from_left_out: usize,
    to: Vec<Output>,
    to_left_out: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_tainted_sat: Option<u64>,
    /// The stop rule that ends the watch before this transaction.
    stop_reason: Option<String>,
    /// How sure the weakest step is by which the taint got there, 0 to 100; not a probability.
    confidence: u8,
    #[serde(skip)]
    pub(crate) advice: Vec<Advice>,
}

/// How much is stolen: exactly, an interval, or nothing to say.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum Amount {
    Exact { tainted_sat: u64 },
    Between { lower_sat: u64, upper_sat: u64 },
    None {},
}

#[derive(Clone, Debug, Serialize)]
struct Share {
    root: String,
    #[serde(flatten)]
    amount: Amount,
}

#[derive(Clone, Debug, Serialize)]
struct Output {
    txid: String,
    vout: u32,
    address: Option<String>,
    value_sat: u64,
    #[serde(flatten)]
    amount: Amount,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by_root: Vec<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<Party>,
}

impl Draft {
    /// The alert's id and its line of JSON, without the line's end.
    pub(crate) fn finish(
        &self,
        (watch, number): (&str, i64),
        sequence: u64,
        network: Network,
        digest: &str,
    ) -> (String, String) {
        let block = self.mined.map(|mined| mined.hash.to_string()).unwrap_or_default();
        let (kind, txid) = (self.kind.name(), self.txid.to_string());
        let refers = self.refers_to.as_deref().unwrap_or_default();
        let named = format!(
            "{network}\n{watch}\n{number}\n{sequence}\n{kind}\n{}\n{txid}\n{block}\n{refers}",
            self.what.name()
        );
        let mut id = sha256::Hash::hash(named.as_bytes()).to_string();
        id.truncate(32);
        let status = match self.kind {
            Kind::Withdrawn | Kind::Replaced | Kind::Dropped => "gone",
            Kind::Unconfirmed => "unconfirmed",
            Kind::Moved | Kind::Received | Kind::Confirmed => "confirmed",
        };
        let disregard = [Advice {
            action: "disregard",
            who: None,
            contact: None,
            text: format!("alert {refers} is not true any more: tell everybody who acted on it"),
        }];
        let advice = match (&self.content, status) {
            (_, "gone") => &disregard[..],
            (Some(content), _) => &content.advice,
            (None, _) => &[],
        };
        let document = Document {
            schema: ALERT_SCHEMA,
            id: &id,
            watch,
            sequence,
            kind,
            network: network.name(),
            txid,
            status,
            height: self.mined.map(|mined| mined.height),
            block_hash: self.mined.map(|mined| mined.hash.to_string()),
            time: self.mined.and_then(|mined| mined.time).map(iso),
            refers_to: self.refers_to.as_deref(),
            replaced_by: self.replaced_by.map(|txid| txid.to_string()),
            content: self.content.as_ref(),
            advice,
            provenance: Provenance {
                tool: "chainhound",
                tool_version: env!("CARGO_PKG_VERSION"),
                labels_and_clusters: Some(digest).filter(|digest| !digest.is_empty()),
            },
        };
        // No map with other keys than text, and no number that JSON lacks.
        let body = serde_json::to_string(&document).unwrap_or_default();
        (id, body)
    }
}

fn iso(time: u32) -> String {
    jiff::Timestamp::from_second(time.into()).unwrap_or_default().to_string()
}

/// Describes a movement. `trace` is the question, where it is one of taint.
pub(crate) fn describe(
    ledger: &Overlay<'_>,
    surroundings: &dyn Surroundings,
    trace: Option<&TraceQuestion>,
    movement: &Movement,
) -> Result<Content> {
    let writer = Writer { ledger, surroundings, trace };
    let counted = match movement.what {
        What::Moved => &movement.from,
        What::Received => &movement.to,
    };
    let mut value = 0u64;
    for part in counted {
        value = value.saturating_add(ledger.output(part.out)?.value.0);
    }
    let total = trace.map(|_| sum_of(counted, movement.cap));
    let from = writer.outputs(&movement.from, false)?;
    let to = writer.outputs(&movement.to, true)?;
    let advice = advice(&to, movement);
    Ok(Content {
        policy: trace.map(|trace| trace.policy.name()),
        value_sat: value,
        amount: writer.amount(total.as_ref()),
        by_root: writer.shares(total.as_ref()),
        from_left_out: movement.from.len() - from.len(),
        from,
        to_left_out: movement.to.len() - to.len(),
        to,
        fee_tainted_sat: movement.fee.as_ref().map(|fee| fee.upper.0),
        stop_reason: movement.ended.clone(),
        confidence: movement.to.iter().map(|part| part.confidence).min().unwrap_or(100),
        advice,
    })
}

struct Writer<'a> {
    ledger: &'a Overlay<'a>,
    surroundings: &'a dyn Surroundings,
    trace: Option<&'a TraceQuestion>,
}

impl Writer<'_> {
    fn outputs(&self, parts: &[Part], with_party: bool) -> Result<Vec<Output>> {
        parts.iter().take(LISTED).map(|part| self.output(part, with_party)).collect()
    }

    fn output(&self, part: &Part, with_party: bool) -> Result<Output> {
        let out: OutNum = part.out;
        let outpoint = outpoint_of(self.ledger, out)?;
        let output = self.ledger.output(out)?;
        let script = self.ledger.output_script(out)?;
        let party = match with_party {
            true => self.surroundings.party(self.ledger, &script, output.address)?,
            false => None,
        };
        let address = output.address.map(|_| text_of(&script, self.ledger.network()));
        Ok(Output {
            txid: outpoint.txid.to_string(),
            vout: outpoint.vout,
            address,
            value_sat: output.value.0,
            amount: self.amount(part.taint.as_ref()),
            by_root: self.shares(part.taint.as_ref()),
            stop_reason: part.ended.clone(),
            party,
        })
    }

    fn amount(&self, taint: Option<&Taint>) -> Amount {
        let Some((trace, taint)) = self.trace.zip(taint) else { return Amount::None {} };
        self.between(trace.policy, taint.lower.0, taint.upper.0)
    }

    fn between(&self, policy: Policy, lower_sat: u64, upper_sat: u64) -> Amount {
        match policy {
            Policy::Bounds => Amount::Between { lower_sat, upper_sat },
            _ => Amount::Exact { tainted_sat: upper_sat },
        }
    }

    fn shares(&self, taint: Option<&Taint>) -> Vec<Share> {
        let Some((trace, taint)) = self.trace.zip(taint) else { return Vec::new() };
        let share = |share: &analyze::trace::RootShare| Share {
            root: trace
                .roots
                .get(share.root as usize)
                .map(|root| root_text(root, self.ledger.network()))
                .unwrap_or_default(),
            amount: self.between(trace.policy, share.lower.0, share.upper.0),
        };
        taint.by_root.iter().map(share).collect()
    }
}

/// Whom to call: each party once that may be able to freeze what it got.
fn advice(to: &[Output], movement: &Movement) -> Vec<Advice> {
    let mut advice: Vec<Advice> = Vec::new();
    for output in to {
        let Some(party) = output.party.as_ref().filter(|party| party.can_freeze) else { continue };
        let who = party.entity.clone();
        if advice.iter().any(|known| known.who == who) {
            continue;
        }
        let name = who.as_deref().unwrap_or("the service");
        let text = format!(
            "ask {name} at once to freeze {}:{}; that the address is theirs is {}{}",
            output.txid,
            output.vout,
            if party.basis == "inference" { "an inference from a claim" } else { "a claim" },
            party.source.as_ref().map_or_else(String::new, |source| format!(" by {source}"))
        );
        advice.push(Advice { action: "request_freeze", who, contact: party.contact.clone(), text });
    }
    if let Some(rule) = &movement.ended {
        let text = format!(
            "the watch ends here ({rule}): what comes out of this transaction is not followed"
        );
        advice.push(Advice { action: "look", who: None, contact: None, text });
    }
    advice
}
