//! Packs, statements and actors as records of numbers, while a set is built.

use rustc_hash::FxHashMap;

use super::{
    layout::NONE,
    record::{ACTOR_WIDTH, PACK_WIDTH, STATEMENT_WIDTH, from_flag},
    strings::{Strings, small},
};
use crate::{Actor, IntelError, Pack, Statement, actor::folded_name};

/// Lists of numbers, each content once.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) words: Vec<u32>,
    known: FxHashMap<Vec<u32>, u32>,
}

impl Lists {
    /// Start and length of a list.
    fn put(&mut self, list: Vec<u32>) -> Result<[u32; 2], IntelError> {
        let len = small(list.len(), "items of a list")?;
        if let Some(start) = self.known.get(&list) {
            return Ok([*start, len]);
        }
        let start = small(self.words.len(), "items of lists")?;
        self.words.extend_from_slice(&list);
        self.known.insert(list, start);
        Ok([start, len])
    }
}

/// The names of actors, as they are looked up.
pub(super) struct Names(Vec<Name>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    folded: String,
    actor: u32,
    how: u32,
    source: String,
}

impl Names {
    pub(super) fn of(actors: &[&Actor]) -> Self {
        let mut names = Vec::new();
        for (number, actor) in (0..NONE).zip(actors) {
            let cited = actor.pack.citation();
            let own = [(&actor.id, 0, &cited), (&actor.label, 1, &cited)];
            let aliases = actor.aliases.iter().map(|alias| (&alias.name, 2, &alias.source));
            names.extend(own.into_iter().chain(aliases).map(|(name, how, source)| Name {
                folded: folded_name(name),
                actor: number,
                how,
                source: source.clone(),
            }));
        }
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Every text that the names need.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|name| [&*name.folded, &*name.source])
    }

    pub(super) fn records(&self, strings: &Strings<'_>) -> impl Iterator<Item = u32> {
        let record = |name: &Name| {
            [strings.get(&name.folded), name.actor, name.how, strings.get(&name.source)]
        };
        self.0.iter().flat_map(record)
    }
}

pub(super) fn add_statement<'a>(strings: &mut Strings<'a>, statement: &'a Statement) {
    let s = statement;
    strings.add_all([&*s.label, &*s.source, &*s.confidence, &*s.currency]);
    strings.add_all(s.all_concepts());
    let options = [&s.actor, &s.lastmod, &s.context, &s.tag_type];
    strings.add_all(options.into_iter().flatten().map(String::as_str));
    add_pack(strings, &s.pack);
}

pub(super) fn add_actor<'a>(strings: &mut Strings<'a>, actor: &'a Actor) {
    let a = actor;
    strings.add_all([&*a.id, &*a.label, &*a.uri]);
    strings.add_all(a.lastmod.as_deref());
    strings.add_all(a.categories.iter().chain(&a.jurisdictions).map(String::as_str));
    strings.add_all(a.aliases.iter().flat_map(|alias| [&*alias.name, &*alias.source]));
    strings.add_all(a.part_of.iter().flat_map(|part| [&*part.actor, &*part.source]));
    strings.add_all(a.context.iter().flat_map(|(key, value)| [&**key, &**value]));
    add_pack(strings, &a.pack);
}

fn add_pack<'a>(strings: &mut Strings<'a>, pack: &'a Pack) {
    strings.add_all([&*pack.title, &*pack.creator]);
    let options = [&pack.uri, &pack.description, &pack.owner];
    strings.add_all(options.into_iter().flatten().map(String::as_str));
}

/// In the order of [`PackField`](super::record::PackField).
pub(super) fn pack_record(pack: &Pack, strings: &Strings<'_>) -> [u32; PACK_WIDTH] {
    [
        strings.get(&pack.title),
        strings.get(&pack.creator),
        strings.some(pack.uri.as_deref()),
        strings.some(pack.description.as_deref()),
        strings.some(pack.owner.as_deref()),
        from_flag(pack.is_public),
    ]
}

/// In the order of [`StatementField`](super::record::StatementField).
pub(super) fn statement_record(
    s: &Statement,
    pack: u32,
    strings: &Strings<'_>,
    lists: &mut Lists,
) -> Result<[u32; STATEMENT_WIDTH], IntelError> {
    let [start, len] = lists.put(s.concepts.iter().map(|id| strings.get(id)).collect())?;
    Ok([
        strings.get(&s.label),
        strings.get(&s.source),
        strings.some(s.category.as_deref()),
        strings.some(s.abuse.as_deref()),
        start,
        len,
        strings.some(s.actor.as_deref()),
        strings.get(&s.confidence),
        strings.some(s.lastmod.as_deref()),
        from_flag(s.is_cluster_definer),
        strings.some(s.context.as_deref()),
        strings.some(s.tag_type.as_deref()),
        strings.get(&s.currency),
        pack,
    ])
}

/// In the order of [`ActorField`](super::record::ActorField).
pub(super) fn actor_record(
    a: &Actor,
    pack: u32,
    strings: &Strings<'_>,
    lists: &mut Lists,
) -> Result<[u32; ACTOR_WIDTH], IntelError> {
    let one = |texts: &[String]| texts.iter().map(|text| strings.get(text)).collect();
    let [c, c_len] = lists.put(one(&a.categories))?;
    let [j, j_len] = lists.put(one(&a.jurisdictions))?;
    let pair = |a: &str, b: &str| [strings.get(a), strings.get(b)];
    let aliases = a.aliases.iter().flat_map(|alias| pair(&alias.name, &alias.source));
    let [n, n_len] = lists.put(aliases.collect())?;
    let part_of = a.part_of.iter().flat_map(|part| pair(&part.actor, &part.source));
    let [p, p_len] = lists.put(part_of.collect())?;
    let context = a.context.iter().flat_map(|(key, value)| pair(key, value));
    let [x, x_len] = lists.put(context.collect())?;
    let (id, label, uri) = (strings.get(&a.id), strings.get(&a.label), strings.get(&a.uri));
    let lastmod = strings.some(a.lastmod.as_deref());
    Ok([id, label, uri, lastmod, pack, c, c_len, j, j_len, n, n_len, p, p_len, x, x_len])
}
