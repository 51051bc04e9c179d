//! `chainhound status`, `tx`, `address` and `block`.

use std::path::PathBuf;

use clap::Args;

use super::{FormatArg, ServerArgs};

/// Nothing more than the common flags.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound status
  chainhound status --format json")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which transaction.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound tx f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16
  chainhound tx TXID --format json
  chainhound tx TXID --esplora transactions.jsonl      (without a store)
  chainhound tx TXID --esplora https://HOST/api         (from a server that speaks Esplora)")]
pub(crate) struct TxArgs {
    /// Its id
    pub(crate) txid: String,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which address, and which part of its history.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound address 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa
  chainhound address bc1q... --limit 100 --format json
  chainhound address bc1q... --cursor TXID:VOUT         (the page after this output)
  chainhound address script:51024e73                    (a script without an address)
  chainhound address bc1q... --esplora https://HOST/api (from a server that speaks Esplora)

The history is one row per output that the address received, newest first. Balance and sums look at
all of them; --no-totals leaves that out, and the first page of any history comes at once.")]
pub(crate) struct AddressArgs {
    /// An address of the network, or script:HEX
    pub(crate) address: String,
    /// Rows per page
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) limit: u32,
    /// Go on after this output: `next_cursor` of the page before
    #[arg(long, value_name = "TXID:VOUT")]
    pub(crate) cursor: Option<String>,
    /// Leave out balance and sums
    #[arg(long)]
    pub(crate) no_totals: bool,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which block, and which part of its transactions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainhound block 170
  chainhound block 000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f
  chainhound block 840000 --limit 5000 --format json")]
pub(crate) struct BlockArgs {
    /// Its height or its hash
    #[arg(value_name = "HEIGHT|HASH")]
    pub(crate) block: String,
    /// Txids per page
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub(crate) limit: u32,
    /// Go on at this place in the block: `next_cursor` of the page before
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) cursor: u32,
    #[command(flatten)]
    pub(crate) esplora: EsploraArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// A file instead of the store.
#[derive(Debug, Args)]
pub(crate) struct EsploraArg {
    /// Look into this file (or directory of files) with transactions instead of the store; `trace`, `tx`
    /// and `address` also take the URL of a server
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) esplora: Option<PathBuf>,
}
