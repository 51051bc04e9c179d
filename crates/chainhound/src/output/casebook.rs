//! `chainhound case list`, `show` and `log`.

use cases::book::{Action, CaseState, Entry};
use report::model::UtcTime;
use serde::Serialize;

use super::{Body, Facts, Rows};
use crate::failure::Failure;

/// The cases of a book.
#[derive(Debug, Serialize)]
pub(crate) struct CaseListDocument {
    cases: Vec<CaseRow>,
}

#[derive(Debug, Serialize)]
struct CaseRow {
    name: String,
    title: String,
    network: String,
    status: &'static str,
    assignees: Vec<String>,
    notes: usize,
    attachments: usize,
    bundles: usize,
    changed: UtcTime,
}

/// Clocks after 2106 do not fit.
fn time(at: u64) -> UtcTime {
    UtcTime(u32::try_from(at).unwrap_or(u32::MAX))
}

impl CaseListDocument {
    pub(crate) fn new<'a>(cases: impl Iterator<Item = &'a CaseState>) -> Self {
        let row = |case: &CaseState| CaseRow {
            name: case.name.clone(),
            title: case.title.clone(),
            network: case.network.clone(),
            status: case.status.name(),
            assignees: case.assignees.clone(),
            notes: case.notes.len(),
            attachments: case.attachments.len(),
            bundles: case.bundles.len(),
            changed: time(case.changed),
        };
        Self { cases: cases.map(row).collect() }
    }
}

impl Body for CaseListDocument {
    const SCHEMA: &'static str = "chainhound.case_list.v1";

    fn to_table(&self, colour: bool) -> String {
        if self.cases.is_empty() {
            return "no cases: `chainhound case add NAME CASE.toml` takes one in\n".to_owned();
        }
        let header = ["CASE", "STATUS", "WHO", ">NOTES", ">FILES", ">BUNDLES", "CHANGED", "TITLE"];
        let mut rows = Rows::new(&header, colour);
        for case in &self.cases {
            rows.push([
                case.name.clone(),
                case.status.to_owned(),
                case.assignees.join(", "),
                case.notes.to_string(),
                case.attachments.to_string(),
                case.bundles.to_string(),
                case.changed.to_string(),
                case.title.clone(),
            ]);
        }
        rows.to_text()
    }
}

/// One case.
#[derive(Debug, Serialize)]
pub(crate) struct CaseShowDocument {
    name: String,
    title: String,
    network: String,
    status: &'static str,
    assignees: Vec<String>,
    added: UtcTime,
    changed: UtcTime,
    notes: Vec<NoteRow>,
    attachments: Vec<AttachmentRow>,
    bundles: Vec<BundleRow>,
    case_file: String,
}

#[derive(Debug, Serialize)]
struct NoteRow {
    time: UtcTime,
    by: String,
    on: Option<String>,
    text: String,
}

#[derive(Debug, Serialize)]
struct AttachmentRow {
    time: UtcTime,
    by: String,
    name: String,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct BundleRow {
    sha256: String,
    as_of_height: u32,
}

impl CaseShowDocument {
    pub(crate) fn new(case: &CaseState) -> Self {
        let note = |note: &cases::book::Note| NoteRow {
            time: time(note.at),
            by: note.by.clone(),
            on: note.on.clone(),
            text: note.text.clone(),
        };
        let attachment = |file: &cases::book::Attachment| AttachmentRow {
            time: time(file.at),
            by: file.by.clone(),
            name: file.name.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        };
        let bundle = |(sha256, height): &(String, u32)| BundleRow {
            sha256: sha256.clone(),
            as_of_height: *height,
        };
        Self {
            name: case.name.clone(),
            title: case.title.clone(),
            network: case.network.clone(),
            status: case.status.name(),
            assignees: case.assignees.clone(),
            added: time(case.added),
            changed: time(case.changed),
            notes: case.notes.iter().map(note).collect(),
            attachments: case.attachments.iter().map(attachment).collect(),
            bundles: case.bundles.iter().map(bundle).collect(),
            case_file: case.case_file.clone(),
        }
    }
}

impl Body for CaseShowDocument {
    const SCHEMA: &'static str = "chainhound.case_show.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("case", &self.name);
        facts.push("title", &self.title);
        facts.push("network", &self.network);
        facts.push("status", self.status);
        facts.push("who", self.assignees.join(", "));
        facts.push("added", self.added);
        facts.push("changed", self.changed);
        for bundle in &self.bundles {
            facts.push("bundle", format!("{} (block {})", bundle.sha256, bundle.as_of_height));
        }
        for file in &self.attachments {
            facts.push("file", format!("{} ({} bytes, {})", file.name, file.bytes, file.sha256));
        }
        let mut text = facts.to_text();
        if !self.notes.is_empty() {
            let mut rows = Rows::new(&["TIME", "WHO", "NOTE", "ABOUT"], colour);
            for note in &self.notes {
                let on = note.on.as_deref().unwrap_or("");
                rows.push([&note.time.to_string(), note.by.as_str(), note.text.as_str(), on]);
            }
            text.push_str(&format!("\n{}", rows.to_text()));
        }
        text
    }
}

