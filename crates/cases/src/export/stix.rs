//! STIX 2.1 (OASIS standard, 10 June 2021): wallets and transactions as observables, claims about them as
//! relationships with confidence and references, and a report that names all of it.
//!
//! Wallets and transactions are the publicly used new observables (github.com/muchdogesec/stix2extensions);
//! OASIS has none. What is ours, exact satoshis, policies and what each line rests on, is one property
//! extension, whose schema every bundle has in its extension definition.

use std::collections::BTreeMap;

use intel::taxonomy::{self, Role};
use serde_json::{Map, Value, json};

use super::{
    Source, Tlp,
    source::{Passed, Wallet, time},
    uuid::{OURS, STIX, Uuid},
};
use crate::{
    Error, Label, Result,
    results::{Line, Totals},
};

const WALLET: &str = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7";
const TRANSACTION: &str = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5";
const EVIDENCE: &str = "extension-definition--de921c22-3b3a-5f8c-9ea1-f7cae50550b9";
const EVIDENCE_SCHEMA: &str = include_str!("stix-evidence.schema.json");
/// Objects that are the same in every export were made at one time: that of bitcoin's first block.
const ALWAYS: &str = "2009-01-03T18:15:05.000Z";

/// A bundle.
pub(super) fn bundle(source: &Source, tlp: Tlp) -> Result<Value> {
    let mut making =
        Making { source, tlp, key: source.key(), objects: Vec::new(), said: BTreeMap::new() };
    making.frame();
    for (address, wallet) in &source.wallets {
        making.wallet(address, wallet)?;
    }
    for (txid, passed) in &source.transactions {
        making.transaction(txid, passed)?;
    }
    let campaign = making.campaign();
    making.claims(&campaign);
    making.report()?;
    let id = format!("bundle--{}", Uuid::of(OURS, &format!("bundle:{}", making.key)));
    Ok(json!({ "type": "bundle", "id": id, "objects": making.objects }))
}

struct Making<'a> {
    source: &'a Source,
    tlp: Tlp,
    key: String,
    objects: Vec<Value>,
    /// Who is meant, as type and name, and the labels that say so of which address.
    said: BTreeMap<(&'static str, String), Vec<(&'a str, &'a Label)>>,
}

impl<'a> Making<'a> {
    /// What is in every export: who made it, what our properties mean, and to whom it may go.
    fn frame(&mut self) {
        let tool = tool();
        self.objects.push(self.tlp.definition());
        self.objects.push(json!({
            "type": "identity", "spec_version": "2.1", "id": tool,
            "created": ALWAYS, "modified": ALWAYS,
            "name": "chainhound", "identity_class": "system",
        }));
        self.objects.push(json!({
            "type": "extension-definition", "spec_version": "2.1", "id": EVIDENCE,
            "created": ALWAYS, "modified": ALWAYS, "created_by_ref": tool,
            "name": "Evidence of a trace on the bitcoin chain",
            "description": "Exact amounts in satoshis under each policy, and for each line whether it is a \
                fact, an inference or a claim.",
            "schema": EVIDENCE_SCHEMA, "version": "1.0.0",
            "extension_types": ["property-extension"],
        }));
    }

    fn wallet(&mut self, address: &'a str, wallet: &'a Wallet) -> Result<()> {
        let labels: Vec<_> = wallet.labels.iter().map(label).collect();
        let mut ends = Vec::new();
        for (policy, leaf) in &wallet.leaves {
            ends.push(line(policy.name(), leaf, &["address", "labels"])?);
        }
        for label in &wallet.labels {
            let role = label.category.as_deref().and_then(taxonomy::role);
            let kind = if role == Some(Role::Abuse) { "intrusion-set" } else { "identity" };
            let who = (kind, label.entity.clone());
            self.said.entry(who).or_default().push((address, label));
        }
        self.push(json!({
            "type": "cryptocurrency-wallet", "spec_version": "2.1", "id": wallet_id(address),
            "value": address,
            "extensions": {
                WALLET: { "extension_type": "new-sco" },
                EVIDENCE: {
                    "extension_type": "property-extension",
                    "network": self.source.case.network.name(),
                    "basis": "fact",
                    "is_root": wallet.is_root,
                    "labels": labels,
                    "ends": ends,
                },
            },
        }));
        Ok(())
    }

