//! Actors of a set, and what their names lead to.

use std::sync::Arc;

use super::{
    TagSet,
    claim::{PackRef, StatementRef},
    layout::Section,
    record::{ACTOR_WIDTH, ActorField, word},
};
use crate::{Actor, Alias, Membership, actor::folded_name};

/// Words of a record of names.
const NAME_WIDTH: usize = 4;

/// An actor as one pack describes it. Borrowed from its set; cheap to copy.
#[derive(Clone, Copy)]
pub struct ActorRef<'a> {
    set: &'a TagSet,
    number: u32,
}

/// An actor that a name may mean, and who says so.
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    /// The actor.
    pub actor: ActorRef<'a>,
    /// How the name names it.
    pub how: NamedAs,
    /// Who says so.
    pub source: &'a str,
}

/// How a name names an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAs {
    /// By its id.
    Id,
    /// By its usual name.
    Label,
    /// By another name.
    Alias,
}

impl<'a> ActorRef<'a> {
    fn word(self, field: ActorField) -> u32 {
        word(self.set.words(Section::Actors), ACTOR_WIDTH, self.number, field as usize)
    }

    fn text(self, field: ActorField) -> &'a str {
        self.set.string(self.word(field))
    }

    fn list(self, start: ActorField, len: ActorField) -> impl Iterator<Item = &'a str> {
        self.set.list(self.word(start), self.word(len))
    }

    fn pairs(self, start: ActorField, len: ActorField) -> Vec<(&'a str, &'a str)> {
        let flat: Vec<&str> = self.list(start, len).collect();
        flat.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect()
    }

    /// The id that tags refer to.
    pub fn id(self) -> &'a str {
        self.text(ActorField::Id)
    }

    /// Its usual name.
    pub fn label(self) -> &'a str {
        self.text(ActorField::Label)
    }

    /// Its address on the web, or the page that describes it.
    pub fn uri(self) -> &'a str {
        self.text(ActorField::Uri)
    }

    /// When the pack last changed it, as written there.
    pub fn lastmod(self) -> Option<&'a str> {
        self.set.some_string(self.word(ActorField::Lastmod))
    }

    /// Ids of the taxonomy, or unknown ones.
    pub fn categories(self) -> impl Iterator<Item = &'a str> {
        self.list(ActorField::CategoriesStart, ActorField::CategoriesLen)
    }

    /// Countries.
    pub fn jurisdictions(self) -> impl Iterator<Item = &'a str> {
        self.list(ActorField::JurisdictionsStart, ActorField::JurisdictionsLen)
    }

    /// Other names, each with who says so.
    pub fn aliases(self) -> Vec<(&'a str, &'a str)> {
        self.pairs(ActorField::AliasesStart, ActorField::AliasesLen)
    }

    /// Ids of actors that it belongs to, each with who says so.
    pub fn part_of(self) -> Vec<(&'a str, &'a str)> {
        self.pairs(ActorField::PartOfStart, ActorField::PartOfLen)
    }

    /// Anything else, by name.
    pub fn context(self) -> Vec<(&'a str, &'a str)> {
        self.pairs(ActorField::ContextStart, ActorField::ContextLen)
    }

    /// The pack it stands in.
    pub fn pack(self) -> PackRef<'a> {
        PackRef { set: self.set, number: self.word(ActorField::Pack) }
    }

    /// What tags say about it.
    pub fn statements(self) -> impl Iterator<Item = StatementRef<'a>> {
        self.set.by_actor(self.id())
    }

    /// The actor on its own.
    pub fn to_actor(self) -> Actor {
        let alias =
            |(name, source): (&str, &str)| Alias { name: name.into(), source: source.into() };
        let part = |(actor, source): (&str, &str)| Membership {
            actor: actor.into(),
            source: source.into(),
        };
        let context = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Actor {
            id: self.id().to_owned(),
            label: self.label().to_owned(),
            uri: self.uri().to_owned(),
            lastmod: self.lastmod().map(str::to_owned),
            categories: self.categories().map(str::to_owned).collect(),
            jurisdictions: self.jurisdictions().map(str::to_owned).collect(),
            aliases: self.aliases().into_iter().map(alias).collect(),
            part_of: self.part_of().into_iter().map(part).collect(),
            context: self.context().into_iter().map(context).collect(),
            pack: Arc::new(self.pack().to_pack()),
        }
    }
}

impl TagSet {
    /// Every description of an actor, by id.
    pub fn actors(&self) -> impl Iterator<Item = ActorRef<'_>> {
        let actors = self.words(Section::Actors).len() / ACTOR_WIDTH;
        (0..actors as u32).map(|number| ActorRef { set: self, number })
    }

    /// The descriptions of an actor, one for each pack that has it.
    pub fn actor(&self, id: &str) -> Vec<ActorRef<'_>> {
        let same = |naming: &Naming<'_>| naming.how == NamedAs::Id && naming.actor.id() == id;
        self.resolve(id).into_iter().filter(same).map(|naming| naming.actor).collect()
    }

    /// The actors that a name may mean, each with who says so: a set, because sources disagree. Case,
    /// spaces and punctuation do not matter.
    pub fn resolve(&self, name: &str) -> Vec<Naming<'_>> {
        let Some(folded) = self.find_string(&folded_name(name)) else { return Vec::new() };
        let names = self.words(Section::Names);
        let naming = |at: usize| {
            let how = match names.get(at * NAME_WIDTH + 2) {
                0 => NamedAs::Id,
                1 => NamedAs::Label,
                _ => NamedAs::Alias,
            };
            let actor = ActorRef { set: self, number: names.get(at * NAME_WIDTH + 1) };
            Naming { actor, how, source: self.string(names.get(at * NAME_WIDTH + 3)) }
        };
        self.run(Section::Names, NAME_WIDTH, folded).map(naming).collect()
    }
}
