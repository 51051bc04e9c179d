//! One block file, hopped through from record to record: only headers are read.
//!
//! A record is the network's four magic bytes, the block's length (32 bits, little-endian) and
//! the block. Between records may be blank space (allocated ahead, or lost in a crash) and, in
//! damaged files, anything.

use std::io;

use bitcoin::{Target, hashes::Hash};
use chain::{BlockHash, Network, header::target};

use super::files::{ReadAt, XorKey, read_full};
use crate::hash::sha256d;

/// The record's magic and length.
pub(super) const FRAME: u64 = 8;
/// A block header (BIP-0141 did not change it).
pub(super) const HEADER: u64 = 80;
/// No block is longer (consensus: four million weight units).
pub(crate) const MAX_BLOCK: u32 = 4_000_000;
/// Enough for the frame and header, and one page from the disk.
const HOP: usize = 4096;
/// Read at once where every byte is looked at.
const SWEEP: usize = 256 * 1024;

/// What tells a record from noise.
#[derive(Clone, Debug)]
pub struct Rules {
    network: Network,
    magic: [u8; 4],
    foreign: [(Network, [u8; 4]); 5],
    key: XorKey,
    pow_limit: Target,
}

impl Rules {
    /// The rules of a network, for files obfuscated with a key.
    pub fn new(network: Network, key: XorKey) -> Self {
        Self {
            network,
            magic: network.magic(),
            foreign: Network::ALL.map(|network| (network, network.magic())),
            key,
            pow_limit: bitcoin::params::Params::new(network.params()).max_attainable_target,
        }
    }
}

/// What a scan meets, in file order.
pub trait Sink {
    /// A block: its header, the header's hash, where the header starts and the block's length.
    fn block(&mut self, header: &[u8; 80], hash: BlockHash, offset: u64, len: u32);
    /// Something that is no block.
    fn finding(&mut self, offset: u64, kind: FindingKind);
}

/// Bytes in a block file that are neither a block nor padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// Bytes without meaning, skipped up to the next block or the end.
    Garbage {
        /// How many.
        len: u64,
    },
    /// A record whose header does not have the proof of work that it claims: a damaged block.
    /// Skipped.
    DamagedHeader {
        /// The record's length, frame included.
        len: u64,
    },
    /// A record whose length cannot be right: other blocks follow inside of it.
    DamagedLength {
        /// The length it claims.
        len: u32,
    },
    /// The last record is not there to its end: the node is writing it, or the file was cut off.
    IncompleteTail {
        /// Bytes that are missing; 0 when the node has made room for them and not yet filled it.
        missing: u64,
    },
}

