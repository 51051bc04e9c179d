//! `chainhound doctor`.

use clap::Args;

use super::{FormatArg, LoginArgs};

const EXAMPLES: &str = "\
Examples:
  chainhound doctor
  chainhound doctor --node http://127.0.0.1:8332
  chainhound doctor --node http://127.0.0.1:8332 --quiet || systemctl restart bitcoind

Looks at the node, the store, the disk and the clock; each line says what to do where something is
wrong. With --quiet only what is not in order is printed. Exit codes: 0 where all is well, warnings
included; 1 where something is wrong; 3 where the node or the store is not there. Nothing is changed.
`chainhound store check` looks at every byte of the store.";

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// A running node, like http://127.0.0.1:8332
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
