//! A node's `blocks` directory, read beside the running node: never locked, never written.
//!
//! [`BlockDir::open`] hops through all `blk*.dat` files from header to header; the chain with the
//! most work among what it finds is [`BlockDir::best_chain`], and a [`BlockReader`] gets the bytes.
//! Files may be in any order, have gaps in their numbers, contain blocks twice, side branches and
//! damage, be obfuscated (`xor.dat`), and grow: [`BlockDir::refresh`] takes in what is new.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chain::{BlockHash, Network};

use crate::SourceError;

mod best;
mod files;
mod headers;
mod read;
mod scan;

pub use best::{BestChain, BlockPlace, ChainReport, Gap};
pub use files::{ReadAt, XorKey};
pub use read::BlockReader;
pub use scan::{FindingKind, Rules, Sink, Stop, scan};

pub(crate) use scan::MAX_BLOCK;

use files::read_full;
use headers::{Headers, Place};

/// The block files of one node, and every header in them (about 100 bytes of memory a block).
#[derive(Debug)]
pub struct BlockDir {
    asked: (PathBuf, Option<Network>),
    path: PathBuf,
    network: Network,
    key: XorKey,
    /// Ascending by number.
    files: Vec<BlockFile>,
    headers: Headers,
    report: ScanReport,
}

/// A file as of the last look at it.
#[derive(Debug)]
struct BlockFile {
    number: u32,
    path: PathBuf,
    len: u64,
    modified: Option<SystemTime>,
    /// The end of the last whole record.
    resume: u64,
}

/// What a scan of the files met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Block files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Different blocks.
    pub blocks: u64,
    /// Blocks that were there more than once; the first of each is used.
    pub duplicates: u64,
    /// What is neither a block nor padding, the first [`ScanReport::MAX_FINDINGS`] of it.
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub more_findings: u64,
}

impl ScanReport {
    /// More findings than these are only counted.
    pub const MAX_FINDINGS: usize = 1000;
}

/// Something in a block file that is neither a block nor padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the file.
    pub file: u32,
    /// Its path.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What.
    pub kind: FindingKind,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: byte {}: ", self.path.display(), self.offset)?;
        match self.kind {
            FindingKind::Garbage { len } => write!(f, "{len} bytes are no block: skipped"),
            FindingKind::DamagedHeader { len } => {
                write!(f, "a block header without its proof of work: {len} bytes skipped, damaged")
            }
            FindingKind::DamagedLength { len } => {
                write!(f, "a block with the damaged length {len}: other blocks follow inside of it")
            }
            FindingKind::IncompleteTail { missing: 0 } => {
                write!(f, "incomplete tail: the last block is being written")
            }
            FindingKind::IncompleteTail { missing } => {
                write!(f, "incomplete tail: {missing} bytes of the last block are not there")
            }
        }
    }
}

impl BlockDir {
    /// Opens a node's `blocks` directory, or its datadir, and scans its files.
    ///
    /// Without a `network` that of the first block counts.
    ///
    /// # Errors
    /// [`SourceError::Io`], [`SourceError::NoBlockFiles`], [`SourceError::NoBlocks`],
    /// [`SourceError::XorKey`], [`SourceError::SameNumber`], [`SourceError::OtherNetwork`].
    /// Damage in a file is none: it is in the [`BlockDir::report`].
    pub fn open(path: impl AsRef<Path>, network: Option<Network>) -> Result<Self, SourceError> {
        let asked = (path.as_ref().to_owned(), network);
        let path = files::locate(path.as_ref(), network)?;
        let key = XorKey::load(&path)?;
        let listed = files::list(&path)?;
        let network = match network {
            Some(network) => network,
            None => recognise(&path, &listed, key)?,
        };
        let mut dir = Self {
            asked,
            path,
            network,
            key,
            files: Vec::new(),
            headers: Headers::new(network.genesis_hash()),
            report: ScanReport::default(),
        };
        dir.take_in(listed)?;
        if dir.report.blocks == 0 {
            return Err(no_blocks(&dir.path, dir.files.len(), key));
        }
        Ok(dir)
    }

    /// Takes in what was added to the files since the last look, and says how many blocks are new.
    ///
    /// Costs a `stat` per file and the reading of what is new. Where a file has vanished or shrunk
    /// (the node pruned, or was started afresh) everything is scanned again.
    ///
    /// # Errors
    /// Those of [`BlockDir::open`]; the directory is then as before, or knows a part of what is new.
    pub fn refresh(&mut self) -> Result<u64, SourceError> {
        let before = self.report.blocks;
        let listed = files::list(&self.path)?;
        if self.is_rewritten(&listed)? {
            let (path, network) = &self.asked;
            *self = Self::open(path, *network)?;
            return Ok(self.report.blocks);
        }
        self.take_in(listed)?;
        Ok(self.report.blocks - before)
    }

