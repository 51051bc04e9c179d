//! `chainhound.address.v1`.

use report::model::UtcTime;
use serde::Serialize;

use super::{
    Body, ClaimRow, ClusterField, ClusteringField, Facts, Lock, OutputFate, Rows,
    claims::claim_table, status::coins,
};

/// An address and a page of its history.
#[derive(Debug, Serialize)]
pub(crate) struct AddressDocument {
    /// The address, its kind, or its script.
    #[serde(flatten)]
    pub(crate) lock: Lock,
    /// Sums over the whole history; `null` with `--no-totals`.
    #[serde(flatten)]
    pub(crate) totals: Option<AddressTotals>,
    /// The cluster that it is in, an inference; `null` where no clustering is at hand.
    pub(crate) cluster: Option<AddressCluster>,
    /// What sources say about it; `null` where no labels are imported.
    pub(crate) tags: Option<Vec<ClaimRow>>,
    /// A page of what was received, newest first.
    pub(crate) history: Vec<Received>,
    /// For `--cursor`, where there is more.
    pub(crate) next_cursor: Option<String>,
}

/// The cluster of an address.
#[derive(Debug, Serialize)]
pub(crate) struct AddressCluster {
    #[serde(flatten)]
    pub(crate) cluster: ClusterField,
    #[serde(flatten)]
    pub(crate) clustering: ClusteringField,
}

/// Sums over the whole history.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct AddressTotals {
    /// What is there now, as far as known.
    pub(crate) balance_sat: u64,
    /// All that ever arrived.
    pub(crate) received_sat: u64,
    /// What left again.
    pub(crate) sent_sat: u64,
    /// Of what arrived: not known whether it is still there. Always 0 on a whole chain.
    pub(crate) unknown_sat: u64,
    /// Outputs that arrived.
    pub(crate) received_count: u64,
    /// Outputs that left again.
    pub(crate) sent_count: u64,
    /// Height of the first arrival.
    pub(crate) first_height: Option<u32>,
    /// Height of the last arrival or departure.
    pub(crate) last_height: Option<u32>,
}

/// An output that an address received.
#[derive(Debug, Serialize)]
pub(crate) struct Received {
    /// The transaction that made it.
    pub(crate) txid: String,
    /// Its place there.
    pub(crate) vout: u32,
    /// The height of that.
    pub(crate) height: Option<u32>,
    /// The time of that block.
    pub(crate) time: Option<UtcTime>,
    /// How much.
    pub(crate) value_sat: u64,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) fate: OutputFate,
}

impl Body for AddressDocument {
    const SCHEMA: &'static str = "chainhound.address.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        match (&self.lock.address, &self.lock.script) {
            (Some(address), _) => facts.push("address", address),
            (None, script) => facts.push_some("script", script.as_ref()),
        }
        facts.push("type", self.lock.script_type);
        if let Some(totals) = &self.totals {
            facts.push("balance", format!("{} BTC", coins(totals.balance_sat)));
            let (received, sent) = (coins(totals.received_sat), coins(totals.sent_sat));
            facts.push("received", format!("{received} BTC in {} outputs", totals.received_count));
            facts.push("sent", format!("{sent} BTC in {} outputs", totals.sent_count));
            if totals.unknown_sat > 0 {
                facts.push("unknown", format!("{} BTC", coins(totals.unknown_sat)));
            }
            if let (Some(first), Some(last)) = (totals.first_height, totals.last_height) {
                facts.push("active", format!("from block {first} to block {last}"));
            }
        }
        facts.push_some("cluster", self.cluster.as_ref().map(AddressCluster::shown));
        let tags = match self.tags.as_deref() {
            None | Some([]) => String::new(),
            Some(claims) => format!("\n{}", claim_table(claims, colour)),
        };
        let mut rows = Rows::new(&[">height", "time", ">BTC", "output", "status"], colour);
        for row in &self.history {
            rows.push([
                row.height.map_or_else(String::new, |height| height.to_string()),
                row.time.map_or_else(String::new, |time| time.to_string()),
                coins(row.value_sat),
                format!("{}:{}", row.txid, row.vout),
                row.fate.shown(),
            ]);
        }
        let mut text = format!("{}{tags}\n{}", facts.to_text(), rows.to_text());
        if let Some(cursor) = &self.next_cursor {
            text.push_str(&format!("\nmore with --cursor {cursor}\n"));
        }
        text
    }
}

impl AddressCluster {
    fn shown(&self) -> String {
        let ClusterField { cluster, addresses, .. } = self.cluster;
        let behind = self.clustering.behind();
        let unit = if addresses == 1 { "address" } else { "addresses" };
        format!("{cluster}, {addresses} {unit} (inference{behind})")
    }
}
