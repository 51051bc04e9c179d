//! `chainhound case add`, `list`, `show`, `note`, `status`, `assign`, `attach` and `log`.

use std::path::PathBuf;

use cases::book::Status;
use clap::Args;

use super::FormatArg;

/// Who does it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ByArg {
    /// Who does this, for the log [default: the user's name]
    #[arg(long, value_name = "NAME", env = "CHAINHOUND_USER", hide_env_values = true)]
    pub(crate) by: Option<String>,
}

const ADD_EXAMPLES: &str = "\
Examples:
  chainhound case add dmm docs/cases/dmm-bitcoin-2024.toml
  chainhound case note dmm 'answered by the exchange' --on 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P
  chainhound case list

The book is one file in the datadir (cases/book.sqlite). It only grows: what is done stays in its log, each
entry with the digest of the one before.";

/// Which case file, under which name.
#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
pub(crate) struct CaseAddArgs {
    /// How the case is called from now on
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Its case file, of which the book keeps a copy
    #[arg(value_name = "CASE.toml")]
    pub(crate) case: PathBuf,
    #[command(flatten)]
    pub(crate) by: ByArg,
}

/// How to print.
#[derive(Debug, Args)]
pub(crate) struct CaseListArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which case.
#[derive(Debug, Args)]
pub(crate) struct CaseShowArgs {
    /// The case
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

const NOTE_EXAMPLES: &str = "\
Examples:
  chainhound case note dmm 'asked the exchange to freeze' --on TXID:VOUT
  chainhound case note dmm 'this hop is an inference' --on 'TXID:VOUT>TXID'
  chainhound case note dmm 'hearing on Monday'";

/// What, and about what.
#[derive(Debug, Args)]
#[command(after_help = NOTE_EXAMPLES)]
pub(crate) struct CaseNoteArgs {
    /// The case
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The note
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,
    /// An address, a transaction, an output, or what a transaction does with an output
    #[arg(long, value_name = "ADDR|TXID|TXID:VOUT|TXID:VOUT>TXID")]
    pub(crate) on: Option<String>,
    #[command(flatten)]
    pub(crate) by: ByArg,
}

/// How a case stands.
#[derive(Debug, Args)]
pub(crate) struct CaseStatusArgs {
    /// The case
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// open, waiting or closed
    #[arg(value_name = "STATUS")]
    pub(crate) status: Status,
    #[command(flatten)]
    pub(crate) by: ByArg,
}

/// Who works on a case.
#[derive(Debug, Args)]
pub(crate) struct CaseAssignArgs {
    /// The case
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Who from now on; nobody, where none is named
    #[arg(value_name = "WHO")]
    pub(crate) to: Vec<String>,
    #[command(flatten)]
    pub(crate) by: ByArg,
}

/// Which file to keep.
#[derive(Debug, Args)]
pub(crate) struct CaseAttachArgs {
    /// The case
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The file; it is copied into the datadir, under its SHA-256
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) by: ByArg,
}

const LOG_EXAMPLES: &str = "\
Examples:
  chainhound case log dmm
  chainhound case log --verify
  chainhound case log --verify --head DIGEST      and the entry with this digest is still in it

The chain of digests is checked whenever the book is read. It shows every change, except that the newest
entries were cut off: write the head down elsewhere, and name it later with --head.

Exit codes: 0 the log holds · 1 it was changed, and the first entry at fault is named.";

/// Which entries.
#[derive(Debug, Args)]
#[command(after_help = LOG_EXAMPLES)]
pub(crate) struct CaseLogArgs {
    /// Only entries of this case
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Say only whether the log holds; attachments are compared with their digests too
    #[arg(long)]
    pub(crate) verify: bool,
    /// An entry with this digest must be in the log
    #[arg(long, value_name = "DIGEST", requires = "verify")]
    pub(crate) head: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
