//! The clusterings that are kept, taken along block by block while indexing follows the tip.

use std::{
    num::NonZeroUsize,
    thread,
    time::{Duration, Instant},
};

use analyze::cluster::{Clustering, Live, Options, Rule};
use chain::Ledger;
use store::Store;

use super::{FAR_BEHIND, Shelf, Which, by_rule};
use crate::{failure::Failure, place::Place, say::Say};

/// Blocks that can be taken back one by one; a deeper fork has the clustering built again.
const UNDOABLE: u32 = 144;
/// Writing a clustering may take this share of the time: the larger it is, the rarer.
const SHARE: u32 = 20;

/// All that are kept beside a store, in memory: eight bytes an address each.
pub(crate) struct Followed {
    shelf: Shelf,
    all: Vec<One>,
}

struct One {
    which: Which,
    /// `None` where the file cannot be read: it waits for another.
    live: Option<Box<dyn Follow>>,
    /// The file as we read or wrote it last: another one means that somebody built.
    file: Option<Stamp>,
    /// Changed since it was written.
    changed: bool,
    written: Option<(Instant, Duration)>,
}

/// A file's time and length.
type Stamp = (std::time::SystemTime, u64);

/// A [`Live`] of any rule.
trait Follow {
    /// Goes to the store's tip; whether anything changed.
    fn sync(&mut self, store: &Store) -> Result<bool, Failure>;
    fn clustering(&self) -> Clustering;
}

impl<R: Rule<Store> + Clone> Follow for Live<R> {
    fn sync(&mut self, store: &Store) -> Result<bool, Failure> {
        let done = Live::sync(self, store)?;
        Ok(done.rebuilt || done.undone + done.folded > 0)
    }

    fn clustering(&self) -> Clustering {
        Live::clustering::<Store>(self)
    }
}

impl Followed {
    /// Those that were built with `chainhound cluster build`; read when there is a block to take in.
    pub(crate) fn new(place: &Place) -> Self {
        Self { shelf: Shelf::of(place), all: Vec::new() }
    }

    /// Takes them to the store's tip, and writes those whose turn it is.
    ///
    /// # Errors
    /// [`Failure`]. What is in force stays so.
    pub(crate) fn follow(&mut self, store: &Store, say: &Say) -> Result<(), Failure> {
        for which in Which::ALL {
            let stamp = self.stamp(which);
            let at = self.all.iter().position(|one| one.which == which);
            // Built, built otherwise, or removed by somebody else meanwhile.
            if at.map_or(stamp.is_some(), |at| self.all[at].file != stamp) {
                if let Some(at) = at {
                    self.all.remove(at);
                }
                if let Some(file) = stamp {
                    let live = self.read(which, store, say);
                    let (changed, written) = (false, None);
                    self.all.push(One { which, live, file: Some(file), changed, written });
                }
            }
        }
        for at in 0..self.all.len() {
            let one = &mut self.all[at];
            let Some(live) = &mut one.live else { continue };
            one.changed |= live.sync(store)?;
            let rest = one.written.is_none_or(|(when, cost)| when.elapsed() >= cost * SHARE);
            if rest {
                self.write(at, say)?;
            }
        }
        Ok(())
    }

    /// Takes those at hand to the store's tip and writes all that changed.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn finish(mut self, store: &Store, say: &Say) -> Result<(), Failure> {
        for at in 0..self.all.len() {
            let one = &mut self.all[at];
            let Some(live) = &mut one.live else { continue };
            one.changed |= live.sync(store)?;
            self.write(at, say)?;
        }
        Ok(())
    }

    fn write(&mut self, at: usize, say: &Say) -> Result<(), Failure> {
        let one = &self.all[at];
        let Some(live) = one.live.as_ref().filter(|_| one.changed) else { return Ok(()) };
        let start = Instant::now();
        let Ok(lock) = self.shelf.lock() else {
            say.detail("clusterings are written later: a build is at work");
            return Ok(());
        };
        if self.stamp(one.which) != one.file {
            // Somebody built between our look and the lock: the next round takes that one.
            return Ok(());
        }
        self.shelf.put(one.which, &live.clustering(), false)?;
        drop(lock);
        let stamp = self.stamp(one.which);
        let one = &mut self.all[at];
        (one.file, one.changed) = (stamp, false);
        one.written = Some((Instant::now(), start.elapsed()));
        Ok(())
    }

    fn read(&self, which: Which, store: &Store, say: &Say) -> Option<Box<dyn Follow>> {
        let kept = self.shelf.read(which).transpose()?;
        match kept.and_then(|kept| resume(kept, which, store)) {
            Ok(live) => {
                say.detail(format_args!("the clustering {} follows", which.name()));
                Some(live)
            }
            Err(failure) => {
                say.warning(format_args!("a clustering does not follow: {failure}"));
                None
            }
        }
    }

    fn stamp(&self, which: Which) -> Option<Stamp> {
        let file = std::fs::metadata(self.shelf.path(which)).ok()?;
        Some((file.modified().ok()?, file.len()))
    }
}

/// Block by block on one thread where little is missing, all of it on all threads otherwise.
fn resume(kept: Clustering, which: Which, store: &Store) -> Result<Box<dyn Follow>, Failure> {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options = Options { threads, guard: kept.basis().guard };
    let missing = store.tx_count().saturating_sub(kept.basis().txs);
    let anew = missing > store.tx_count() / FAR_BEHIND;
    Ok(by_rule!(which, rule => match anew {
        true => Box::new(Live::start(store, rule, options, UNDOABLE)?),
        false => Box::new(Live::resume::<Store>(kept, rule, options, UNDOABLE)?),
    }))
}
