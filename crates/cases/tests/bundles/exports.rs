//! What a bundle says in the formats of others: word for word, by its own rules, and as their programs read it.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use cases::{
    Label,
    export::{self, Format, Source, Tlp},
    results::{Amount, Line},
};
use chain::Network;
use serde_json::Value;

use crate::world::{case_of, unpack, world};

const STORY: &str = "[stops]\nat = ['service']\n[[source]]\nid = 'p'\n\
                     title = 'The police'\nurl = 'https://example.org/p'\nsays = 'It was \"likely\" them.'\n";

/// With a claim against the thief, and one that a cluster lends.
fn bundle(more: &str) -> Vec<u8> {
    let (chain, mut world) = world();
    let mut claim =
        |name: &str, label: Label| world.labels.push((chain.address(name).unwrap(), label));
    let thief = Label {
        label: "Hot wallet".to_owned(),
        source: "https://example.org/claim".to_owned(),
        confidence: 60,
        entity: "tradertraitor".to_owned(),
        category: Some("service_hack".to_owned()),
        ends: false,
        about: None,
        rule: None,
    };
    let lent = Label {
        about: Some("elsewhere".to_owned()),
        rule: Some("multi-input".to_owned()),
        ..thief.clone()
    };
    claim("thief", thief);
    claim("next", lent);
    let text = format!("victim = 'An exchange'\n{}", case_of(&chain, more));
    world.make(&text, None).unwrap().bytes
}

fn text(bytes: &[u8], format: Format) -> String {
    let text = export::write(&Source::read(bytes).unwrap(), format, Tlp::Green).unwrap();
    assert_eq!(text, export::write(&Source::read(bytes).unwrap(), format, Tlp::Green).unwrap());
    text
}

fn json(bytes: &[u8], format: Format) -> Value {
    serde_json::from_str(&text(bytes, format)).unwrap()
}

fn one_policy() -> Vec<u8> {
    bundle(&format!("{STORY}[trace]\npolicy = 'fifo'\nalternatives = []\n"))
}

#[test]
fn every_format_word_for_word() {
    let bytes = one_policy();
    insta::assert_snapshot!("stix", text(&bytes, Format::Stix));
    insta::assert_snapshot!("misp", text(&bytes, Format::Misp));
    insta::assert_snapshot!("tagpack", text(&bytes, Format::TagPack));
}

/// All ids that a value names.
fn references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(id) if name.ends_with("_ref") => into.push(id.clone()),
                    Value::Array(ids) if name.ends_with("_refs") => {
                        into.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                    }
                    value => references(value, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

fn is_uuid_v5_or_published(id: &str) -> bool {
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    let hex = id.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c));
    lengths == [8, 4, 4, 4, 12] && hex && ["4", "5"].contains(&&id[14..15])
}

