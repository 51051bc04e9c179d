//! `chainhound demo`.

use std::path::PathBuf;

use clap::Args;

use super::FormatArg;

/// How large, and where to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound demo
  chainhound demo --out /tmp/heist --seed 7 --transactions 20000
  chainhound demo --format json

Needs no node and no network. Afterwards every other command can be tried on its chain:
  chainhound status --datadir chainhound-demo/data
  chainhound trace --datadir chainhound-demo/data --from OUTPUT --stop-at service,coinjoin
  chainhound tags list --datadir chainhound-demo/data")]
pub(crate) struct DemoArgs {
    /// The directory for everything that is made; one of an earlier demo is replaced
    #[arg(long, value_name = "DIR", default_value = "chainhound-demo")]
    pub(crate) out: PathBuf,
    /// Another seed is another chain
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many transactions, about; 20000 at least, or the mixers find no company
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(20_000..=100_000_000)
    )]
    pub(crate) transactions: u64,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
