//! `doctor`.

use serde::Serialize;

use super::{document::Body, rows::Rows};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Condition {
    /// In order.
    Ok,
    /// It works, and could be better, or will not work for ever.
    Warn,
    /// It does not work.
    Bad,
}

impl Condition {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckRow {
    /// What was looked at; the same word for ever.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) condition: Condition,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it; `null` where there is nothing to do.
    pub(crate) advice: Option<String>,
}

/// `chainhound.doctor.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorDocument {
    /// The worst of all checks.
    pub(crate) condition: Condition,
    /// In the order of looking.
    pub(crate) checks: Vec<CheckRow>,
    /// Only what is not in order is printed for people.
    #[serde(skip)]
    pub(crate) quiet: bool,
}

impl Body for DoctorDocument {
    const SCHEMA: &'static str = "chainhound.doctor.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut rows = Rows::new(&["", "check", "found"], colour);
        let mut any = false;
        for row in &self.checks {
            if self.quiet && row.condition == Condition::Ok {
                continue;
            }
            any = true;
            rows.push([row.condition.word(), row.check, &row.found]);
            if let Some(advice) = &row.advice {
                rows.push(["", "", &format!("→ {advice}")]);
            }
        }
        if any { rows.to_text() } else { String::new() }
    }
}
