//! `chainhound trace`.

use std::path::PathBuf;

use analyze::trace::{Fees, Policy};
use chain::Sats;
use clap::Args;
use report::export::{Format, csv::Part};

use super::{LabelArgs, ServerArgs};
use crate::amount::parse_sats;

const EXAMPLES: &str = "\
Examples:
  chainhound trace --from TXID                          all outputs of a transaction
  chainhound trace --from TXID:0 --from TXID:3          two thefts, kept apart
  chainhound trace --from bc1q... --policy fifo --until-height 850000
  chainhound trace --from TXID --policy all             every policy side by side
  chainhound trace --from TXID:1 --backward             where it came from
  chainhound trace --from TXID --stop-at service,coinjoin --tags labels.yaml
  chainhound trace --from TXID --stop-at @exchanges.txt --format json --out trace.json
  chainhound trace --from TXID --format svg --out trace.svg
  chainhound trace --from TXID --esplora transactions.jsonl    (without a store)
  chainhound trace --from TXID --esplora https://HOST/api --proxy socks5h://127.0.0.1:9050

Policies: haircut, fifo, lifo, tiho and poison each give one opinion about which satoshis are the
stolen ones; bounds gives the interval that holds whichever of the conserving ones a court prefers.";

/// What to follow, how, and how far.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TraceArgs {
    /// Where to start: a transaction, an output or an address; repeat it for several thefts
    #[arg(long, value_name = "TXID[:VOUT]|ADDR", required = true)]
    pub(crate) from: Vec<String>,
    /// haircut, fifo, lifo, tiho, poison or bounds; several with commas, or all, in tables
    #[arg(long, value_name = "POLICY", value_delimiter = ',', default_value = "haircut")]
    pub(crate) policy: Vec<String>,
    /// Whether to leave fees behind or to follow them into the miner's coinbase: drop or follow
    #[arg(long, value_name = "MODE", default_value_t)]
    pub(crate) fees: Fees,
    /// Follow towards the origin
    #[arg(long)]
    pub(crate) backward: bool,
    /// The state after this block: outputs not yet spent then are leaves (backward: stop there)
    #[arg(long, value_name = "H")]
    pub(crate) until_height: Option<u32>,
    /// Pass at most this many transactions in a row
    #[arg(long, value_name = "N")]
    pub(crate) max_hops: Option<u32>,
    /// Do not follow outputs with less than this tainted: satoshis, or bitcoin like 0.5btc
    #[arg(long, value_name = "AMOUNT", value_parser = parse_sats)]
    pub(crate) min_value: Option<Sats>,
    /// Pass at most this many transactions in all
    #[arg(long, value_name = "N")]
    pub(crate) budget: Option<u64>,
    /// Do not follow what arrives there, with commas: service (addresses labelled as services,
    /// mixers or bridges), coinjoin (mixing transactions by their shape), addresses, or @FILE with
    /// one address a line
    #[arg(long, value_name = "service,coinjoin,ADDR,...|@FILE", value_delimiter = ',')]
    pub(crate) stop_at: Vec<String>,
    #[command(flatten)]
    pub(crate) labels: LabelArgs,
    /// Follow transactions in this file (or directory of files) instead of the store, or fetch them
    /// from a server that speaks the Esplora routes
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) esplora: Option<PathBuf>,
    /// table, json, csv, dot, graphml, gexf or svg
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Which part of the trace to write as CSV: flows, leaves or bookings [default: flows]
    #[arg(long, value_name = "PART", value_parser = parse_part)]
    pub(crate) part: Option<Part>,
    /// Write the result to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

impl TraceArgs {
    /// The policies asked for, each once.
    ///
    /// # Errors
    /// A sentence about a name that is none.
    pub(crate) fn policies(&self) -> Result<Vec<Policy>, String> {
        let mut policies = Vec::new();
        let mut add = |policy| {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        };
        for name in &self.policy {
            if name == "all" {
                ALL_POLICIES.into_iter().for_each(&mut add);
            } else {
                add(name.parse::<Policy>().map_err(|error| format!("{error}, or all"))?);
            }
        }
        Ok(policies)
    }
}

/// Every policy, in the order of tables.
pub(crate) const ALL_POLICIES: [Policy; 6] =
    [Policy::Haircut, Policy::Fifo, Policy::Lifo, Policy::Tiho, Policy::Bounds, Policy::Poison];

fn parse_part(text: &str) -> Result<Part, String> {
    match text {
        "flows" => Ok(Part::Flows),
        "leaves" => Ok(Part::Leaves),
        "bookings" => Ok(Part::Bookings),
        other => Err(format!("unknown part '{other}': use flows, leaves or bookings")),
    }
}