/// The log of a book.
#[derive(Debug, Serialize)]
pub(crate) struct CaseLogDocument {
    /// Whether each entry has the digest of the one before, and attachments have theirs.
    holds: bool,
    faults: Vec<String>,
    /// All entries of the book.
    count: usize,
    /// Digest of the last one.
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryRow>>,
    #[serde(skip)]
    digests: Vec<String>,
}

#[derive(Debug, Serialize)]
struct EntryRow {
    n: u64,
    time: UtcTime,
    by: String,
    case: String,
    what: Action,
    digest: String,
}

impl CaseLogDocument {
    pub(crate) fn new(
        entries: &[Entry],
        case: Option<&str>,
        verify: bool,
        faults: Vec<String>,
    ) -> Result<Self, Failure> {
        let digests = entries.iter().map(Entry::digest).collect::<Result<Vec<_>, _>>()?;
        let row = |(entry, digest): (&Entry, &String)| EntryRow {
            n: entry.n,
            time: time(entry.at),
            by: entry.by.clone(),
            case: entry.case.clone(),
            what: entry.action.clone(),
            digest: digest.clone(),
        };
        let rows = || {
            let wanted = entries.iter().zip(&digests);
            wanted.filter(|(entry, _)| case.is_none_or(|case| entry.case == case)).map(row)
        };
        Ok(Self {
            holds: faults.is_empty(),
            faults,
            count: entries.len(),
            head: digests.last().cloned(),
            entries: (!verify).then(|| rows().collect()),
            digests,
        })
    }

    /// An entry with this digest must be there.
    pub(crate) fn with_head(mut self, head: Option<&str>) -> Self {
        if let Some(head) = head
            && !self.digests.iter().any(|digest| digest == head)
        {
            self.holds = false;
            self.faults.push(format!("no entry has the digest {head}: the end was cut off"));
        }
        self
    }

    pub(crate) fn holds(&self) -> bool {
        self.holds
    }
}

impl Body for CaseLogDocument {
    const SCHEMA: &'static str = "chainhound.case_log.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut text = String::new();
        if let Some(entries) = &self.entries {
            let mut rows = Rows::new(&[">ENTRY", "TIME", "WHO", "CASE", "WHAT"], colour);
            for entry in entries {
                rows.push([
                    entry.n.to_string(),
                    entry.time.to_string(),
                    entry.by.clone(),
                    entry.case.clone(),
                    words(&entry.what),
                ]);
            }
            text.push_str(&rows.to_text());
            text.push('\n');
        }
        for fault in &self.faults {
            text.push_str(&format!("{fault}\n"));
        }
        let head = self.head.as_deref().unwrap_or("none");
        let verdict = match self.holds {
            true => "good: each has the digest of the one before",
            false => "BAD: this log was changed",
        };
        text.push_str(&format!("{} entries, head {head}\n{verdict}\n", self.count));
        text
    }
}

fn words(action: &Action) -> String {
    match action {
        Action::Add { title, .. } => format!("added: {title}"),
        Action::Note { on: Some(on), text } => format!("note on {on}: {text}"),
        Action::Note { on: None, text } => format!("note: {text}"),
        Action::Status { status } => format!("status: {status}"),
        Action::Assign { to } if to.is_empty() => "assigned to nobody".to_owned(),
        Action::Assign { to } => format!("assigned to {}", to.join(", ")),
        Action::Attach { name, sha256, .. } => format!("attached {name} ({sha256})"),
        Action::Bundle { sha256, as_of_height } => {
            format!("bundle {sha256} as of block {as_of_height}")
        }
    }
}
