//! `chainhound serve`.

use std::{
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::Duration,
};

use chain::BlockHash;
use server::{Blocks, Limits, Options, Server};
use source::{BlockDir, RawBlocks, SourceError};

use super::Session;
use crate::{
    args::{Common, ServeArgs},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    node::NodeAt,
    place::Place,
};

/// Between two looks whether a signal came.
const TICK: Duration = Duration::from_millis(50);

/// Serves until a signal comes.
pub(crate) fn run(args: &ServeArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let interrupt = Interrupt::listen()?;
    let say = *session.say;
    let server = Server::bind(Options {
        listen: args.listen,
        store: place.graph(),
        network: place.network,
        blocks: blocks(args, &place, session.common)?,
        limits: Limits::default(),
        log: Arc::new(move |text| say.warning(text)),
    })?;
    // The one line that a program that starts us waits for, and reads the port from.
    say.note(format_args!(
        "serving {} on http://{}; Ctrl-C ends it",
        place.network,
        server.address()
    ));
    let stop = server.stopper();
    let serving = thread::spawn(move || server.run());
    while !interrupt.is_set() && !serving.is_finished() {
        thread::sleep(TICK);
    }
    stop.stop();
    match serving.join() {
        Ok(served) => served?,
        Err(_) => return Err(Failure::unavailable("the server's thread was lost")),
    }
    // Being stopped is how it ends.
    Ok(Exit::Done)
}

/// Where whole blocks come from, if from anywhere.
fn blocks(args: &ServeArgs, place: &Place, common: &Common) -> Result<Option<Blocks>, Failure> {
    if let Some(dir) = &args.blocks_dir {
        let files = BlockDir::open(dir, Some(place.network))?;
        return Ok(Some(Arc::new(Growing(RwLock::new(files)))));
    }
    let Some(url) = &args.node else { return Ok(None) };
    // The store's network, whatever the node's port.
    let common = Common { network: Some(place.network), ..common.clone() };
    let node = NodeAt::new(url, &args.login, &common)?.open().map_err(SourceError::from)?;
    node.check_network().map_err(SourceError::from)?;
    Ok(Some(Arc::new(node)))
}

/// Block files that the node goes on writing.
struct Growing(RwLock<BlockDir>);

impl RawBlocks for Growing {
    fn raw_block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, SourceError> {
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner).raw_block(hash)?;
        if found.is_some() {
            return Ok(found);
        }
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        files.refresh()?;
        files.raw_block(hash)
    }
}
