//! Where the proofs of a bundle come from: raw blocks, and the store's headers.

use cases::evidence::FromBlocks;
use chain::LedgerError;
use source::RawBlocks;
use store::Store;

use crate::failure::Failure;

/// Puts a question with proofs out of these blocks and this store.
pub(super) fn with<T>(
    blocks: &dyn RawBlocks,
    store: &Store,
    question: impl FnOnce(&mut FromBlocks<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut block = |_, hash: &chain::BlockHash| blocks.raw_block(hash);
    let mut header = |height| Ok(store.header(height).map_err(LedgerError::from)?);
    question(&mut FromBlocks::new(&mut block, &mut header))
}
