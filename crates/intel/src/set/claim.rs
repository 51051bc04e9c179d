//! What comes out of a set: claims, read in place.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    TagSet,
    actors::ActorRef,
    layout::{NONE, Section},
    record::{PACK_WIDTH, PackField, STATEMENT_WIDTH, StatementField, to_flag, word},
};
use crate::{Actor, Confidence, Pack, Statement, Subject, Tag, taxonomy::Role};

/// What a source says, without about whom. Borrowed from its set; cheap to copy.
#[derive(Clone, Copy)]
pub struct StatementRef<'a> {
    pub(super) set: &'a TagSet,
    pub(super) number: u32,
}

/// A claim: what a source says about a subject. Not a fact of the chain, and not an inference
/// from it. Borrowed from its set; cheap to copy.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    statement: StatementRef<'a>,
    subject: u32,
}

/// A pack whose tags or actors are in a set.
#[derive(Clone, Copy)]
pub struct PackRef<'a> {
    pub(super) set: &'a TagSet,
    pub(super) number: u32,
}

/// The claims about one subject, in the set's order. Often none.
#[derive(Clone)]
pub struct Claims<'a> {
    set: &'a TagSet,
    subject: u32,
    tags: std::ops::Range<usize>,
}

impl<'a> StatementRef<'a> {
    fn word(self, field: StatementField) -> u32 {
        word(self.set.words(Section::Statements), STATEMENT_WIDTH, self.number, field as usize)
    }

    fn text(self, field: StatementField) -> &'a str {
        self.set.string(self.word(field))
    }

    fn some_text(self, field: StatementField) -> Option<&'a str> {
        self.set.some_string(self.word(field))
    }

    /// Its place among the set's statements: the same number, the same statement of the same set.
    pub fn number(self) -> u32 {
        self.number
    }

    /// The name that the source gives.
    pub fn label(self) -> &'a str {
        self.text(StatementField::Label)
    }

    /// Where it comes from.
    pub fn source(self) -> &'a str {
        self.text(StatementField::Source)
    }

    /// The single sources of [`Self::source`].
    pub fn sources(self) -> impl Iterator<Item = &'a str> {
        self.source().split(" ; ").map(str::trim)
    }

    /// Kind of entity.
    pub fn category(self) -> Option<&'a str> {
        self.some_text(StatementField::Category)
    }

    /// Kind of abuse.
    pub fn abuse(self) -> Option<&'a str> {
        self.some_text(StatementField::Abuse)
    }

    /// Further concepts.
    pub fn concepts(self) -> impl Iterator<Item = &'a str> {
        let start = self.word(StatementField::ConceptsStart);
        self.set.list(start, self.word(StatementField::ConceptsLen))
    }

    /// Category, abuse and concepts.
    pub fn all_concepts(self) -> impl Iterator<Item = &'a str> {
        [self.category(), self.abuse()].into_iter().flatten().chain(self.concepts())
    }

    /// The roles of all concepts that the taxonomy knows.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        self.all_concepts().filter_map(crate::taxonomy::role)
    }

    /// Whether one of the concepts has this role.
    pub fn has_role(self, role: Role) -> bool {
        self.roles().any(|found| found == role)
    }

    /// Id of the actor.
    pub fn actor(self) -> Option<&'a str> {
        self.some_text(StatementField::Actor)
    }

    /// How the set's packs describe the actor; several where several packs do, none where none does.
    pub fn actors(self) -> Vec<ActorRef<'a>> {
        self.actor().map(|id| self.set.actor(id)).unwrap_or_default()
    }

    /// How far the source is trusted.
    pub fn confidence(self) -> Confidence<'a> {
        Confidence::of(self.text(StatementField::Confidence))
    }

    /// When the source last changed it, as written there.
    pub fn lastmod(self) -> Option<&'a str> {
        self.some_text(StatementField::Lastmod)
    }

    /// What the source says about the whole cluster; see [`Self::defines_cluster`].
    pub fn is_cluster_definer(self) -> Option<bool> {
        to_flag(self.word(StatementField::IsClusterDefiner))
    }

    /// Whether the label may be carried over to the whole cluster of the address. Never for mixers
    /// and CoinJoins, whatever the source says: those are addresses of people who took part, and
    /// public packs mark 36,548 of them as defining a cluster.
    pub fn defines_cluster(self) -> bool {
        self.is_cluster_definer() == Some(true) && !self.has_role(Role::Mixing)
    }

    /// Anything else that the source adds, often JSON.
    pub fn context(self) -> Option<&'a str> {
        self.some_text(StatementField::Context)
    }

    /// Kind of tag.
    pub fn tag_type(self) -> Option<&'a str> {
        self.some_text(StatementField::TagType)
    }

    /// Ticker of what is held there.
    pub fn currency(self) -> &'a str {
        self.text(StatementField::Currency)
    }

    /// The pack it stands in.
    pub fn pack(self) -> PackRef<'a> {
        PackRef { set: self.set, number: self.word(StatementField::Pack) }
    }

    /// The claims that say this, one for each subject.
    pub fn claims(self) -> impl ExactSizeIterator<Item = Claim<'a>> {
        let range = self.set.words(Section::StatementEnds).range(self.number as usize);
        let subjects = self.set.words(Section::StatementSubjects);
        range.map(move |at| Claim { statement: self, subject: subjects.get(at) })
    }

    /// The statement on its own.
    pub fn to_statement(self) -> Statement {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Statement {
            label: self.label().to_owned(),
            source: self.source().to_owned(),
            category: owned(self.category()),
            abuse: owned(self.abuse()),
            concepts: self.concepts().map(str::to_owned).collect(),
            actor: owned(self.actor()),
            confidence: self.confidence().id.to_owned(),
            lastmod: owned(self.lastmod()),
            is_cluster_definer: self.is_cluster_definer(),
            context: owned(self.context()),
            tag_type: owned(self.tag_type()),
            currency: self.currency().to_owned(),
            pack: Arc::new(self.pack().to_pack()),
        }
    }
}

