//! A generated chain, its store, and a server that has both.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use chain::Network;
use server::{Blocks, Limits, Options, Server, Stop};
use source::BlockDir;
use store::{Store, Writer};
use tempfile::TempDir;
use testkit::generate::{GeneratorOptions, generate};

/// A chain on disk.
pub(crate) struct World {
    pub(crate) dir: TempDir,
}

impl World {
    /// Some hundred transactions, the same for the same seed.
    pub(crate) fn new(transactions: u64) -> Self {
        // In memory where the system has that: nothing here is about power cuts.
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = made.unwrap();
        let options = GeneratorOptions {
            per_block: Some(10),
            ..GeneratorOptions::new(transactions, dir.path())
        };
        generate(&options, |_| {}).unwrap();
        let world = Self { dir };
        world.index(&ingest::Options::default());
        world
    }

    /// Indexes the blocks.
    pub(crate) fn index(&self, options: &ingest::Options<'_>) {
        let blocks = BlockDir::open(self.blocks(), Some(Network::Regtest)).unwrap();
        let mut writer =
            Writer::open(&self.graph(), Network::Regtest, store::Options::default()).unwrap();
        ingest::index(&blocks, &mut writer, options, |_| ()).unwrap();
    }

    pub(crate) fn blocks(&self) -> PathBuf {
        self.dir.path().join("blocks")
    }

    pub(crate) fn graph(&self) -> PathBuf {
        self.dir.path().join("graph")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.graph()).unwrap()
    }

    /// A server with block files.
    pub(crate) fn serve(&self) -> Running {
        let blocks = BlockDir::open(self.blocks(), Some(Network::Regtest)).unwrap();
        Running::start(&self.graph(), Some(Arc::new(blocks)), Limits::default())
    }
}

/// A server on a thread of its own. Dropped, it stops.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    stop: Stop,
    thread: Option<JoinHandle<Result<(), server::Error>>>,
}

impl Running {
    pub(crate) fn start(store: &Path, blocks: Option<Blocks>, limits: Limits) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let said = log.clone();
        let server = Server::bind(Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            store: store.to_owned(),
            network: Network::Regtest,
            blocks,
            limits,
            log: Arc::new(move |text| said.lock().unwrap().push(text.to_owned())),
        });
        let server = server.unwrap();
        let (url, stop) = (format!("http://{}", server.address()), server.stopper());
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { url, log, stop, thread }
    }

    /// Stops it and waits for its end.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
