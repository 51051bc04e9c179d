//! What a node can fail at, and what to do about each.

use std::{io, path::PathBuf};

use bitcoin::BlockHash;
use chain::Network;

/// Why a node gave no answer. No message contains a password or a cookie.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The address of the node makes no sense.
    #[error("the node's URL: {0}")]
    Url(String),
    /// The cookie file, or the file with the password, cannot be read.
    #[error(
        "{}: {error}: is the node running, and is this its cookie? name the file with \
         --cookie-file, or the node's directory with --bitcoin-datadir", path.display()
    )]
    Login {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// Nobody answers there, or the connection broke.
    #[error("{url}: the node cannot be reached ({detail}): is it running, with server=1?")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        detail: String,
    },
    /// The node took longer than it may.
    #[error("{url}: no answer from the node to {request} in time")]
    TimedOut {
        /// Where it is.
        url: String,
        /// What was asked.
        request: String,
    },
    /// User and password, or the cookie, are wrong.
    #[error(
        "{url}: the node refuses our credentials: check --cookie-file (a node writes a new cookie at \
         every start), or CHAINHOUND_RPC_USER and CHAINHOUND_RPC_PASSWORD_FILE"
    )]
    Credentials {
        /// Where it is.
        url: String,
    },
    /// The node's configuration does not let us ask (HTTP 403): `rpcallowip`, `rpcwhitelist`.
    #[error("{url}: the node does not allow us {request}: see its rpcallowip and rpcwhitelist")]
    Forbidden {
        /// Where it is.
        url: String,
        /// What was asked.
        request: String,
    },
    /// It starts, and will answer soon (Core's code -28).
    #[error("the node is starting: {0}")]
    WarmingUp(String),
    /// It has too much to do at the moment (HTTP 503).
    #[error("{url}: the node is busy (its work queue is full)")]
    Busy {
        /// Where it is.
        url: String,
    },
    /// It is a node of another network.
    #[error(
        "{url}: this is a node of {found}, not of {expected}: see --network and the URL's port"
    )]
    WrongNetwork {
        /// Where it is.
        url: String,
        /// What the node calls its chain.
        found: String,
        /// The network that was asked for.
        expected: Network,
    },
    /// The node has thrown the block away.
    #[error(
        "the node has pruned block {hash}: a node that keeps all blocks is needed for it (prune=0 and \
         a new download, or another node)"
    )]
    Pruned {
        /// The block.
        hash: BlockHash,
    },
    /// The node does not know the block, or knows only its header.
    #[error("the node does not have block {hash}")]
    NoBlock {
        /// The block.
        hash: BlockHash,
    },
    /// The node does not know such a command: it is too old, or too new.
    #[error("the node does not know {method}: a newer node is needed")]
    NoMethod {
        /// The command.
        method: String,
    },
    /// The node says no.
    #[error("the node answers {method} with: {message} ({code})")]
    Rpc {
        /// What was asked.
        method: String,
        /// Core's code (`rpc/protocol.h`).
        code: i64,
        /// Its message.
        message: String,
    },
    /// The answer is larger than such an answer can be.
    #[error("{url}: the answer to {request} is larger than {limit} bytes: is that a Bitcoin node?")]
    TooLarge {
        /// Where it is.
        url: String,
        /// What was asked.
        request: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The answer is not what a node would say.
    #[error("{url}: the answer to {request} makes no sense ({detail}): is that a Bitcoin node?")]
    Nonsense {
        /// Where it is.
        url: String,
        /// What was asked.
        request: String,
        /// What is wrong.
        detail: String,
    },
}

/// Whether, and how soon, asking again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The state passes by itself: ask again, ever more slowly.
    Wait,
    /// A person has to change something.
    Act,
}

impl NodeError {
    /// Whether waiting helps.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::WarmingUp(_)
            | Self::Busy { .. }
            | Self::NoBlock { .. }
            // A node that is down takes its cookie with it, and a new one has a new cookie.
            | Self::Login { .. }
            | Self::Credentials { .. } => Remedy::Wait,
            _ => Remedy::Act,
        }
    }

    /// A word that stays the same while the state does, for saying a state once.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Url(_) => "bad_url",
            Self::Login { .. } => "no_cookie",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::Credentials { .. } => "wrong_credentials",
            Self::Forbidden { .. } => "forbidden",
            Self::WarmingUp(_) => "warming_up",
            Self::Busy { .. } => "busy",
            Self::WrongNetwork { .. } => "wrong_network",
            Self::Pruned { .. } => "pruned",
            Self::NoBlock { .. } => "no_block",
            Self::NoMethod { .. } => "no_method",
            Self::Rpc { .. } => "refused",
            Self::TooLarge { .. } | Self::Nonsense { .. } => "nonsense",
        }
    }
}
