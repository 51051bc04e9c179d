//! The chain with the most work among the blocks of a directory.

use bitcoin::hashes::Hash;
use chain::{BlockHash, Height};

use super::{BlockDir, headers::Entry};
use crate::{RawBlocks, SourceError};

/// Where a block of the best chain lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
    /// Its height in the best chain.
    pub height: Height,
    /// The hash of its header.
    pub hash: BlockHash,
    /// The hash of the block before it; all zero for block 0.
    pub prev: BlockHash,
    /// The number in the file's name.
    pub file: u32,
    /// Where its header starts in the file, in bytes (behind the magic and the length).
    pub offset: u64,
    /// Its length in bytes.
    pub len: u32,
}

/// The chain with the most work from block 0 on; of equal ones the one whose last block comes
/// first in the files. A view of the directory as of its last [`BlockDir::refresh`].
#[derive(Clone, Copy, Debug)]
pub struct BestChain<'a> {
    pub(super) dir: &'a BlockDir,
}

impl<'a> BestChain<'a> {
    /// The last block.
    pub fn tip(&self) -> BlockPlace {
        self.place(self.count() - 1)
    }

    /// How many blocks there are: the tip's height and one.
    #[allow(clippy::len_without_is_empty)] // It has at least block 0.
    pub fn len(&self) -> u32 {
        self.count() as u32
    }

    /// The block at a height, `None` above the tip.
    pub fn get(&self, height: Height) -> Option<BlockPlace> {
        (height.index() < self.count()).then(|| self.place(height.index()))
    }

    /// The blocks from a height on, in order.
    pub fn blocks_from(&self, height: Height) -> impl ExactSizeIterator<Item = BlockPlace> + 'a {
        let chain = *self;
        (height.index().min(self.count())..self.count()).map(move |height| chain.place(height))
    }

    /// The height of a block, if it is in this chain.
    pub fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        let headers = &self.dir.headers;
        let num = headers.find(&hash.to_byte_array())?;
        let height = headers.entries[num as usize].height;
        (headers.best.get(height as usize) == Some(&num)).then_some(Height(height))
    }

    /// The height of the last block of this chain that `hash` is or builds on: where a ledger
    /// whose tip is `hash` has to go back to. `None` if the files lack that block or one between.
    pub fn fork_point(&self, hash: &BlockHash) -> Option<Height> {
        let headers = &self.dir.headers;
        let mut num = headers.find(&hash.to_byte_array())?;
        loop {
            let entry = headers.entries.get(num as usize).filter(|entry| entry.connected())?;
            if headers.best.get(entry.height as usize) == Some(&num) {
                return Some(Height(entry.height));
            }
            num = entry.parent;
        }
    }

    /// Expected number of hashes behind the whole chain.
    pub fn work(&self) -> u128 {
        let headers = &self.dir.headers;
        headers.best.last().map_or(0, |&num| headers.entries[num as usize].work)
    }

    /// What is beside the chain: side branches, and blocks that cannot be connected. Looks at
    /// every header once.
    pub fn report(&self) -> ChainReport {
        let headers = &self.dir.headers;
        let mut report = ChainReport { side_branches: 0, side_blocks: 0, gaps: Vec::new() };
        for (num, entry) in (0..).zip(&headers.entries) {
            if !entry.seen() {
                report.gaps.push(self.gap(num));
            } else if entry.connected() && headers.best[..].get(entry.height as usize) != Some(&num)
            {
                report.side_blocks += 1;
                report.side_branches += u64::from(headers.children(num).next().is_none());
            }
        }
        report.gaps.sort_by_key(|gap| (gap.first_file, gap.missing));
        report
    }

    /// Fails if blocks beside the chain wait for one that is in no file.
    ///
    /// A node that is still downloading has such blocks for moments (it stores up to 1024 blocks
    /// out of order), so this is for those who want the whole of a directory at rest.
    ///
    /// # Errors
    /// [`SourceError::MissingBlock`] for the gap with the most blocks behind it.
    pub fn check_complete(&self) -> Result<(), SourceError> {
        let report = self.report();
        let Some(gap) = report.gaps.iter().max_by_key(|gap| gap.unconnected) else { return Ok(()) };
        let files = match (gap.first_file, gap.last_file) {
            (first, last) if first == last => self.dir.file_name(first),
            (first, last) => {
                format!("{} to {}", self.dir.file_name(first), self.dir.file_name(last))
            }
        };
        Err(SourceError::MissingBlock {
            path: self.dir.path().to_owned(),
            height: self.tip().height,
            missing: gap.missing,
            unconnected: gap.unconnected,
            files,
        })
    }

    fn gap(&self, placeholder: u32) -> Gap {
        let headers = &self.dir.headers;
        let missing = BlockHash::from_byte_array(headers.entries[placeholder as usize].hash);
        let mut gap = Gap { missing, unconnected: 0, first_file: u32::MAX, last_file: 0 };
        let mut todo: Vec<u32> = headers.children(placeholder).collect();
        while let Some(num) = todo.pop() {
            let file = headers.entries[num as usize].place.file;
            gap.unconnected += 1;
            gap.first_file = gap.first_file.min(file);
            gap.last_file = gap.last_file.max(file);
            todo.extend(headers.children(num));
        }
        gap
    }

    fn count(&self) -> usize {
        self.dir.headers.best.len()
    }

    fn place(&self, height: usize) -> BlockPlace {
        let headers = &self.dir.headers;
        self.dir.place_of(&headers.entries[headers.best[height] as usize])
    }
}

impl BlockDir {
    fn place_of(&self, entry: &Entry) -> BlockPlace {
        let prev = match self.headers.entries.get(entry.parent as usize) {
            Some(parent) => BlockHash::from_byte_array(parent.hash),
            None => BlockHash::all_zeros(),
        };
        BlockPlace {
            height: Height(entry.height),
            hash: BlockHash::from_byte_array(entry.hash),
            prev,
            file: entry.place.file,
            offset: entry.place.offset,
            len: entry.place.len,
        }
    }
}

/// Blocks beside the best chain are here too.
impl RawBlocks for BlockDir {
    fn raw_block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, SourceError> {
        let entries = &self.headers.entries;
        let found = self.headers.find(&hash.to_byte_array());
        let entry = found.and_then(|num| entries.get(num as usize)).filter(|entry| entry.seen());
        let Some(place) = entry.map(|entry| self.place_of(entry)) else { return Ok(None) };
        let mut raw = Vec::new();
        self.reader().read_block(&place, &mut raw)?;
        Ok(Some(raw))
    }
}

/// What a directory holds beside its best chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Ends of branches that lost.
    pub side_branches: u64,
    /// Blocks on such branches.
    pub side_blocks: u64,
    /// Blocks that are in no file, and that others build on.
    pub gaps: Vec<Gap>,
}

/// A block that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its hash.
    pub missing: BlockHash,
    /// How many blocks build on it, directly or not.
    pub unconnected: u64,
    /// The lowest number of a file with such a block.
    pub first_file: u32,
    /// The highest.
    pub last_file: u32,
}
