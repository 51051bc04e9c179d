//! Documents of `chainhound watch`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use watch::{Frontier, StoredAlert, StoredWatch, in_words};

use super::{Body, Facts, Rows};

/// A watch.
#[derive(Debug, Serialize)]
pub(crate) struct WatchRow {
    name: String,
    /// What is watched; its `kind` is `trace`, `addresses` or `clusters`.
    question: Value,
    /// What happened up to this block is no news; `null`: everything is.
    since_height: Option<u32>,
    /// The block that frontier and alerts hold for; `null` before the first look.
    seen_height: Option<u32>,
    seen_hash: Option<String>,
    /// Number of alerts.
    alerts: u64,
    /// Why it could not be looked at.
    trouble: Option<String>,
}

impl WatchRow {
    pub(crate) fn of(watch: &StoredWatch) -> Self {
        Self {
            name: watch.name.clone(),
            question: serde_json::from_str(&watch.question).unwrap_or_default(),
            since_height: watch.anchor.map(|height| height.0),
            seen_height: watch.seen.map(|tip| tip.height.0),
            seen_hash: watch.seen.map(|tip| tip.hash.to_string()),
            alerts: watch.sequence,
            trouble: watch.trouble.clone(),
        }
    }

    fn kind(&self) -> &str {
        self.question.get("kind").and_then(Value::as_str).unwrap_or("?")
    }

    /// What is watched, in short.
    fn what(&self) -> String {
        let list = |key: &str| {
            let texts = self.question.get(key).and_then(Value::as_array).into_iter().flatten();
            texts.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        };
        match self.kind() {
            "trace" => list("roots"),
            _ => list("addresses"),
        }
    }

    fn list(&self, facts: &mut Facts) {
        facts.push("watch", &self.name);
        facts.push("kind", self.kind());
        facts.push("of", self.what());
        if let Some(policy) = self.question.get("policy").and_then(Value::as_str) {
            facts.push("policy", policy);
        }
        match self.since_height {
            Some(height) => facts.push("news after block", height),
            None => facts.push("news", "everything"),
        }
        match self.seen_height {
            Some(height) => facts.push("seen up to block", height),
            None => facts.push("seen", "not yet: `chainhound watch run` looks"),
        }
        facts.push("alerts", self.alerts);
        facts.push_some("trouble", self.trouble.as_ref());
    }
}

/// `chainhound.watch_add.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct WatchAddedDocument {
    pub(crate) watch: WatchRow,
}

impl Body for WatchAddedDocument {
    const SCHEMA: &'static str = "chainhound.watch_add.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        self.watch.list(&mut facts);
        facts.to_text()
    }
}

/// `chainhound.watch_list.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct WatchListDocument {
    pub(crate) watches: Vec<WatchRow>,
    /// By sink: alerts that have not arrived yet.
    pub(crate) undelivered: BTreeMap<String, u64>,
}

impl Body for WatchListDocument {
    const SCHEMA: &'static str = "chainhound.watch_list.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut rows = Rows::new(&["watch", "kind", ">seen", ">alerts", "of"], colour);
        for watch in &self.watches {
            rows.push([
                watch.name.clone(),
                watch.kind().to_owned(),
                watch.seen_height.map_or_else(|| "-".to_owned(), |height| height.to_string()),
                watch.alerts.to_string(),
                watch.trouble.clone().map_or_else(|| watch.what(), |why| format!("trouble: {why}")),
            ]);
        }
        let mut text = rows.to_text();
        for (sink, count) in self.undelivered.iter().filter(|(_, count)| **count > 0) {
            text += &format!("\n{count} alerts wait for {sink}\n");
        }
        text
    }
}

/// `chainhound.watch_show.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct WatchShowDocument {
    watch: WatchRow,
    frontier: Vec<FrontierRow>,
    value_sat: u64,
}

#[derive(Debug, Serialize)]
struct FrontierRow {
    txid: String,
    vout: u32,
    value_sat: u64,
    /// How much is stolen, at least; absent for a watched address.
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_sat: Option<u64>,
    /// The same, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_sat: Option<u64>,
}

impl WatchShowDocument {
    pub(crate) fn new(watch: &StoredWatch, frontier: &[Frontier]) -> Self {
        let row = |one: &Frontier| FrontierRow {
            txid: one.outpoint.txid.to_string(),
            vout: one.outpoint.vout,
            value_sat: one.value.0,
            lower_sat: one.taint.map(|(lower, _)| lower.0),
            upper_sat: one.taint.map(|(_, upper)| upper.0),
        };
        Self {
            watch: WatchRow::of(watch),
            frontier: frontier.iter().map(row).collect(),
            value_sat: frontier.iter().fold(0, |sum, one| sum.saturating_add(one.value.0)),
        }
    }
}

impl Body for WatchShowDocument {
    const SCHEMA: &'static str = "chainhound.watch_show.v1";

    fn to_table(&self, colour: bool) -> String {
        let bitcoin = |sat: u64| chain::Sats(sat).to_string();
        let mut facts = Facts::new(colour);
        self.watch.list(&mut facts);
        facts.push("waits for", format_args!("{} outputs", self.frontier.len()));
        let mut rows = Rows::new(&[">value", ">stolen", "output"], colour);
        for one in &self.frontier {
            let stolen = match (one.lower_sat, one.upper_sat) {
                (Some(lower), Some(upper)) if lower == upper => bitcoin(upper),
                (Some(lower), Some(upper)) => format!("{} to {}", bitcoin(lower), bitcoin(upper)),
                _ => "-".to_owned(),
            };
            rows.push([bitcoin(one.value_sat), stolen, format!("{}:{}", one.txid, one.vout)]);
        }
        let table = if self.frontier.is_empty() { String::new() } else { rows.to_text() };
        format!("{}\n{table}", facts.to_text())
    }
}

/// `chainhound.watch_alerts.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct WatchAlertsDocument {
    pub(crate) alerts: Vec<AlertRow>,
}

/// An alert, and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct AlertRow {
    /// The `chainhound.alert.v1`.
    alert: Value,
    acknowledged: bool,
    /// The alert that withdrew it or followed it up.
    ended_by: Option<String>,
    #[serde(skip)]
    words: String,
}

impl AlertRow {
    pub(crate) fn of(alert: &StoredAlert) -> Self {
        Self {
            alert: serde_json::from_str(&alert.body).unwrap_or_default(),
            acknowledged: alert.acknowledged,
            ended_by: alert.ended_by.clone(),
            words: in_words(&alert.body),
        }
    }
}

impl Body for WatchAlertsDocument {
    const SCHEMA: &'static str = "chainhound.watch_alerts.v1";

    fn to_table(&self, _colour: bool) -> String {
        let mut text = String::new();
        for row in &self.alerts {
            let mark = match (row.ended_by.is_some(), row.acknowledged) {
                (true, _) => "~",
                (false, true) => "✓",
                (false, false) => "!",
            };
            text += &format!("{mark} {}\n", row.words);
        }
        if text.is_empty() {
            text.push_str("no alerts\n");
        }
        text
    }
}