    fn transaction(&mut self, txid: &str, passed: &Passed) -> Result<()> {
        let mut flows = Vec::new();
        for (policy, step) in &passed.steps {
            flows.push(line(policy.name(), step, &["txid", "height", "time"])?);
        }
        let side = |held: &BTreeMap<_, (Option<String>, u64)>| -> Vec<Value> {
            held.values().map(|(address, sat)| part(address.as_deref(), *sat)).collect()
        };
        let mined = passed.mined;
        let mut object = json!({
            "type": "cryptocurrency-transaction", "spec_version": "2.1",
            "id": transaction_id(txid),
            "symbol": "BTC", "value": txid,
            "extensions": {
                TRANSACTION: { "extension_type": "new-sco" },
                EVIDENCE: {
                    "extension_type": "property-extension",
                    "network": self.source.case.network.name(),
                    "basis": "fact",
                    "height": mined.and_then(|mined| mined.height),
                    "inputs_in_all": passed.in_all.0,
                    "outputs_in_all": passed.in_all.1,
                    "flows": flows,
                },
            },
        });
        let (inputs, outputs) = (side(&passed.inputs), side(&passed.outputs));
        let at = mined.and_then(|mined| mined.time).map(|at| json!(time(at)));
        let more = [("input", list(inputs)), ("output", list(outputs)), ("execution_time", at)];
        put(&mut object, more);
        self.push(object);
        Ok(())
    }

    /// The case itself, as those tell it whom its file cites.
    fn campaign(&mut self) -> String {
        let case = &self.source.case;
        let references: Vec<Value> = case
            .sources
            .iter()
            .map(|source| {
                let mut reference = json!({ "source_name": source.title });
                let url = source.url.as_ref().map(|url| json!(url));
                let says = source.says.as_ref().map(|says| json!(says));
                put(&mut reference, [("url", url), ("description", says)]);
                reference
            })
            .collect();
        let mut object = self.object("campaign", "case", &case.title);
        let first = json!(time(self.source.first));
        let notes = (!case.notes.is_empty()).then(|| json!(case.notes.join("\n")));
        put(
            &mut object,
            [
                ("first_seen", Some(first)),
                ("description", notes),
                ("external_references", list(references)),
            ],
        );
        let id = id_of(&object);
        self.push(object);
        if let Some(victim) = &case.victim {
            let mut object = self.object("identity", "victim", victim);
            put(
                &mut object,
                [("description", Some(json!("From whom it was taken, as the case file says.")))],
            );
            let victim = id_of(&object);
            self.push(object);
            self.relate(("targets", &id, &victim), "As the case file says.", None);
        }
        id
    }

    /// Whom labels name, and how each of their addresses comes to be called theirs.
    fn claims(&mut self, campaign: &str) {
        for ((kind, name), labels) in std::mem::take(&mut self.said) {
            let mut object = self.object(kind, "entity", &name);
            let mut seen: Vec<Value> = Vec::new();
            for (_, label) in &labels {
                let reference = reference(label);
                if !seen.contains(&reference) {
                    seen.push(reference);
                }
            }
            let best = labels.iter().map(|(_, label)| label.confidence).max().unwrap_or_default();
            let description = "A claim: the sources beside it say that addresses of this case are \
                               its own. No fact of the chain.";
            put(
                &mut object,
                [
                    ("confidence", Some(json!(best))),
                    ("description", Some(json!(description))),
                    ("external_references", list(seen)),
                    ("labels", Some(json!(["claim"]))),
                ],
            );
            let entity = id_of(&object);
            self.push(object);
            let mut by_address: BTreeMap<&str, &Label> = BTreeMap::new();
            for (address, label) in labels {
                let best = by_address.entry(address).or_insert(label);
                if label.confidence > best.confidence {
                    *best = label;
                }
            }
            let mut of_roots: Option<&Label> = None;
            for (address, label) in by_address {
                let is_root = self.source.wallets.get(address).is_some_and(|wallet| wallet.is_root);
                if is_root && of_roots.is_none_or(|best| label.confidence > best.confidence) {
                    of_roots = Some(label);
                }
                let text = said(label);
                self.relate(("related-to", &wallet_id(address), &entity), &text, Some(label));
            }
            // Whoever a source sees behind the address that got the loot did it, according to that source.
            if let (Some(label), "intrusion-set") = (of_roots, kind) {
                let text = format!("Of an address that received what was taken: {}", said(label));
                self.relate(("attributed-to", campaign, &entity), &text, Some(label));
            }
        }
    }

    fn report(&mut self) -> Result<()> {
        let source = self.source;
        let mut policies = Vec::new();
        for (policy, results) in &source.results {
            let mut bookings = Vec::new();
            let mut totals: Option<&Totals> = None;
            for line in &results.lines {
                match line {
                    Line::Booking(booking) => bookings.push(booking),
                    Line::Totals(sums) => totals = Some(sums),
                    _ => {}
                }
            }
            policies
                .push(json!({ "policy": policy.name(), "totals": totals, "bookings": bookings }));
        }
        let refs: Vec<String> = self.objects.iter().map(id_of).collect();
        let as_of = &source.provenance.as_of;
        let mut object = self.object("report", "case", &source.case.title);
        let description = format!(
            "A trace of stolen bitcoin on {}, as of block {} ({}). Amounts depend on the policy, so those of \
             all policies are given. A label is a claim of its source.",
            source.case.network, as_of.height, as_of.hash
        );
        put(
            &mut object,
            [
                ("description", Some(json!(description))),
                ("published", Some(json!(time(source.last)))),
                ("report_types", Some(json!(["campaign", "observed-data"]))),
                ("object_refs", Some(json!(refs))),
                (
                    "extensions",
                    Some(json!({ EVIDENCE: {
                        "extension_type": "property-extension",
                        "network": source.case.network.name(),
                        "as_of": as_of,
                        "results": policies,
                    }})),
                ),
            ],
        );
        self.push(object);
        Ok(())
    }

