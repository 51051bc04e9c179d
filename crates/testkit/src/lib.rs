//! Dev only: chains made to order, so that every answer of the product can be held against a truth.
//!
//! * [`language`]: a few lines of text become a small valid chain, for data-driven tests.
//! * [`blkfile`]: blocks become `blk*.dat` files as a node writes them, tidy or not.
//! * [`generate`]: large chains that behave like the real one, with the truth about them.
//! * [`replay`]: the theft of May 2024 on such a chain, to score a tracer against.
//! * [`node`]: a real node on regtest, where one is installed.
//! * [`server`]: an HTTP server that answers as a test tells it to, also wrongly.
//! * [`compare`]: the first thing that two ledgers answer differently.
//! * [`data_dir`]: where real chain data lies, if this machine has it; [`cases`]: how thorough random
//!   tests are.

pub mod blkfile;
pub mod compare;
mod data;
pub mod generate;
pub mod keys;
pub mod language;
pub mod mine;
pub mod node;
mod random;
pub mod server;

pub use data::{cases, data_dir};
pub use generate::replay;
pub use language::{Chain, ParseError};
