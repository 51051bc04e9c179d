//! From what a bundle was made, and by what.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The `schema` of [`Provenance`].
pub(super) const PROVENANCE_SCHEMA: &str = "chainhound.case.provenance.v1";

/// From what a bundle was made, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Its schema.
    pub schema: String,
    /// `chainhound`.
    pub tool: String,
    /// Its version.
    pub tool_version: String,
    /// SHA-256 of the program, where it could be read.
    pub binary_sha256: Option<String>,
    /// The version of what computes the results.
    pub results_version: u32,
    /// The version of the rules that recognise CoinJoins.
    pub coinjoin_rules: u32,
    /// The chain.
    pub network: String,
    /// What was walked: `store` for the whole chain, `sparse` for some transactions.
    pub source: String,
    /// The last block that was looked at: spends after it do not count.
    pub as_of: BlockAt,
    /// Where the headers start.
    pub checkpoint: BlockAt,
    /// The headers.
    pub headers: Headers,
    /// The transactions.
    pub transactions: Counts,
    /// The policies, the one that the case is argued with first.
    pub policies: Vec<String>,
    /// Digest of the labels that were asked; those found are in the bundle.
    pub tag_set_digest: Option<String>,
    /// For each theft what the case file says and what the chain says.
    pub amounts: Vec<Amounts>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockAt {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: String,
}

/// A chain of headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// Height of the first.
    pub first: u32,
    /// Height of the last.
    pub last: u32,
    /// Hashes that were expected to be needed for all of them, in decimal.
    pub work: String,
}

/// Transactions by what they are there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// [`crate::evidence::Role::Passed`].
    pub passed: u64,
    /// [`crate::evidence::Role::Named`].
    pub named: u64,
    /// [`crate::evidence::Role::Source`].
    pub source: u64,
}

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// As the case file names the theft.
    pub theft: String,
    /// What the case file says.
    pub claimed_sat: Option<u64>,
    /// What the outputs are worth.
    pub chain_sat: u64,
}

impl Provenance {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::proof("provenance", error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
