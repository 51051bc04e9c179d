//! A block's bytes by its hash, wherever they are kept.

use bitcoin::BlockHash;

use crate::SourceError;

/// Something that has whole blocks. What it gives has the header with that hash; nothing else is
/// checked ([`crate::decode`] does).
pub trait RawBlocks: Sync {
    /// The bytes of a block, header first; `None` where this source does not have it.
    ///
    /// # Errors
    /// Where it should have it and cannot give it.
    fn raw_block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, SourceError>;
}
