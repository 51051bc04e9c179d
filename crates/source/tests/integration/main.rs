//! Tests of the sources of blocks, from outside.
//!
//! * `made`: what the others are made of: blocks, block files, directories.
//! * `blkdir`: which blocks are found, and which chain wins.
//! * `growing`: a directory that a node is writing to.
//! * `damage`: every kind of bad input, one test each.
//! * `oracle`: what the `bitcoin` crate says about the same bytes; the fuzz targets use it too.
//! * `scanned`: what holds for a scan of any bytes; a fuzz target uses it too.
//! * `decode`: random blocks, and random damage, against the oracle.
//! * `esplora`: transactions as explorers tell them.
//! * `explorer`: a server that speaks Esplora: honest, busy, broken, lying.
//! * `node`: a running node, played by a server that also lies.
//! * `real_node`: a real one, where it is installed.
//! * `real_node_mempool`: what its wallet's unconfirmed transactions come to.
//! * `real`: blocks of the real chains, where the data set is at hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod blkdir;
mod damage;
mod decode;
mod esplora;
mod explorer;
mod growing;
mod made;
mod node;
mod oracle;
mod real;
mod real_node;
mod real_node_mempool;
mod scanned;
