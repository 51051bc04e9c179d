//! `chainhound screen`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::EsploraArg;

const EXAMPLES: &str = "\
Examples:
  chainhound screen bc1q...                            an address
  chainhound screen 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P --book payees.txt
  chainhound screen TXID                               everybody who pays or is paid in it
  chainhound screen withdrawal.psbt --book payees.txt  a payment before it is signed
  chainhound screen bc1q... --indirect                 and through whom its money came and went
  chainhound screen --from-file deposits.txt --format jsonl
  extract-addresses | chainhound screen - --format jsonl
  chainhound screen --print-rules > rules.toml         the defaults, with comments, to be changed

Exit codes: 0 allow · 1 block · 4 review: a person has to look · 2 and 3 as everywhere: there is no verdict.
With several targets it is the worst of them. What could not be looked at is listed under `not assessed`.";

/// What to screen, by which rules, and with what to go by.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ScreenArgs {
    /// Addresses, txids, PSBTs (base64, hexadecimal or a file), or - for stdin, one a line
    #[arg(value_name = "ADDR|TXID|PSBT", required_unless_present_any = ["from_file", "print_rules"])]
    pub(crate) targets: Vec<String>,
    /// Screen what is in this file, one target a line (- for stdin)
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
    /// Labels to use instead of those imported: a TagPack, a list, a table or a tag set
    #[arg(long, value_name = "FILE")]
    pub(crate) tags: Vec<PathBuf>,
    /// Count labels for their own addresses only, not for their clusters (`cluster build`)
    #[arg(long)]
    pub(crate) no_clusters: bool,
    /// Known good addresses, one a line: warn of addresses made to resemble one of them
    #[arg(long, value_name = "FILE")]
    pub(crate) book: Vec<PathBuf>,
    /// Warn of addresses made to resemble a labelled one too
    #[arg(long)]
    pub(crate) book_labels: bool,
    /// Rules to use instead of the defaults
    #[arg(long, value_name = "FILE", env = "CHAINHOUND_RULES", hide_env_values = true)]
    pub(crate) rules: Option<PathBuf>,
    /// Look from whom the money came and to whom it went through addresses of nobody known too, and
    /// not only one hop away: slower
    #[arg(long)]
    pub(crate) indirect: bool,
    /// Do not look from whom the money came and to whom it went
    #[arg(long, conflicts_with = "indirect")]
    pub(crate) no_exposure: bool,
    /// Print the default rules and do nothing else
    #[arg(long, conflicts_with_all = ["targets", "from_file", "book", "book_labels"])]
    pub(crate) print_rules: bool,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ScreenFormat,
}

/// How to print verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScreenFormat {
    /// For people.
    #[default]
    Table,
    /// One JSON document with all targets.
    Json,
    /// A JSON document for each target, one a line, as they come.
    Jsonl,
}
