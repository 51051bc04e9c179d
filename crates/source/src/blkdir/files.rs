//! The files of a `blocks` directory: which there are, their key, reading at a position.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use chain::Network;

use crate::SourceError;

/// Something that is read at positions, without a cursor: a file, or bytes in memory.
pub trait ReadAt {
    /// Reads up to `into.len()` bytes from `offset` on and says how many; 0 only at the end.
    ///
    /// # Errors
    /// Those of the operating system.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, into, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.get(start..)).unwrap_or(&[]);
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// Reads until `into` is full or the end is reached; says how many bytes it got.
pub(super) fn read_full<R: ReadAt + ?Sized>(
    source: &R,
    into: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut count = 0;
    while count < into.len() {
        match source.read_at(&mut into[count..], offset + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// The eight bytes that a node xors its block files with (Core 28, PR 28052); it guards against
/// virus scanners that find their patterns in other people's transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XorKey([u8; 8]);

impl XorKey {
    /// A key; all zero for none.
    pub const fn new(key: [u8; 8]) -> Self {
        Self(key)
    }

    /// The key beside the block files, none where there is no `xor.dat`.
    pub(super) fn load(blocks: &Path) -> Result<Self, SourceError> {
        let path = blocks.join("xor.dat");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(SourceError::Io { path, error }),
        };
        let len = bytes.len() as u64;
        bytes.try_into().map(Self).map_err(|_| SourceError::XorKey { path, len })
    }

    /// Whether there is anything to do.
    pub(super) const fn is_none(self) -> bool {
        u64::from_ne_bytes(self.0) == 0
    }

    /// Whether decoded bytes from `offset` on are space without anything written to it.
    ///
    /// A node allocates ahead without obfuscating: what it has not written is zero on the disk, and
    /// decodes to the key. Files obfuscated as a whole have decoded zeroes.
    pub(super) fn is_blank(self, bytes: &[u8], offset: u64) -> bool {
        self.blank_len(bytes, offset) == bytes.len()
    }

    /// How many of the decoded bytes from `offset` on are blank.
    pub(super) fn blank_len(self, bytes: &[u8], offset: u64) -> usize {
        let written = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len());
        if self.is_none() {
            return written;
        }
        let mut key = self.0;
        key.rotate_left((offset % 8) as usize);
        let mut blank = 0;
        for piece in bytes.chunks(8) {
            let same = piece.iter().zip(key).take_while(|(byte, key)| **byte == *key).count();
            blank += same;
            if same < 8 {
                break;
            }
        }
        blank.max(written)
    }

    /// Turns bytes that stood at `offset` of a file into what the node wrote, and back.
    pub(super) fn apply(self, bytes: &mut [u8], offset: u64) {
        if self.is_none() {
            return;
        }
        let mut key = self.0;
        key.rotate_left((offset % 8) as usize);
        let word = u64::from_ne_bytes(key);
        let (words, rest) = bytes.as_chunks_mut::<8>();
        for bytes in words {
            *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

/// The directory that holds the `blk*.dat` files: `path` itself, its folder `blocks`, or that of
/// the network in a datadir.
pub(super) fn locate(path: &Path, network: Option<Network>) -> Result<PathBuf, SourceError> {
    let io = |error| SourceError::Io { path: path.to_owned(), error };
    if !list(path)?.is_empty() {
        return Ok(path.to_owned());
    }
    let sub = match network {
        None | Some(Network::Mainnet) => None,
        Some(Network::Testnet3) => Some("testnet3"),
        Some(Network::Testnet4) => Some("testnet4"),
        Some(Network::Signet) => Some("signet"),
        Some(Network::Regtest) => Some("regtest"),
    };
    let candidates = sub.map(|sub| path.join(sub).join("blocks"));
    for blocks in candidates.into_iter().chain([path.join("blocks")]) {
        if blocks.try_exists().map_err(io)? && !list(&blocks)?.is_empty() {
            return Ok(blocks);
        }
    }
    Err(SourceError::NoBlockFiles { path: path.to_owned() })
}

/// The block files of a directory with their numbers, ascending. Numbers may have gaps.
pub(super) fn list(blocks: &Path) -> Result<Vec<(u32, PathBuf)>, SourceError> {
    let io = |error| SourceError::Io { path: blocks.to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(blocks).map_err(io)? {
        let entry = entry.map_err(io)?;
        if let Some(number) = entry.file_name().to_str().and_then(number) {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    for pair in files.windows(2) {
        if pair[0].0 == pair[1].0 {
            let [path, other] = [pair[0].1.clone(), pair[1].1.clone()];
            return Err(SourceError::SameNumber { path, other });
        }
    }
    Ok(files)
}

/// `blk00042.dat` → 42.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("blk")?.strip_suffix(".dat")?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_block_files() {
        assert_eq!(number("blk00042.dat"), Some(42));
        assert_eq!(number("blk100000.dat"), Some(100_000));
        for other in ["rev00042.dat", "blk.dat", "blk+0001.dat", "blk00001.dat.bak", "xor.dat"] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
        #[test]
        fn the_key_is_bound_to_the_position(
            key in any::<[u8; 8]>(),
            plain in prop::collection::vec(any::<u8>(), 0..60),
            cut in 0_usize..60,
            start in 0_u64..1000,
        ) {
            let expected: Vec<u8> =
                plain.iter().zip(start..).map(|(byte, at)| byte ^ key[(at % 8) as usize]).collect();
            let mut whole = plain.clone();
            XorKey::new(key).apply(&mut whole, start);
            prop_assert_eq!(&whole, &expected);
            // In two parts it gives the same.
            let mut parts = plain;
            let cut = cut.min(parts.len());
            let (left, right) = parts.split_at_mut(cut);
            XorKey::new(key).apply(left, start);
            XorKey::new(key).apply(right, start + cut as u64);
            prop_assert_eq!(parts, expected);
        }
    }
}
