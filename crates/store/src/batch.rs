//! Blocks on their way into the store: flat arrays, filled by whoever decodes them.

use chain::{BlockHash, Flags};

use crate::codec::{self, Kind};

/// Decoded blocks in chain order, as flat arrays that are reused from batch to batch.
///
/// Fill it block by block: [`Self::block`], then for each of its transactions [`Self::tx`] followed
/// by its inputs (none for a coinbase) and outputs. Packing and hashing of scripts happens here, so
/// that it runs on the thread that decodes.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) blocks: Vec<BatchBlock>,
    pub(crate) txs: Vec<BatchTx>,
    pub(crate) prevouts: Vec<Prevout>,
    pub(crate) outputs: Vec<BatchOutput>,
    pub(crate) scripts: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct BatchBlock {
    pub(crate) header: [u8; 80],
    pub(crate) hash: [u8; 32],
    pub(crate) txs: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct BatchTx {
    pub(crate) txid: [u8; 32],
    pub(crate) flags: Flags,
    pub(crate) inputs: u32,
    pub(crate) outputs: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Prevout {
    pub(crate) txid: [u8; 32],
    pub(crate) vout: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct BatchOutput {
    pub(crate) value: u64,
    /// Hash for the address index; unused for data.
    pub(crate) hash: u64,
    /// Payload (or whole script, for data) in `scripts`.
    pub(crate) at: u32,
    pub(crate) len: u32,
    /// `None` for data carriers.
    pub(crate) kind: Option<Kind>,
}

impl Batch {
    /// Starts the next block: its header as hashed, and its hash.
    pub fn block(&mut self, header: [u8; 80], hash: BlockHash) {
        use bitcoin::hashes::Hash;
        self.blocks.push(BatchBlock { header, hash: hash.to_byte_array(), txs: 0 });
    }

    /// Starts the next transaction of the block. `txid` in the byte order of the hash function.
    #[inline]
    pub fn tx(&mut self, txid: [u8; 32], flags: Flags) {
        if let Some(block) = self.blocks.last_mut() {
            block.txs += 1;
        }
        self.txs.push(BatchTx { txid, flags, inputs: 0, outputs: 0 });
    }

    /// Adds an input that spends an output.
    #[inline]
    pub fn input(&mut self, txid: [u8; 32], vout: u32) {
        if let Some(tx) = self.txs.last_mut() {
            tx.inputs += 1;
        }
        self.prevouts.push(Prevout { txid, vout });
    }

    /// Adds an output of `value` satoshis.
    #[inline]
    pub fn output(&mut self, value: u64, script: &[u8]) {
        if let Some(tx) = self.txs.last_mut() {
            tx.outputs += 1;
        }
        let (kind, payload, hash) = if script.first() == Some(&0x6a) {
            (None, script, 0)
        } else {
            let (kind, payload) = codec::pack(script);
            (Some(kind), payload, codec::script_hash(kind, payload))
        };
        // A batch is some tens of megabytes of blocks: offsets fit in 32 bits.
        let (at, len) = (self.scripts.len() as u32, payload.len() as u32);
        self.scripts.extend_from_slice(payload);
        self.outputs.push(BatchOutput { value, hash, at, len, kind });
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.txs.clear();
        self.prevouts.clear();
        self.outputs.clear();
        self.scripts.clear();
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there is no block in it.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(crate) fn payload(&self, output: &BatchOutput) -> &[u8] {
        let at = output.at as usize;
        self.scripts.get(at..at + output.len as usize).unwrap_or_default()
    }
}
