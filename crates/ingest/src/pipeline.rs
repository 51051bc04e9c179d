//! Decoding on several threads, appending on one.
//!
//! The blocks to do are cut into groups of some megabytes. Threads take groups in turn, read and
//! decode them; the caller's thread appends them in order. A window bounds how far decoding may
//! run ahead, and with it the memory: where the size of a block is known only when it is there, a
//! thread stops in the middle of a group that turns out too large.

use std::{collections::BTreeMap, ops::Range, thread};

use chain::Height;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use source::SourceError;
use store::{Batch, Writer};

use crate::{
    IngestError, Options, Progress, recognise,
    supply::{Decoder, Supply},
};

/// Bytes of blocks in a group, without and with a bound on memory.
const GROUP: u64 = 16 << 20;
const SMALL_GROUP: u64 = 4 << 20;
/// Blocks in a group: empty blocks are small, and each is 150 bytes in a batch.
const GROUP_BLOCKS: usize = 4096;
/// Where sizes are guessed: blocks in the first groups, and how far the guess may be off.
const FIRST_GUESS: usize = 16;
const MOST_GUESSED: usize = 512;

/// How the threads go about it.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) options: &'a Options<'a>,
    pub(crate) threads: usize,
    /// What [`Progress::target`] says: this may be a part of the way only.
    pub(crate) target: Height,
}

/// A decoded group, or the first blocks of one, on its way to the writer.
struct Decoded {
    group: usize,
    blocks: usize,
    bytes: u64,
    batch: Result<Batch, SourceError>,
}