impl<'a> Claim<'a> {
    /// About whom.
    pub fn subject(self) -> Option<Subject> {
        let set = self.statement.set;
        Subject::from_key(set.kind_of(self.subject)?, set.subject_bytes(self.subject))
    }

    /// What is said.
    pub fn statement(self) -> StatementRef<'a> {
        self.statement
    }
}

/// A claim says what its statement says.
impl<'a> std::ops::Deref for Claim<'a> {
    type Target = StatementRef<'a>;

    fn deref(&self) -> &StatementRef<'a> {
        &self.statement
    }
}

impl<'a> PackRef<'a> {
    fn word(self, field: PackField) -> u32 {
        word(self.set.words(Section::Packs), PACK_WIDTH, self.number, field as usize)
    }

    /// Its title.
    pub fn title(self) -> &'a str {
        self.set.string(self.word(PackField::Title))
    }

    /// Who made it.
    pub fn creator(self) -> &'a str {
        self.set.string(self.word(PackField::Creator))
    }

    /// Where it can be had.
    pub fn uri(self) -> Option<&'a str> {
        self.set.some_string(self.word(PackField::Uri))
    }

    /// The pack on its own.
    pub fn to_pack(self) -> Pack {
        let owned = |field| self.set.some_string(self.word(field)).map(str::to_owned);
        Pack {
            title: self.title().to_owned(),
            creator: self.creator().to_owned(),
            uri: owned(PackField::Uri),
            description: owned(PackField::Description),
            owner: owned(PackField::Owner),
            is_public: to_flag(self.word(PackField::IsPublic)),
        }
    }
}

impl<'a> Claims<'a> {
    pub(super) fn of(set: &'a TagSet, subject: Option<u32>) -> Self {
        let tags = subject.map(|number| set.words(Section::TagEnds).range(number as usize));
        Self { set, subject: subject.unwrap_or(NONE), tags: tags.unwrap_or_default() }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// The claims, those with the highest confidence first; among equals in the set's order.
    pub fn ranked(self) -> Vec<Claim<'a>> {
        let mut claims: Vec<Claim<'a>> = self.collect();
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.confidence().level));
        claims
    }
}

impl<'a> Iterator for Claims<'a> {
    type Item = Claim<'a>;

    fn next(&mut self) -> Option<Claim<'a>> {
        let number = self.set.words(Section::TagStatements).get(self.tags.next()?);
        let statement = StatementRef { set: self.set, number };
        Some(Claim { statement, subject: self.subject })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.tags.size_hint()
    }
}

impl ExactSizeIterator for Claims<'_> {}

impl TagSet {
    /// Every claim, by subject.
    pub fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        let subjects = self.words(Section::SubjectEnds).len() as u32;
        (0..subjects).flat_map(|subject| Claims::of(self, Some(subject)))
    }

    /// The packs that tags and actors come from, by title.
    pub fn packs(&self) -> impl Iterator<Item = PackRef<'_>> {
        let packs = self.words(Section::Packs).len() / PACK_WIDTH;
        (0..packs as u32).map(|number| PackRef { set: self, number })
    }

    /// The strings of a list.
    pub(super) fn list(&self, start: u32, len: u32) -> impl Iterator<Item = &str> {
        let words = self.words(Section::Lists);
        // A list of a damaged set ends with the section.
        let (start, len) = (start as usize, (len as usize).min(words.len()));
        (start..start + len).map(move |at| self.string(words.get(at)))
    }

    /// Everything, taken apart for a builder.
    pub(super) fn to_parts(&self) -> (Vec<Tag>, Vec<Actor>) {
        let mut packs: FxHashMap<u32, Arc<Pack>> = FxHashMap::default();
        let mut pack = |pack: PackRef<'_>| {
            Arc::clone(packs.entry(pack.number).or_insert_with(|| Arc::new(pack.to_pack())))
        };
        let count = self.counts().statements as u32;
        let statement = |number| {
            let statement = StatementRef { set: self, number };
            Arc::new(Statement { pack: pack(statement.pack()), ..statement.to_statement() })
        };
        let statements: Vec<Arc<Statement>> = (0..count).map(statement).collect();
        let tag = |claim: Claim<'_>| {
            let statement = Arc::clone(statements.get(claim.statement.number as usize)?);
            Some(Tag { subject: claim.subject()?, statement })
        };
        let tags = self.claims().filter_map(tag).collect();
        let actors =
            self.actors().map(|actor| Actor { pack: pack(actor.pack()), ..actor.to_actor() });
        (tags, actors.collect())
    }
}
