//! Writes `blk*.dat` files as Bitcoin Core does, and untidy ones as it sometimes leaves them.
//!
//! A file is a row of records: the network's magic, the block's length (`u32`, little endian), the
//! block. A file ends before it would exceed 128 MiB; the space behind the last record may be
//! allocated already, and is zero then. Since version 28 a new node XORs everything it writes with
//! the 8 bytes of `xor.dat`, by position in the file. Allocated space is not XORed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use bitcoin::{Block, BlockHash, consensus::serialize, hashes::Hash};
use chain::Network;

use crate::{mine, random::Random};

/// Core's `MAX_BLOCKFILE_SIZE`, in bytes.
pub const MAX_FILE: u64 = 128 * 1024 * 1024;

/// How the files look.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Whose magic precedes each block.
    pub network: Network,
    /// No file gets longer than this many bytes (unless a single block is).
    pub max_file: u64,
    /// The content of `xor.dat`; without it there is none.
    pub xor: Option<[u8; 8]>,
    /// Zero bytes between any two records.
    pub gap: u64,
    /// Zero bytes behind the last record of each file.
    pub tail: u64,
}

impl Default for Layout {
    /// Regtest, 128 MiB, plain, tight.
    fn default() -> Self {
        Self { network: Network::Regtest, max_file: MAX_FILE, xor: None, gap: 0, tail: 0 }
    }
}

/// How the blocks of a small chain are strewn over the files; see [`write_blocks`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Disorder {
    /// Any order, decided by this seed. Genesis stays first, as in every node's files.
    pub shuffle: Option<u64>,
    /// Every n-th block is there twice (0: none).
    pub twice: usize,
    /// So many blocks whose parent nobody has.
    pub orphans: u32,
}

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The number in the file's name.
    pub file: u32,
    /// Bytes from the file's start to the block, behind magic and length.
    pub offset: u64,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files in order.
    pub files: Vec<PathBuf>,
    /// Blocks in them.
    pub blocks: u64,
    /// Length of all blocks, without magic, lengths and padding.
    pub bytes: u64,
}

/// A directory of block files being written.
#[derive(Debug)]
pub struct BlockFiles {
    dir: PathBuf,
    layout: Layout,
    file: Option<BufWriter<File>>,
    position: u64,
    written: Written,
    masked: Vec<u8>,
}

impl BlockFiles {
    /// Starts in a directory, which is made where it does not exist. Files of the same names are
    /// overwritten; others are left alone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(dir: &Path, layout: Layout) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        if let Some(key) = layout.xor {
            fs::write(dir.join("xor.dat"), key)?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            layout,
            file: None,
            position: 0,
            written: Written::default(),
            masked: Vec::new(),
        })
    }

    /// Appends a serialised block, whatever its bytes.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::InvalidInput`] for 4 GiB and more.
    pub fn write(&mut self, block: &[u8]) -> io::Result<Location> {
        let length = u32::try_from(block.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a block of 4 GiB or more"))?;
        let room = self.layout.max_file.saturating_sub(self.position);
        if self.position > 0 && room < 8 + u64::from(length) + self.layout.gap {
            self.end_file()?;
        }
        if self.file.is_none() {
            let path = self.dir.join(format!("blk{:05}.dat", self.written.files.len()));
            self.file = Some(BufWriter::with_capacity(1 << 16, File::create(&path)?));
            self.written.files.push(path);
            self.position = 0;
        } else {
            self.zeros(self.layout.gap)?;
        }
        self.put(&self.layout.network.magic())?;
        self.put(&length.to_le_bytes())?;
        let file = u32::try_from(self.written.files.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let location = Location { file, offset: self.position };
        self.put(block)?;
        self.written.blocks += 1;
        self.written.bytes += u64::from(length);
        Ok(location)
    }

    /// Closes the last file.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(mut self) -> io::Result<Written> {
        self.end_file()?;
        Ok(self.written)
    }

    fn end_file(&mut self) -> io::Result<()> {
        if self.file.is_some() {
            self.zeros(self.layout.tail)?;
        }
        match self.file.take() {
            Some(mut file) => file.flush(),
            None => Ok(()),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        match self.layout.xor {
            None => file.write_all(bytes)?,
            Some(key) => {
                let places = (self.position..).map(|at| key[usize::from(at as u8 & 7)]);
                self.masked.clear();
                self.masked.extend(bytes.iter().zip(places).map(|(byte, mask)| byte ^ mask));
                file.write_all(&self.masked)?;
            }
        }
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn zeros(&mut self, count: u64) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            io::copy(&mut io::Read::take(io::repeat(0), count), file)?;
            self.position += count;
        }
        Ok(())
    }
}

