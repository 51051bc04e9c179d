//! `chainhound.screen.v1`.

use chain::Height;
use screen::{Basis, NotAssessed, Part, Party, Reason, Screened, Seen, Verdict};
use serde::Serialize;

use super::{Facts, Rows, status::coins};

/// How much of a target is shown in a table: addresses and txids are always whole, PSBTs are not.
const MOST_SHOWN: usize = 100;

/// All targets of a command.
#[derive(Debug, Serialize)]
pub(crate) struct ScreenDocument {
    /// The worst of all.
    pub(crate) verdict: &'static str,
    /// Each target, in the order in which they were given.
    pub(crate) screened: Vec<ScreenedRow>,
}

/// One target.
#[derive(Debug, Serialize)]
pub(crate) struct ScreenedRow {
    /// What was given.
    pub(crate) target: String,
    /// Where, in a file of targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    kind: &'static str,
    verdict: &'static str,
    reasons: Vec<ReasonRow>,
    parties: Vec<PartyRow>,
    not_assessed: Vec<NotAssessedRow>,
}

#[derive(Debug, Serialize)]
struct ReasonRow {
    rule: String,
    verdict: &'static str,
    basis: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    heuristic: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lastmod: Option<String>,
    address: Option<String>,
    detail: String,
    path: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PartyRow {
    address: String,
    parts: Vec<PartRow>,
    value_sat: Option<u64>,
    verdict: &'static str,
    /// `never`, `first`, `not_after` or `unknown`.
    seen: &'static str,
    /// The height of that.
    seen_height: Option<u32>,
}

#[derive(Debug, Serialize)]
struct PartRow {
    /// `itself`, `input` or `output`.
    side: &'static str,
    number: Option<u32>,
}

#[derive(Debug, Serialize)]
struct NotAssessedRow {
    what: &'static str,
    why: String,
}

impl ScreenedRow {
    /// A result in the words of documents.
    pub(crate) fn new(target: String, line: Option<u64>, result: Screened) -> Self {
        Self {
            target,
            line,
            kind: result.kind.name(),
            verdict: result.verdict.name(),
            reasons: result.reasons.into_iter().map(ReasonRow::new).collect(),
            parties: result.parties.into_iter().map(PartyRow::new).collect(),
            not_assessed: result.not_assessed.into_iter().map(NotAssessedRow::new).collect(),
        }
    }

    fn shown(&self) -> String {
        let mut text: String = self.target.chars().take(MOST_SHOWN).collect();
        if self.target.chars().nth(MOST_SHOWN).is_some() {
            text.push('…');
        }
        text
    }

    /// Everything about one target, for people.
    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("verdict", self.verdict);
        facts.push(self.kind, self.shown());
        let mut text = facts.to_text();
        if !self.reasons.is_empty() {
            let mut rows = Rows::new(&["", "rule", "basis", "confidence", "why"], colour);
            for reason in &self.reasons {
                let confidence = reason.confidence.map_or(String::new(), |level| level.to_string());
                rows.push([
                    reason.verdict.to_owned(),
                    reason.rule.clone(),
                    reason.basis.to_owned(),
                    confidence,
                    reason.path.join("; "),
                ]);
            }
            text.push_str(&format!("\n{}", rows.to_text()));
        }
        if self.kind != "address" && !self.parties.is_empty() {
            let mut rows = Rows::new(&["", "part", ">BTC", "address", "seen"], colour);
            for party in &self.parties {
                rows.push([
                    party.verdict.to_owned(),
                    parts_text(&party.parts),
                    party.value_sat.map_or_else(String::new, coins),
                    party.address.clone(),
                    party.seen_text(),
                ]);
            }
            text.push_str(&format!("\n{}", rows.to_text()));
        }
        if self.kind == "address" {
            let seen = self.parties.iter().map(PartyRow::seen_text).find(|seen| !seen.is_empty());
            if let Some(seen) = seen {
                text.push_str(&format!("\nseen: {seen}\n"));
            }
        }
        if !self.not_assessed.is_empty() {
            text.push_str("\nnot assessed\n");
            let mut facts = Facts::new(colour);
            for row in &self.not_assessed {
                facts.push(&format!("  {}", row.what), &row.why);
            }
            text.push_str(&facts.to_text());
        }
        text
    }
}

