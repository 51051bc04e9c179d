//! `chainhound.coinjoin.v1` and `chainhound.coinjoin_tx.v1`: what transactions look like.

use std::collections::BTreeMap;

use analyze::{
    coinjoin::{
        Absence, FALSE_POSITIVES, Finding, MEASURED,
        lineage::{Judgement, Lineage},
    },
    entropy::{Counted, Entropy},
};
use report::model::{Basis, UtcTime};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Body, Facts, Rows, status::coins};

/// Where definitions and measured errors are written down.
const PAGE: &str = "docs/methods/coinjoin.md";

/// What was found in a transaction: an inference.
#[derive(Debug, Serialize)]
pub(crate) struct CoinJoinField {
    /// As what.
    pub(crate) protocol: &'static str,
    /// By which rule.
    pub(crate) rule: &'static str,
    #[serde(flatten)]
    basis: Basis,
    /// Whether the protocol's name may be put on it; otherwise only the shape is the protocol's.
    label: bool,
    /// Whether clusters keep its inputs apart.
    do_not_union: bool,
    /// `within` the protocol's time, or `unchecked`.
    era: &'static str,
    /// The figures that the rule used.
    parameters: Parameters,
    /// How many people took part, if the protocol was followed.
    participants: Participants,
    /// For each value that occurs at least twice, how many outputs have it.
    anonymity_sets: Vec<AnonymitySet>,
    /// What the neighbours say.
    lineage: LineageField,
}

