//! `chainhound.cluster_build.v1`, `cluster_show`, `cluster_why` and `cluster_diff`.

use analyze::cluster::{Basis as ClusterBasis, Guard};
use report::model::{Basis, UtcTime};
use serde::Serialize;

use super::{Body, ClaimRow, Facts, Lock, Rows, claims::claim_table, status::TipField};

/// Which clustering speaks, and as of when: an inference.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClusteringField {
    #[serde(flatten)]
    basis: Basis,
    /// The last block that it knows.
    clustering_tip: Option<TipField>,
    /// How many blocks the store has beyond that.
    stale_blocks: u32,
}

impl ClusteringField {
    /// What a clustering was made from, and how far behind it is.
    pub(crate) fn new(basis: &ClusterBasis, stale_blocks: u32) -> Self {
        Self {
            basis: Basis::Inference { heuristic: basis.rule.clone(), confidence: None },
            clustering_tip: basis.tip.map(Into::into),
            stale_blocks,
        }
    }

    /// `, as of block 7, 2 blocks behind`, where it is behind.
    pub(crate) fn behind(&self) -> String {
        let height = self.clustering_tip.as_ref().map_or(0, TipField::height);
        match self.stale_blocks {
            0 => String::new(),
            n => format!(", as of block {height}, {n} behind the store"),
        }
    }

    fn rule(&self) -> &str {
        match &self.basis {
            Basis::Inference { heuristic, .. } | Basis::InferenceFromClaim { heuristic, .. } => {
                heuristic
            }
            Basis::Fact | Basis::Claim { .. } => "",
        }
    }

    fn list(&self, facts: &mut Facts) {
        facts.push("rule", format!("{} (inference)", self.rule()));
        let height = self.clustering_tip.as_ref().map_or(0, TipField::height);
        let stale = match self.stale_blocks {
            0 => String::new(),
            1 => ", 1 block behind the store: `chainhound cluster build` takes it in".to_owned(),
            n => format!(", {n} blocks behind the store: `chainhound cluster build` takes them in"),
        };
        facts.push("as of", format!("block {height}{stale}"));
    }
}

/// A cluster.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClusterField {
    /// The number of its first address, which names it. Valid for this store and tip.
    pub(crate) cluster: u32,
    /// Its first address.
    pub(crate) first: Lock,
    /// How many addresses it has.
    pub(crate) addresses: u32,
}

impl ClusterField {
    fn shown(&self) -> String {
        format!("{} ({})", self.cluster, self.first.shown())
    }
}

/// `chainhound.cluster_build.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct BuildDocument {
    #[serde(flatten)]
    pub(crate) clustering: ClusteringField,
    /// `built`, `extended`, `rebuilt` or `unchanged`.
    pub(crate) how: &'static str,
    /// Why it was not gone on with: `asked`, `reorganised`, `other_guard`, `other_rules` or
    /// `far_behind`.
    pub(crate) because: Option<&'static str>,
    /// Blocks that it knows more than the clustering before.
    pub(crate) new_blocks: u32,
    /// Addresses of the store.
    pub(crate) addresses: u32,
    /// Clusters, those of one address included.
    pub(crate) clusters: u32,
    /// The largest, largest first.
    pub(crate) largest: Vec<ClusterField>,
    pub(crate) guard: GuardField,
    /// SHA-256 of the clustering: equal for equal ones.
    pub(crate) digest: String,
    /// Where it is kept.
    pub(crate) path: String,
}

/// What the supercluster guard found.
#[derive(Debug, Serialize)]
pub(crate) struct GuardField {
    large: u32,
    thin: u32,
    hold_back: bool,
    /// Transactions that join large clusters through few addresses, in chain order.
    findings: Vec<GuardFinding>,
}

/// A thin transaction between large clusters.
#[derive(Debug, Serialize)]
pub(crate) struct GuardFinding {
    /// The transaction.
    pub(crate) txid: String,
    /// Whether it joins nothing because of that.
    pub(crate) held_back: bool,
    /// The clusters that meet in it, as they were just before.
    pub(crate) parts: Vec<ClusterField>,
}

impl GuardField {
    /// A guard and what it found.
    pub(crate) fn new(guard: Guard, findings: Vec<GuardFinding>) -> Self {
        let Guard { large, thin, hold_back } = guard;
        Self { large, thin, hold_back, findings }
    }
}

