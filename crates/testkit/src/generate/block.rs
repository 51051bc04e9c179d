//! A block being filled, and its end: coinbase, commitment, Merkle root, proof of work.

use super::{
    draft::{Ids, double_sha256, write_count},
    scripts::{Address, Scripts},
};
use crate::mine::{REGTEST_BITS, WITNESS_RESERVED, coinbase_script};

/// Bytes kept free before the transactions for header, count and coinbase.
const FRONT: usize = 512;
/// Weight kept free for them (consensus allows 4,000,000 in all).
const FRONT_WEIGHT: u64 = 4 * FRONT as u64;
/// Weight that the transactions of a block may have.
pub(crate) const MAX_WEIGHT: u64 = 4_000_000 - FRONT_WEIGHT;
/// Signature operations that a block may have: consensus allows 80,000, the coinbase takes a few.
pub(crate) const MAX_SIGOPS: u64 = 79_900;

/// The last block, as the next one needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tip {
    pub(crate) hash: [u8; 32],
    pub(crate) height: u32,
    pub(crate) time: u32,
}

/// Transactions of a block without the coinbase. One is used for all blocks.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    /// `FRONT` bytes of room, then the transactions.
    pub(crate) bytes: Vec<u8>,
    txids: Vec<[u8; 32]>,
    wtxids: Vec<[u8; 32]>,
    pub(crate) fees: u64,
    pub(crate) weight: u64,
    pub(crate) sigops: u64,
    front: Vec<u8>,
}

impl Filling {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(FRONT, 0);
        // The coinbase's place: its txid is put in at the end, its wtxid is zero by definition.
        self.txids.clear();
        self.txids.push([0; 32]);
        self.wtxids.clear();
        self.wtxids.push([0; 32]);
        (self.fees, self.weight, self.sigops) = (0, 0, 0);
    }

    /// Counts a transaction whose bytes were just appended.
    pub(crate) fn count(&mut self, ids: Ids, fee: u64, weight: u64, sigops: u64) {
        self.txids.push(ids.txid);
        self.wtxids.push(ids.wtxid);
        self.fees += fee;
        self.weight += weight;
        self.sigops += sigops;
    }

    /// Finishes the block with a coinbase that pays `value` to `address` (its first output; the
    /// second is the commitment): the block's bytes, and the coinbase's txid.
    pub(crate) fn close(
        &mut self,
        tip: &mut Tip,
        time: u32,
        value: u64,
        address: Address,
        scripts: &Scripts,
    ) -> (&[u8], [u8; 32]) {
        let height = tip.height + 1;
        let front = &mut self.front;
        front.clear();
        // The header comes last; the coinbase is written behind room for it.
        front.resize(80, 0);
        write_count(self.txids.len(), front);
        let coinbase = front.len();
        front.extend_from_slice(&2_i32.to_le_bytes());
        let body = front.len();
        front.push(1);
        front.extend_from_slice(&[0; 32]);
        front.extend_from_slice(&[0xff; 4]);
        let script = coinbase_script(height, 0);
        front.push(script.len() as u8);
        front.extend_from_slice(script.as_bytes());
        front.extend_from_slice(&[0xff; 4]);
        front.push(2);
        front.extend_from_slice(&value.to_le_bytes());
        front.push(address.shape.script_length() as u8);
        scripts.write(address, front);
        let root = merkle_root(&mut self.wtxids);
        front.extend_from_slice(&[0; 8]);
        front.extend_from_slice(&[38, 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]);
        front.extend_from_slice(&double_sha256(&[&root, &WITNESS_RESERVED]));
        let locktime = [0; 4];
        let part = |from: usize, to: usize| front.get(from..to).unwrap_or_default();
        let stripped = [part(coinbase, body), part(body, front.len()), &locktime[..]];
        let txid = double_sha256(&stripped);
        front.splice(body..body, [0, 1]);
        front.extend_from_slice(&[1, 32]);
        front.extend_from_slice(&WITNESS_RESERVED);
        front.extend_from_slice(&locktime);
        if let Some(first) = self.txids.first_mut() {
            *first = txid;
        }
        let root = merkle_root(&mut self.txids);
        let (header, hash) = solve(tip.hash, root, time);
        if let Some(room) = front.get_mut(..80) {
            room.copy_from_slice(&header);
        }
        *tip = Tip { hash, height, time };
        let start = FRONT.saturating_sub(front.len());
        if let Some(room) = self.bytes.get_mut(start..FRONT) {
            room.copy_from_slice(front);
        }
        let block = self.bytes.get(start..).unwrap_or_default();
        (block, txid)
    }
}

/// A header with proof of work for regtest, and its hash.
fn solve(parent: [u8; 32], root: [u8; 32], time: u32) -> ([u8; 80], [u8; 32]) {
    let mut header = [0; 80];
    header[..4].copy_from_slice(&0x2000_0000_u32.to_le_bytes());
    header[4..36].copy_from_slice(&parent);
    header[36..68].copy_from_slice(&root);
    header[68..72].copy_from_slice(&time.to_le_bytes());
    header[72..76].copy_from_slice(&REGTEST_BITS.to_le_bytes());
    let mut nonce = 0_u32;
    loop {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        let hash = double_sha256(&[&header]);
        // The target is 7fffff followed by zeros; the last byte is the highest.
        if hash[31] < 0x7f {
            return (header, hash);
        }
        nonce = nonce.wrapping_add(1);
    }
}

/// The Merkle root; the list is used up.
fn merkle_root(hashes: &mut Vec<[u8; 32]>) -> [u8; 32] {
    while hashes.len() > 1 {
        if hashes.len() % 2 == 1
            && let Some(last) = hashes.last().copied()
        {
            hashes.push(last);
        }
        let mut joined = [0; 64];
        for i in 0..hashes.len() / 2 {
            if let Some([left, right]) = hashes.get(2 * i..2 * i + 2) {
                joined[..32].copy_from_slice(left);
                joined[32..].copy_from_slice(right);
            }
            if let Some(place) = hashes.get_mut(i) {
                *place = double_sha256(&[&joined]);
            }
        }
        hashes.truncate(hashes.len() / 2);
    }
    hashes.first().copied().unwrap_or_default()
}