#[derive(Debug)]
struct Parameters(Vec<(&'static str, u64)>);

#[derive(Debug, Serialize)]
struct Participants {
    lower: u32,
    upper: u32,
}

#[derive(Debug, Serialize)]
struct AnonymitySet {
    value_sat: u64,
    outputs: u32,
}

/// The second pass.
#[derive(Debug, Serialize)]
struct LineageField {
    judgement: &'static str,
    inputs_known: u32,
    inputs_related: u32,
    inputs_unknown: u32,
    outputs_known: u32,
    outputs_related: u32,
    related_in_sat: u64,
    related_out_sat: u64,
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl CoinJoinField {
    /// A finding after its second pass.
    pub(crate) fn new(finding: Finding, lineage: &Lineage, judgement: Judgement) -> Self {
        let participants = finding.participants;
        let set = |group: &analyze::coinjoin::Denomination| AnonymitySet {
            value_sat: group.value.0,
            outputs: group.outputs,
        };
        Self {
            protocol: finding.protocol.name(),
            rule: finding.rule,
            basis: Basis::Inference { heuristic: finding.rule.to_owned(), confidence: None },
            label: finding.label,
            do_not_union: finding.do_not_union,
            era: finding.era.name(),
            anonymity_sets: finding.denominations.iter().map(set).collect(),
            parameters: Parameters(finding.parameters),
            participants: Participants { lower: participants.lower, upper: participants.upper },
            lineage: LineageField {
                judgement: judgement.name(),
                inputs_known: lineage.inputs_known,
                inputs_related: lineage.inputs_related,
                inputs_unknown: lineage.inputs_unknown,
                outputs_known: lineage.outputs_known,
                outputs_related: lineage.outputs_related,
                related_in_sat: lineage.value_in.0,
                related_out_sat: lineage.value_out.0,
            },
        }
    }

    /// `whirlpool by rule whirlpool_mix`, with what weakens it.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("{} by rule {}", self.protocol, self.rule);
        if !self.label {
            text.push_str(" (the shape only, no label)");
        }
        if self.era == "unchecked" {
            text.push_str(" (date not checked)");
        }
        text
    }

    fn list(&self, facts: &mut Facts) {
        facts.push("looks like", self.shown());
        facts.push("participants", self.participants.shown());
        for set in &self.anonymity_sets {
            facts.push("equal outputs", format!("{} of {} BTC", set.outputs, coins(set.value_sat)));
        }
        let apart = if self.do_not_union { "kept apart" } else { "may be joined" };
        facts.push("clusters", format!("its inputs are {apart}"));
        let around = &self.lineage;
        facts.push(
            "neighbours",
            format!(
                "{}: {} of {} known inputs and {} of {} known spenders are related, {} inputs unknown",
                around.judgement,
                around.inputs_related,
                around.inputs_known,
                around.outputs_related,
                around.outputs_known,
                around.inputs_unknown
            ),
        );
    }
}

impl Participants {
    fn shown(&self) -> String {
        match (self.lower, self.upper) {
            (lower, upper) if lower == upper => lower.to_string(),
            (lower, upper) => format!("{lower} to {upper}"),
        }
    }
}

/// `chainhound.coinjoin.v1`: what a scan found.
#[derive(Debug, Serialize)]
pub(crate) struct ScanDocument {
    /// Transactions looked at.
    pub(crate) scanned: u64,
    /// Those that a protocol's rule names, by protocol.
    pub(crate) found: BTreeMap<&'static str, u64>,
    /// Shapes that name no protocol, by kind; not listed.
    pub(crate) suspicions: BTreeMap<&'static str, u64>,
    /// All transactions whose inputs clusters keep apart.
    pub(crate) kept_apart: u64,
    /// How often the rules were right where that was measured.
    pub(crate) error_rates: ErrorRates,
    /// Those found, in chain order, or in the order of the file.
    pub(crate) transactions: Vec<FoundTransaction>,
}

/// A transaction and what was found in it.
#[derive(Debug, Serialize)]
pub(crate) struct FoundTransaction {
    /// Its id.
    pub(crate) txid: String,
    /// Its block's height, where known.
    pub(crate) height: Option<u32>,
    /// Its block's time, where known.
    pub(crate) time: Option<UtcTime>,
    #[serde(flatten)]
    pub(crate) finding: CoinJoinField,
}

/// How often the rules were right.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorRates {
    page: &'static str,
    /// Transactions with a protocol's label, and what became of them here.
    labelled: Vec<Labelled>,
    /// Ordinary transactions of blocks.
    ordinary: u32,
    /// Those of them that were named although they are none.
    ordinary_named: u32,
}

#[derive(Debug, Serialize)]
struct Labelled {
    protocol: &'static str,
    labelled: u32,
    found: u32,
    named: u32,
}

impl ErrorRates {
    /// As published.
    pub(crate) fn published() -> Self {
        let row = |row: &analyze::coinjoin::Measured| Labelled {
            protocol: row.protocol.name(),
            labelled: row.labelled,
            found: row.found,
            named: row.named,
        };
        let (ordinary_named, ordinary) = FALSE_POSITIVES;
        let labelled = MEASURED.iter().map(row).collect();
        Self { page: PAGE, labelled, ordinary, ordinary_named }
    }
}

impl Body for ScanDocument {
    const SCHEMA: &'static str = "chainhound.coinjoin.v1";

    fn to_table(&self, colour: bool) -> String {
        let counts = |counts: &BTreeMap<&str, u64>| {
            let parts: Vec<_> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        };
        let mut facts = Facts::new(colour);
        facts.push("scanned", format!("{} transactions", self.scanned));
        facts.push("found", counts(&self.found));
        facts.push("suspicions", counts(&self.suspicions));
        facts.push("clusters", format!("the inputs of {} are kept apart", self.kept_apart));
        facts.push("errors", format!("see {PAGE}"));
        let header =
            [">height", "time", "protocol", "rule", ">people", ">equal", ">BTC", "", "txid"];
        let mut rows = Rows::new(&header, colour);
        for tx in &self.transactions {
            let (found, first) = (&tx.finding, tx.finding.anonymity_sets.first());
            rows.push([
                tx.height.map_or_else(String::new, |height| height.to_string()),
                tx.time.map_or_else(String::new, |time| time.to_string()),
                found.protocol.to_owned(),
                found.rule.to_owned(),
                found.participants.shown(),
                first.map_or_else(String::new, |set| set.outputs.to_string()),
                first.map_or_else(String::new, |set| coins(set.value_sat)),
                if found.label { String::new() } else { "shape only".to_owned() },
                tx.txid.clone(),
            ]);
        }
        match self.transactions.len() {
            0 => facts.to_text(),
            _ => format!("{}\n{}", facts.to_text(), rows.to_text()),
        }
    }
}

/// `chainhound.coinjoin_tx.v1`: one transaction.
#[derive(Debug, Serialize)]
pub(crate) struct CoinJoinDocument {
    /// Its id.
    pub(crate) txid: String,
    /// Its block's height, where known.
    pub(crate) height: Option<u32>,
    /// Its block's time, where known.
    pub(crate) time: Option<UtcTime>,
    /// What it looks like; `null` where nothing speaks for a CoinJoin.
    pub(crate) coinjoin: Option<CoinJoinField>,
    /// Why it is no CoinJoin by any protocol's rule.
    pub(crate) absence: Option<AbsenceField>,
    /// How many ways there are to read it; `null` where its inputs are not known.
    pub(crate) entropy: Option<EntropyField>,
}

/// Why a transaction is no CoinJoin.
#[derive(Debug, Serialize)]
pub(crate) struct AbsenceField {
    reason: &'static str,
    text: String,
}

impl AbsenceField {
    /// By its shape.
    pub(crate) fn new(absence: Absence) -> Self {
        Self { reason: absence.name(), text: absence.to_string() }
    }

    /// Without one.
    pub(crate) fn without_inputs(reason: &'static str, text: &str) -> Self {
        Self { reason, text: text.to_owned() }
    }
}

/// How many ways there are to say whose inputs paid for which outputs.
#[derive(Debug, Serialize)]
pub(crate) struct EntropyField {
    #[serde(flatten)]
    basis: Basis,
    /// What makers may have earned, parts of a million of the amount.
    intra_fees_per_million: u32,
    /// Decimal digits, for it may have 128 bits; `null` where it is not counted.
    interpretations: Option<String>,
    /// Its binary logarithm with nine decimals.
    bits: Option<String>,
    /// Why it is not counted: `size`, `budget`, `too_many`, `empty`, `contradiction`.
    unknown: Option<&'static str>,
    /// What every reading links.
    deterministic_links: Vec<Link>,
    /// Whether these are all such links.
    deterministic_complete: bool,
    /// `vout` of each row of `link_per_million`.
    outputs: Vec<u32>,
    /// For each output the probability of each input, parts of a million.
    link_per_million: Option<Vec<Vec<u32>>>,
}

#[derive(Debug, Serialize)]
struct Link {
    vin: u32,
    vout: u32,
}

impl EntropyField {
    /// Of a transaction with this allowance for makers.
    pub(crate) fn new(entropy: Entropy, intra_fees_per_million: u32) -> Self {
        let counted = entropy.counted.as_ref().ok();
        let row = |counted: &Counted, row: usize| -> Vec<u32> {
            let inputs = counted.links.get(row).map_or(0, Vec::len);
            (0..inputs).filter_map(|input| counted.per_million(row, input)).collect()
        };
        let rows = |counted: &Counted| (0..counted.links.len()).map(|n| row(counted, n)).collect();
        Self {
            basis: Basis::Inference { heuristic: "boltzmann".to_owned(), confidence: None },
            intra_fees_per_million,
            interpretations: counted.map(|counted| counted.interpretations.to_string()),
            bits: counted.map(|counted| counted.entropy.to_string()),
            unknown: entropy.counted.as_ref().err().map(|unknown| unknown.name()),
            link_per_million: counted.map(rows),
            deterministic_links: entropy
                .deterministic
                .iter()
                .map(|(vin, vout)| Link { vin: *vin, vout: *vout })
                .collect(),
            deterministic_complete: entropy.deterministic_complete,
            outputs: entropy.outputs,
        }
    }

    fn list(&self, facts: &mut Facts) {
        let count = match (&self.bits, &self.interpretations, self.unknown) {
            (Some(bits), Some(count), _) => format!("{bits} bits, {count} readings"),
            (.., unknown) => format!("not counted ({})", unknown.unwrap_or("unknown")),
        };
        facts.push("entropy", count);
        let more = if self.deterministic_complete { "" } else { " (there may be more)" };
        let links: Vec<String> = self
            .deterministic_links
            .iter()
            .take(LINKS_SHOWN)
            .map(|link| format!("input {} to output {}", link.vin, link.vout))
            .collect();
        let rest = self.deterministic_links.len().saturating_sub(links.len());
        let text = match (links.as_slice(), rest) {
            ([], _) => "none".to_owned(),
            (links, 0) => links.join(", "),
            (links, rest) => format!("{} and {rest} more", links.join(", ")),
        };
        facts.push("certain links", text + more);
    }
}

/// Links in a table; JSON has all of them.
const LINKS_SHOWN: usize = 8;

impl Body for CoinJoinDocument {
    const SCHEMA: &'static str = "chainhound.coinjoin_tx.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("txid", &self.txid);
        facts.push_some("block", self.height);
        facts.push_some("time", self.time);
        match &self.coinjoin {
            Some(found) => found.list(&mut facts),
            None => facts.push("looks like", "no CoinJoin"),
        }
        facts.push_some("because", self.absence.as_ref().map(|absence| &absence.text));
        if let Some(entropy) = &self.entropy {
            entropy.list(&mut facts);
        }
        facts.push("basis", format!("inference; {PAGE} has its errors"));
        facts.to_text()
    }
}
