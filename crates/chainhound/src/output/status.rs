//! Documents about the store as a whole.

use chain::{Sats, Tip};
use serde::Serialize;
use store::Counts;

use super::{Body, Facts};

/// How many of everything.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sizes {
    /// Blocks of the best chain, genesis included.
    pub(crate) blocks: u32,
    /// Transactions, coinbases included.
    pub(crate) transactions: u32,
    /// Inputs that spend an output; a coinbase has none.
    pub(crate) inputs: u64,
    /// Outputs of every kind.
    pub(crate) outputs: u64,
    /// Distinct locking scripts, data carriers left out; `null` where they are not counted.
    pub(crate) addresses: Option<u32>,
}

impl From<Counts> for Sizes {
    fn from(counts: Counts) -> Self {
        Self {
            blocks: counts.blocks,
            transactions: counts.transactions,
            inputs: counts.inputs,
            outputs: counts.outputs,
            addresses: Some(counts.addresses),
        }
    }
}

impl Sizes {
    fn list(&self, facts: &mut Facts) {
        facts.push("blocks", self.blocks);
        facts.push("transactions", self.transactions);
        facts.push("inputs", self.inputs);
        facts.push("outputs", self.outputs);
        facts.push_some("addresses", self.addresses);
    }
}

/// A tip as documents show it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TipField {
    height: u32,
    hash: String,
}

impl TipField {
    /// The height.
    pub(crate) const fn height(&self) -> u32 {
        self.height
    }
}

impl From<Tip> for TipField {
    fn from(tip: Tip) -> Self {
        Self { height: tip.height.0, hash: tip.hash.to_string() }
    }
}

/// `chainhound.status.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct StatusDocument {
    /// The network's name.
    pub(crate) network: &'static str,
    /// The last block.
    pub(crate) tip: Option<TipField>,
    /// What there is.
    #[serde(flatten)]
    pub(crate) sizes: Sizes,
    /// Bytes on disk.
    pub(crate) bytes: u64,
    /// Where.
    pub(crate) path: String,
    /// `store` or `sparse`; the provenance says it in JSON.
    #[serde(skip)]
    pub(crate) kind: &'static str,
}

impl Body for StatusDocument {
    const SCHEMA: &'static str = "chainhound.status.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("network", self.network);
        facts.push("source", format!("{} {}", self.kind, self.path));
        facts.push("tip", tip_text(self.tip.as_ref()));
        self.sizes.list(&mut facts);
        facts.push("bytes", bytes_text(self.bytes, self.sizes.transactions));
        facts.to_text()
    }
}

/// `chainhound.index.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct IndexDocument {
    /// The network's name.
    pub(crate) network: &'static str,
    /// The last block now.
    pub(crate) tip: Option<TipField>,
    /// Blocks appended in this run.
    pub(crate) appended: u64,
    /// Blocks taken back in this run.
    pub(crate) rolled_back: u64,
    /// Whether it was stopped before the end.
    pub(crate) stopped: bool,
    /// What there is now.
    #[serde(flatten)]
    pub(crate) sizes: Sizes,
    /// Where.
    pub(crate) path: String,
}

impl Body for IndexDocument {
    const SCHEMA: &'static str = "chainhound.index.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("network", self.network);
        facts.push("store", &self.path);
        facts.push("tip", tip_text(self.tip.as_ref()));
        facts.push("appended", format!("{} blocks", self.appended));
        if self.rolled_back > 0 {
            facts.push("taken back", format!("{} blocks", self.rolled_back));
        }
        self.sizes.list(&mut facts);
        facts.to_text()
    }
}

/// `chainhound.index.v1`, of single transactions.
#[derive(Debug, Serialize)]
pub(crate) struct SparseDocument {
    /// The network's name.
    pub(crate) network: &'static str,
    /// The last block that any of them is known to be in.
    pub(crate) tip: Option<TipField>,
    /// Files kept.
    pub(crate) files: u64,
    /// Of those, new in this run.
    pub(crate) added: u64,
    /// Transactions now, with those known only as the source of somebody's input.
    pub(crate) transactions: u32,
    /// Where.
    pub(crate) path: String,
}

impl Body for SparseDocument {
    const SCHEMA: &'static str = "chainhound.index.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("network", self.network);
        facts.push("sparse", &self.path);
        facts.push("files", format!("{}, {} of them new", self.files, self.added));
        facts.push("transactions", self.transactions);
        facts.to_text()
    }
}

/// `chainhound.store_check.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct CheckDocument {
    /// Whether nothing is wrong.
    pub(crate) good: bool,
    /// How many things are wrong.
    pub(crate) found: u64,
    /// The first of them.
    pub(crate) findings: Vec<String>,
    /// What was checked.
    #[serde(flatten)]
    pub(crate) sizes: Sizes,
    /// Where.
    pub(crate) path: String,
}

impl Body for CheckDocument {
    const SCHEMA: &'static str = "chainhound.store_check.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("store", &self.path);
        self.sizes.list(&mut facts);
        let verdict = match self.found {
            0 => "good: every checksum and every cross-reference agrees".to_owned(),
            found => format!("DAMAGED: {found} findings"),
        };
        facts.push("verdict", verdict);
        let mut text = facts.to_text();
        for finding in &self.findings {
            text.push_str(&format!("  {finding}\n"));
        }
        if self.found > self.findings.len() as u64 {
            text.push_str(&format!("  and {} more\n", self.found - self.findings.len() as u64));
        }
        text
    }
}

/// `chainhound.store_inspect.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct InspectDocument {
    /// The format that this release writes.
    pub(crate) format_version: u32,
    /// The last block.
    pub(crate) tip: Option<TipField>,
    /// What there is.
    #[serde(flatten)]
    pub(crate) sizes: Sizes,
    /// Sum of all files.
    pub(crate) bytes: u64,
    /// The files, by name.
    pub(crate) files: Vec<FileSize>,
    /// Where.
    pub(crate) path: String,
}

/// A file of the store.
#[derive(Debug, Serialize)]
pub(crate) struct FileSize {
    /// Below the store's directory.
    pub(crate) name: String,
    /// Its length.
    pub(crate) bytes: u64,
}

impl Body for InspectDocument {
    const SCHEMA: &'static str = "chainhound.store_inspect.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("store", &self.path);
        facts.push("format", self.format_version);
        facts.push("tip", tip_text(self.tip.as_ref()));
        self.sizes.list(&mut facts);
        facts.push("bytes", bytes_text(self.bytes, self.sizes.transactions));
        let mut rows = super::Rows::new(&["file", ">bytes", ">a transaction"], colour);
        for file in &self.files {
            let each = per(file.bytes, self.sizes.transactions);
            rows.push([file.name.clone(), file.bytes.to_string(), each]);
        }
        format!("{}\n{}", facts.to_text(), rows.to_text())
    }
}

/// An amount as tables show it: bitcoin with eight decimals.
pub(super) fn coins(sat: u64) -> String {
    Sats(sat).to_string()
}

fn tip_text(tip: Option<&TipField>) -> String {
    tip.map_or_else(|| "none".to_owned(), |tip| format!("{} {}", tip.height, tip.hash))
}

fn bytes_text(bytes: u64, transactions: u32) -> String {
    match transactions {
        0 => bytes.to_string(),
        n => format!("{bytes} ({} a transaction)", per(bytes, n)),
    }
}

/// The quotient with one decimal.
fn per(bytes: u64, transactions: u32) -> String {
    let tenths = bytes.saturating_mul(10) / u64::from(transactions.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}
