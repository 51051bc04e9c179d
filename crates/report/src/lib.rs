//! Floor 4: a trace as picture, table and file.
//!
//! [`model::TraceDocument`] is a trace for the outside: plain data with stable names. Everything
//! in [`export`] is a function of such a document and writes the same bytes on every machine.
//! [`dossier`] is a whole case, one document for each policy, as a page and as letters.

pub mod dossier;
mod error;
mod escape;
pub mod export;
pub mod model;
mod words;

pub use error::{Error, Result};

#[cfg(test)]
mod tests;
