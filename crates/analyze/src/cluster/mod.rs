//! Clusters: addresses that somebody controls together, by the multi-input heuristic.
//!
//! Who spends two addresses in one transaction holds the keys of both, unless several people made the
//! transaction together. [`build`] joins all addresses of a ledger that way, with CoinJoins kept
//! out by a [`Rule`]; [`Live`] folds in one block after the other and undoes blocks that were
//! rolled back. Both give the same [`Clustering`], byte for byte. A cluster is named by its smallest
//! [`AddressNum`](chain::AddressNum): the address of it that appeared first.
//!
//! [`why`] shows the shortest chain of transactions that joins two addresses. A [`Guard`] reports
//! transactions that join two large clusters through few addresses. Change is no reason to
//! join, except in a clustering of another name that is asked for ([`JudgedChange`]). Definition,
//! sources and measured errors: `docs/methods/clustering.md`.

mod batch;
mod change;
mod clustering;
mod diff;
mod forest;
mod guard;
mod live;
mod members;
mod rule;
mod score;
mod snapshot;
mod union;
mod why;

#[cfg(test)]
mod tests;

pub use batch::{Options, Stage, build, build_observed};
pub use change::JudgedChange;
pub use clustering::{Basis, Clustering};
pub use diff::{Diff, Merge, Split, diff};
pub use guard::{Finding, Guard, Part};
pub use live::{Live, Synced};
pub use members::{Activity, Members, activity};
pub use rule::{AllInputs, CoinJoinsApart, MULTI_INPUT, Rule};
pub use score::{Ratio, Score, score};
pub use snapshot::SnapshotError;
pub use why::{Joint, Limits, Step, Why, why};