/// Writes a few blocks, in order or [`Disorder`].
///
/// # Errors
/// What the operating system says.
pub fn write_blocks<'a>(
    dir: &Path,
    blocks: impl IntoIterator<Item = &'a Block>,
    layout: Layout,
    disorder: Disorder,
) -> io::Result<Written> {
    let mut records = Vec::new();
    for (number, block) in (1_usize..).zip(blocks) {
        let bytes = serialize(block);
        if disorder.twice > 0 && number.is_multiple_of(disorder.twice) {
            records.push(bytes.clone());
        }
        records.push(bytes);
    }
    records.extend((0..disorder.orphans).map(|n| serialize(&orphan(n))));
    if let (Some(seed), Some(rest)) = (disorder.shuffle, records.get_mut(1..)) {
        Random::new(seed).shuffle(rest);
    }
    let mut files = BlockFiles::create(dir, layout)?;
    for record in &records {
        files.write(record)?;
    }
    files.finish()
}

/// A valid block on a parent that does not exist.
pub fn orphan(number: u32) -> Block {
    let parent = BlockHash::hash(format!("parent of orphan {number}").as_bytes());
    let coinbase = mine::coinbase(mine::coinbase_script(number + 1, number), Vec::new());
    mine::block(mine::Place { parent, time: 1_300_000_000 }, vec![coinbase])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chain;
    use std::collections::HashMap;

    /// Splits files into records again, by magic and length.
    fn read(written: &Written, layout: &Layout) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        for path in &written.files {
            let mut bytes = fs::read(path).unwrap();
            assert!(bytes.len() as u64 <= layout.max_file + layout.tail);
            if let Some(key) = layout.xor {
                bytes.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= key[i % 8]);
            }
            let magic = layout.network.magic();
            let mut at = 0;
            while let Some(next) = bytes[at..].windows(4).position(|four| four == magic) {
                let start = at + next + 8;
                let length = u32::from_le_bytes(bytes[start - 4..start].try_into().unwrap());
                at = start + length as usize;
                records.push(bytes[start..at].to_vec());
            }
        }
        records
    }

    #[test]
    fn files_are_tidy_by_default() {
        let chain = Chain::parse("blocks 20").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout { max_file: 1500, xor: Some(*b"8 bytes!"), ..Layout::default() };
        let written =
            write_blocks(dir.path(), chain.blocks(), layout.clone(), Disorder::default()).unwrap();
        assert!(written.files.len() > 2 && written.blocks == 21);
        assert_eq!(fs::read(dir.path().join("xor.dat")).unwrap(), b"8 bytes!");
        let expected: Vec<_> = chain.blocks().iter().map(serialize).collect();
        assert_eq!(read(&written, &layout), expected);
    }

    #[test]
    fn disorder_keeps_every_block() {
        let chain = Chain::parse("blocks 20").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout { gap: 5, tail: 1000, max_file: 2000, ..Layout::default() };
        let disorder = Disorder { shuffle: Some(7), twice: 3, orphans: 2 };
        let written = write_blocks(dir.path(), chain.blocks(), layout.clone(), disorder).unwrap();
        let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
        let records = read(&written, &layout);
        records.iter().for_each(|record| *counts.entry(record.clone()).or_default() += 1);
        assert_eq!(records[0], serialize(&chain.blocks()[0]));
        assert_ne!(records[1], serialize(&chain.blocks()[1]));
        assert_eq!((counts.len(), records.len()), (23, 30));
        for (i, block) in chain.blocks().iter().enumerate() {
            assert_eq!(counts[&serialize(block)], 1 + usize::from((i + 1) % 3 == 0));
        }
    }
}
