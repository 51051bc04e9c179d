//! `chainhound watch`.

use std::{path::PathBuf, time::Duration};

use analyze::trace::{Fees, Policy};
use chain::Sats;
use clap::{Args, Subcommand};

use super::{FormatArg, LabelArgs, LoginArgs};
use crate::amount::parse_sats;

/// What to do with watches.
#[derive(Debug, Subcommand)]
pub(crate) enum WatchVerb {
    /// Keep a question alive: stolen coins, addresses, or clusters
    Add(Box<AddArgs>),
    /// All watches
    List(ListWatchesArgs),
    /// One watch: its question, and the outputs that it waits for
    Show(ShowWatchArgs),
    /// End a watch; its alerts go with it
    Remove(RemoveWatchArgs),
    /// Look at every new block, tell what moved, and deliver alerts
    Run(RunArgs),
    /// What was told
    Alerts(AlertsArgs),
    /// Say that somebody has seen an alert
    Ack(AckArgs),
    /// Send every sink (or one) an alert that says that it is a test
    Test(TestArgs),
}

const ADD_EXAMPLES: &str = "\
Examples:
  chainhound watch add heist --from TXID:0 --policy fifo --stop-at service
  chainhound watch add heist --from TXID --policy bounds --since 840000
  chainhound watch add hideout --address bc1q... --address bc1p...
  chainhound watch add gang --cluster bc1q...

What happened up to the chain's tip is no news, unless --since says so. Stolen coins that are not on the
chain yet are waited for. Alerts come from `chainhound watch run`.";

/// What to watch.
#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
#[group(id = "what", required = true, multiple = false, args = ["from", "address", "cluster"])]
pub(crate) struct AddArgs {
    /// A name for it: letters, digits, - and _
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: String,
    /// Stolen coins: a transaction, an output or an address; repeat it for several thefts
    #[arg(long, value_name = "TXID[:VOUT]|ADDR")]
    pub(crate) from: Vec<String>,
    /// An address, whatever it receives and spends; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub(crate) address: Vec<String>,
    /// An address, with all that `chainhound cluster build` joined with it; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub(crate) cluster: Vec<String>,
    /// haircut, fifo, lifo, tiho, poison or bounds
    #[arg(long, value_name = "POLICY", default_value_t, requires = "from")]
    pub(crate) policy: Policy,
    /// Whether to leave fees behind or to follow them into the miner's coinbase: drop or follow
    #[arg(long, value_name = "MODE", default_value_t, requires = "from")]
    pub(crate) fees: Fees,
    /// Follow at most this many transactions in a row
    #[arg(long, value_name = "N", requires = "from")]
    pub(crate) max_hops: Option<u32>,
    /// Do not follow outputs with less than this stolen: satoshis, or bitcoin like 0.5btc
    #[arg(long, value_name = "AMOUNT", value_parser = parse_sats, requires = "from")]
    pub(crate) min_value: Option<Sats>,
    /// Follow at most this many transactions in all
    #[arg(long, value_name = "N", requires = "from")]
    pub(crate) budget: Option<u64>,
    /// Do not follow what arrives there, with commas: service, coinjoin, addresses
    #[arg(
        long,
        value_name = "service,coinjoin,ADDR,...",
        value_delimiter = ',',
        requires = "from"
    )]
    pub(crate) stop_at: Vec<String>,
    /// Tell what happened after this block, too
    #[arg(long, value_name = "H")]
    pub(crate) since: Option<u32>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// A list.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  chainhound watch list\n  chainhound watch list --format json")]
pub(crate) struct ListWatchesArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which watch.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chainhound watch show heist\n  chainhound watch show heist --format json"
)]
pub(crate) struct ShowWatchArgs {
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which watch.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  chainhound watch remove heist")]
pub(crate) struct RemoveWatchArgs {
    /// Its name
    pub(crate) name: String,
}

const RUN_EXAMPLES: &str = "\
Examples:
  chainhound watch run                                   alerts on stdout, in words
  chainhound watch run --format json                     one JSON document a line
  chainhound watch run --sinks watch.toml                webhooks, e-mail, commands
  chainhound watch run --node http://127.0.0.1:8332      with the mempool, and without another process
  chainhound watch run --once --format json              what is new since the last time, then end

Runs beside `chainhound index --follow`, or with --node in its place. Alerts are delivered at least once, and in order for each watch,
whatever happens to this process: each has an id, by which a repetition is known. An alert whose block
is replaced is withdrawn by a second one. Being stopped (Ctrl-C, SIGTERM) is the normal end.

The file of --sinks:
  [webhook.desk]
  url = \"https://example.org/hook\"        # or url_file
  secret_file = \"/etc/chainhound/hook.key\" # or secret_env; signs X-Chainhound-Signature
  [mail.team]
  server = \"mail.example.org\"
  tls = \"implicit\"                        # starttls; none on this machine only
  username = \"watch\"
  password_file = \"/etc/chainhound/mail.key\"
  from = \"watch@example.org\"
  to = [\"desk@example.org\"]
  [command.pager]
  argv = [\"/usr/local/bin/page\", \"--now\"]  # the alert's JSON on standard input";

/// How to run.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    /// Look once, deliver, and end: exit code 3 where something could not be delivered
    #[arg(long)]
    pub(crate) once: bool,
    /// Seconds between two looks at the store
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = parse_seconds)]
    pub(crate) poll: Duration,
    /// A running node, like http://127.0.0.1:8332: the store is kept up to date beside it, and what is
    /// unconfirmed is told too
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", conflicts_with = "once")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    /// Where alerts go, besides stdout [default: watch.sinks of the settings]
    #[arg(long, value_name = "FILE")]
    pub(crate) sinks: Option<PathBuf>,
    /// Nothing on stdout: only the sinks of the file
    #[arg(long)]
    pub(crate) no_stdout: bool,
    #[command(flatten)]
    pub(crate) labels: LabelArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which alerts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound watch alerts
  chainhound watch alerts heist --open --format json")]
pub(crate) struct AlertsArgs {
    /// Of this watch only
    #[arg(value_name = "WATCH")]
    pub(crate) name: Option<String>,
    /// Only those that nobody has seen (`chainhound watch ack`)
    #[arg(long)]
    pub(crate) open: bool,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which alert.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound watch ack heist/3
  chainhound watch ack heist                  (all of this watch)")]
pub(crate) struct AckArgs {
    /// Its id or WATCH/NUMBER; or a watch, for all of its alerts
    #[arg(value_name = "ALERT|WATCH/NUMBER|WATCH", required = true)]
    pub(crate) alerts: Vec<String>,
}

/// Which sink.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound watch test --sinks watch.toml
  chainhound watch test --sinks watch.toml desk

Exits with 3 where a sink does not take it.")]
pub(crate) struct TestArgs {
    /// Only this sink
    pub(crate) sink: Option<String>,
    /// Where alerts go [default: watch.sinks of the settings]
    #[arg(long, value_name = "FILE")]
    pub(crate) sinks: Option<PathBuf>,
}

fn parse_name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(good) {
        return Err("a name has up to 64 letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    if !(0.01..=3600.0).contains(&seconds) {
        return Err("from 0.01 to 3600 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
