//! `chainhound index`.

use std::path::PathBuf;

use clap::Args;

use super::{FormatArg, LoginArgs};
use crate::amount::parse_bytes;

const EXAMPLES: &str = "\
Examples:
  chainhound index --blocks-dir ~/.bitcoin/blocks
  chainhound index --blocks-dir ~/.bitcoin/blocks --follow
  chainhound index --blocks-dir ~/.bitcoin/blocks --memory 1GiB --until-height 400000
  chainhound index --node http://127.0.0.1:8332 --follow
  chainhound index --node http://127.0.0.1:8332 --cookie-file /run/bitcoind/cookie
  chainhound index --esplora transactions.jsonl

The node may run: its files are only read. Start again whenever you like: indexing goes on where it
stopped, and takes back blocks that a reorganisation replaced. Ctrl-C finishes the batch at hand and
exits with 130 (SIGTERM: 143); with --follow, being stopped is the normal end, and the exit code is 0.
Ctrl-C twice ends at once. The store is good in any case.

With --node the blocks come from a running node (Bitcoin Core or Knots), over its REST interface where
that is on (rest=1), else over JSON-RPC. With --follow a node that starts, stops or downloads again is
waited for, and clusterings that `chainhound cluster build` made follow too. A user and password come
from CHAINHOUND_RPC_USER and CHAINHOUND_RPC_PASSWORD_FILE, never from the command line. Reading the
files with --blocks-dir is faster for the first time, where they are at hand.

With --esplora single transactions are kept: JSON of the Esplora API (one transaction, an array, or one
a line, with their prevouts), or raw transactions in hexadecimal, one a line. What they do not say is
unknown. They are used where the datadir has no store of the whole chain.";

/// What to index.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[group(id = "from", required = true, multiple = false, args = ["blocks_dir", "node", "esplora"])]
pub(crate) struct IndexArgs {
    /// A node's blocks directory (with blk*.dat), or its datadir
    #[arg(long, value_name = "DIR")]
    pub(crate) blocks_dir: Option<PathBuf>,
    /// A running node, like http://127.0.0.1:8332
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub(crate) node: Option<String>,
    /// A file (or a directory of files) with transactions
    #[arg(long, value_name = "FILE", conflicts_with_all = ["until_height", "memory", "threads", "follow"])]
    pub(crate) esplora: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    /// Stop after the block of this height
    #[arg(long, value_name = "H", conflicts_with = "follow")]
    pub(crate) until_height: Option<u32>,
    /// Go on waiting for new blocks
    #[arg(long)]
    pub(crate) follow: bool,
    /// Resident memory to stay below, like 512MiB or 4GiB [default: half the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// Threads that read and decode [default: as many as the machine has processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
