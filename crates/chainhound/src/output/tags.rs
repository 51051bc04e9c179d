//! `chainhound.tags_import.v1`, `tags_lookup`, `tags_list`.

use intel::{TagSet, import::Report};
use serde::Serialize;

use super::{ActorRow, ClaimRow, Facts, Rows, StatementRow, claims};
use crate::labels::Kept;

/// What an import did.
#[derive(Debug, Serialize)]
pub(crate) struct TagsImportDocument {
    /// The files that were read.
    pub(crate) documents: Vec<ReadRow>,
    /// The files that could not be read at all, and why.
    pub(crate) broken: Vec<BrokenRow>,
    /// Whether the labels are other ones than before.
    pub(crate) changed: bool,
    /// What there is now.
    #[serde(flatten)]
    pub(crate) sizes: TagSizes,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub(crate) struct ReadRow {
    path: String,
    format: &'static str,
    rows: u64,
    accepted: u64,
    /// Every row that was not taken.
    pub(crate) rejected: Vec<RejectedRow>,
    /// What is worth knowing about the others.
    remarks: Vec<RemarkRow>,
}

/// A row that was not taken.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedRow {
    line: u64,
    reason: String,
}

#[derive(Debug, Serialize)]
struct RemarkRow {
    remark: String,
    count: u64,
    first_line: u64,
}

/// A file that could not be read at all.
#[derive(Debug, Serialize)]
pub(crate) struct BrokenRow {
    /// The file.
    pub(crate) path: String,
    /// Why.
    pub(crate) error: String,
}

/// How much a tag set holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TagSizes {
    tags: u64,
    subjects: u64,
    addresses: u64,
    statements: u64,
    packs: u64,
    actors: u64,
    #[serde(skip)]
    digest: String,
}

/// The files behind the labels.
#[derive(Debug, Serialize)]
pub(crate) struct TagsListDocument {
    /// By path.
    pub(crate) documents: Vec<Kept>,
    /// What they give together.
    #[serde(flatten)]
    pub(crate) sizes: TagSizes,
}

/// What is said.
#[derive(Debug, Serialize)]
pub(crate) struct TagsLookupDocument {
    /// What was asked for.
    pub(crate) query: String,
    /// What it was found as: `address`, `transaction`, `actor`, `category`, `label`.
    pub(crate) found_as: Vec<&'static str>,
    /// Claims about the address or transaction, the most trusted first.
    pub(crate) claims: Vec<ClaimRow>,
    /// Where they contradict each other.
    pub(crate) disagreement: Option<DisagreementRow>,
    /// Actors of that name.
    pub(crate) actors: Vec<ActorRow>,
    /// Statements that name the actor, the category, or have it in their label.
    pub(crate) statements: Vec<StatementRow>,
    /// Whether there are more of these than `--limit`.
    pub(crate) more: bool,
}

/// What claims about one subject differ in.
#[derive(Debug, Serialize)]
pub(crate) struct DisagreementRow {
    pub(crate) actors: Vec<String>,
    pub(crate) categories: Vec<String>,
}

impl ReadRow {
    /// What happened to a file's rows.
    pub(crate) fn of(report: &Report) -> Self {
        let rejected = |row: &intel::import::Rejected| RejectedRow {
            line: row.line,
            reason: row.reason.to_string(),
        };
        let remark = |note: &intel::import::Note| RemarkRow {
            remark: note.kind.to_string(),
            count: note.count,
            first_line: note.first_line,
        };
        Self {
            path: report.name.clone(),
            format: report.format.name(),
            rows: report.rows,
            accepted: report.accepted,
            rejected: report.rejected.iter().map(rejected).collect(),
            remarks: report.notes.iter().map(remark).collect(),
        }
    }
}

impl TagSizes {
    /// Of a set.
    pub(crate) fn of(set: &TagSet) -> Self {
        let counts = set.counts();
        Self {
            tags: counts.tags,
            subjects: counts.subjects,
            addresses: counts.scripts,
            statements: counts.statements,
            packs: counts.packs,
            actors: counts.actors,
            digest: set.digest().to_string(),
        }
    }

    fn facts(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("tags", format!("{} on {} subjects", self.tags, self.subjects));
        facts.push("addresses", format!("{} of this network", self.addresses));
        facts.push("actors", self.actors);
        facts.push("packs", self.packs);
        facts.push("digest", &self.digest);
        facts.to_text()
    }
}

impl TagsImportDocument {
    /// For people.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        let mut rows = Rows::new(&[">rows", ">taken", ">rejected", "read as", "file"], colour);
        for read in &self.documents {
            rows.push([
                read.rows.to_string(),
                read.accepted.to_string(),
                read.rejected.len().to_string(),
                read.format.to_owned(),
                read.path.clone(),
            ]);
        }
        for broken in &self.broken {
            let nothing = || "-".to_owned();
            rows.push([nothing(), nothing(), nothing(), "broken".to_owned(), broken.path.clone()]);
        }
        format!("{}\n{}", rows.to_text(), self.sizes.facts(colour))
    }
}

impl TagsListDocument {
    /// For people.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        let mut rows = Rows::new(&[">bytes", "file"], colour);
        for kept in &self.documents {
            rows.push([kept.bytes.to_string(), kept.path.clone()]);
        }
        format!("{}\n{}", rows.to_text(), self.sizes.facts(colour))
    }
}

impl TagsLookupDocument {
    /// For people.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        let mut parts = Vec::new();
        if self.found_as.iter().any(|kind| ["address", "transaction"].contains(kind)) {
            parts.push(match self.claims.is_empty() {
                true => format!("nobody says anything about {}\n", self.query),
                false => claims::claim_table(&self.claims, colour),
            });
        }
        if let Some(differ) = &self.disagreement {
            let mut facts = Facts::new(colour);
            for (what, names) in [("actors", &differ.actors), ("categories", &differ.categories)] {
                if !names.is_empty() {
                    facts.push(&format!("different {what}"), names.join(", "));
                }
            }
            parts.push(facts.to_text());
        }
        parts.extend(self.actors.iter().map(|actor| actor.to_table(colour)));
        if !self.statements.is_empty() {
            parts.push(claims::statement_table(&self.statements, colour));
        }
        if self.more {
            parts.push("there are more: see them with --limit\n".to_owned());
        }
        parts.join("\n")
    }
}
