//! What the entries add up to.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Action, Entry};

/// How a case stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Worked on.
    #[default]
    Open,
    /// Waits for somebody else.
    Waiting,
    /// Done.
    Closed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Waiting, Self::Closed];

    /// The name in flags, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|status| status.name() == text);
        found.ok_or_else(|| format!("'{text}' is no status: use open, waiting or closed"))
    }
}

/// A case as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseState {
    /// What it is called in the book.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its network's name.
    pub network: String,
    /// Its case file, as it was last given.
    pub case_file: String,
    /// How it stands.
    pub status: Status,
    /// Who works on it.
    pub assignees: Vec<String>,
    /// What was noted, in order.
    pub notes: Vec<Note>,
    /// Files, in order.
    pub attachments: Vec<Attachment>,
    /// Evidence bundles, by digest and last block, in order.
    pub bundles: Vec<(String, u32)>,
    /// When it was taken in.
    pub added: u64,
    /// When something was last done.
    pub changed: u64,
}

/// Something noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: u64,
    /// By whom.
    pub by: String,
    /// About what; nothing for the case as a whole.
    pub on: Option<String>,
    /// In words.
    pub text: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// When it was attached.
    pub at: u64,
    /// By whom.
    pub by: String,
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// The cases of a log, by name. Entries about a case that was never taken in are passed over: no program
/// of ours writes them.
pub fn cases(entries: &[Entry]) -> BTreeMap<String, CaseState> {
    let mut cases: BTreeMap<String, CaseState> = BTreeMap::new();
    for entry in entries {
        if let Action::Add { title, network, case_file } = &entry.action {
            let new = || CaseState {
                name: entry.case.clone(),
                title: String::new(),
                network: String::new(),
                case_file: String::new(),
                status: Status::default(),
                assignees: Vec::new(),
                notes: Vec::new(),
                attachments: Vec::new(),
                bundles: Vec::new(),
                added: entry.at,
                changed: entry.at,
            };
            let case = cases.entry(entry.case.clone()).or_insert_with(new);
            case.title.clone_from(title);
            case.network.clone_from(network);
            case.case_file.clone_from(case_file);
        }
        let Some(case) = cases.get_mut(&entry.case) else { continue };
        case.changed = entry.at;
        let (at, by) = (entry.at, entry.by.clone());
        match &entry.action {
            Action::Add { .. } => {}
            Action::Note { on, text } => {
                case.notes.push(Note { at, by, on: on.clone(), text: text.clone() });
            }
            Action::Status { status } => case.status = *status,
            Action::Assign { to } => case.assignees.clone_from(to),
            Action::Attach { name, bytes, sha256 } => {
                let (name, sha256) = (name.clone(), sha256.clone());
                case.attachments.push(Attachment { at, by, name, bytes: *bytes, sha256 });
            }
            Action::Bundle { sha256, as_of_height } => {
                case.bundles.push((sha256.clone(), *as_of_height));
            }
        }
    }
    cases
}
