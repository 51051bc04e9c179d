//! Which node to ask, and how to log in.

use std::path::PathBuf;

use clap::Args;

/// How to log in to a node. A password is never an argument: everybody on the machine can read those.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LoginArgs {
    /// The node's cookie file [default: .cookie in the node's directory]
    #[arg(long, value_name = "FILE", requires = "node")]
    pub(crate) cookie_file: Option<PathBuf>,
    /// The node's directory, for its cookie [default: ~/.bitcoin]
    #[arg(long, value_name = "DIR", requires = "node", conflicts_with = "cookie_file")]
    pub(crate) bitcoin_datadir: Option<PathBuf>,
}