#[test]
fn stix_ids_are_unique_and_every_reference_resolves() {
    let stix = json(&bundle(STORY), Format::Stix);
    let objects = stix["objects"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for object in objects {
        let id = object["id"].as_str().unwrap();
        let (kind, uuid) = id.split_once("--").unwrap();
        assert_eq!(object["type"], kind);
        assert!(is_uuid_v5_or_published(uuid), "{id}");
        assert!(ids.insert(id.to_owned()), "{id} twice");
    }
    let mut named = Vec::new();
    references(&stix, &mut named);
    assert!(named.len() > objects.len());
    for id in named {
        assert!(ids.contains(&id), "{id} is nowhere");
    }
    let report = objects.iter().find(|object| object["type"] == "report").unwrap();
    assert_eq!(report["object_refs"].as_array().unwrap().len(), objects.len() - 1);
}

#[test]
fn stix_amounts_are_those_of_the_results() {
    let bytes = bundle(STORY);
    let source = unpack(&bytes);
    let stix = json(&bytes, Format::Stix);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let mut flows = 0;
    for object in stix["objects"].as_array().unwrap() {
        let evidence = object["extensions"].as_object().into_iter().flatten();
        for (_, evidence) in evidence.filter(|(_, data)| data["network"] == "regtest") {
            for end in evidence["ends"].as_array().into_iter().flatten() {
                let sat = end["tainted_sat"].as_u64().or(end["upper_sat"].as_u64()).unwrap();
                *found.entry(end["policy"].as_str().unwrap().to_owned()).or_default() += sat;
            }
            flows += evidence["flows"].as_array().map_or(0, Vec::len);
        }
    }
    let (mut expected, mut steps) = (BTreeMap::new(), 0);
    for (name, bytes) in source {
        let Some(policy) = name.strip_prefix("results/") else { continue };
        let policy = policy.trim_end_matches(".jsonl").to_owned();
        let lines = cases::results::Results::read(std::str::from_utf8(&bytes).unwrap()).unwrap();
        for line in lines.lines {
            match line {
                Line::Leaf(leaf) if leaf.address.is_some() => {
                    let sat = match leaf.amount {
                        Amount::Exact { tainted_sat } => tainted_sat,
                        Amount::Between { upper_sat, .. } => upper_sat,
                        Amount::Unmeasured {} => 0,
                    };
                    *expected.entry(policy.clone()).or_default() += sat;
                }
                Line::Step(_) => steps += 1,
                _ => {}
            }
        }
    }
    assert_eq!(found, expected);
    assert_eq!((found.len(), flows), (6, steps));
}

/// Only of the address that received what was taken does a claim say who did it.
#[test]
fn claims_stay_claims() {
    let stix = json(&bundle(STORY), Format::Stix);
    let objects = stix["objects"].as_array().unwrap();
    let related = |kind: &str| {
        let of_kind = objects.iter().filter(move |object| object["relationship_type"] == kind);
        of_kind.collect::<Vec<_>>()
    };
    let attributed = related("attributed-to");
    assert_eq!(attributed.len(), 1);
    assert_eq!(attributed[0]["confidence"], 60);
    assert_eq!(attributed[0]["external_references"][0]["url"], "https://example.org/claim");
    for relationship in related("related-to") {
        assert!(relationship["confidence"].is_u64(), "{relationship}");
        assert!(["claim", "inference"].contains(&relationship["labels"][0].as_str().unwrap()));
    }
    assert!(related("related-to").iter().any(|one| one["labels"][0] == "inference"));
}

#[test]
fn misp_uuids_are_unique() {
    let event = json(&bundle(STORY), Format::Misp);
    let mut uuids = Vec::new();
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                into.extend(fields.get("uuid").map(|id| id.as_str().unwrap().to_owned()));
                fields.values().for_each(|value| collect(value, into));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
    collect(&event, &mut uuids);
    assert!(uuids.len() > 20 && uuids.iter().all(|id| is_uuid_v5_or_published(id)));
    assert_eq!(uuids.iter().collect::<BTreeSet<_>>().len(), uuids.len());
    assert_eq!(event["Event"]["Tag"][0]["name"], "tlp:green");
}

#[test]
fn a_tagpack_is_read_back_to_the_same_claims() {
    let yaml = text(&bundle(STORY), Format::TagPack);
    let document = intel::Document { name: "labels.yaml", bytes: yaml.as_bytes() };
    let import = intel::import(document, &intel::Settings::new(Network::Regtest)).unwrap();
    assert!(import.report.rejected.is_empty(), "{:?}", import.report);
    let mut said: Vec<_> = import
        .tags
        .iter()
        .map(|tag| {
            let said = &tag.statement;
            let level = intel::Confidence::of(&said.confidence).level;
            let kind = said.category.as_deref().or(said.abuse.as_deref()).unwrap();
            (said.label.as_str(), said.source.as_str(), level, kind, said.actor.as_deref())
        })
        .collect();
    said.sort_unstable();
    let expected = [
        ("A Shop", "a list", 70, "exchange", None),
        ("Hot wallet", "https://example.org/claim", 60, "service_hack", Some("tradertraitor")),
        ("Some Exchange", "a list", 70, "exchange", None),
    ];
    assert_eq!(said, expected);
}

const READERS: &str = r#"
import json, sys
import stix2
from pymisp import MISPEvent

@stix2.v21.CustomObservable("x-wallet", [("value", stix2.properties.StringProperty(required=True))],
                            id_contrib_props=["value"])
class Wallet: pass

text = open(sys.argv[1]).read()
# Bundles, relationships and reports take types of an extension only so; all else has to pass without.
bundle = stix2.parse(text, allow_custom=True)
for one in json.loads(text)["objects"]:
    stix2.parse(one, allow_custom=one["type"] in ("relationship", "report"))
assert len(bundle.objects) == len(json.loads(text)["objects"])
wallets = 0
for one in bundle.objects:
    if one["type"] == "cryptocurrency-wallet":
        wallets += 1
        assert one["id"].split("--")[1] == Wallet(value=one["value"]).id.split("--")[1], one["id"]
assert wallets > 3
event = MISPEvent()
event.load_file(sys.argv[2])
said = json.load(open(sys.argv[2]))["Event"]
assert len(event.objects) == len(said["Object"]) and event.uuid == said["uuid"]
again = json.loads(event.to_json())
assert [o["uuid"] for o in again["Object"]] == [o["uuid"] for o in said["Object"]]
assert [t["name"] for t in again["Tag"]] == ["tlp:green"]
print("read")
"#;

/// Python's `stix2` and `pymisp`, where `CHAINHOUND_EXPORT_PYTHON` names an interpreter that has them.
#[test]
fn other_programs_read_it() {
    let Some(python) = std::env::var_os("CHAINHOUND_EXPORT_PYTHON") else {
        eprintln!("skipped: CHAINHOUND_EXPORT_PYTHON names no Python with stix2 and pymisp");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let bytes = bundle(STORY);
    let files = [Format::Stix, Format::Misp].map(|format| {
        let path = dir.path().join(format.name());
        std::fs::write(&path, text(&bytes, format)).unwrap();
        path
    });
    let output = Command::new(python).args(["-c", READERS]).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
