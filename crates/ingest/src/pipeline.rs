//! Decoding on several threads, appending on one.
//!
//! The blocks to do are cut into groups of some megabytes. Threads take groups in turn, read and
//! decode them; the caller's thread appends them in order. A window bounds how far decoding may
//! run ahead, and with it the memory.

use std::{collections::BTreeMap, ops::Range, thread};

use chain::Height;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use source::{BestChain, BlockDir, BlockPlace, BlockReader, DecodedBlock, SourceError};
use store::{Batch, Writer};

use crate::{IngestError, Options, Progress, recognise};

/// Bytes of blocks in a group, without and with a bound on memory.
const GROUP: u64 = 16 << 20;
const SMALL_GROUP: u64 = 4 << 20;
/// Blocks in a group: empty blocks are small, and each is 150 bytes in a batch.
const GROUP_BLOCKS: usize = 4096;

/// A decoded group on its way to the writer.
type Decoded = (usize, Result<Batch, SourceError>);

/// Appends the blocks of these heights. True when stopped before the end.
pub(crate) fn run(
    blocks: &BlockDir,
    chain: &BestChain<'_>,
    heights: Range<u32>,
    writer: &mut Writer,
    options: &Options<'_>,
    observe: &mut dyn FnMut(Progress),
) -> Result<bool, IngestError> {
    let target = Height(heights.end - 1);
    let places: Vec<BlockPlace> = chain
        .blocks_from(Height(heights.start))
        .take((heights.end - heights.start) as usize)
        .collect();
    let group_bytes = if options.memory.is_some() { SMALL_GROUP } else { GROUP };
    // A commit comes behind a group: who asks for smaller steps gets smaller groups.
    let groups = group(&places, group_bytes.min(options.commit_bytes));
    let bytes_total = places.iter().map(|place| u64::from(place.len)).sum();
    let threads = options.threads();
    let window = threads + 2;

    thread::scope(|scope| {
        let (todo, take) = unbounded::<usize>();
        let (give, done) = bounded::<Decoded>(window);
        let (recycle, empty) = unbounded::<Batch>();
        for _ in 0..threads {
            let (take, give, empty) = (take.clone(), give.clone(), empty.clone());
            let groups = &groups;
            scope.spawn(move || decode_groups(blocks, groups, &take, &give, &empty));
        }
        drop((take, give, empty));

        let mut ahead = BTreeMap::new();
        let (mut bytes, mut uncommitted) = (0, 0);
        (0..window.min(groups.len())).for_each(|i| _ = todo.send(i));
        for (i, group) in groups.iter().enumerate() {
            let decoded = loop {
                if let Some(decoded) = ahead.remove(&i) {
                    break decoded;
                }
                match done.recv() {
                    Ok((at, decoded)) => _ = ahead.insert(at, decoded),
                    // Every thread has ended without this group: one of them panicked, and the
                    // scope passes that on.
                    Err(_) => return Ok(true),
                }
            };
            let appended = match decoded {
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
                append_singly(blocks, group, writer)?;
                writer.commit()?;
                return Err(error);
            }
            if i + window < groups.len() {
                let _ = todo.send(i + window);
            }
            let group_bytes: u64 = group.iter().map(|place| u64::from(place.len)).sum();
            bytes += group_bytes;
            uncommitted += group_bytes;
            let stopped = options.is_stopped();
            if uncommitted >= options.commit_bytes || stopped || i + 1 == groups.len() {
                writer.commit()?;
                recognise(writer, threads)?;
                uncommitted = 0;
            }
            if let Some(tip) = writer.tip() {
                let transactions = writer.counts().transactions;
                observe(Progress { height: tip.height, target, transactions, bytes, bytes_total });
            }
            if stopped && i + 1 < groups.len() {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// Cuts places into groups of about `bytes`.
fn group(places: &[BlockPlace], bytes: u64) -> Vec<&[BlockPlace]> {
    let mut groups = Vec::new();
    let mut rest = places;
    while !rest.is_empty() {
        let mut sum = 0;
        let full = rest.iter().take(GROUP_BLOCKS).position(|place| {
            sum += u64::from(place.len);
            sum >= bytes
        });
        let n = full.map_or(rest.len().min(GROUP_BLOCKS), |last| last + 1);
        let (group, behind) = rest.split_at(n);
        groups.push(group);
        rest = behind;
    }
    groups
}

fn decode_groups(
    blocks: &BlockDir,
    groups: &[&[BlockPlace]],
    take: &Receiver<usize>,
    give: &Sender<Decoded>,
    empty: &Receiver<Batch>,
) {
    let mut decoder = Decoder::new(blocks);
    for i in take {
        let mut batch = empty.try_recv().unwrap_or_default();
        let decoded = groups[i].iter().try_for_each(|place| decoder.decode(place, &mut batch));
        if give.send((i, decoded.map(|()| batch))).is_err() {
            break;
        }
    }
}

/// Appends block by block until one fails.
fn append_singly(
    blocks: &BlockDir,
    places: &[BlockPlace],
    writer: &mut Writer,
) -> Result<(), IngestError> {
    let mut decoder = Decoder::new(blocks);
    let mut batch = Batch::default();
    for place in places {
        batch.clear();
        if decoder.decode(place, &mut batch).is_err() || writer.append(&batch).is_err() {
            break;
        }
    }
    Ok(())
}

struct Decoder<'a> {
    reader: BlockReader<'a>,
    raw: Vec<u8>,
    block: DecodedBlock,
}

impl<'a> Decoder<'a> {
    fn new(blocks: &'a BlockDir) -> Self {
        Self { reader: blocks.reader(), raw: Vec::new(), block: DecodedBlock::new() }
    }

    /// Reads and decodes a block and adds it to a batch.
    fn decode(&mut self, place: &BlockPlace, batch: &mut Batch) -> Result<(), SourceError> {
        self.reader.read_decoded(place, &mut self.raw, &mut self.block)?;
        add(&self.raw, &self.block, batch);
        Ok(())
    }
}

/// Adds a decoded block to a batch.
fn add(raw: &[u8], block: &DecodedBlock, batch: &mut Batch) {
    let mut header = [0; 80];
    header.copy_from_slice(&raw[..80]); // decoded, so it has a header
    batch.block(header, block.hash);
    for (tx, (txid, flags)) in block.txids.iter().zip(&block.flags).enumerate() {
        batch.tx(*txid, *flags);
        for prevout in &block.prevouts[block.inputs(tx)] {
            let (txid, vout) = prevout.split_at(32);
            let mut id = [0; 32];
            id.copy_from_slice(txid);
            batch.input(id, u32::from_le_bytes([vout[0], vout[1], vout[2], vout[3]]));
        }
        let outputs = block.outputs(tx);
        for (value, script) in block.values[outputs.clone()].iter().zip(&block.scripts[outputs]) {
            batch.output(*value, script.bytes(raw));
        }
    }
}
