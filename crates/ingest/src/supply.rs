//! Where the blocks to append come from: files of a node, or a node.

use source::{BlockDir, BlockPlace, BlockReader, DecodedBlock, SourceError};
use store::Batch;

/// Blocks in the order of the chain, numbered from 0 within the work at hand.
pub(crate) trait Supply: Sync {
    /// What a thread reads with.
    type Reader<'a>: Read
    where
        Self: 'a;

    /// How many.
    fn count(&self) -> usize;

    /// How large block `at` is, where that is known before it is read.
    fn bytes(&self, at: usize) -> Option<u64>;

    /// A reader; one for each thread.
    fn reader(&self) -> Self::Reader<'_>;
}

/// Reads blocks on one thread.
pub(crate) trait Read {
    /// Reads block `at` and checks it.
    ///
    /// # Errors
    /// [`SourceError`] with the place.
    fn read(
        &mut self,
        at: usize,
        raw: &mut Vec<u8>,
        into: &mut DecodedBlock,
    ) -> Result<(), SourceError>;
}

/// Blocks that lie in files.
pub(crate) struct Files<'a> {
    pub(crate) dir: &'a BlockDir,
    pub(crate) places: Vec<BlockPlace>,
}

impl Supply for Files<'_> {
    type Reader<'a>
        = (BlockReader<'a>, &'a [BlockPlace])
    where
        Self: 'a;

    fn count(&self) -> usize {
        self.places.len()
    }

    fn bytes(&self, at: usize) -> Option<u64> {
        self.places.get(at).map(|place| u64::from(place.len))
    }

    fn reader(&self) -> Self::Reader<'_> {
        (self.dir.reader(), &self.places)
    }
}

impl Read for (BlockReader<'_>, &[BlockPlace]) {
    fn read(
        &mut self,
        at: usize,
        raw: &mut Vec<u8>,
        into: &mut DecodedBlock,
    ) -> Result<(), SourceError> {
        self.0.read_decoded(&self.1[at], raw, into)
    }
}

/// Reads, decodes and collects blocks; keeps its buffers.
pub(crate) struct Decoder<R> {
    reader: R,
    raw: Vec<u8>,
    block: DecodedBlock,
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, raw: Vec::new(), block: DecodedBlock::new() }
    }

    /// Adds a block to a batch; its length in bytes.
    pub(crate) fn decode(&mut self, at: usize, batch: &mut Batch) -> Result<u64, SourceError> {
        self.reader.read(at, &mut self.raw, &mut self.block)?;
        add(&self.raw, &self.block, batch);
        Ok(self.raw.len() as u64)
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
