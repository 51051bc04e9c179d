//! An event of MISP, in the JSON that instances exchange (MISP core format, RFC draft). Objects are the public
//! templates `coin-address` and `btc-transaction`.

use serde_json::{Value, json};

use super::{
    Source, Tlp,
    source::{Passed, Wallet, time},
    uuid::{OURS, Uuid},
};
use crate::{Label, Result, results::Amount};

/// An event. It is neither published nor shared: whoever imports it decides that.
pub(super) fn event(source: &Source, tlp: Tlp) -> Result<Value> {
    let making = Making { source, key: source.key() };
    let mut objects = Vec::new();
    for (address, wallet) in &source.wallets {
        objects.push(making.wallet(address, wallet));
    }
    for (txid, passed) in &source.transactions {
        objects.push(making.transaction(txid, passed));
    }
    let day: String = time(source.first).chars().take(10).collect();
    Ok(json!({ "Event": {
        "uuid": making.id("event", ""),
        "info": source.case.title,
        "date": day,
        "timestamp": source.last.to_string(),
        "published": false,
        // Undefined, completed, this organisation only.
        "threat_level_id": "4",
        "analysis": "2",
        "distribution": "0",
        "Tag": [{ "name": format!("tlp:{}", tlp.name()) }],
        "Attribute": [making.attribute("event", "text", "text", &about(source), "")],
        "Object": objects,
    }}))
}

fn about(source: &Source) -> String {
    let as_of = &source.provenance.as_of;
    format!(
        "A trace of stolen bitcoin on {}, as of block {} ({}). Amounts depend on the policy. A label is a \
         claim of its source.",
        source.case.network, as_of.height, as_of.hash
    )
}

struct Making<'a> {
    source: &'a Source,
    key: String,
}

impl Making<'_> {
    fn wallet(&self, address: &str, wallet: &Wallet) -> Value {
        let mut lines = Vec::new();
        if wallet.is_root {
            lines.push("fact: received what was taken".to_owned());
        }
        for (policy, leaf) in &wallet.leaves {
            lines.push(format!(
                "{}: under {policy} {} ends here at {}:{}, {} ({})",
                leaf.basis.name(),
                amount(leaf.amount),
                leaf.txid,
                leaf.vout,
                leaf.stop_reason,
                leaf.status
            ));
        }
        lines.extend(wallet.labels.iter().map(said));
        let text = lines.join("\n");
        let comment = lines.first().map_or("", String::as_str);
        let of = format!("coin-address:{address}");
        // Only a script that is no address is not of the type that MISP checks.
        let (relation, kind) = match address.starts_with("script:") {
            true => ("address-crypto", "text"),
            false => ("address", "btc"),
        };
        let mut attributes = vec![
            self.attribute(&of, relation, kind, address, comment),
            self.attribute(&of, "symbol", "text", "BTC", ""),
        ];
        if !text.is_empty() {
            attributes.push(self.attribute(&of, "text", "text", &text, ""));
        }
        json!({
            "uuid": self.id("object", &of),
            "name": "coin-address",
            "meta-category": "financial",
            "description": "An address used in a cryptocurrency",
            "template_uuid": "d0e6997e-78da-4815-a6a1-cfc1c1cb8a46",
            "template_version": "7",
            "timestamp": self.source.last.to_string(),
            "comment": comment,
            "Attribute": attributes,
        })
    }

    /// The template has no place for a txid, so the comment has it.
    fn transaction(&self, txid: &str, passed: &Passed) -> Value {
        let of = format!("btc-transaction:{txid}");
        let sum: u64 =
            passed.outputs.values().map(|(_, sat)| sat).fold(0, |a, b| a.saturating_add(*b));
        let comment = format!("transaction {txid}; value of the outputs that are in the trace");
        let mut attributes = vec![self.attribute(&of, "value_BTC", "float", &btc(sum), &comment)];
        if let Some(at) = passed.mined.and_then(|mined| mined.time) {
            attributes.push(self.attribute(&of, "time", "datetime", &time(at), ""));
        }
        let mut addresses: Vec<&String> =
            passed.outputs.values().filter_map(|(address, _)| address.as_ref()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        for address in addresses.into_iter().filter(|address| !address.starts_with("script:")) {
            attributes.push(self.attribute(&of, "btc-address", "btc", address, "receives here"));
        }
        json!({
            "uuid": self.id("object", &of),
            "name": "btc-transaction",
            "meta-category": "financial",
            "description": "An object to describe a Bitcoin transaction. Best to be used with bitcoin-wallet.",
            "template_uuid": "b7341729-5a8a-439f-a775-6d814da3c7b5",
            "template_version": "2",
            "timestamp": self.source.last.to_string(),
            "comment": comment,
            "Attribute": attributes,
        })
    }

    fn attribute(&self, of: &str, relation: &str, kind: &str, value: &str, comment: &str) -> Value {
        let category = if kind == "btc" { "Financial fraud" } else { "Other" };
        json!({
            "uuid": self.id("attribute", &format!("{of}:{relation}:{value}")),
            "object_relation": relation,
            "type": kind,
            "category": category,
            "value": value,
            "comment": comment,
            "to_ids": false,
            "timestamp": self.source.last.to_string(),
            "distribution": "5",
        })
    }

    fn id(&self, kind: &str, name: &str) -> String {
        Uuid::of(OURS, &format!("misp:{kind}:{}:{name}", self.key)).to_string()
    }
}

fn said(label: &Label) -> String {
    let basis = if label.rule.is_some() { "inference" } else { "claim" };
    let (name, confidence) = (&label.label, label.confidence);
    format!("{basis}: called '{name}' by {}, confidence {confidence}", label.said_by())
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Exact { tainted_sat } => format!("{} BTC", btc(tainted_sat)),
        Amount::Between { lower_sat, upper_sat } => {
            format!("{} to {} BTC", btc(lower_sat), btc(upper_sat))
        }
        Amount::Unmeasured {} => "an amount".to_owned(),
    }
}

/// Eight places, exactly.
fn btc(sat: u64) -> String {
    format!("{}.{:08}", sat / 100_000_000, sat % 100_000_000)
}
