//! Flags about a server that speaks Esplora.

use clap::Args;

/// How to ask the server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "With --esplora URL")]
pub(crate) struct ServerArgs {
    /// Ask through this SOCKS5 proxy, which also looks up the server's name: Tor is socks5h://127.0.0.1:9050
    #[arg(long, value_name = "socks5h://HOST:PORT", requires = "esplora")]
    pub(crate) proxy: Option<String>,
    /// Ask so many questions at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) connections: u8,
    /// Fetch at most this many transactions; what lies behind stays unknown
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_transactions: u32,
    /// Use only what was fetched before
    #[arg(long, conflicts_with = "refresh", requires = "esplora")]
    pub(crate) offline: bool,
    /// Ask again what may have changed: the tip, and what became of outputs
    #[arg(long, requires = "esplora")]
    pub(crate) refresh: bool,
}