impl Body for BuildDocument {
    const SCHEMA: &'static str = "chainhound.cluster_build.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        self.clustering.list(&mut facts);
        let how = match self.because {
            None => self.how.to_owned(),
            Some("asked") => format!("{}, as asked", self.how),
            Some("reorganised") => format!("{}: the chain was reorganised", self.how),
            Some("other_guard") => format!("{}: the guard is another", self.how),
            Some("other_rules") => format!("{}: CoinJoins have newer rules", self.how),
            Some(_) => format!("{}: it was far behind", self.how),
        };
        facts.push("done", format!("{how}, {} new blocks", self.new_blocks));
        facts.push("addresses", self.addresses);
        facts.push("clusters", self.clusters);
        for (rank, cluster) in self.largest.iter().enumerate() {
            let name = if rank == 0 { "largest" } else { "" };
            facts.push(name, format!("{} with {} addresses", cluster.shown(), cluster.addresses));
        }
        let held = self.guard.findings.iter().filter(|finding| finding.held_back).count();
        let found = self.guard.findings.len();
        facts.push("guard", format!("{found} thin merges of large clusters, {held} held back"));
        for finding in self.guard.findings.iter().take(GUARD_SHOWN) {
            let sizes: Vec<String> =
                finding.parts.iter().map(|part| part.addresses.to_string()).collect();
            let held = if finding.held_back { " (held back)" } else { "" };
            facts.push("", format!("{} joins {}{held}", finding.txid, sizes.join(" + ")));
        }
        facts.push("kept in", &self.path);
        facts.to_text()
    }
}

/// Findings of the guard in a table; JSON has all of them.
const GUARD_SHOWN: usize = 10;

/// `chainhound.cluster_show.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct ShowDocument {
    #[serde(flatten)]
    pub(crate) clustering: ClusteringField,
    #[serde(flatten)]
    pub(crate) cluster: ClusterField,
    /// A page of its addresses, in the order in which they appeared.
    pub(crate) members: Vec<Lock>,
    /// For `--cursor`, where there is more.
    pub(crate) next_cursor: Option<String>,
    /// What sources say about the whole cluster; `null` where no labels are imported.
    pub(crate) tags: Option<ClusterTags>,
}

/// Claims about the addresses of a cluster.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ClusterTags {
    /// Those that mean the whole cluster, each once.
    pub(crate) cluster: Vec<ClaimRow>,
    /// Those about single addresses of it. They say nothing about the others.
    pub(crate) addresses: Vec<AddressClaim>,
    /// Addresses with claims that are not listed.
    pub(crate) more: u64,
}

/// A claim about one address.
#[derive(Debug, Serialize)]
pub(crate) struct AddressClaim {
    /// Which.
    pub(crate) of: String,
    #[serde(flatten)]
    pub(crate) claim: ClaimRow,
}

impl Body for ShowDocument {
    const SCHEMA: &'static str = "chainhound.cluster_show.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("cluster", self.cluster.shown());
        facts.push("addresses", self.cluster.addresses);
        self.clustering.list(&mut facts);
        let mut text = facts.to_text() + "\n";
        for member in &self.members {
            text.push_str(&member.shown());
            text.push('\n');
        }
        if let Some(cursor) = &self.next_cursor {
            text.push_str(&format!("\nmore with --cursor {cursor}\n"));
        }
        if let Some(tags) = &self.tags {
            text.push_str(&tags.to_table(colour));
        }
        text
    }
}

impl ClusterTags {
    fn to_table(&self, colour: bool) -> String {
        let mut text = match self.cluster.as_slice() {
            [] => "\nno source says something about the whole cluster\n".to_owned(),
            claims => format!("\nabout the whole cluster:\n{}", claim_table(claims, colour)),
        };
        if !self.addresses.is_empty() {
            let mut rows = Rows::new(&["address", "claim", "who says so"], colour);
            for row in &self.addresses {
                let claim = &row.claim;
                rows.push([row.of.clone(), claim.label.clone(), claim.source.clone()]);
            }
            text.push_str(&format!("\nabout single addresses:\n{}", rows.to_text()));
        }
        if self.more > 0 {
            text.push_str(&format!("and {} more addresses with claims\n", self.more));
        }
        text
    }
}

