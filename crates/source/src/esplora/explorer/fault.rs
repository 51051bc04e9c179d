//! Why a server gave no answer that can be used.

use std::{fmt, path::PathBuf, time::Duration};

use chain::{MerkleError, Network, OutPoint, Txid, header::HeaderError};

/// A question to a server that has no answer.
#[derive(Debug)]
pub struct ServerError {
    /// The server's address as it was given.
    pub server: String,
    /// What was asked, without the server's address: `tx/…/hex`.
    pub route: String,
    /// Why there is no answer.
    pub fault: ServerFault,
}

impl std::error::Error for ServerError {}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, route, fault } = self;
        write!(f, "{server}/{route}: {fault}")
    }
}

/// What is wrong with an answer, or with getting one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerFault {
    /// The address of the server, or of the proxy, cannot be meant.
    #[error("{0}")]
    Address(String),
    /// No connection, or none that lasted.
    #[error(
        "no answer after {tries} tries: {detail}; is the address right, and the network there?"
    )]
    Unreachable {
        /// How often it was tried.
        tries: u32,
        /// What happened the last time.
        detail: String,
    },
    /// The server does not want to, or not now.
    #[error("the server answers {status} after {tries} tries; try later, with fewer --connections")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// How often it was tried.
        tries: u32,
    },
    /// The server wants a longer pause than we make.
    #[error("the server asks for a pause of {} seconds: try again then", .0.as_secs())]
    Pause(Duration),
    /// There is no such thing, says the server.
    #[error("the server does not have it ({0})")]
    NotThere(u16),
    /// A status that no question of ours leads to.
    #[error("the server answers {0}: does this address speak the Esplora routes?")]
    Status(u16),
    /// Longer than any right answer.
    #[error("the answer is longer than {0} bytes")]
    TooLong(u64),
    /// Not what the route is for.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The bytes hash to something else.
    #[error("the server lies: it sent transaction {0}")]
    OtherTransaction(Txid),
    /// A header that is no header of the network, or another block's.
    #[error("the server lies: {0}")]
    Header(#[from] HeaderError),
    /// A path that does not lead to the block's root.
    #[error("the server lies: {0}")]
    Proof(#[from] MerkleError),
    /// Two answers that cannot both be true.
    #[error("the server contradicts itself: {0}; ask again with --refresh, or ask another server")]
    Contradiction(String),
    /// A transaction that is said to spend an output, and does not.
    #[error(
        "the server lies: it says that {by} spends {output}, and {by} does not; ask another server, or this one again with --refresh"
    )]
    NotSpent {
        /// The output.
        output: OutPoint,
        /// Who is said to spend it.
        by: Txid,
    },
    /// A server of another network.
    #[error("the server's chain is not {0}: choose the network with --network")]
    OtherNetwork(Network),
    /// More of an address's history than may be fetched.
    #[error(
        "the address has more than {0} transactions: name the outputs that matter, or allow more with --max-transactions"
    )]
    LongHistory(usize),
    /// Not kept, and the network may not be used.
    #[error("this was not asked before, and --offline forbids to ask now")]
    Offline,
    /// What is kept is not what was kept.
    #[error("{}: damaged: its digest is wrong; without --offline it is fetched again", .0.display())]
    Damaged(PathBuf),
    /// The operating system refused a file of what is kept.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}
