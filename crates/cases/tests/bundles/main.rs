//! Bundles of small cases: made, checked, damaged, and checked by another program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may fail")]

mod damage;
mod exports;
mod hostile;
mod made;
mod python;
mod ready;
mod real;
mod same;
mod world;