/// Appends these blocks. True when stopped before the end.
pub(crate) fn run<S: Supply>(
    supply: &S,
    writer: &mut Writer,
    plan: Plan<'_>,
    observe: &mut dyn FnMut(Progress),
) -> Result<bool, IngestError> {
    let Plan { options, threads, target } = plan;
    let group_bytes = if options.memory.is_some() { SMALL_GROUP } else { GROUP };
    // A commit comes behind a group: who asks for smaller steps gets smaller groups.
    let mut cutter = Cutter::new(supply, group_bytes.min(options.commit_bytes));
    let bytes_total = (0..supply.count()).map(|at| supply.bytes(at)).sum();
    let window = threads + 2;

    thread::scope(|scope| {
        let (todo, take) = unbounded::<(usize, Range<usize>)>();
        let (give, done) = bounded::<Decoded>(window);
        let (recycle, empty) = unbounded::<Batch>();
        for _ in 0..threads {
            let (take, give, empty) = (take.clone(), give.clone(), empty.clone());
            let most = 2 * group_bytes;
            scope.spawn(move || decode_groups(supply, most, &take, &give, &empty));
        }
        drop((take, give, empty));

        let (mut groups, mut ahead) = (BTreeMap::new(), BTreeMap::new());
        let hand_out = |cutter: &mut Cutter<'_, S>, groups: &mut BTreeMap<_, _>, i| {
            if let Some(group) = cutter.cut() {
                groups.insert(i, group.clone());
                let _ = todo.send((i, group));
            }
        };
        (0..window).for_each(|i| hand_out(&mut cutter, &mut groups, i));
        let (mut bytes, mut uncommitted) = (0, 0);
        for i in 0.. {
            let Some(group) = groups.remove(&i) else { break };
            let decoded: Decoded = loop {
                if let Some(decoded) = ahead.remove(&i) {
                    break decoded;
                }
                match done.recv() {
                    Ok(decoded) => _ = ahead.insert(decoded.group, decoded),
                    // Every thread has ended without this group: one of them panicked, and the
                    // scope passes that on.
                    Err(_) => return Ok(true),
                }
            };
            let appended = match decoded.batch {
                Ok(mut batch) => {
                    let appended = writer.append(&batch).map_err(IngestError::from);
                    batch.clear();
                    let _ = recycle.send(batch);
                    appended
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = appended {
                // Something in this group is bad: keep all blocks before it.
                let _ = append_singly(supply, group, writer)?;
                writer.commit()?;
                return Err(error);
            }
            let rest = group.start + decoded.blocks..group.end;
            let rest = append_singly(supply, rest, writer)?;
            let group_bytes = decoded.bytes + rest.bytes;
            if let Some(error) = rest.error {
                writer.commit()?;
                return Err(error);
            }
            cutter.learn(group_bytes, group.len());
            hand_out(&mut cutter, &mut groups, i + window);
            bytes += group_bytes;
            uncommitted += group_bytes;
            let stopped = options.is_stopped();
            if uncommitted >= options.commit_bytes || stopped || groups.is_empty() {
                writer.commit()?;
                recognise(writer, threads)?;
                uncommitted = 0;
            }
            if let Some(tip) = writer.tip() {
                let transactions = writer.counts().transactions;
                observe(Progress { height: tip.height, target, transactions, bytes, bytes_total });
            }
            if stopped && !groups.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// Cuts the blocks into groups of about so many bytes.
struct Cutter<'a, S> {
    supply: &'a S,
    group_bytes: u64,
    next: usize,
    /// Bytes of a block, where sizes are not known.
    guess: Option<u64>,
}

impl<'a, S: Supply> Cutter<'a, S> {
    fn new(supply: &'a S, group_bytes: u64) -> Self {
        Self { supply, group_bytes, next: 0, guess: None }
    }

    fn cut(&mut self) -> Option<Range<usize>> {
        let rest = self.supply.count() - self.next;
        let (mut sum, mut blocks) = (0, 0);
        while blocks < rest.min(GROUP_BLOCKS) && sum < self.group_bytes {
            let known = self.supply.bytes(self.next + blocks);
            if known.is_none() && blocks >= self.guess.map_or(FIRST_GUESS, |_| MOST_GUESSED) {
                break;
            }
            sum += known.or(self.guess).unwrap_or(1);
            blocks += 1;
        }
        let group = self.next..self.next + blocks;
        self.next = group.end;
        (blocks > 0).then_some(group)
    }

    /// The blocks of a group were so large.
    fn learn(&mut self, bytes: u64, blocks: usize) {
        self.guess = Some(bytes.div_ceil(blocks.max(1) as u64).max(1));
    }
}

fn decode_groups<S: Supply>(
    supply: &S,
    most: u64,
    take: &Receiver<(usize, Range<usize>)>,
    give: &Sender<Decoded>,
    empty: &Receiver<Batch>,
) {
    let mut decoder = Decoder::new(supply.reader());
    for (group, range) in take {
        let mut batch = empty.try_recv().unwrap_or_default();
        let (mut blocks, mut bytes) = (0, 0);
        let mut result = Ok(());
        for at in range {
            match decoder.decode(at, &mut batch) {
                Ok(len) => (blocks, bytes) = (blocks + 1, bytes + len),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
            if bytes > most {
                break;
            }
        }
        let batch = result.map(|()| batch);
        if give.send(Decoded { group, blocks, bytes, batch }).is_err() {
            break;
        }
    }
}

/// How far [`append_singly`] came.
struct Singly {
    bytes: u64,
    error: Option<IngestError>,
}

/// Appends block by block until one fails.
fn append_singly<S: Supply>(
    supply: &S,
    blocks: Range<usize>,
    writer: &mut Writer,
) -> Result<Singly, IngestError> {
    let mut done = Singly { bytes: 0, error: None };
    if blocks.is_empty() {
        return Ok(done);
    }
    let mut decoder = Decoder::new(supply.reader());
    let mut batch = Batch::default();
    for at in blocks {
        batch.clear();
        match decoder.decode(at, &mut batch) {
            Ok(bytes) => done.bytes += bytes,
            Err(error) => {
                done.error = Some(error.into());
                break;
            }
        }
        if let Err(error) = writer.append(&batch) {
            done.error = Some(error.into());
            break;
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use source::DecodedBlock;

    use super::*;
    use crate::supply::Read;

    /// Blocks of known or unknown sizes.
    struct Sizes(Vec<u64>, bool);

    impl Supply for Sizes {
        type Reader<'a> = Nothing;

        fn count(&self) -> usize {
            self.0.len()
        }

        fn bytes(&self, at: usize) -> Option<u64> {
            self.0.get(at).copied().filter(|_| self.1)
        }

        fn reader(&self) -> Nothing {
            Nothing
        }
    }

    struct Nothing;

    impl Read for Nothing {
        fn read(
            &mut self,
            _: usize,
            _: &mut Vec<u8>,
            _: &mut DecodedBlock,
        ) -> Result<(), SourceError> {
            Ok(())
        }
    }

    #[track_caller]
    fn check(sizes: Sizes, expected: &[usize]) {
        let mut cutter = Cutter::new(&sizes, 100);
        let mut lens = Vec::new();
        while let Some(group) = cutter.cut() {
            cutter.learn(sizes.0[group.clone()].iter().sum(), group.len());
            lens.push(group.len());
        }
        assert_eq!(lens, expected);
    }

    #[test]
    fn groups_are_cut_by_size_known_or_guessed() {
        check(Sizes(vec![60; 5], true), &[2, 2, 1]);
        check(Sizes(vec![200, 1, 1, 200, 1], true), &[1, 3, 1]);
        check(Sizes(vec![0; 5000], true), &[4096, 904]);
        check(Sizes(vec![], true), &[]);
        // The first group is a try; what was learnt there sizes the next.
        check(Sizes(vec![50; 20], false), &[16, 2, 2]);
        check(Sizes(vec![0; 1000], false), &[16, 100, 100, 100, 100, 100, 100, 100, 100, 100, 84]);
    }
}
