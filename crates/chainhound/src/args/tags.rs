//! `chainhound tags import`, `lookup`, `export`, `list` and `remove`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArg;
use crate::labels::FORMATS;

/// What to do with the labels.
#[derive(Debug, Subcommand)]
pub(crate) enum TagsVerb {
    /// Read labels from files: TagPacks, ActorPacks, sanctions lists, CSV, mining pools
    Import(Box<ImportArgs>),
    /// What is said about an address, a transaction, an actor, a category or under a label
    Lookup(TagLookupArgs),
    /// Write all labels as TagPacks and ActorPacks
    Export(ExportArgs),
    /// The files that the labels come from
    List(ListArgs),
    /// Take a file's labels out again
    Remove(RemoveArgs),
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  chainhound tags import graphsense-tagpacks/
  chainhound tags import sanctioned_addresses_XBT.txt incidents.csv
  chainhound tags import seized.txt --label 'seized by us' --source 'case 17' --confidence ownership

A row that cannot be taken is named with file and line, and the rest is imported (exit code 0). A file that
cannot be read as a whole is named, and the others are imported (exit code 3). Importing a file again
replaces what it said before. Until the import is complete, the labels of before stay in force, whatever
happens. Labels are kept for addresses that the chain has never seen too, and need no store.";

/// Which files, and what holds where they say nothing.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportArgs {
    /// Files, or directories with such files (.yaml, .json, .csv, sanctioned_addresses_*.txt)
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// What the files are [default: as their names and contents say]
    #[arg(long = "as", value_name = "FORMAT", value_parser = FORMATS.map(|(name, _)| name))]
    pub(crate) read_as: Option<String>,
    #[command(flatten)]
    pub(crate) defaults: DefaultArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Fields for rows that do not have them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the files do not say it")]
pub(crate) struct DefaultArgs {
    /// Title of the collection
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Name of who is behind the addresses
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// Who says so, best as an address on the web
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
    /// Kind of entity: exchange, market, mixing_service, …
    #[arg(long, value_name = "ID")]
    pub(crate) category: Option<String>,
    /// Kind of abuse: sanction, ransomware, service_hack, …
    #[arg(long, value_name = "ID")]
    pub(crate) abuse: Option<String>,
    /// A further concept; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) concept: Vec<String>,
    /// Id of the actor
    #[arg(long, value_name = "ID")]
    pub(crate) actor: Option<String>,
    /// How far the source is trusted: ownership, authority_data, web_crawl, …
    #[arg(long, value_name = "ID")]
    pub(crate) confidence: Option<String>,
    /// When the source last changed it
    #[arg(long, value_name = "DATE")]
    pub(crate) lastmod: Option<String>,
    /// Ticker of what is held at the addresses
    #[arg(long, value_name = "TICKER")]
    pub(crate) currency: Option<String>,
}

/// What to look for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound tags lookup 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P
  chainhound tags lookup TXID
  chainhound tags lookup 0x098b716b8aaf21512996dc57eb0615e2383e2f96
  chainhound tags lookup TraderTraitor                 (an actor, with who gives it which names)
  chainhound tags lookup ransomware --limit 100        (a category)
  chainhound tags lookup 'binance'                     (labels that contain it)

Everything that comes out is a claim of the source beside it. Claims that contradict each other are shown
side by side. Exit code 0, also where nothing is said about an address; 3 where a word is unknown.")]
pub(crate) struct TagLookupArgs {
    /// An address of any chain, a txid, an actor, a category, or part of a label
    #[arg(value_name = "ADDR|TXID|ACTOR|CATEGORY|LABEL")]
    pub(crate) what: String,
    /// Statements shown, and addresses of each
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound tags export --out packs/                  (a file for each pack)
  chainhound tags export --pack 'OFAC' > ofac.yaml     (the packs whose titles contain this)

Reading the files of --out again gives the same labels, with the same digest. On stdout several packs
are documents of one YAML stream, separated by '---'.")]
pub(crate) struct ExportArgs {
    /// Write a file for each pack into this directory instead of all to stdout
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only packs whose titles contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) pack: Option<String>,
}

/// Nothing more than the common flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound tags list
  chainhound tags list --format json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound tags remove old/incidents.csv             (the file itself may be gone)")]
pub(crate) struct RemoveArgs {
    /// Files, or directories with files, as `tags list` names them
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) paths: Vec<PathBuf>,
}
