//! The bytes of single blocks.

use std::{fs::File, io, path::PathBuf};

use bitcoin::hashes::Hash;
use chain::BlockHash;

use super::{BlockDir, BlockPlace, files::read_full};
use crate::{DecodedBlock, SourceError, decode, hash::sha256d};

/// Files kept open by one reader: a node downloads blocks a little out of order, so neighbours in
/// the chain lie in neighbouring files.
const OPEN: usize = 4;

/// Reads blocks of a directory. One per thread; it keeps a few files open.
#[derive(Debug)]
pub struct BlockReader<'a> {
    dir: &'a BlockDir,
    /// The most recently used last.
    open: Vec<(u32, PathBuf, File)>,
}

impl<'a> BlockReader<'a> {
    pub(super) fn new(dir: &'a BlockDir) -> Self {
        Self { dir, open: Vec::with_capacity(OPEN) }
    }

    /// Fills `into` with the block's bytes, header first; what was in it is lost, its space reused.
    ///
    /// # Errors
    /// [`SourceError::Io`], or [`SourceError::Changed`] when the header there no longer has the
    /// hash that it had.
    pub fn read_block(
        &mut self,
        place: &BlockPlace,
        into: &mut Vec<u8>,
    ) -> Result<(), SourceError> {
        let (path, file) = self.file(place.file)?;
        into.resize(place.len as usize, 0);
        let read = read_full(file, into, place.offset)
            .map_err(|error| SourceError::Io { path: path.clone(), error })?;
        let path = path.clone();
        self.dir.key.apply(into, place.offset);
        let whole = read == into.len();
        let header = into.first_chunk::<80>().filter(|_| whole);
        match header.map(|header| BlockHash::from_byte_array(sha256d(&[header]))) {
            Some(hash) if hash == place.hash => Ok(()),
            _ => {
                into.clear();
                let BlockPlace { offset, hash, height, .. } = *place;
                Err(SourceError::Changed { path, offset, hash, height })
            }
        }
    }

    /// Reads a block and decodes it.
    ///
    /// # Errors
    /// Those of [`BlockReader::read_block`] and [`BlockDir::decode_block`].
    pub fn read_decoded(
        &mut self,
        place: &BlockPlace,
        raw: &mut Vec<u8>,
        into: &mut DecodedBlock,
    ) -> Result<(), SourceError> {
        self.read_block(place, raw)?;
        self.dir.decode_block(place, raw, into)
    }

    fn file(&mut self, number: u32) -> Result<(&PathBuf, &File), SourceError> {
        match self.open.iter().position(|(open, ..)| *open == number) {
            Some(at) => self.open[at..].rotate_left(1),
            None => {
                let path = self.dir.file_path(number);
                let file = match File::open(&path) {
                    Ok(file) => file,
                    Err(error) => return Err(SourceError::Io { path, error }),
                };
                if self.open.len() == OPEN {
                    self.open.remove(0);
                }
                self.open.push((number, path, file));
            }
        }
        match self.open.last() {
            Some((_, path, file)) => Ok((path, file)),
            None => {
                let error = io::Error::from(io::ErrorKind::NotFound);
                Err(SourceError::Io { path: self.dir.path().to_owned(), error })
            }
        }
    }
}

impl BlockDir {
    /// Decodes the bytes of a block that [`BlockReader::read_block`] gave.
    ///
    /// # Errors
    /// [`SourceError::Block`] with the file and the position in it.
    pub fn decode_block(
        &self,
        place: &BlockPlace,
        raw: &[u8],
        into: &mut DecodedBlock,
    ) -> Result<(), SourceError> {
        decode::block(raw, place.height, into).map_err(|mut bad| {
            bad.file = Some((self.file_path(place.file), place.offset));
            SourceError::Block(bad)
        })
    }
}
