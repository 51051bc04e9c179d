//! The evidence bundle: its files, how it is made, how it is checked. Format: `crates/cases/README.md`.

mod log;
mod make;
mod manifest;
mod opened;
mod provenance;
mod verdict;
mod verify;

pub use make::{Made, Making, Tool, make};
pub use opened::Opened;
pub use provenance::{Amounts, BlockAt, Counts, Headers, Provenance};
pub use verdict::{Check, Outcome, Verdict};
pub use verify::verify;

use analyze::trace::Policy;

/// The `schema` of the manifest.
pub const SCHEMA: &str = "chainhound.case.bundle.v1";

pub(crate) const README: &str = "README.txt";
pub(crate) const CASE: &str = "case.toml";
pub(crate) const HEADERS: &str = "headers.bin";
pub(crate) const LABELS: &str = "labels.jsonl";
pub(crate) const LOG: &str = "log.jsonl";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SIGNATURE: &str = "manifest.json.minisig";
pub(crate) const SIGNER: &str = "manifest.json.pub";
pub(crate) const PROVENANCE: &str = "provenance.json";
pub(crate) const TRANSACTIONS: &str = "transactions.jsonl";
pub(crate) const UNSPENT: &str = "unspent.txt";

/// The file with the results of a policy.
pub(crate) fn results_name(policy: Policy) -> String {
    format!("results/{}.jsonl", policy.name())
}