/// Why a scan stopped early.
#[derive(Debug)]
pub enum Stop {
    /// The operating system refused a read.
    Io(io::Error),
    /// A block of another network at this place.
    Foreign(Network, u64),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Scans `len` bytes of a file from the record boundary `from` on.
///
/// Returns where to go on when the file has grown: the end of its last good record. What comes
/// behind that is looked at again.
///
/// # Errors
/// [`Stop`]; what was found before has gone to the sink.
pub fn scan<R: ReadAt + ?Sized>(
    source: &R,
    len: u64,
    from: u64,
    rules: &Rules,
    sink: &mut impl Sink,
) -> Result<u64, Stop> {
    let mut window = Window { source, key: rules.key, len, start: 0, bytes: Vec::new() };
    let mut at = from;
    let mut resume = from;
    loop {
        match window.record(at, rules)? {
            Record::End => return Ok(resume),
            Record::Blank => match window.blank_end(at, rules)? {
                Some(next) => at = next,
                None => return Ok(resume),
            },
            Record::Block { header, hash, len } => {
                let (start, end) = (at, at + FRAME + u64::from(len));
                if end > window.len {
                    // Cut off, or a damaged length that swallows the blocks behind it.
                    let Some(next) = window.next_block(start + FRAME + HEADER, rules)? else {
                        let missing = end - window.len;
                        sink.finding(start, FindingKind::IncompleteTail { missing });
                        return Ok(resume);
                    };
                    sink.finding(start, FindingKind::DamagedLength { len });
                    at = next;
                    continue;
                }
                if window.is_blank_at_end(end, rules)? && !window.is_whole(start + FRAME, len)? {
                    sink.finding(start, FindingKind::IncompleteTail { missing: 0 });
                    return Ok(resume);
                }
                sink.block(&header, hash, start + FRAME, len);
                (at, resume) = (end, end);
                if !window.boundary(end, rules)? {
                    // Nothing sensible follows: the length may be wrong in either direction.
                    let next = window.next_block(start + FRAME + HEADER, rules)?;
                    at = next.unwrap_or(window.len);
                    if at < end {
                        sink.finding(start, FindingKind::DamagedLength { len });
                        resume = at;
                    } else {
                        sink.finding(end, FindingKind::Garbage { len: at - end });
                    }
                }
            }
            Record::Foreign(network) => return Err(Stop::Foreign(network, at)),
            Record::Damaged { len } => {
                let end = at + FRAME + u64::from(len);
                let next = window.next_block(at + 1, rules)?;
                if end > window.len || next.is_some_and(|next| next < end) {
                    // A stray frame.
                    let next = next.unwrap_or(window.len);
                    sink.finding(at, FindingKind::Garbage { len: next - at });
                    at = next;
                } else if window.is_blank_at_end(end, rules)? {
                    sink.finding(at, FindingKind::IncompleteTail { missing: 0 });
                    return Ok(resume);
                } else {
                    sink.finding(at, FindingKind::DamagedHeader { len: end - at });
                    at = end;
                }
            }
            Record::Cut => {
                sink.finding(
                    at,
                    FindingKind::IncompleteTail { missing: at + FRAME + HEADER - window.len },
                );
                return Ok(resume);
            }
            Record::Noise => at = window.skip_garbage(at, rules, sink)?,
        }
    }
}

/// The network of the first block in a file: at its start, or anywhere if `search`.
pub(super) fn recognise<R: ReadAt + ?Sized>(
    source: &R,
    len: u64,
    key: XorKey,
    search: bool,
) -> io::Result<Option<Network>> {
    for network in Network::ALL {
        let rules = Rules::new(network, key);
        let mut window = Window { source, key, len, start: 0, bytes: Vec::new() };
        let Some(start) = window.blank_end(0, &rules)? else { return Ok(None) };
        let found = match window.record(start, &rules)? {
            Record::Block { .. } => true,
            _ => search && window.next_block(start, &rules)?.is_some(),
        };
        if found {
            return Ok(Some(network));
        }
    }
    Ok(None)
}

/// What stands at a position.
enum Record {
    /// Nothing: the end.
    End,
    /// Space without anything in it, at least four bytes or up to the end.
    Blank,
    /// A frame and a header with proof of work; the block may be cut off.
    Block { header: [u8; 80], hash: BlockHash, len: u32 },
    /// The same of another network.
    Foreign(Network),
    /// A frame, and a header without its proof of work.
    Damaged { len: u32 },
    /// The file ends in the frame or header.
    Cut,
    /// Nothing that starts a record.
    Noise,
}

/// A piece of the file, decoded.
struct Window<'a, R: ?Sized> {
    source: &'a R,
    key: XorKey,
    /// Length of the file, less if it shrank meanwhile.
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<R: ReadAt + ?Sized> Window<'_, R> {
    /// Up to `count` bytes at a position, fewer at the end, read `ahead` at once.
    fn get(&mut self, at: u64, count: usize, ahead: usize) -> io::Result<&[u8]> {
        let count = count.min(usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX));
        let end = at + count as u64;
        if at < self.start || end > self.start + self.bytes.len() as u64 {
            let rest = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
            let wanted = ahead.max(count).min(rest);
            self.bytes.resize(wanted, 0);
            self.start = at;
            let read = read_full(self.source, &mut self.bytes, at)?;
            if read < wanted {
                self.bytes.truncate(read);
                self.len = at + read as u64;
            }
            self.key.apply(&mut self.bytes, at);
        }
        let from = (at - self.start) as usize;
        let to = (from + count).min(self.bytes.len());
        Ok(self.bytes.get(from..to).unwrap_or(&[]))
    }

    fn record(&mut self, at: u64, rules: &Rules) -> io::Result<Record> {
        let bytes = self.get(at, (FRAME + HEADER) as usize, HOP)?;
        if bytes.is_empty() {
            return Ok(Record::End);
        }
        let known = bytes.first_chunk::<4>().and_then(|magic| {
            rules.foreign.iter().find(|(_, known)| known == magic).map(|(network, _)| *network)
        });
        let Some(network) = known else {
            if rules.key.is_blank(&bytes[..bytes.len().min(4)], at) {
                return Ok(Record::Blank);
            }
            let cut = bytes.len() < 4 && rules.magic.starts_with(bytes);
            return Ok(if cut { Record::Cut } else { Record::Noise });
        };
        let Some((frame, header)) = bytes.split_first_chunk::<8>() else { return Ok(Record::Cut) };
        let len = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        if u64::from(len) <= HEADER || len > MAX_BLOCK {
            return Ok(Record::Noise);
        }
        let Some(header) = header.first_chunk::<80>() else { return Ok(Record::Cut) };
        let hash = BlockHash::from_byte_array(sha256d(&[header]));
        if network != rules.network {
            let limit = bitcoin::params::Params::new(network.params()).max_attainable_target;
            let foreign = has_work(header, hash, limit);
            return Ok(if foreign { Record::Foreign(network) } else { Record::Noise });
        }
        if has_work(header, hash, rules.pow_limit) {
            return Ok(Record::Block { header: *header, hash, len });
        }
        Ok(Record::Damaged { len })
    }

    /// Whether a record may end here: the end, blank space, or the magic of the next one follow.
    fn boundary(&mut self, at: u64, rules: &Rules) -> io::Result<bool> {
        let bytes = self.get(at, 4, HOP)?;
        Ok(rules.magic.starts_with(bytes) || rules.key.is_blank(bytes, at))
    }

    /// Whether a record that ends at `end` may be half written: it is the last one, the space
    /// allocated ahead goes on behind it, and its own last byte is as blank as that.
    fn is_blank_at_end(&mut self, end: u64, rules: &Rules) -> io::Result<bool> {
        let around = self.get(end - 1, 2, HOP)?;
        let blank = around.len() == 2 && rules.key.is_blank(around, end - 1);
        Ok(blank && self.blank_end(end, rules)?.is_none())
    }

    /// Whether all of a block is there: it can be read to its last byte, and its transactions and
    /// their witnesses are what its header and coinbase commit to (BIP-0141). Many a block ends with
    /// zeroes, those of a lock time at least.
    fn is_whole(&mut self, at: u64, len: u32) -> io::Result<bool> {
        let raw = self.get(at, len as usize, HOP)?;
        let block = bitcoin::consensus::deserialize::<bitcoin::Block>(raw);
        Ok(block.is_ok_and(|block| block.check_merkle_root() && block.check_witness_commitment()))
    }

    /// Where blank space ends that starts at `at`; `None` if it goes on to the end of the file.
    fn blank_end(&mut self, mut at: u64, rules: &Rules) -> io::Result<Option<u64>> {
        let start = at;
        loop {
            if self.get(at, 1, SWEEP)?.is_empty() {
                return Ok(None);
            }
            let bytes = &self.bytes[(at - self.start) as usize..];
            let blank = rules.key.blank_len(bytes, at);
            at += blank as u64;
            if blank < bytes.len() {
                break;
            }
        }
        // The key may happen to be the magic's first bytes: then those look blank too.
        for back in (1..=3).rev() {
            let candidate = at.saturating_sub(back);
            if candidate >= start && self.get(candidate, 4, HOP)? == rules.magic {
                return Ok(Some(candidate));
            }
        }
        Ok(Some(at))
    }

    /// The first position from `at` on with a frame and a header with proof of work.
    fn next_block(&mut self, mut at: u64, rules: &Rules) -> io::Result<Option<u64>> {
        loop {
            if self.get(at, rules.magic.len(), SWEEP)?.len() < rules.magic.len() {
                return Ok(None);
            }
            let bytes = &self.bytes[(at - self.start) as usize..];
            let Some(skip) = bytes.windows(4).position(|bytes| bytes == rules.magic) else {
                at += (bytes.len() - 3) as u64;
                continue;
            };
            at += skip as u64;
            if matches!(self.record(at, rules)?, Record::Block { .. }) {
                return Ok(Some(at));
            }
            at += 1;
        }
    }

    /// Reports the bytes from `at` to the next block, and says where that is.
    fn skip_garbage(&mut self, at: u64, rules: &Rules, sink: &mut impl Sink) -> io::Result<u64> {
        let next = self.next_block(at + 1, rules)?.unwrap_or(self.len);
        sink.finding(at, FindingKind::Garbage { len: next - at });
        Ok(next)
    }
}

/// Whether the hash is below the target that the header names, and that target is one of the
/// network's (Core: `CheckProofOfWork`).
fn has_work(header: &[u8; 80], hash: BlockHash, limit: Target) -> bool {
    let bits = u32::from_le_bytes([header[72], header[73], header[74], header[75]]);
    target(bits).is_some_and(|target| target <= limit && target.is_met_by(hash))
}
