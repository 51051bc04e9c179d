//! `chainhound coinjoin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormatArg, lookup::EsploraArg};

/// Which transaction, or a scan.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  chainhound coinjoin TXID                              what it is, by which rule, or why it is none
  chainhound coinjoin TXID --esplora transactions.jsonl
  chainhound coinjoin scan --from-height 800000
  chainhound coinjoin scan --esplora transactions.jsonl --format json

What is found is an inference from amounts, kinds of scripts and the date. Rules, sources and measured
error rates: docs/methods/coinjoin.md; entropy and links: docs/methods/entropy.md."
)]
pub(crate) struct CoinJoinArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<CoinJoinVerb>,
    /// The transaction's id
    #[arg(required = true)]
    pub(crate) txid: Option<String>,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Beside a single transaction.
#[derive(Debug, Subcommand)]
pub(crate) enum CoinJoinVerb {
    /// Find the CoinJoins among many transactions
    Scan(ScanArgs),
}

/// Among which transactions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound coinjoin scan
  chainhound coinjoin scan --from-height 840000 --to-height 841000
  chainhound coinjoin scan --esplora transactions.jsonl --format json

Listed is what a protocol's rule names: whirlpool, whirlpool_tx0, wasabi1, wasabi2, joinmarket. Where
`label` is false, only the shape is the protocol's. Equal outputs and the like, which only keep inputs
apart in clusters, are counted. A file is read line by line, twice: the second time for what the
findings spend and who spends them.")]
pub(crate) struct ScanArgs {
    /// Scan this file (or directory of files) with transactions instead of the store
    #[arg(long, value_name = "FILE")]
    pub(crate) esplora: Option<PathBuf>,
    /// From the block of this height on
    #[arg(long, value_name = "H")]
    pub(crate) from_height: Option<u32>,
    /// Up to the block of this height
    #[arg(long, value_name = "H")]
    pub(crate) to_height: Option<u32>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
