//! ActorPacks: who the actors are that tags refer to.
//!
//! Schema: `graphsense-lib`, `tagpack/conf/actorpack_schema.yaml`. An alias there is a bare name,
//! so its source is the pack. Ours may also be a map `{name, source}`, and an actor may have
//! `part_of`, a list of `{actor, source}`: who says that it belongs to a larger one.

use std::sync::Arc;

use super::{Collector, Format, Import, NoteKind, Reason, Settings, fields::flag};
use crate::{
    Actor, Alias, IntelError, Membership, Pack, taxonomy,
    yaml::{Node, Value},
};

pub(super) fn read(
    name: &str,
    root: Option<&Node<'_>>,
    settings: &Settings,
) -> Result<Import, IntelError> {
    let mut into = Collector::new(name, Format::ActorPack, settings.network);
    let Some(root) = root else { return Ok(into.finish()) };
    let defaults = &settings.defaults;
    let header = |key: &str, default: &Option<String>| {
        root.get(key).and_then(text).or_else(|| default.clone())
    };
    let pack = Arc::new(Pack {
        title: header("title", &defaults.title).unwrap_or_default(),
        creator: header("creator", &defaults.creator).unwrap_or_default(),
        uri: header("uri", &defaults.uri),
        description: header("description", &defaults.description),
        owner: header("owner", &None),
        is_public: root.get("is_public").and_then(text).and_then(|text| flag(&text)),
    });
    let lastmod = header("lastmod", &defaults.lastmod);
    let actors = match root.get("actors") {
        Some(Node { value: Value::List(actors), .. }) => &**actors,
        Some(node) if node.is_null() => &[],
        other => {
            let (name, line) = (name.to_owned(), other.map_or(root.line, |node| node.line));
            let detail = "an ActorPack has a list 'actors'".to_owned();
            return Err(IntelError::Structure { name, line, detail });
        }
    };
    for node in actors {
        into.report.rows += 1;
        match actor(node, &pack, lastmod.as_deref()) {
            Ok(actor) => {
                for id in actor.categories.iter().filter(|id| !taxonomy::is_known(id)) {
                    into.note(NoteKind::UnknownConcept(id.clone()), node.line);
                }
                into.report.accepted += 1;
                into.actors.push(actor);
            }
            Err(reason) => into.reject(node.line, reason),
        }
    }
    Ok(into.finish())
}

fn actor(node: &Node<'_>, pack: &Arc<Pack>, lastmod: Option<&str>) -> Result<Actor, Reason> {
    let get = |key: &str| node.get(key).and_then(text);
    let mut context = Vec::new();
    for (key, value) in node.get("context").map(Node::entries).unwrap_or_default() {
        let key = key.text().unwrap_or_default();
        // GraphSense's pack repeats the aliases here.
        if key != "aliases" && !value.is_null() {
            context
                .push((key.to_owned(), value.text().map_or_else(|| value.json(), str::to_owned)));
        }
    }
    let mut actor = Actor {
        id: get("id").ok_or(Reason::Missing("id"))?,
        label: get("label").ok_or(Reason::Missing("label"))?,
        uri: get("uri").unwrap_or_default(),
        lastmod: get("lastmod").or_else(|| lastmod.map(str::to_owned)),
        categories: texts(node, "categories")?,
        jurisdictions: texts(node, "jurisdictions")?,
        aliases: sourced(node, "aliases", "name", pack, |name, source| Alias { name, source })?,
        part_of: sourced(node, "part_of", "actor", pack, |actor, source| Membership {
            actor,
            source,
        })?,
        context,
        pack: Arc::clone(pack),
    };
    actor.aliases.sort();
    actor.aliases.dedup();
    actor.part_of.sort();
    actor.part_of.dedup();
    Ok(actor)
}

fn text(node: &Node<'_>) -> Option<String> {
    let text = node.text().filter(|_| !node.is_null())?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A list of texts; also a single one.
fn texts(node: &Node<'_>, key: &str) -> Result<Vec<String>, Reason> {
    let shape = || Reason::Shape { field: key.to_owned(), expected: "a list of names" };
    let Some(node) = node.get(key).filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    match &node.value {
        Value::Scalar(..) => Ok(text(node).into_iter().collect()),
        Value::List(items) => items.iter().map(|item| text(item).ok_or_else(shape)).collect(),
        Value::Map(_) => Err(shape()),
    }
}

/// A list whose items are names, with the pack as their source, or maps with a source of their own.
fn sourced<T>(
    node: &Node<'_>,
    key: &str,
    inner: &str,
    pack: &Pack,
    make: impl Fn(String, String) -> T,
) -> Result<Vec<T>, Reason> {
    let shape = || Reason::Shape { field: key.to_owned(), expected: "a list of names" };
    let Some(node) = node.get(key).filter(|node| !node.is_null()) else { return Ok(Vec::new()) };
    if !matches!(node.value, Value::List(_)) {
        return Err(shape());
    }
    let items = node.items().iter().map(|item| {
        let (name, source) = match &item.value {
            Value::Map(_) => (item.get(inner).and_then(text), item.get("source").and_then(text)),
            _ => (text(item), None),
        };
        Ok(make(name.ok_or_else(shape)?, source.unwrap_or_else(|| pack.citation())))
    });
    items.collect()
}
