//! The outputs of an address, newest first.

use std::{fs::File, os::unix::fs::FileExt};

use super::Store;
use crate::{column::Bytes, error::StoreError, layout::u40};

impl Store {
    /// One plus the newest output of an address, which may be newer than this reader.
    pub(super) fn head_of(&self, address: u32) -> Result<u64, StoreError> {
        // Five bytes are not written in one step: while a writer is at it, a read may get a
        // mixture. It then leads to another address' output; look again.
        for _ in 0..1000 {
            let head = self.head.get_u40(address.into())?;
            if let Some(out) = head.checked_sub(1)
                && self.row_of(out, address)?.is_some()
            {
                return Ok(head);
            }
            std::thread::yield_now();
        }
        Err(self.bad_head(address))
    }

    /// The newest output of an address that this reader may see.
    pub(crate) fn last_before_tip(&self, address: u32) -> Result<Option<u64>, StoreError> {
        let mut next = self.head_of(address)?;
        while next > self.meta.counts.outputs {
            next = self.step_back(next - 1, address)?;
        }
        Ok(next.checked_sub(1))
    }

    /// One plus the output of the address before its output `out`; 0 for none.
    pub(super) fn step_back(&self, out: u64, address: u32) -> Result<u64, StoreError> {
        match self.row_of(out, address)? {
            // A history that does not go down would never end.
            Some(previous) if previous <= out => Ok(previous),
            _ => Err(self.bad_head(address)),
        }
    }

    /// `out.previous` of an output, if it is the address'.
    fn row_of(&self, out: u64, address: u32) -> Result<Option<u64>, StoreError> {
        if out < self.meta.counts.outputs {
            let owner = u32::from_le_bytes(*self.columns.out_address.record(out)?);
            let previous = u40(self.columns.out_previous.record::<5>(out)?);
            return Ok((owner == address).then_some(previous));
        }
        // A writer has added to this address since. Its rows are in the files before a head leads
        // to them, but not in our mappings: read them the slow way.
        let row = |name: &str, width: usize| -> Result<Option<[u8; 8]>, StoreError> {
            let path = self.dir.join(name);
            let mut bytes = [0; 8];
            let file = File::open(&path).map_err(|error| StoreError::io(&path, error))?;
            match file.read_exact_at(&mut bytes[..width], out.saturating_mul(width as u64)) {
                Ok(()) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(StoreError::io(&path, error)),
            }
        };
        match (row("out.address", 4)?, row("out.previous", 5)?) {
            (Some(owner), Some(previous)) if owner[..4] == address.to_le_bytes() => {
                Ok(Some(u40(&previous)))
            }
            _ => Ok(None),
        }
    }

    #[cold]
    pub(super) fn bad_head(&self, address: u32) -> StoreError {
        self.head.damaged(u64::from(address) * 5, "the newest output is another address'")
    }
}
