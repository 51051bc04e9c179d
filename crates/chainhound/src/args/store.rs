//! `chainhound store check` and `store inspect`.

use clap::{Args, Subcommand};

use super::FormatArg;

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    /// Compare every checksum and every cross-reference; exits with 1 where something is wrong
    Check(CheckArgs),
    /// List the store's files and their sizes
    Inspect(InspectArgs),
}

/// Nothing more than the common flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound store check
  chainhound store check --format json || echo damaged

Reads the whole store. A damaged store is made again with `chainhound index`: remove its `graph`
directory first.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Nothing more than the common flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound store inspect")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