/// `chainhound.cluster_why.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct WhyDocument {
    #[serde(flatten)]
    pub(crate) clustering: ClusteringField,
    /// `same`, `joined`, `apart` or `gave_up`.
    pub(crate) verdict: &'static str,
    /// One end.
    pub(crate) from: Lock,
    /// The other.
    pub(crate) to: Lock,
    /// The shortest chain of transactions between them, each an inference of its own.
    pub(crate) steps: Vec<StepRow>,
}

/// A transaction that joins two addresses.
#[derive(Debug, Serialize)]
pub(crate) struct StepRow {
    /// The transaction.
    pub(crate) txid: String,
    /// Its block's height.
    pub(crate) height: Option<u32>,
    /// Its block's time.
    pub(crate) time: Option<UtcTime>,
    /// One address.
    pub(crate) from: Lock,
    /// The other.
    pub(crate) to: Lock,
    #[serde(flatten)]
    pub(crate) basis: Basis,
}

impl Body for WhyDocument {
    const SCHEMA: &'static str = "chainhound.cluster_why.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        facts.push("from", self.from.shown());
        facts.push("to", self.to.shown());
        let verdict = match (self.verdict, self.steps.len()) {
            ("same", _) => "the same address".to_owned(),
            ("apart", _) => "NOT JOINED: they are in different clusters".to_owned(),
            ("gave_up", _) => "in one cluster; the search ended at its limit (--visits)".to_owned(),
            (_, 1) => "joined by 1 transaction".to_owned(),
            (_, n) => format!("joined by {n} transactions"),
        };
        facts.push("verdict", verdict);
        self.clustering.list(&mut facts);
        let mut text = facts.to_text();
        if self.steps.is_empty() {
            return text;
        }
        let mut rows = Rows::new(&[">height", "by", "joins", "with", "transaction"], colour);
        for step in &self.steps {
            let by = match &step.basis {
                Basis::Inference { heuristic, .. }
                | Basis::InferenceFromClaim { heuristic, .. } => heuristic.clone(),
                Basis::Fact | Basis::Claim { .. } => String::new(),
            };
            rows.push([
                step.height.map_or_else(String::new, |height| height.to_string()),
                by,
                step.from.shown(),
                step.to.shown(),
                step.txid.clone(),
            ]);
        }
        text.push_str(&format!("\n{}", rows.to_text()));
        text
    }
}

/// `chainhound.cluster_diff.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct DiffDocument {
    #[serde(flatten)]
    pub(crate) clustering: ClusteringField,
    /// The tip that it is compared with.
    pub(crate) before: Option<TipField>,
    /// Addresses that appeared since.
    pub(crate) new_addresses: u32,
    /// Of those, in a cluster with older ones.
    pub(crate) joined_old: u32,
    /// How many clusters are made of several that were apart.
    pub(crate) merge_count: u64,
    /// The largest of them.
    pub(crate) merges: Vec<Regrouped>,
    /// How many clusters fell apart: under another guard.
    pub(crate) split_count: u64,
    /// The largest of them.
    pub(crate) splits: Vec<Regrouped>,
}

/// A cluster, and those that it was made of or fell into.
#[derive(Debug, Serialize)]
pub(crate) struct Regrouped {
    /// The whole.
    #[serde(flatten)]
    pub(crate) whole: ClusterField,
    /// Its parts, largest first.
    pub(crate) parts: Vec<ClusterField>,
}

impl Body for DiffDocument {
    const SCHEMA: &'static str = "chainhound.cluster_diff.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        self.clustering.list(&mut facts);
        let height = self.before.as_ref().map_or(0, TipField::height);
        facts.push("compared with", format!("block {height}"));
        let (new, joined) = (self.new_addresses, self.joined_old);
        facts.push("new addresses", format!("{new}, {joined} of them in older clusters"));
        facts.push("merges", self.merge_count);
        facts.push("splits", self.split_count);
        let mut text = facts.to_text();
        for (title, all) in [("joined", &self.merges), ("split", &self.splits)] {
            if all.is_empty() {
                continue;
            }
            let mut rows = Rows::new(&[title, ">addresses", "parts"], colour);
            for row in all {
                let sizes: Vec<String> =
                    row.parts.iter().map(|part| part.addresses.to_string()).collect();
                let whole = row.whole.addresses.to_string();
                rows.push([row.whole.shown(), whole, sizes.join(" + ")]);
            }
            text.push_str(&format!("\n{}", rows.to_text()));
        }
        text
    }
}