    /// A domain object with the properties that all of them have.
    fn object(&self, kind: &str, part: &str, name: &str) -> Value {
        let id = Uuid::of(OURS, &format!("{kind}:{}:{part}:{name}", self.key));
        json!({
            "type": kind, "spec_version": "2.1", "id": format!("{kind}--{id}"),
            "created": time(self.source.first), "modified": time(self.source.last),
            "created_by_ref": tool(), "name": name,
        })
    }

    fn relate(&mut self, what: (&str, &str, &str), text: &str, claim: Option<&Label>) {
        let (kind, from, to) = what;
        let id = Uuid::of(OURS, &format!("relationship:{}:{kind}:{from}:{to}", self.key));
        let mut object = json!({
            "type": "relationship", "spec_version": "2.1", "id": format!("relationship--{id}"),
            "created": time(self.source.first), "modified": time(self.source.last),
            "created_by_ref": tool(),
            "relationship_type": kind, "source_ref": from, "target_ref": to, "description": text,
        });
        put(
            &mut object,
            [
                ("confidence", claim.map(|label| json!(label.confidence))),
                ("external_references", claim.map(|label| json!([reference(label)]))),
                ("labels", claim.map(|label| json!([basis(label)]))),
            ],
        );
        self.push(object);
    }

    fn push(&mut self, mut object: Value) {
        put(&mut object, [("object_marking_refs", Some(json!([self.tlp.marking()])))]);
        self.objects.push(object);
    }
}

fn tool() -> String {
    format!("identity--{}", Uuid::of(OURS, "identity:chainhound"))
}

/// Id-contributing properties in their canonical form (RFC 8785), as section 2.9 wants it.
fn wallet_id(address: &str) -> String {
    let name = json!({ "value": address }).to_string();
    format!("cryptocurrency-wallet--{}", Uuid::of(STIX, &name))
}

fn transaction_id(txid: &str) -> String {
    let name = format!("{{\"symbol\":\"BTC\",\"value\":{}}}", json!(txid));
    format!("cryptocurrency-transaction--{}", Uuid::of(STIX, &name))
}

fn id_of(object: &Value) -> String {
    object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn put<const N: usize>(object: &mut Value, more: [(&str, Option<Value>); N]) {
    let Some(object) = object.as_object_mut() else { return };
    for (name, value) in more {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
}

/// STIX has no empty lists.
fn list(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then(|| json!(values))
}

/// An input or output. The public schema wants bitcoin as a number: the quotient is the double next to the
/// decimal, which prints as that decimal for every amount that there can be. Satoshis are in the flows.
fn part(address: Option<&str>, sat: u64) -> Value {
    let mut part = json!({ "amount": sat as f64 / 100_000_000.0 });
    put(&mut part, [("address_ref", address.map(|address| json!(wallet_id(address))))]);
    part
}

/// A line of results under a policy, without what stands around it already.
fn line(policy: &str, line: &impl serde::Serialize, without: &[&str]) -> Result<Value> {
    let failed = |error: serde_json::Error| Error::proof("a line of results", error);
    let value = serde_json::to_value(line).map_err(failed)?;
    let fields = match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let kept = fields.into_iter().filter(|(name, _)| !without.contains(&name.as_str()));
    let policy = ("policy".to_owned(), json!(policy));
    Ok(Value::Object(std::iter::once(policy).chain(kept).collect()))
}

fn basis(label: &Label) -> &'static str {
    if label.rule.is_some() { "inference" } else { "claim" }
}

fn label(label: &Label) -> Value {
    let mut value = json!(label);
    put(&mut value, [("basis", Some(json!(basis(label))))]);
    value
}

fn said(label: &Label) -> String {
    let Label { label: name, confidence, .. } = label;
    let who = label.said_by();
    match &label.rule {
        None => format!("Called '{name}' by {who}, confidence {confidence}."),
        Some(rule) => {
            format!("Called '{name}' by {who}, confidence {confidence}, carried over by {rule}.")
        }
    }
}

fn reference(label: &Label) -> Value {
    let name = if label.source.is_empty() { "not named" } else { &label.source };
    let mut reference = json!({
        "source_name": name,
        "description": format!("calls an address '{}'", label.label),
    });
    let web = ["http://", "https://"].iter().any(|start| name.starts_with(start));
    let url = (web && !name.contains(char::is_whitespace)).then(|| json!(name));
    put(&mut reference, [("url", url)]);
    reference
}
