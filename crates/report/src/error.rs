//! The one error type of the crate.

use std::io;

/// What a report gives, or why it cannot.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ledger could not answer.
    #[error(transparent)]
    Ledger(#[from] chain::LedgerError),
    /// What was made could not be written.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
    /// A page could not be written.
    #[error("cannot write the page: {0}")]
    Page(#[from] askama::Error),
    /// There is nothing to report on.
    #[error("a summary needs at least one trace")]
    NothingToReport,
}
