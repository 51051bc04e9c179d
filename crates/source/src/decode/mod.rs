//! A block's bytes as flat arrays, checked.
//!
//! The hot path of indexing: one pass over the bytes, no allocation once the buffers have grown to
//! the size of a large block. What takes the time is hashing (ids and Merkle root).
//!
//! Checked: the encoding, the header's commitment to the transactions, the place of the coinbase,
//! amounts. Not checked: scripts, signatures, and the bytes of witnesses, which the Merkle root
//! does not cover and of which we keep only whether there are any.

use std::ops::{ControlFlow, Range};

use bitcoin::{BlockHash, OutPoint, Txid, hashes::Hash};
use bitcoin_slices::{Error, Visit, Visitor, bsl};
use chain::{Flags, Height, Sats};

use crate::{BadBlock, BlockFault, blkdir::MAX_BLOCK, hash::sha256d};

mod merkle;

use merkle::merkle;

/// An `nLockTime` below is a height, from here on a time (Core: `LOCKTIME_THRESHOLD`).
const LOCKTIME_IS_TIME: u32 = 500_000_000;
/// What a data carrier starts with (`ScriptKind::OpReturn`, which would look at more than needed).
const OP_RETURN: u8 = 0x6a;

/// A decoded block: one array per property, to be read in tight loops. Reuse it for the next
/// block. After an error its contents mean nothing.
///
/// The inputs of transaction `t` are `prevouts[inputs(t)]`; its outputs are `values[outputs(t)]`
/// and `scripts[outputs(t)]`. Transactions are in block order, the coinbase first.
#[derive(Clone, Debug)]
pub struct DecodedBlock {
    /// Hash of the header.
    pub hash: BlockHash,
    /// The header's version field.
    pub version: i32,
    /// Hash of the block before.
    pub prev: BlockHash,
    /// Root of the Merkle tree of the txids.
    pub merkle_root: [u8; 32],
    /// The header's time, seconds since 1970 UTC.
    pub time: u32,
    /// The header's target in compact form (`nBits`).
    pub bits: u32,
    /// The header's nonce.
    pub nonce: u32,
    /// The transactions' ids, in the order of the hash function's bytes (display reverses them).
    pub txids: Vec<[u8; 32]>,
    /// Their properties.
    pub flags: Vec<Flags>,
    /// Where each one's inputs start in `prevouts`, and one more: the number of inputs.
    pub input_starts: Vec<u32>,
    /// Where each one's outputs start in `values` and `scripts`, and one more.
    pub output_starts: Vec<u32>,
    /// Where each one starts in the raw block, in bytes, and one more: the block's length.
    pub tx_starts: Vec<u32>,
    /// The outputs spent, as 32 bytes of txid and 4 of `vout`, little-endian. The coinbase's input
    /// spends nothing and is left out.
    pub prevouts: Vec<[u8; 36]>,
    /// The outputs' values in satoshis; none above [`Sats::MAX_MONEY`], nor any transaction's sum.
    pub values: Vec<u64>,
    /// The outputs' locking scripts, in the raw block.
    pub scripts: Vec<ScriptAt>,
    scratch: Vec<[u8; 32]>,
}

/// Where a locking script lies in the raw block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptAt {
    /// First byte.
    pub offset: u32,
    /// Length in bytes.
    pub len: u32,
}

impl ScriptAt {
    /// The script's bytes in the block it was decoded from; empty in any too short slice.
    pub fn bytes(self, raw: &[u8]) -> &[u8] {
        let start = self.offset as usize;
        raw.get(start..start + self.len as usize).unwrap_or(&[])
    }
}

impl Default for DecodedBlock {
    fn default() -> Self {
        Self {
            hash: BlockHash::all_zeros(),
            version: 0,
            prev: BlockHash::all_zeros(),
            merkle_root: [0; 32],
            time: 0,
            bits: 0,
            nonce: 0,
            txids: Vec::new(),
            flags: Vec::new(),
            input_starts: vec![0],
            output_starts: vec![0],
            tx_starts: vec![0],
            prevouts: Vec::new(),
            values: Vec::new(),
            scripts: Vec::new(),
            scratch: Vec::new(),
        }
    }
}

impl DecodedBlock {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many transactions there are.
    pub fn tx_count(&self) -> usize {
        self.txids.len()
    }

    /// The inputs of transaction `tx`, as a range of `prevouts`.
    pub fn inputs(&self, tx: usize) -> Range<usize> {
        self.input_starts[tx] as usize..self.input_starts[tx + 1] as usize
    }

    /// The outputs of transaction `tx`, as a range of `values` and `scripts`.
    pub fn outputs(&self, tx: usize) -> Range<usize> {
        self.output_starts[tx] as usize..self.output_starts[tx + 1] as usize
    }

    /// The id of transaction `tx`.
    pub fn txid(&self, tx: usize) -> Txid {
        Txid::from_byte_array(self.txids[tx])
    }

