//! What labels say of an address, and which rule each claim counts for.

use std::collections::BTreeSet;

use intel::{Claim, Claims, TagSet};

use crate::{
    rules::{Rules, TaggedRule},
    verdict::{Basis, Reason, Verdict},
};

/// The rule of claims that no other rule fits: they are shown.
pub(crate) const LABELLED: &str = "labelled";
/// How far memberships are followed from an actor to the group that it is part of.
const MOST_MEMBERSHIPS: usize = 8;

/// One reason for each claim, the most trusted first. `way` leads from the target to the subject of the claims.
pub(crate) fn reasons(
    claims: Claims<'_>,
    rules: &Rules,
    tags: &TagSet,
    address: Option<&str>,
    way: &[String],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for claim in claims.ranked() {
        let (rule, verdict, mut steps) = judge(claim, rules, tags);
        let kinds = kinds(claim);
        let detail = match kinds.is_empty() {
            true => format!("called '{}'", claim.label()),
            false => format!("called '{}' ({kinds})", claim.label()),
        };
        let mut path = way.to_vec();
        path.push(format!("{detail} by {}", claim.source()));
        path.append(&mut steps);
        reasons.push(Reason {
            rule,
            verdict,
            basis: Basis::Claim {
                source: claim.source().to_owned(),
                confidence: claim.confidence().level,
                lastmod: claim.lastmod().map(str::to_owned),
            },
            address: address.map(str::to_owned),
            detail,
            path,
        });
    }
    reasons
}

/// The first rule that fits a claim, what it says, and the steps from the claim to what it is about.
pub(crate) fn judge(
    claim: Claim<'_>,
    rules: &Rules,
    tags: &TagSet,
) -> (String, Verdict, Vec<String>) {
    let level = claim.confidence().level;
    let rule = &rules.sanctioned;
    if let Some(verdict) = rule.verdict.verdict()
        && level >= rule.min_confidence
        && (claim.all_concepts().any(|id| has(&rule.concepts, id))
            || rule.sources.iter().any(|text| claim.source().contains(text.as_str())))
    {
        return ("sanctioned".to_owned(), verdict, Vec::new());
    }
    let rule = &rules.sanctioned_actor;
    if let Some(verdict) = rule.verdict.verdict()
        && level >= rule.min_confidence
        && let Some(actor) = claim.actor()
        && let Some(steps) = way_to(tags, actor, &rule.concepts)
    {
        return ("sanctioned_actor".to_owned(), verdict, steps);
    }
    for rule in &rules.tagged {
        if let Some(verdict) = rule.verdict.verdict()
            && level >= rule.min_confidence
            && fits(rule, claim)
        {
            return (rule.id.clone(), verdict, Vec::new());
        }
    }
    (LABELLED.to_owned(), Verdict::Allow, Vec::new())
}

fn fits(rule: &TaggedRule, claim: Claim<'_>) -> bool {
    claim.all_concepts().any(|id| has(&rule.concepts, id))
        || claim.roles().any(|role| rule.roles.contains(&role))
}

/// The shortest way from an actor to one that a pack describes by one of these concepts: itself, or
/// a group that it is part of. Each step says who says so.
fn way_to(tags: &TagSet, actor: &str, concepts: &[String]) -> Option<Vec<String>> {
    let mut seen = BTreeSet::from([actor.to_owned()]);
    let mut wave = vec![(actor.to_owned(), vec![format!("actor {actor}")])];
    for _ in 0..MOST_MEMBERSHIPS {
        let mut next = Vec::new();
        for (id, way) in wave {
            let descriptions = tags.actor(&id);
            for description in &descriptions {
                if let Some(kind) = description.categories().find(|kind| has(concepts, kind)) {
                    let mut way = way;
                    way.push(format!("{id} is under '{kind}' in {}", description.pack().title()));
                    return Some(way);
                }
            }
            for (group, source) in descriptions.iter().flat_map(|actor| actor.part_of()) {
                if seen.insert(group.to_owned()) {
                    let mut way = way.clone();
                    way.push(format!("{id} is part of {group}, according to {source}"));
                    next.push((group.to_owned(), way));
                }
            }
        }
        wave = next;
    }
    None
}

fn has(concepts: &[String], id: &str) -> bool {
    concepts.iter().any(|concept| concept == id)
}

/// Category, abuse and concepts, each once.
fn kinds(claim: Claim<'_>) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in claim.all_concepts() {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(", ")
}