    /// The chain with the most work.
    ///
    /// # Errors
    /// [`SourceError::NoGenesis`] when block 0 is in none of the files.
    pub fn best_chain(&self) -> Result<BestChain<'_>, SourceError> {
        if self.headers.best.is_empty() {
            let path = self.path.clone();
            return Err(SourceError::NoGenesis { path, network: self.network });
        }
        Ok(BestChain { dir: self })
    }

    /// A reader of blocks; make one per thread.
    pub fn reader(&self) -> BlockReader<'_> {
        BlockReader::new(self)
    }

    /// The network of the blocks.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The directory with the block files.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the scans met.
    pub fn report(&self) -> &ScanReport {
        &self.report
    }

    /// The path of the file with this number.
    pub fn file_path(&self, number: u32) -> PathBuf {
        match self.files.binary_search_by_key(&number, |file| file.number) {
            Ok(at) => self.files[at].path.clone(),
            Err(_) => self.path.join(format!("blk{number:05}.dat")),
        }
    }

    fn file_name(&self, number: u32) -> String {
        let path = self.file_path(number);
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn is_rewritten(&self, listed: &[(u32, PathBuf)]) -> Result<bool, SourceError> {
        for file in &self.files {
            let Ok(at) = listed.binary_search_by_key(&file.number, |(number, _)| *number) else {
                return Ok(true);
            };
            let (len, _) = stat(&listed[at].1)?;
            if len < file.resume {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Scans what is new in the files listed.
    fn take_in(&mut self, listed: Vec<(u32, PathBuf)>) -> Result<(), SourceError> {
        let rules = Rules::new(self.network, self.key);
        let mut result = Ok(());
        for (number, path) in listed {
            let at = match self.files.binary_search_by_key(&number, |file| file.number) {
                Ok(at) => at,
                Err(at) => {
                    let file = BlockFile { number, path, len: 0, modified: None, resume: 0 };
                    self.files.insert(at, file);
                    at
                }
            };
            result = self.take_in_file(at, &rules);
            if result.is_err() {
                break;
            }
        }
        self.headers.settle();
        self.report.files = self.files.len() as u64;
        self.report.bytes = self.files.iter().map(|file| file.len).sum();
        result
    }

    fn take_in_file(&mut self, at: usize, rules: &Rules) -> Result<(), SourceError> {
        let file = &mut self.files[at];
        let path = &file.path;
        let io = |error| SourceError::Io { path: path.clone(), error };
        let (len, modified) = stat(path)?;
        let unchanged = len == file.len && modified.is_some() && modified == file.modified;
        if unchanged && file.resume == len {
            return Ok(());
        }
        let source = File::open(path).map_err(io)?;
        // The clock of a file system is coarse: look whether something is there by now.
        let mut frame = [0; 4];
        if unchanged && read_full(&source, &mut frame, file.resume).map_err(io)? == frame.len() {
            self.key.apply(&mut frame, file.resume);
            if self.key.is_blank(&frame, file.resume) {
                return Ok(());
            }
        }
        let number = file.number;
        let report = &mut self.report;
        report.findings.retain(|found| found.file != number || found.offset < file.resume);
        let mut sink = Intake { number, path, headers: &mut self.headers, report };
        let resume = match scan(&source, len, file.resume, rules, &mut sink) {
            Ok(resume) => resume,
            Err(Stop::Io(error)) => return Err(io(error)),
            Err(Stop::Foreign(found, offset)) => {
                let (path, expected) = (path.clone(), self.network);
                return Err(SourceError::OtherNetwork { path, offset, found, expected });
            }
        };
        file.resume = resume;
        file.len = len;
        file.modified = modified;
        Ok(())
    }
}

/// Where the blocks of one file go.
struct Intake<'a> {
    number: u32,
    path: &'a Path,
    headers: &'a mut Headers,
    report: &'a mut ScanReport,
}

impl Sink for Intake<'_> {
    fn block(&mut self, header: &[u8; 80], hash: BlockHash, offset: u64, len: u32) {
        let place = Place { file: self.number, offset, len };
        if self.headers.insert(header, hash, place) {
            self.report.blocks += 1;
        } else {
            self.report.duplicates += 1;
        }
    }

    fn finding(&mut self, offset: u64, kind: FindingKind) {
        if self.report.findings.len() < ScanReport::MAX_FINDINGS {
            let (file, path) = (self.number, self.path.to_owned());
            self.report.findings.push(Finding { file, path, offset, kind });
        } else {
            self.report.more_findings += 1;
        }
    }
}

fn stat(path: &Path) -> Result<(u64, Option<SystemTime>), SourceError> {
    match fs::metadata(path) {
        Ok(data) => Ok((data.len(), data.modified().ok())),
        Err(error) => Err(SourceError::Io { path: path.to_owned(), error }),
    }
}

fn no_blocks(path: &Path, files: usize, key: XorKey) -> SourceError {
    SourceError::NoBlocks { path: path.to_owned(), files, obfuscated: !key.is_none() }
}

/// The network of the first block that starts a file, else of any block in the first files.
fn recognise(
    blocks: &Path,
    listed: &[(u32, PathBuf)],
    key: XorKey,
) -> Result<Network, SourceError> {
    /// Files that are searched from end to end before giving up.
    const SEARCHED: usize = 2;
    for search in [false, true] {
        for (_, path) in &listed[..if search { listed.len().min(SEARCHED) } else { listed.len() }] {
            let io = |error: io::Error| SourceError::Io { path: path.clone(), error };
            let source = File::open(path).map_err(io)?;
            let (len, _) = stat(path)?;
            if let Some(network) = scan::recognise(&source, len, key, search).map_err(io)? {
                return Ok(network);
            }
        }
    }
    Err(no_blocks(blocks, listed.len(), key))
}
