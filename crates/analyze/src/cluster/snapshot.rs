//! The bytes of a clustering: what the caller keeps in a file.
//!
//! Little endian, without gaps:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `CHCLUST` and the version, 1 |
//! | 2 + n | length and name of the rule, UTF-8 |
//! | 4 | version of the rules that recognised CoinJoins |
//! | 1 + 9 | 1 and the guard: large, thin (u32 each), 1 if it holds back or 0; or 10 zeros, without a guard |
//! | 1 + 36 | 1, height (u32) and hash of the tip; or 37 zeros, without a tip |
//! | 4 | transactions looked at |
//! | 4 | findings of the guard; for each its transaction (u32), 1 if held back or 0, how many parts (u32), and for each part cluster and addresses (u32) |
//! | 4 | addresses, then for each of them its cluster (u32) |
//! | 32 | SHA-256 of all before |

use bitcoin::hashes::{Hash, HashEngine, sha256};
use chain::{AddressNum, BlockHash, Height, Tip, TxNum};

use super::{
    clustering::{Basis, Clustering},
    guard::{Finding, Guard, Part},
};

/// Name and version of the form.
const MAGIC: [u8; 8] = *b"CHCLUST\x01";

/// Why bytes are no clustering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// They do not start as a clustering does.
    #[error("no clustering")]
    NotOne,
    /// A version that this program does not know.
    #[error("a clustering of version {0}: this program reads version 1; build it again")]
    Version(u8),
    /// They end too early, or behind the end something follows.
    #[error("a damaged clustering: it has the wrong length")]
    Length,
    /// The digest is another.
    #[error("a damaged clustering: its digest does not match")]
    Digest,
    /// The digest is right, but what it protects makes no sense.
    #[error("no valid clustering: {0}")]
    Content(&'static str),
}

impl Clustering {
    /// Gives the bytes piece by piece, and returns the digest at their end.
    ///
    /// # Errors
    /// What `sink` says.
    pub fn encode<E>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<[u8; 32], E> {
        let mut hash = sha256::Hash::engine();
        let mut put = |bytes: &[u8]| {
            hash.input(bytes);
            sink(bytes)
        };
        put(&self.head())?;
        let mut piece = Vec::with_capacity(PIECE * 4);
        for ids in self.ids.chunks(PIECE) {
            piece.clear();
            piece.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
            put(&piece)?;
        }
        let digest = sha256::Hash::from_engine(hash).to_byte_array();
        sink(&digest)?;
        Ok(digest)
    }

    /// The digest of the bytes: equal for equal clusterings.
    pub fn digest(&self) -> [u8; 32] {
        let Ok(digest) = self.encode(|_| Ok::<(), std::convert::Infallible>(()));
        digest
    }

    /// Reads the bytes that [`Clustering::encode`] gave.
    ///
    /// # Errors
    /// [`SnapshotError`]: every change of the bytes is noticed.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let Some((magic, _)) = bytes.split_first_chunk::<8>() else {
            return Err(SnapshotError::NotOne);
        };
        if magic[..7] != MAGIC[..7] {
            return Err(SnapshotError::NotOne);
        }
        if magic[7] != MAGIC[7] {
            return Err(SnapshotError::Version(magic[7]));
        }
        let (body, digest) = bytes.split_last_chunk::<32>().ok_or(SnapshotError::Length)?;
        if sha256::Hash::hash(body).as_byte_array() != digest {
            return Err(SnapshotError::Digest);
        }
        let mut reader = Reader(body.get(8..).ok_or(SnapshotError::Length)?);
        let basis = reader.basis()?;
        let findings = reader.findings()?;
        let count = reader.u32()?;
        let ids: Vec<u32> =
            reader.0.as_chunks::<4>().0.iter().map(|id| u32::from_le_bytes(*id)).collect();
        if reader.0.len() as u64 != u64::from(count) * 4 {
            return Err(SnapshotError::Length);
        }
        let smallest = |(x, id): (usize, &u32)| {
            *id as usize <= x && ids.get(*id as usize).is_some_and(|root| root == id)
        };
        if !ids.iter().enumerate().all(smallest) {
            return Err(SnapshotError::Content("a cluster's id is not its smallest address"));
        }
        Ok(Self { ids, basis, findings })
    }

    fn head(&self) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        let number = |n: usize| (n as u32).to_le_bytes();
        // Names come from rules; one of 64 KiB is cut, so that the form stays readable.
        let mut end = self.basis.rule.len().min(usize::from(u16::MAX));
        while !self.basis.rule.is_char_boundary(end) {
            end -= 1;
        }
        head.extend((end as u16).to_le_bytes());
        head.extend(&self.basis.rule.as_bytes()[..end]);
        head.extend(self.basis.coinjoin_rules.to_le_bytes());
        match self.basis.guard {
            Some(guard) => {
                head.push(1);
                head.extend(guard.large.to_le_bytes());
                head.extend(guard.thin.to_le_bytes());
                head.push(u8::from(guard.hold_back));
            }
            None => head.extend([0; 10]),
        }
        match self.basis.tip {
            Some(tip) => {
                head.push(1);
                head.extend(tip.height.0.to_le_bytes());
                head.extend(tip.hash.to_byte_array());
            }
            None => head.extend([0; 37]),
        }
        head.extend(self.basis.txs.to_le_bytes());
        head.extend(number(self.findings.len()));
        for finding in &self.findings {
            head.extend(finding.tx.0.to_le_bytes());
            head.push(u8::from(finding.held_back));
            head.extend(number(finding.parts.len()));
            for part in &finding.parts {
                head.extend(part.cluster.0.to_le_bytes());
                head.extend(part.addresses.to_le_bytes());
            }
        }
        head.extend(number(self.ids.len()));
        head
    }
}

/// Addresses in one piece.
const PIECE: usize = 1 << 14;

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(SnapshotError::Length)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.take().map(u32::from_le_bytes)
    }

    fn flag(&mut self) -> Result<bool, SnapshotError> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(SnapshotError::Content("a flag is neither 0 nor 1")),
        }
    }

    fn basis(&mut self) -> Result<Basis, SnapshotError> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (name, rest) = self.0.split_at_checked(length).ok_or(SnapshotError::Length)?;
        self.0 = rest;
        let rule = std::str::from_utf8(name)
            .map_err(|_| SnapshotError::Content("the rule's name is no text"))?
            .to_owned();
        let (coinjoin_rules, guarded) = (self.u32()?, self.flag()?);
        let guard = Guard { large: self.u32()?, thin: self.u32()?, hold_back: self.flag()? };
        let known = self.flag()?;
        let (height, hash) = (Height(self.u32()?), BlockHash::from_byte_array(self.take()?));
        let tip = known.then_some(Tip { height, hash });
        let guard = guarded.then_some(guard);
        Ok(Basis { rule, coinjoin_rules, guard, tip, txs: self.u32()? })
    }

    fn findings(&mut self) -> Result<Vec<Finding>, SnapshotError> {
        let mut findings = Vec::new();
        for _ in 0..self.u32()? {
            let (tx, held_back) = (TxNum(self.u32()?), self.flag()?);
            let mut parts = Vec::new();
            for _ in 0..self.u32()? {
                let cluster = AddressNum(self.u32()?);
                parts.push(Part { cluster, addresses: self.u32()? });
            }
            findings.push(Finding { tx, parts, held_back });
        }
        Ok(findings)
    }
}