impl ScreenDocument {
    /// For people: one target with everything, several with a line each.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        if let [one] = self.screened.as_slice() {
            return one.to_table(colour);
        }
        let mut rows = Rows::new(&["verdict", ">line", "target", "rule", "why"], colour);
        for row in &self.screened {
            let worst = row.reasons.first();
            rows.push([
                row.verdict.to_owned(),
                row.line.map_or_else(String::new, |line| line.to_string()),
                row.shown(),
                worst.map_or_else(String::new, |reason| reason.rule.clone()),
                worst.map_or_else(String::new, |reason| reason.path.join("; ")),
            ]);
        }
        rows.to_text()
    }
}

impl ReasonRow {
    fn new(reason: Reason) -> Self {
        let (basis, verdict) = (reason.basis.name(), reason.verdict.name());
        let (mut heuristic, mut source, mut confidence, mut lastmod) = (None, None, None, None);
        match reason.basis {
            Basis::Fact => {}
            Basis::Inference { heuristic: name } => heuristic = Some(name),
            Basis::Claim { source: by, confidence: level, lastmod: changed } => {
                (source, confidence, lastmod) = (Some(by), Some(level), changed);
            }
        }
        Self {
            rule: reason.rule,
            verdict,
            basis,
            heuristic,
            source,
            confidence,
            lastmod,
            address: reason.address,
            detail: reason.detail,
            path: reason.path,
        }
    }
}

impl PartyRow {
    fn new(party: Party) -> Self {
        let (seen, height) = match party.seen {
            Seen::Unknown => ("unknown", None),
            Seen::Never => ("never", None),
            Seen::First(Height(height)) => ("first", Some(height)),
            Seen::NotAfter(Height(height)) => ("not_after", Some(height)),
        };
        Self {
            address: party.address,
            parts: party.parts.into_iter().map(PartRow::new).collect(),
            value_sat: party.value.map(|value| value.0),
            verdict: party.verdict.name(),
            seen,
            seen_height: height,
        }
    }

    fn seen_text(&self) -> String {
        match (self.seen, self.seen_height) {
            ("never", _) => "never".to_owned(),
            ("first", Some(height)) => format!("first at {height}"),
            ("not_after", Some(height)) => format!("first at {height} or before"),
            _ => String::new(),
        }
    }
}

impl PartRow {
    fn new(part: Part) -> Self {
        match part {
            Part::Itself => Self { side: "itself", number: None },
            Part::Input(number) => Self { side: "input", number: Some(number) },
            Part::Output(number) => Self { side: "output", number: Some(number) },
        }
    }
}

/// `input 0 1 2, output 5`; many are counted.
fn parts_text(parts: &[PartRow]) -> String {
    let mut texts = Vec::new();
    for side in ["input", "output"] {
        let numbers: Vec<String> = parts
            .iter()
            .filter(|part| part.side == side)
            .filter_map(|part| part.number.map(|number| number.to_string()))
            .collect();
        match numbers.len() {
            0 => {}
            1..=4 => texts.push(format!("{side} {}", numbers.join(" "))),
            many => texts.push(format!("{many} {side}s")),
        }
    }
    texts.join(", ")
}

impl NotAssessedRow {
    fn new(row: NotAssessed) -> Self {
        Self { what: row.what, why: row.why }
    }
}

/// How many of which verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VerdictCounts {
    allow: u64,
    review: u64,
    block: u64,
}

impl VerdictCounts {
    /// One more.
    pub(crate) fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Allow => self.allow += 1,
            Verdict::Review => self.review += 1,
            Verdict::Block => self.block += 1,
        }
    }

    /// The worst that there is.
    pub(crate) fn worst(self) -> Verdict {
        match self {
            Self { block: 1.., .. } => Verdict::Block,
            Self { review: 1.., .. } => Verdict::Review,
            _ => Verdict::Allow,
        }
    }

    /// All of them.
    pub(crate) fn sum(self) -> u64 {
        self.allow + self.review + self.block
    }
}

impl std::fmt::Display for VerdictCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { allow, review, block } = self;
        write!(f, "{} screened: {block} block, {review} review, {allow} allow", self.sum())
    }
}
