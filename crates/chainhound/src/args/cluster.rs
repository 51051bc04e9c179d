//! `chainhound cluster`.

use analyze::{change::Strength, cluster::Guard};
use clap::{Args, Subcommand, ValueEnum};

use super::FormatArg;
use crate::clusters::Which;

/// What to do with clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterVerb {
    /// Join the store's addresses into clusters, or take in what is new since the last time
    Build(BuildArgs),
    /// The cluster of an address: its size, its addresses, what sources say about them
    Show(ShowArgs),
    /// Why two addresses are in one cluster: the shortest chain of transactions that joins them
    Why(WhyArgs),
    /// What the last build joined that was apart before
    Diff(DiffArgs),
}

/// Which clustering.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WhichArg {
    /// The clustering that joins change too, with signs at least this strong: a hypothesis, kept
    /// beside the other under a name of its own
    #[arg(long, value_name = "STRENGTH", value_enum)]
    with_change: Option<Change>,
}

/// How sure it must be that an output is change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Change {
    /// It pays an address that paid.
    #[value(name = "same_address", alias = "same-address")]
    SameAddress,
    /// Two independent signs, none against.
    Strong,
    /// One sign, none against.
    Weak,
}

impl WhichArg {
    /// The clustering meant.
    pub(crate) const fn which(self) -> Which {
        match self.with_change {
            None => Which::MultiInput,
            Some(Change::SameAddress) => Which::WithChange(Strength::SameAddress),
            Some(Change::Strong) => Which::WithChange(Strength::Strong),
            Some(Change::Weak) => Which::WithChange(Strength::Weak),
        }
    }
}

const BUILD_EXAMPLES: &str = "\
Examples:
  chainhound cluster build
  chainhound cluster build --with-change strong         (beside the first, as a hypothesis)
  chainhound cluster build --hold-back --format json

All addresses that pay in one transaction are joined, unless the transaction may be a CoinJoin: see
docs/methods/clustering.md. A clustering of an earlier tip is gone on with; after a reorganisation, or
under another guard, it is built again. The file is replaced when the new one is whole. Needs 8 bytes of
memory for each address of the store.";

/// How to build.
#[derive(Debug, Args)]
#[command(after_help = BUILD_EXAMPLES)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) which: WhichArg,
    /// The guard calls a cluster large from so many addresses on
    #[arg(long, value_name = "N", default_value_t = Guard::default().large)]
    guard_large: u32,
    /// The guard looks at transactions that join at most so many addresses
    #[arg(long, value_name = "N", default_value_t = Guard::default().thin)]
    guard_thin: u32,
    /// Do not join large clusters through such a transaction, instead of only reporting it
    #[arg(long)]
    hold_back: bool,
    /// Build from nothing, whatever there is
    #[arg(long)]
    pub(crate) rebuild: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl BuildArgs {
    /// The guard as asked for.
    pub(crate) const fn guard(&self) -> Guard {
        Guard { large: self.guard_large, thin: self.guard_thin, hold_back: self.hold_back }
    }
}

/// Whose cluster, and which part of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound cluster show bc1q...
  chainhound cluster show bc1q... --limit 100 --cursor ADDR --format json   (the page after ADDR)")]
pub(crate) struct ShowArgs {
    /// An address of the network, or script:HEX
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) which: WhichArg,
    /// Addresses per page
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) limit: u32,
    /// Go on after this address: `next_cursor` of the page before
    #[arg(long, value_name = "ADDR")]
    pub(crate) cursor: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which two addresses.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound cluster why bc1q... 1A1z...
  chainhound cluster why bc1q... bc1q... --with-change strong --format json

Exits with 1 where they are not in one cluster, and with 4 where the search was ended by --visits.")]
pub(crate) struct WhyArgs {
    /// An address of the network, or script:HEX
    #[arg(value_name = "ADDR")]
    pub(crate) from: String,
    /// Another one
    #[arg(value_name = "ADDR")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) which: WhichArg,
    /// Look at no more than so many outputs and inputs
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) visits: u64,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Of which clustering, and how much.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound index --blocks-dir ~/.bitcoin/blocks && chainhound cluster build && chainhound cluster diff

Compares the clustering in force with the one of the tip before.")]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) which: WhichArg,
    /// Merges and splits to list, largest first
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
