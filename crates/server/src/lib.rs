//! Floor 5: the store over HTTP.
//!
//! Today that is the Esplora routes, read-only and on loopback only ([`Server`]): what
//! `chainhound trace --esplora URL` asks, and what other people's programs ask too. They are answered
//! from the store; bytes that the store does not keep (scripts that unlock, witnesses) come from block
//! files or a node, where the server was given one.
//!
//! A question is answered off the threads that listen, by a bounded number of workers, on the store
//! as of its last commit; one that a reorganisation got in the way of is asked again.

mod desk;
mod error;
mod esplora;
mod guard;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use chain::{Ledger, Network};
use source::RawBlocks;
use store::Store;
use tokio::{runtime::Builder, sync::Notify};

use desk::Desk;

pub use error::Error;

/// Where whole blocks come from.
pub type Blocks = Arc<dyn RawBlocks + Send + Sync>;
/// Hears what went wrong inside, for the person who runs the server.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What to serve, and where.
#[derive(Clone)]
pub struct Options {
    /// Address and port; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// The store.
    pub store: PathBuf,
    /// Its network.
    pub network: Network,
    /// Whole blocks, where there are any.
    pub blocks: Option<Blocks>,
    /// What it bears.
    pub limits: Limits,
    /// What went wrong inside.
    pub log: Log,
}

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Questions that are worked on at the same time.
    pub workers: usize,
    /// Requests that are open at the same time; more wait.
    pub requests: usize,
    /// After this a request is refused.
    pub patience: Duration,
    /// Outputs of an address that are looked at.
    pub history: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let patience = Duration::from_secs(30);
        Self { workers: 4, requests: 256, patience, history: 500_000 }
    }
}

/// A server that has its port.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    stop: Arc<Notify>,
}

/// Stops a server from elsewhere.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// No more requests are taken; those under way are answered.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Server {
    /// Takes the port and looks whether the store can be opened.
    ///
    /// # Errors
    /// [`Error::NotLoopback`], [`Error::Listen`], [`Error::Store`].
    pub fn bind(options: Options) -> Result<Self, Error> {
        let address = options.listen;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let store = Store::open(&options.store)?;
        if store.network() != options.network {
            let (found, expected) = (store.network(), options.network);
            return Err(
                store::StoreError::OtherNetwork { path: options.store, found, expected }.into()
            );
        }
        let listen = |error| Error::Listen { address, error };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, options, stop: Arc::new(Notify::new()) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stops it.
    pub fn stopper(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Serves until it is stopped; what is under way then is given some seconds.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub fn run(self) -> Result<(), Error> {
        let Self { listener, address, options, stop } = self;
        let failed = |error| Error::Listen { address, error };
        let limits = options.limits;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(limits.workers.max(1) + 1)
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let served = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let routes = guard::around(esplora::routes(Arc::new(Desk::new(options))), limits);
            let stopped = stop.clone();
            let serving = axum::serve(listener, routes).with_graceful_shutdown(wait(stopped));
            let late = async {
                wait(stop).await;
                tokio::time::sleep(Duration::from_secs(10)).await;
            };
            tokio::select! {
                served = serving.into_future() => served,
                () = late => Ok(()),
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        served.map_err(failed)
    }
}

/// Waits for the stop, and passes it on to whoever else waits.
async fn wait(stop: Arc<Notify>) {
    stop.notified().await;
    stop.notify_one();
}
