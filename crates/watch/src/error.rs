//! The one error type of the crate.

use std::path::PathBuf;

use chain::LedgerError;

/// What a watch gives, or why it cannot.
pub type Result<T, E = WatchError> = std::result::Result<T, E>;

/// Why a watch could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The ledger could not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The question could not be traced.
    #[error(transparent)]
    Analyze(#[from] analyze::Error),
    /// The chain was reorganised while it was being read: open it again and repeat.
    #[error("the chain was reorganised while it was being read")]
    Reorganised,
    /// Labels, clusters or stop rules could not answer.
    #[error("{0}")]
    Surroundings(String),
    /// The state file cannot be opened, read or written.
    #[error("{}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The state file is not what was written there.
    #[error("{}: damaged: {detail}; move it away and add the watches again: `chainhound watch show` of a \
             copy may still tell them", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A later version of the program wrote the state file.
    #[error("{}: written by a later version of chainhound (format {found}; this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format known here.
        known: i64,
    },
    /// Another program writes to the state file and did not end in time.
    #[error("{}: another program is writing to it: try again", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// There is a watch of this name.
    #[error("there is a watch '{0}' already: `chainhound watch remove {0}` ends it")]
    NameTaken(String),
    /// There is no watch of this name.
    #[error("there is no watch '{0}'{hint}", hint = similar(.1))]
    NoWatch(String, Option<String>),
    /// There is no such alert.
    #[error("there is no alert '{0}': `chainhound watch alerts` lists them")]
    NoAlert(String),
    /// The question makes no sense.
    #[error("{0}")]
    Question(String),
    /// The question reaches too much to be watched.
    #[error(
        "the watch reaches more than {0} transactions: narrow it with --stop-at, --max-hops or --min-value"
    )]
    TooLarge(usize),
}

fn similar(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!(": did you mean '{name}'?"))
}
