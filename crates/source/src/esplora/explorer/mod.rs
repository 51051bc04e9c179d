//! Transactions from a server that speaks the Esplora routes, for people without a node.
//!
//! What can be proven is proven before it is kept: a transaction is what its id is the hash of, what
//! it spends is looked up in the transactions that made it, and it is in a block whose header has
//! proof of work. What cannot be proven stays a claim of the server at a tip: that an output is *not*
//! spent, at which height a block is, and that an address's history is whole.
//!
//! Answers are kept on disk, so that a question asked again needs no network and has the same answer.
//! [`Explorer::gather`] fetches as much as a question needs, and no more.

mod answers;
mod cache;
mod fault;
mod gather;
mod gathered;
mod http;
mod questions;

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use chain::{Network, Tip};

use crate::SourceError;
use cache::Cache;
use http::Http;

pub use fault::{ServerError, ServerFault};
pub use gather::{Start, Wanted};
pub use gathered::{Fate, Gathered, InBlock, Proven};

/// Which server, and how to ask it.
#[derive(Clone, Debug)]
pub struct ExplorerOptions {
    /// Where the routes start: `https://example.org/api`.
    pub url: String,
    /// The network its chain has to be of.
    pub network: Network,
    /// The directory that keeps its answers. Of this server only.
    pub cache: PathBuf,
    /// `socks5h://HOST:PORT`, which also looks up the server's name.
    pub proxy: Option<String>,
    /// How many questions at a time.
    pub connections: usize,
    /// Use nothing but what is kept.
    pub offline: bool,
    /// Ask again what can have changed: the tip, what became of outputs, histories of addresses.
    pub refresh: bool,
    /// What to put up with.
    pub patience: Patience,
}

impl ExplorerOptions {
    /// A server, asked politely.
    pub fn new(url: impl Into<String>, network: Network, cache: PathBuf) -> Self {
        Self {
            url: url.into(),
            network,
            cache,
            proxy: None,
            connections: 4,
            offline: false,
            refresh: false,
            patience: Patience::default(),
        }
    }
}

/// How long to wait for answers, and how often to ask again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one answer, from the connection to its last byte.
    pub timeout: Duration,
    /// How often a question is asked before giving up.
    pub tries: u32,
    /// The pause after the first failure; it doubles with every further one.
    pub first: Duration,
    /// The longest pause, also when a server asks for one.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            tries: 6,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// The pause after so many failures.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

/// How much was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Answers from the server.
    pub fetched: u64,
    /// Answers that were kept from before.
    pub kept: u64,
}

/// A server that speaks the Esplora routes, as of one tip.
#[derive(Debug)]
pub struct Explorer {
    options: ExplorerOptions,
    http: Http,
    cache: Cache,
    tip: Tip,
    fetched: AtomicU64,
    kept: AtomicU64,
}

impl Explorer {
    /// Finds out whether the server's chain is the right one, and where it ends. That end stays the
    /// same for as long as its answers are kept, until a refresh.
    ///
    /// # Errors
    /// [`SourceError::Server`].
    pub fn open(mut options: ExplorerOptions) -> Result<Self, SourceError> {
        options.url.truncate(options.url.trim_end_matches('/').len());
        let ExplorerOptions { url, proxy, connections, patience, .. } = &options;
        let fault = |fault| error(url, "", fault);
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            let detail = format!("'{url}' is not an address of a server: write https://HOST/api");
            return Err(fault(ServerFault::Address(detail)));
        }
        let http = Http::new(url.clone(), proxy.as_deref(), (*connections).max(1), *patience);
        let http = http.map_err(fault)?;
        let mut explorer = Self {
            http,
            cache: Cache::new(options.cache.clone()),
            tip: Tip { height: chain::Height(0), hash: options.network.genesis_hash() },
            options,
            fetched: AtomicU64::new(0),
            kept: AtomicU64::new(0),
        };
        explorer.tip = explorer.find_tip()?;
        Ok(explorer)
    }

    /// The server's tip when it was first asked. Everything is told as of this block; it is a claim.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// The network asked for, and the network of the server's first block.
    pub fn network(&self) -> Network {
        self.options.network
    }

    /// How much was asked so far.
    pub fn asked(&self) -> Asked {
        Asked {
            fetched: self.fetched.load(Ordering::Relaxed),
            kept: self.kept.load(Ordering::Relaxed),
        }
    }

    /// The answer to a route: the one that is kept, if `read` makes sense of it, or the server's, which
    /// is then kept. `tip` says at which tip it is told; nothing where it cannot change.
    fn answer<T>(
        &self,
        route: &str,
        limit: u64,
        tip: Option<u32>,
        read: impl Fn(&[u8]) -> Result<T, ServerFault>,
    ) -> Result<T, SourceError> {
        let told = self.try_answer(route, limit, tip, read);
        told.map_err(|fault| error(&self.options.url, route, fault))
    }

    fn try_answer<T>(
        &self,
        route: &str,
        limit: u64,
        tip: Option<u32>,
        read: impl Fn(&[u8]) -> Result<T, ServerFault>,
    ) -> Result<T, ServerFault> {
        let offline = self.options.offline;
        let kept = match self.cache.get(route) {
            Ok(kept) => kept,
            Err(fault @ ServerFault::Damaged(_)) if offline => return Err(fault),
            Err(ServerFault::Damaged(_)) => None,
            Err(fault) => return Err(fault),
        };
        let kept = kept.filter(|kept| !(self.options.refresh && kept.tip.is_some()));
        if let Some(kept) = kept {
            match read(&kept.body) {
                Err(fault) if offline => return Err(fault),
                // Kept by an older version of us, or of a block that lost.
                Err(_) => {}
                Ok(answer) => {
                    self.kept.fetch_add(1, Ordering::Relaxed);
                    return Ok(answer);
                }
            }
        }
        if offline {
            return Err(ServerFault::Offline);
        }
        let body = self.http.get(route, limit)?;
        let answer = read(&body)?;
        self.fetched.fetch_add(1, Ordering::Relaxed);
        self.cache.put(route, tip, &body)?;
        Ok(answer)
    }

    /// Asks for each of these, a few at a time. Answers come in the order of the questions, whatever
    /// the order in which the server gave them; of several errors the first question's.
    fn all<T: Sync, R: Send>(
        &self,
        questions: &[T],
        ask: impl Fn(&T) -> Result<R, SourceError> + Sync,
    ) -> Result<Vec<R>, SourceError> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let answers: Mutex<Vec<(usize, Result<R, SourceError>)>> = Mutex::new(Vec::new());
        let work = || {
            while !failed.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(question) = questions.get(place) else { break };
                let answer = ask(question);
                if answer.is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
                answers.lock().unwrap_or_else(|lock| lock.into_inner()).push((place, answer));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.options.connections.min(questions.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut answers = answers.into_inner().unwrap_or_else(|lock| lock.into_inner());
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

fn error(server: &str, route: &str, fault: ServerFault) -> SourceError {
    let (server, route) = (server.to_owned(), route.to_owned());
    SourceError::Server(Box::new(ServerError { server, route, fault }))
}
