//! The labels that a case met, as a TagPack, which `chainhound tags import` and GraphSense read.

use std::sync::Arc;

use intel::{CONFIDENCES, Import, Pack, Report, Statement, Subject, Tag, TagSetBuilder, taxonomy};

use super::Source;
use crate::{Error, Label, Result};

/// Words for a level that say nothing about where a claim is from, which a bundle does not keep.
const NEUTRAL: [&str; 7] =
    ["override", "high", "trusted_provider", "medium", "low", "heuristic", "unknown"];

const DESCRIPTION: &str = "Labels of addresses that the traces of a case reached. A bundle keeps of a \
    confidence its level only: the word here is one of that level, and says nothing about the kind of the \
    source.";

/// What sources say about addresses that the traces reached; without what clusters lend, which is said
/// about other addresses.
pub(super) fn pack(source: &Source) -> Result<String> {
    let failed = |error: intel::IntelError| Error::proof("the labels", error);
    let network = source.case.network;
    let pack = Arc::new(Pack {
        title: format!("Labels of the case: {}", source.case.title),
        creator: "chainhound case export".to_owned(),
        description: Some(DESCRIPTION.to_owned()),
        ..Pack::default()
    });
    let mut tags = Vec::new();
    for (script, labels) in source.labels.iter() {
        for label in labels.iter().filter(|label| label.rule.is_none()) {
            let subject = Subject::Script(script.to_owned());
            tags.push(Tag { subject, statement: Arc::new(statement(label, &pack)) });
        }
    }
    if tags.is_empty() {
        return Err(Error::Question("no label was met, so there is nothing to export".to_owned()));
    }
    let rows = tags.len() as u64;
    let report = Report {
        name: pack.title.clone(),
        format: intel::Format::TagPack,
        rows,
        accepted: rows,
        rejected: Vec::new(),
        notes: Vec::new(),
    };
    let import = Import { network, tags, actors: Vec::new(), report };
    let mut builder = TagSetBuilder::new(network);
    builder.add(&import).map_err(failed)?;
    let set = builder.build().map_err(failed)?;
    let documents = intel::export(&set, |found| *found == *pack);
    Ok(documents.into_iter().map(|document| document.yaml).collect())
}

fn statement(label: &Label, pack: &Arc<Pack>) -> Statement {
    let role = label.category.as_deref().and_then(taxonomy::role);
    let (abuse, category) = match role {
        Some(taxonomy::Role::Abuse) => (label.category.clone(), None),
        _ => (None, label.category.clone()),
    };
    Statement {
        label: label.label.clone(),
        source: label.source.clone(),
        category,
        abuse,
        concepts: Vec::new(),
        actor: (label.entity != label.label).then(|| label.entity.clone()),
        confidence: confidence(label.confidence).to_owned(),
        lastmod: None,
        is_cluster_definer: None,
        context: None,
        tag_type: None,
        currency: "BTC".to_owned(),
        pack: Arc::clone(pack),
    }
}

/// An id of the scale with this level; where there is none, the best one below it.
fn confidence(level: u8) -> &'static str {
    let level_of = |id: &str| intel::Confidence::of(id).level;
    if let Some(id) = NEUTRAL.into_iter().find(|id| level_of(id) == level) {
        return id;
    }
    let below = CONFIDENCES.iter().filter(|(_, known, _)| *known <= level);
    below.max_by_key(|(_, known, _)| *known).map_or("unlisted", |(id, _, _)| id)
}
