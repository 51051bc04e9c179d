//! What a check of a bundle says.

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It could not be made; the others may still say enough.
    Skipped,
}

impl Outcome {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Skipped => "skipped",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name: `container`, `manifest`, `signature`, `case`, `provenance`, `headers`, `transactions`,
    /// `labels`, `unspent`, `log`, `results`.
    pub name: &'static str,
    /// The file of the bundle that it is about, where it is about one.
    pub file: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found; where it fails, what is wrong and where.
    pub detail: String,
}

/// All checks of a bundle, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The checks.
    pub checks: Vec<Check>,
    /// SHA-256 of the whole bundle.
    pub bundle_sha256: String,
    /// SHA-256 of its manifest, where there is one: what was signed.
    pub manifest_sha256: Option<String>,
    /// The key of the signature, where there is one.
    pub signer: Option<String>,
    /// The case's title, where it could be read.
    pub title: Option<String>,
    /// From what the bundle was made, where that could be read.
    pub provenance: Option<super::Provenance>,
}

impl Verdict {
    /// Whether something is wrong.
    pub fn fails(&self) -> bool {
        self.checks.iter().any(|check| check.outcome == Outcome::Fails)
    }

    /// Whether the results were computed again.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|check| check.outcome == Outcome::Holds || check.name == "signature")
    }
}
