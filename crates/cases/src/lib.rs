//! Floor 4: cases, and evidence that the other side can compute again.
//!
//! * [`case_file`]: what was taken and what is asked, as a text file.
//! * [`evidence`]: transactions, paths and headers that prove what a trace rests on.
//! * [`results`]: the traces, line by line, each with its basis.
//! * [`bundle`]: all of that in one file, signed if wanted; made, and checked.
//! * [`export`]: what a bundle says, in the formats of other programs.
//! * [`book`]: cases, notes and who did what, in an append-only log.
//! * [`container`]: the outermost form of a bundle.

pub mod book;
pub mod bundle;
pub mod case_file;
pub mod container;
mod digest;
mod error;
pub mod evidence;
pub mod export;
mod labels;
mod question;
pub mod results;
pub mod sign;

pub use case_file::Case;
pub use digest::{sha256_hex, sha256_of};
pub use error::{Error, Result};
pub use labels::{Label, LabelSource, Labels, NoLabels};
