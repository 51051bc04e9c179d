//! `chainhound exposure`.

use analyze::trace::Policy;
use chain::Sats;
use clap::{Args, ValueEnum};

use super::{FormatArg, LabelArgs, lookup::EsploraArg};
use crate::amount::parse_sats;

const EXAMPLES: &str = "\
Examples:
  chainhound exposure bc1q...                             both ways, with imported labels
  chainhound exposure TXID --direction sending            where a transaction's money went
  chainhound exposure TXID:1 --direction receiving        where an output's money came from
  chainhound exposure bc1q... --tags exchanges.yaml --min-confidence 50
  chainhound exposure bc1q... --format json

Money is followed until it meets somebody with a label (a service, a mixer, a bridge, a miner, or
somebody known for abuse) or a CoinJoin. Direct is one hop; indirect leads through addresses of nobody
known. The rest is booked to the reason why it was followed no further. The sums are exact.";

/// Whose exposure, and how to look for it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExposureArgs {
    /// An address, an output, or a transaction
    #[arg(value_name = "ADDR|TXID[:VOUT]")]
    pub(crate) subject: String,
    /// To whom the money went, from whom it came, or both
    #[arg(long, value_name = "SIDE", value_enum, default_value_t)]
    pub(crate) direction: Sides,
    /// How money passes a transaction: haircut, fifo, lifo or tiho
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(crate) policy: Policy,
    /// What happens at a CoinJoin: stop, or pass and say how sure that is
    #[arg(long, value_name = "MODE", value_enum, default_value_t)]
    pub(crate) coinjoins: CoinJoins,
    /// The state after this block (receiving: do not look behind it)
    #[arg(long, value_name = "H")]
    pub(crate) until_height: Option<u32>,
    /// Pass at most this many transactions in a row
    #[arg(long, value_name = "N")]
    pub(crate) max_hops: Option<u32>,
    /// Do not follow outputs with less than this of the subject's: satoshis, or bitcoin like 0.5btc
    #[arg(long, value_name = "AMOUNT", value_parser = parse_sats)]
    pub(crate) min_value: Option<Sats>,
    /// Pass at most this many transactions in all
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) budget: u64,
    #[command(flatten)]
    pub(crate) labels: LabelArgs,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which way to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sides {
    /// To whom the money went.
    Sending,
    /// From whom it came.
    Receiving,
    /// Both.
    #[default]
    Both,
}

/// What happens at a CoinJoin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoinJoins {
    /// The walk ends there.
    #[default]
    Stop,
    /// The policy spreads the money over all outputs.
    Pass,
}