    /// The output that input `input` of the block spends.
    pub fn prevout(&self, input: usize) -> OutPoint {
        let mut txid = [0; 32];
        let (id, vout) = self.prevouts[input].split_at(32);
        txid.copy_from_slice(id);
        let vout = vout.first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        OutPoint { txid: Txid::from_byte_array(txid), vout }
    }

    fn clear(&mut self) {
        let Self { txids, flags, input_starts, output_starts, .. } = self;
        txids.clear();
        flags.clear();
        for starts in [input_starts, output_starts, &mut self.tx_starts] {
            starts.clear();
            starts.push(0);
        }
        self.prevouts.clear();
        self.values.clear();
        self.scripts.clear();
        self.hash = BlockHash::all_zeros();
    }
}

/// Decodes the bytes of a block, all of them, into `into`.
///
/// The height is for the flag [`Flags::LOCKTIME_NEAR_TIP`] and for errors.
///
/// # Errors
/// [`BadBlock`] says what is wrong and where in the block. The file is not filled in; see
/// [`crate::BlockDir::decode_block`].
pub fn block(raw: &[u8], height: Height, into: &mut DecodedBlock) -> Result<(), Box<BadBlock>> {
    into.clear();
    let mut reading = Reading { raw, height, into, tx: Tx::default(), fault: None };
    let fault = if raw.len() > MAX_BLOCK as usize {
        Some(Fault { at: 0, txid: None, fault: BlockFault::TooLarge(raw.len()) })
    } else {
        let parsed = bsl::Block::visit(raw, &mut reading).map(|parsed| parsed.remaining().len());
        reading.end(parsed)
    };
    let Some(Fault { at, txid, fault }) = fault else { return Ok(()) };
    let hash = into.hash;
    Err(Box::new(BadBlock { height, hash, offset: at, txid, fault, file: None }))
}

struct Fault {
    at: usize,
    txid: Option<Txid>,
    fault: BlockFault,
}

/// The state while walking over a block.
struct Reading<'a, 'b> {
    raw: &'a [u8],
    height: Height,
    into: &'b mut DecodedBlock,
    tx: Tx,
    fault: Option<Fault>,
}

/// What is known of the transaction being read.
#[derive(Default)]
struct Tx {
    inputs: usize,
    outputs: usize,
    /// The first input without a prevout.
    null: Option<usize>,
    lowest_sequence: u32,
    total: u64,
    /// The first output that makes the sum too large.
    excess: Option<usize>,
    witness: bool,
    data: bool,
}

impl Visitor for Reading<'_, '_> {
    fn visit_block_header(&mut self, header: &bsl::BlockHeader) -> ControlFlow<()> {
        let into = &mut *self.into;
        into.hash = BlockHash::from_byte_array(sha256d(&[header.as_ref()]));
        into.version = header.version();
        let mut prev = [0; 32];
        prev.copy_from_slice(header.prev_blockhash());
        into.prev = BlockHash::from_byte_array(prev);
        into.merkle_root.copy_from_slice(header.merkle_root());
        into.time = header.time();
        let bits = header.as_ref()[72..].first_chunk::<4>();
        into.bits = bits.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        into.nonce = header.nonce();
        ControlFlow::Continue(())
    }

    fn visit_block_begin(&mut self, count: usize) {
        let width = match count {
            ..0xfd => 1,
            0xfd..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        self.into.tx_starts[0] = 80 + width;
    }

    fn visit_tx_ins(&mut self, _: usize) {
        self.tx = Tx { lowest_sequence: u32::MAX, ..Tx::default() };
    }

    fn visit_tx_in(&mut self, vin: usize, input: &bsl::TxIn) -> ControlFlow<()> {
        self.tx.inputs += 1;
        self.tx.lowest_sequence = self.tx.lowest_sequence.min(input.sequence());
        if let Some(prevout) = input.prevout().as_ref().first_chunk::<36>() {
            if is_null(prevout) {
                self.tx.null.get_or_insert(vin);
            }
            self.into.prevouts.push(*prevout);
        }
        ControlFlow::Continue(())
    }

    fn visit_tx_out(&mut self, vout: usize, output: &bsl::TxOut) -> ControlFlow<()> {
        self.tx.outputs += 1;
        let (value, script) = (output.value(), output.script_pubkey());
        self.tx.total = self.tx.total.saturating_add(value);
        if self.tx.total > Sats::MAX_MONEY.0 {
            self.tx.excess.get_or_insert(vout);
        }
        self.tx.data |= script.first() == Some(&OP_RETURN);
        self.into.values.push(value);
        // Offsets fit: the block has at most MAX_BLOCK bytes.
        let offset = (script.as_ptr().addr() - self.raw.as_ptr().addr()) as u32;
        self.into.scripts.push(ScriptAt { offset, len: script.len() as u32 });
        ControlFlow::Continue(())
    }

    fn visit_witness_total_element(&mut self, elements: usize) {
        self.tx.witness |= elements > 0;
    }

    fn visit_transaction(&mut self, tx: &bsl::Transaction) -> ControlFlow<()> {
        let (before, inputs, after) = tx.txid_preimage();
        let txid = sha256d(&[before, inputs, after]);
        let first = self.into.txids.is_empty();
        if let Some(fault) = self.tx.fault(first) {
            self.fault =
                Some(Fault { at: self.at(), txid: Some(Txid::from_byte_array(txid)), fault });
            return ControlFlow::Break(());
        }
        if first {
            self.into.prevouts.clear();
        }
        let flags = self.tx.flags(first, tx.version(), tx.locktime(), self.height);
        let end = self.at() + tx.as_ref().len();
        let into = &mut *self.into;
        into.txids.push(txid);
        into.flags.push(flags);
        into.input_starts.push(into.prevouts.len() as u32);
        into.output_starts.push(into.values.len() as u32);
        into.tx_starts.push(end as u32);
        ControlFlow::Continue(())
    }
}

impl Reading<'_, '_> {
    /// Where the transaction being read starts.
    fn at(&self) -> usize {
        self.into.tx_starts.last().map_or(0, |&at| at as usize)
    }

