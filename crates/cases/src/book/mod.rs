//! The case book: cases, notes, status, assignees and attachments, as one append-only log.
//!
//! There is nothing but the log. What a case is now is what its entries add up to, so that no table can
//! say anything else than the log; and each entry has the SHA-256 of the one before it, so that none can be
//! changed, left out or moved without all later digests changing. What the chain alone cannot show is that the
//! newest entries were cut off: whoever has seen the last digest can ([`Book::verify`]).

mod entry;
mod file;
mod state;
#[cfg(test)]
mod tests;

pub use entry::{Action, Entry, Subject};
pub use file::Book;
pub use state::{Attachment, CaseState, Note, Status, cases};
