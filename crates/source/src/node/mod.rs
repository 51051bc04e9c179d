//! A running node: Bitcoin Core or Knots, over JSON-RPC and REST.
//!
//! Only asked, never told: no command here changes anything in the node or in its wallet. Every
//! answer is bounded in bytes and time. What comes is not trusted to be what was asked for, but whom
//! one asks for the best chain one does trust to choose it.
//!
//! ```no_run
//! # fn main() -> Result<(), source::node::NodeError> {
//! use chain::{Height, Network};
//! use source::node::{Login, Node};
//!
//! let login = Login::cookie_of("/home/anna/.bitcoin".as_ref(), Network::Mainnet);
//! let node = Node::new("http://127.0.0.1:8332", login, Network::Mainnet)?;
//! node.check_network()?;
//! if let Some(hash) = node.block_hash(Height(0))? {
//!     let block = node.block(&hash)?;
//! }
//! # Ok(())
//! # }
//! ```

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bitcoin::BlockHash;
use chain::{Height, Network};

use crate::{RawBlocks, SourceError};

mod answers;
mod blocks;
mod calls;
mod error;
mod http;
mod login;
pub mod mempool;
mod rpc;
mod url;

pub use answers::{
    ChainInfo, HeaderInfo, Mempool, NetworkInfo, NodeTip, Spending, ZmqNotification,
};
pub use error::{NodeError, Remedy};
pub use login::Login;
pub use rpc::Call;
pub use url::default_port;

use http::Http;
use login::Key;

/// Not asked yet.
const UNKNOWN: u32 = 0;
/// From this version on `waitfornewblock` takes the tip that we know (Core PR 30635).
const TAKES_KNOWN_TIP: u32 = 30;

/// A node, as its clients see it. Shared between threads it keeps a connection for each.
#[derive(Debug)]
pub struct Node {
    http: Http,
    network: Network,
    /// REST was found to be off.
    rest_off: AtomicBool,
    /// The node's major version, or [`UNKNOWN`].
    version: AtomicU32,
}

impl Node {
    /// A node of this network at a URL; without a port in it, at the network's. Asks nothing yet.
    ///
    /// # Errors
    /// [`NodeError::Url`].
    pub fn new(url: &str, login: Login, network: Network) -> Result<Self, NodeError> {
        let http = Http::new(url::base(url, network)?, Key::new(login));
        let (rest_off, version) = (AtomicBool::new(false), AtomicU32::new(UNKNOWN));
        Ok(Self { http, network, rest_off, version })
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.http.url
    }

    /// The network that it is asked for.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Asks whether it is a node of that network: by its name and by the hash of block 0.
    ///
    /// # Errors
    /// [`NodeError::WrongNetwork`], and those of the connection.
    pub fn check_network(&self) -> Result<ChainInfo, NodeError> {
        let info = self.chain_info()?;
        let genesis = self.block_hash(Height(0))?;
        let is_named = info.chain.parse() == Ok(self.network);
        if is_named && genesis == Some(self.network.genesis_hash()) {
            return Ok(info);
        }
        let url = self.url().to_owned();
        let found = match is_named {
            true => format!("another {}", self.network),
            false => info.chain.chars().filter(char::is_ascii_alphanumeric).take(20).collect(),
        };
        Err(NodeError::WrongNetwork { url, found, expected: self.network })
    }

    /// Forgets what was learnt about the node, which may be another version after a restart.
    pub fn forget(&self) {
        self.rest_off.store(false, Ordering::Relaxed);
        self.version.store(UNKNOWN, Ordering::Relaxed);
    }

    fn takes_known_tip(&self) -> Result<bool, NodeError> {
        let known = self.version.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known >= TAKES_KNOWN_TIP);
        }
        let major = self.network_info()?.major();
        self.version.store(major.max(UNKNOWN + 1), Ordering::Relaxed);
        Ok(major >= TAKES_KNOWN_TIP)
    }
}

impl RawBlocks for Node {
    fn raw_block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.block(hash)?)
    }
}
