//! A set as TagPacks and ActorPacks again: one document per pack. Reading them back gives the same
//! set, with the same digest.

use std::{collections::BTreeMap, sync::Arc};

use chain::Network;

use crate::{Actor, Pack, Statement, Subject, Tag, TagSet, TagSetBuilder, yaml::quoted};

/// A document to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// A file name made of the pack's title, unique in this export.
    pub name: String,
    /// The content.
    pub yaml: String,
}

/// The packs of a set for which `is_meant` says so, in the order of their titles.
pub fn export(set: &TagSet, mut is_meant: impl FnMut(&Pack) -> bool) -> Vec<Exported> {
    let mut packs: BTreeMap<Pack, (Vec<Tag>, Vec<Actor>)> = BTreeMap::new();
    let (tags, actors) = TagSetBuilder::from_set(set).into_parts();
    for tag in tags {
        match packs.get_mut(&*tag.statement.pack) {
            Some((tags, _)) => tags.push(tag),
            None => {
                let pack = Pack::clone(&tag.statement.pack);
                packs.insert(pack, (vec![tag], Vec::new()));
            }
        }
    }
    for actor in actors {
        packs.entry(Pack::clone(&actor.pack)).or_default().1.push(actor);
    }
    let (mut documents, mut used) = (Vec::new(), BTreeMap::new());
    for (pack, (tags, actors)) in packs {
        if !is_meant(&pack) {
            continue;
        }
        if !tags.is_empty() {
            let name = file_name(&pack, "tagpack", &mut used);
            documents.push(Exported { name, yaml: tag_pack(&pack, &tags, set.network()) });
        }
        if !actors.is_empty() {
            let name = file_name(&pack, "actorpack", &mut used);
            documents.push(Exported { name, yaml: actor_pack(&pack, &actors) });
        }
    }
    documents
}

