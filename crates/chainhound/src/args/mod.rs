//! What was typed. Nothing here opens a file.

mod case;
mod casebook;
mod cluster;
mod coinjoin;
mod config;
mod demo;
mod doctor;
mod exposure;
mod index;
mod lookup;
mod node;
mod peel;
mod screen;
mod serve;
mod server;
mod store;
mod tags;
mod trace;
mod watch;

use std::path::PathBuf;

use chain::Network;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Settings;

pub(crate) use self::{
    case::{
        CaseExportArgs, CaseNewArgs, CaseReportArgs, CaseRunArgs, CaseVerb, CaseVerifyArgs,
        KeygenArgs,
    },
    casebook::{
        ByArg, CaseAddArgs, CaseAssignArgs, CaseAttachArgs, CaseListArgs, CaseLogArgs,
        CaseNoteArgs, CaseShowArgs, CaseStatusArgs,
    },
    cluster::{BuildArgs, ClusterVerb, DiffArgs, ShowArgs, WhyArgs},
    coinjoin::{CoinJoinArgs, CoinJoinVerb, ScanArgs},
    config::ConfigVerb,
    demo::DemoArgs,
    doctor::DoctorArgs,
    exposure::{CoinJoins, ExposureArgs, Sides},
    index::IndexArgs,
    lookup::{AddressArgs, BlockArgs, EsploraArg, StatusArgs, TxArgs},
    node::LoginArgs,
    peel::{PeelArgs, PeelStop},
    screen::{ScreenArgs, ScreenFormat},
    serve::ServeArgs,
    server::ServerArgs,
    store::{CheckArgs, InspectArgs, StoreVerb},
    tags::{ExportArgs, ImportArgs, ListArgs, RemoveArgs, TagLookupArgs, TagsVerb},
    trace::{ALL_POLICIES, TraceArgs},
    watch::{
        AckArgs, AddArgs, AlertsArgs, ListWatchesArgs, RemoveWatchArgs, RunArgs, ShowWatchArgs,
        TestArgs, WatchVerb,
    },
};

/// Exit codes, for the end of the help text.
const EXIT_CODES: &str = "\
Exit codes: 0 done or clean · 1 a negative verdict · 2 usage or configuration · 3 node or data \
unavailable · 4 inconclusive · 130 or 143 stopped by Ctrl-C or SIGTERM, what was done is kept.

Start with `chainhound demo`.";

/// Follow stolen bitcoin: from the theft, satoshi by satoshi, to where they are now.
#[derive(Debug, Parser)]
#[command(name = "chainhound", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags of every verb.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Where chainhound keeps its data [default: chainhound in the user's data directory]
    #[arg(
        long,
        value_name = "DIR",
        env = "CHAINHOUND_DATADIR",
        hide_env_values = true,
        global = true
    )]
    pub(crate) datadir: Option<PathBuf>,
    /// A file of settings, besides those of the machine and the user: `chainhound config show --help`
    #[arg(
        long,
        value_name = "FILE",
        env = "CHAINHOUND_CONFIG",
        hide_env_values = true,
        global = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// What files, environment and flags say.
    #[arg(skip)]
    pub(crate) settings: Settings,
    /// mainnet, testnet4, testnet3, signet or regtest [default: the only one in the datadir, else
    /// mainnet]
    #[arg(long, value_name = "NETWORK", global = true)]
    pub(crate) network: Option<Network>,
    /// Say nothing on stderr but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more on stderr
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub(crate) color: Colour,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Even into a pipe.
    Always,
    /// Not at all.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// A replayed heist, from blocks to report, scored against the truth
    Demo(DemoArgs),
    /// Read blocks (or single transactions) into the store
    Index(IndexArgs),
    /// What the store holds
    Status(StatusArgs),
    /// One transaction: its inputs, its outputs, and what became of them
    Tx(TxArgs),
    /// One address: balance and history
    Address(AddressArgs),
    /// One block
    Block(BlockArgs),
    /// Follow money from (or back to) where it was
    Trace(TraceArgs),
    /// Follow a peel chain: small payments, the rest moves on
    Peel(PeelArgs),
    /// To whom money went and from whom it came, directly and through others
    Exposure(ExposureArgs),
    /// May this be accepted or paid? allow, review or block, with reasons
    Screen(ScreenArgs),
    /// What sources say about addresses: import labels, ask them, write them out
    #[command(subcommand)]
    Tags(TagsVerb),
    /// Clusters: addresses that somebody controls together, and why they are joined
    #[command(subcommand)]
    Cluster(ClusterVerb),
    /// CoinJoins: whether a transaction is one, and which are
    #[command(name = "coinjoin")]
    CoinJoin(CoinJoinArgs),
    /// Watches: questions that stay alive, and alerts when coins move
    #[command(subcommand)]
    Watch(WatchVerb),
    /// Cases: evidence that anyone can compute again, and its check
    #[command(subcommand)]
    Case(CaseVerb),
    /// What is wrong with node, store, disk or clock, and what to do about it
    Doctor(DoctorArgs),
    /// Answer the Esplora routes over HTTP, from the store
    Serve(ServeArgs),
    /// Settings: which hold, and where they come from
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Look after the store
    #[command(subcommand)]
    Store(StoreVerb),
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document with `schema` and `provenance`.
    Json,
}

/// The flag for it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FormatArg {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Which labels to believe.
#[derive(Clone, Debug, Args)]
pub(crate) struct LabelArgs {
    /// Labels to use instead of those imported: a TagPack, a list, a table or a tag set
    #[arg(long, value_name = "FILE")]
    pub(crate) tags: Vec<PathBuf>,
    /// Believe only labels with at least this confidence, 0 to 100
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    pub(crate) min_confidence: u8,
    /// Labels count for their own addresses only. Otherwise a label that is about a whole cluster counts
    /// for all addresses that `chainhound cluster build` joined with its own, as an inference
    #[arg(long)]
    pub(crate) no_clusters: bool,
}

impl LabelArgs {
    /// Whether labels of clusters count for their addresses.
    pub(crate) fn by_cluster(&self) -> bool {
        !self.no_clusters
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_do_not_clash() {
        Cli::command().debug_assert();
    }
}
