//! `chainhound serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::LoginArgs;

const EXAMPLES: &str = "\
Examples:
  chainhound serve                                       from the store alone
  chainhound serve --blocks-dir ~/.bitcoin/blocks        raw transactions from a node's files
  chainhound serve --node http://127.0.0.1:8332          from the node itself
  chainhound trace --from TXID --esplora http://127.0.0.1:3002

The routes are those of Esplora: /tx/:txid, /tx/:txid/outspends, /tx/:txid/merkle-proof, /address/:a/txs,
/block/:hash, /blocks/tip/height and their relatives. The store keeps no scripts that unlock and no
witnesses: routes with raw transactions (/tx/:txid/hex) need --blocks-dir or --node. `chainhound index
--follow` may run beside it: every answer is of the last block indexed.

Only this machine can ask: there are no users and no encryption yet. Ctrl-C ends it.";

/// What to serve, and where.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Where to listen: a loopback address and a port, 0 for a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3002")]
    pub(crate) listen: SocketAddr,
    /// A node's blocks directory (with blk*.dat), or its datadir, for raw transactions
    #[arg(long, value_name = "DIR", conflicts_with = "node")]
    pub(crate) blocks_dir: Option<PathBuf>,
    /// A running node, for raw transactions
    #[arg(long, value_name = "URL")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
}
