//! `chainhound peel`.

use analyze::peel::Options;
use chain::Sats;
use clap::{Args, ValueEnum};

use super::{FormatArg, LabelArgs, lookup::EsploraArg};
use crate::amount::parse_sats;

const EXAMPLES: &str = "\
Examples:
  chainhound peel TXID:0
  chainhound peel TXID:0 --stop-at service --tags exchanges.yaml
  chainhound peel TXID:1 --signs 3 --max-ambiguous 0        (only what is very sure)
  chainhound peel TXID:0 --format json --esplora transactions.jsonl

A peel chain pays small parts away, and its rest goes on to a fresh address. Which output is the rest
is an inference from at least two independent signs; otherwise both are followed, and the hop is marked
ambiguous. Every peel is listed as a payment: who got them can be asked.";

/// Which output, and how far.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PeelArgs {
    /// The output that the chain begins with
    #[arg(value_name = "TXID:VOUT")]
    pub(crate) start: String,
    /// Independent signs that decide which output is the rest
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub(crate) signs: u8,
    /// Follow both outputs of at most this many undecided transactions in a row of branches
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=16))]
    pub(crate) max_ambiguous: u32,
    /// It is a sign for the rest to be at least this many times the other output; 0: it is none
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) larger: u64,
    /// Pass at most this many transactions in a row
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_hops: u32,
    /// Pass at most this many transactions in all
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) budget: u64,
    /// Do not follow a rest of less than this: satoshis, or bitcoin like 0.5btc
    #[arg(long, value_name = "AMOUNT", value_parser = parse_sats)]
    pub(crate) min_value: Option<Sats>,
    /// End where the rest arrives there, too. CoinJoins always end a chain
    #[arg(long, value_name = "RULE", value_enum, value_delimiter = ',')]
    pub(crate) stop_at: Vec<PeelStop>,
    #[command(flatten)]
    pub(crate) labels: LabelArgs,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Where a chain ends beside its own ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeelStop {
    /// Addresses labelled as services, mixers or bridges.
    Service,
    /// CoinJoins, which end it anyway.
    Coinjoin,
}

impl PeelArgs {
    /// The parameters of the rule.
    pub(crate) fn options(&self) -> Options {
        Options {
            signs: self.signs.into(),
            max_ambiguous: self.max_ambiguous,
            max_hops: self.max_hops,
            max_transactions: self.budget,
            min_value: self.min_value.unwrap_or(Sats::ZERO),
            larger: (self.larger > 0).then_some(self.larger),
            ..Options::default()
        }
    }
}
