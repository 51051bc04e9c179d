//! `chainhound case report`.

use cases::bundle::{BlockAt, Opened, Verdict};
use chain::Tip;
use serde::Serialize;

use super::{Body, Facts, case::tip};
use crate::args::CaseReportArgs;

/// A report that was written.
#[derive(Debug, Serialize)]
pub(crate) struct CaseReportDocument {
    title: String,
    path: String,
    bytes: u64,
    sha256: String,
    language: &'static str,
    bundle_sha256: String,
    /// Whether the results were computed again.
    computed_again: bool,
    as_of: BlockAt,
    letters: Vec<LetterRow>,
}

#[derive(Debug, Serialize)]
struct LetterRow {
    path: String,
    service: String,
}

impl CaseReportDocument {
    /// `letters`: path and service of each.
    pub(crate) fn new(
        opened: &Opened,
        verdict: &Verdict,
        args: &CaseReportArgs,
        html: &str,
        letters: Vec<(String, String)>,
    ) -> Self {
        let row = |(path, service)| LetterRow { path, service };
        Self {
            title: opened.case.title.clone(),
            path: args.out.display().to_string(),
            bytes: html.len() as u64,
            sha256: cases::sha256_hex(html.as_bytes()),
            language: args.language.code(),
            bundle_sha256: verdict.bundle_sha256.clone(),
            computed_again: verdict.is_complete(),
            as_of: opened.provenance.as_of.clone(),
            letters: letters.into_iter().map(row).collect(),
        }
    }

    /// Up to which block the bundle looks.
    pub(crate) fn tip(&self) -> Option<Tip> {
        tip(&self.as_of)
    }
}

impl Body for CaseReportDocument {
    const SCHEMA: &'static str = "chainhound.case_report.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("case", &self.title);
        facts.push("report", format!("{}, {} bytes", self.path, self.bytes));
        facts.push("sha256", &self.sha256);
        facts.push("bundle", &self.bundle_sha256);
        for letter in &self.letters {
            facts.push("letter", format!("{} (to {})", letter.path, letter.service));
        }
        facts.to_text()
    }
}