/// A title as a file name: letters and digits, the rest as `-`; numbered where it repeats.
fn file_name(pack: &Pack, kind: &str, used: &mut BTreeMap<String, u32>) -> String {
    let mut stem = String::new();
    for c in pack.title.chars().take(60) {
        if c.is_ascii_alphanumeric() {
            stem.push(c.to_ascii_lowercase());
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = if stem.is_empty() { "untitled" } else { stem.trim_end_matches('-') };
    let stem = format!("{stem}.{kind}");
    let count = used.entry(stem.clone()).or_insert(0);
    *count += 1;
    if *count == 1 { format!("{stem}.yaml") } else { format!("{stem}-{count}.yaml") }
}

type Entries = Vec<(&'static str, String)>;

fn header(pack: &Pack) -> Entries {
    let mut entries = vec![("title", scalar(&pack.title)), ("creator", scalar(&pack.creator))];
    let texts = [("uri", &pack.uri), ("description", &pack.description), ("owner", &pack.owner)];
    entries.extend(texts.into_iter().filter_map(|(key, text)| Some((key, scalar(text.as_ref()?)))));
    entries.extend(pack.is_public.map(|flag| ("is_public", flag.to_string())));
    entries
}

fn tag_pack(pack: &Pack, tags: &[Tag], own: Network) -> String {
    // Thousands of tags share a statement, so each is written once.
    let mut said: BTreeMap<*const Statement, Entries> = BTreeMap::new();
    for tag in tags {
        said.entry(Arc::as_ptr(&tag.statement)).or_insert_with(|| statement(&tag.statement));
    }
    // What all tags say goes to the header, and then not to each tag.
    let mut shared = said.values().next().cloned().unwrap_or_default();
    for entries in said.values() {
        shared.retain(|entry| entries.contains(entry));
    }
    for entries in said.values_mut() {
        entries.retain(|entry| !shared.contains(entry));
    }
    let mut networks = tags.iter().map(network);
    let first = networks.next().flatten();
    let one_network = first.filter(|first| networks.all(|other| other == Some(first)));
    shared.extend(one_network.map(|network| ("network", scalar(network))));

    let mut out = String::new();
    for (key, value) in header(pack).iter().chain(&shared) {
        out.push_str(&format!("{key}: {value}\n"));
    }
    out.push_str("tags:\n");
    for tag in tags {
        out.push_str(&format!("- {}: {}\n", subject_key(tag), scalar(&tag.subject.text(own))));
        if let (None, Some(network)) = (one_network, network(tag)) {
            out.push_str(&format!("  network: {}\n", scalar(network)));
        }
        for (key, value) in said.get(&Arc::as_ptr(&tag.statement)).into_iter().flatten() {
            out.push_str(&format!("  {key}: {value}\n"));
        }
    }
    out
}

fn subject_key(tag: &Tag) -> &'static str {
    match &tag.subject {
        Subject::Script(_) | Subject::Elsewhere { .. } => "address",
        Subject::Tx(_) | Subject::TxElsewhere { .. } => "tx_hash",
        Subject::CoinbaseText(_) => "coinbase_text",
    }
}

/// The network, where the currency does not name it.
fn network(tag: &Tag) -> Option<&str> {
    let currency = tag.statement.currency.as_str();
    let network = match &tag.subject {
        Subject::Script(_) | Subject::Tx(_) => "BTC",
        Subject::Elsewhere { network, .. } | Subject::TxElsewhere { network, .. } => network,
        Subject::CoinbaseText(_) => currency,
    };
    (network != currency || crate::address::is_token(currency)).then_some(network)
}

fn statement(s: &Statement) -> Entries {
    let mut entries = vec![
        ("currency", scalar(&s.currency)),
        ("label", scalar(&s.label)),
        ("source", scalar(&s.source)),
        ("confidence", scalar(&s.confidence)),
    ];
    for (key, text) in [
        ("category", &s.category),
        ("abuse", &s.abuse),
        ("actor", &s.actor),
        ("lastmod", &s.lastmod),
        ("context", &s.context),
        ("tag_type", &s.tag_type),
    ] {
        entries.extend(text.as_ref().map(|text| (key, scalar(text))));
    }
    if !s.concepts.is_empty() {
        entries.push(("concepts", list(&s.concepts)));
    }
    entries.extend(s.is_cluster_definer.map(|flag| ("is_cluster_definer", flag.to_string())));
    entries
}

fn actor_pack(pack: &Pack, actors: &[Actor]) -> String {
    let mut out = String::new();
    for (key, value) in header(pack) {
        out.push_str(&format!("{key}: {value}\n"));
    }
    out.push_str("actors:\n");
    for actor in actors {
        out.push_str(&format!("- id: {}\n", scalar(&actor.id)));
        let mut line = |key: &str, value: String| out.push_str(&format!("  {key}: {value}\n"));
        line("label", scalar(&actor.label));
        line("uri", scalar(&actor.uri));
        if let Some(lastmod) = &actor.lastmod {
            line("lastmod", scalar(lastmod));
        }
        line("categories", list(&actor.categories));
        line("jurisdictions", list(&actor.jurisdictions));
        let sourced = |key: &str, name: &str, source: &str| {
            format!("{{{key}: {}, source: {}}}", scalar(name), scalar(source))
        };
        let aliases: Vec<String> =
            actor.aliases.iter().map(|alias| sourced("name", &alias.name, &alias.source)).collect();
        if !aliases.is_empty() {
            line("aliases", format!("[{}]", aliases.join(", ")));
        }
        let part_of: Vec<String> =
            actor.part_of.iter().map(|part| sourced("actor", &part.actor, &part.source)).collect();
        if !part_of.is_empty() {
            line("part_of", format!("[{}]", part_of.join(", ")));
        }
        if !actor.context.is_empty() {
            line("context", String::new());
            for (key, value) in &actor.context {
                out.push_str(&format!("    {}: {}\n", scalar(key), scalar(value)));
            }
        }
    }
    out
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Text as a YAML scalar: bare where nobody could take it for anything else.
fn scalar(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let word = !text.is_empty()
        && text.len() < 100
        && text.chars().all(harmless)
        && text.chars().any(|c| c.is_ascii_alphabetic())
        // Hexadecimal, octal and exponential numbers begin with a digit.
        && !(text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text.len() < 25);
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    if word && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}