    /// What is wrong with the block as a whole, once walked over (with so many bytes left).
    fn end(self, parsed: Result<usize, Error>) -> Option<Fault> {
        let at = self.at();
        let fault = |fault| Some(Fault { at, txid: None, fault });
        let left = match parsed {
            Ok(left) => left,
            Err(Error::MoreBytesNeeded) => return fault(BlockFault::Truncated),
            Err(Error::UnknownSegwitFlag(flag)) => return fault(BlockFault::SegwitFlag(flag)),
            Err(Error::SegwitFlagWithoutWitnesses) => return fault(BlockFault::NoWitness),
            Err(Error::NonMinimalVarInt) => return fault(BlockFault::LongLength),
            Err(Error::TransactionTooLarge) => return fault(BlockFault::TooLarge(self.raw.len())),
            Err(Error::VisitBreak | Error::Other(_)) => {
                return self.fault.or_else(|| fault(BlockFault::Truncated));
            }
        };
        if left > 0 {
            return fault(BlockFault::TrailingBytes(left));
        }
        if self.into.txids.is_empty() {
            return fault(BlockFault::Empty);
        }
        let found = merkle(&self.into.txids, &mut self.into.scratch);
        if found.root != self.into.merkle_root {
            return Some(Fault { at: 36, txid: None, fault: BlockFault::MerkleRoot });
        }
        if found.repeated {
            return Some(Fault { at: 36, txid: None, fault: BlockFault::RepeatedTransactions });
        }
        None
    }
}

impl Tx {
    /// What is wrong with the transaction (Core: `CheckTransaction`, `CheckBlock`).
    fn fault(&self, first: bool) -> Option<BlockFault> {
        if self.inputs == 0 {
            return Some(BlockFault::NoInputs);
        }
        if self.outputs == 0 {
            return Some(BlockFault::NoOutputs);
        }
        if let Some(vout) = self.excess {
            return Some(BlockFault::Value(vout));
        }
        match (first, self.null) {
            (true, None) => Some(BlockFault::NoCoinbase),
            (true, Some(vin)) if self.inputs > 1 => Some(BlockFault::NullPrevout(vin)),
            (false, Some(vin)) => Some(BlockFault::NullPrevout(vin)),
            _ => None,
        }
    }

    /// The same as [`Flags::of`] says of a `bitcoin` transaction.
    fn flags(&self, coinbase: bool, version: i32, locktime: u32, Height(height): Height) -> Flags {
        let near = locktime != 0
            && locktime < LOCKTIME_IS_TIME
            && height.checked_sub(locktime).is_some_and(|below| below <= 100);
        [
            (coinbase, Flags::COINBASE),
            (self.witness, Flags::WITNESS),
            (version == 1, Flags::VERSION_1),
            (version == 2, Flags::VERSION_2),
            (locktime != 0, Flags::LOCKTIME),
            (near, Flags::LOCKTIME_NEAR_TIP),
            (self.lowest_sequence < 0xffff_fffe, Flags::RBF),
            (self.lowest_sequence == 0xffff_ffff, Flags::SEQUENCE_FINAL),
            (self.data, Flags::DATA),
        ]
        .into_iter()
        .fold(Flags::default(), |flags, (when, flag)| if when { flags.with(flag) } else { flags })
    }
}

/// 32 zeroes and `vout` 0xffffffff: no output is meant.
fn is_null(prevout: &[u8; 36]) -> bool {
    prevout[32..] == [0xff; 4] && prevout[..32] == [0; 32]
}
