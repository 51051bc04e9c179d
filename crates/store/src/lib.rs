//! Floor 1: a chain as append-only, densely numbered, memory-mapped columns on disk.
//!
//! [`Writer`] appends batches of blocks and rolls blocks back; [`Store`] reads, as many at a time
//! as you like and while the writer works. The format is written down in this crate's README.md.
//!
//! What a reader relies on: the `meta` file is the only truth. It is replaced atomically at each
//! commit and says how much of every column counts. Whatever lies beyond those lengths, and every
//! number in a mutable column that is too large for them, does not exist yet and is ignored.

mod batch;
mod check;
mod codec;
mod column;
mod error;
mod index;
mod join;
mod layout;
mod lock;
mod meta;
mod mmap;
mod reader;
mod slots;
mod tables;
mod writer;

pub use batch::Batch;
pub use check::{CheckReport, check};
pub use error::StoreError;
pub use layout::FORMAT_VERSION;
pub use meta::Counts;
pub use reader::Store;
pub use writer::{Options, Writer};
