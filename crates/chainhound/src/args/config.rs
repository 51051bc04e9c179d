//! `chainhound config`.

use clap::{Args, Subcommand};

use super::FormatArg;

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Every setting, its value, and where that comes from
    Show(ConfigShowArgs),
}

const EXAMPLES: &str = "\
Examples:
  chainhound config show
  chainhound config show --origin
  chainhound --config beside-node.toml config show --format json

The later one wins: /etc/chainhound/config.toml, chainhound/config.toml in the user's configuration
directory (XDG_CONFIG_HOME), --config FILE, the environment, flags. A file may have:
  datadir = \"/var/lib/chainhound\"
  network = \"mainnet\"
  [node]
  url = \"http://127.0.0.1:8332\"
  cookie_file = \"/var/lib/bitcoin/.cookie\"     # or bitcoin_datadir, or rpc_user and rpc_password_file
  [watch]
  sinks = \"/etc/chainhound/watch.toml\"
Files are named from the directory of the file that names them. A password is never a setting: it is named by
its file. `--node` without a URL means node.url.";

/// How to show.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigShowArgs {
    /// Say where each value comes from
    #[arg(long)]
    pub(crate) origin: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
