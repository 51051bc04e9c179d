//! Keeping to a limit of memory: mapped pages are given back before they are too many.

use std::fs;

use crate::{column::WriteColumn, layout::Columns, slots::Slots};

/// What may come in between two looks: 256 look-ups touch a page in up to four files each, and the
/// system maps the sixteen pages around.
const BETWEEN_LOOKS: u64 = 64 << 20;

/// Everything that is mapped.
pub(crate) struct Room<'a> {
    /// Bytes that may be resident, if there is a limit.
    pub(crate) limit: Option<u64>,
    pub(crate) columns: &'a Columns<WriteColumn>,
    pub(crate) slots: [&'a Slots; 4],
}

impl Room<'_> {
    /// Gives mapped memory back when the process holds more than it may.
    pub(crate) fn breathe(&self) {
        let Some(limit) = self.limit else { return };
        let most = limit.saturating_sub(BETWEEN_LOOKS).max(limit / 2);
        if resident().is_some_and(|resident| resident > most) {
            self.release();
        }
    }

    /// Gives it back in any case.
    pub(crate) fn release(&self) {
        self.columns.each().for_each(WriteColumn::release);
        self.slots.iter().for_each(|slots| slots.release());
    }
}

/// Resident memory of this process in bytes, where the system tells.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
