//! From imports to a set: strings, packs, statements and subjects sorted and numbered, each once,
//! and the tables that find them.

use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

use chain::Network;

use super::{
    TagSet,
    encode::{Lists, Names, actor_record, add_actor, add_statement, pack_record, statement_record},
    hashing,
    layout::{self, NONE, Section},
    strings::{Strings, small},
};
use crate::{Actor, Import, IntelError, Pack, Statement, Tag, tag::Kind};

/// Collects tags and actors for a new set.
pub struct TagSetBuilder {
    network: Network,
    tags: Vec<Tag>,
    actors: Vec<Actor>,
}

impl TagSetBuilder {
    /// Nothing yet.
    pub fn new(network: Network) -> Self {
        Self { network, tags: Vec::new(), actors: Vec::new() }
    }

    /// Everything that a set holds, to add to it or take from it.
    pub fn from_set(set: &TagSet) -> Self {
        let (tags, actors) = set.to_parts();
        Self { network: set.network(), tags, actors }
    }

    /// Adds what an import took. The same tag again changes nothing.
    ///
    /// # Errors
    /// [`IntelError::OtherNetwork`] where the import was made for another network.
    pub fn add(&mut self, import: &Import) -> Result<&mut Self, IntelError> {
        if import.network != self.network {
            let (found, expected) = (import.network, self.network);
            return Err(IntelError::OtherNetwork { found, expected });
        }
        self.tags.extend_from_slice(&import.tags);
        self.actors.extend_from_slice(&import.actors);
        Ok(self)
    }

    /// Takes out every tag and actor of the packs for which `is_meant` says so: an older edition
    /// before the newer one is added, for example. Returns how many tags went.
    pub fn remove_packs(&mut self, mut is_meant: impl FnMut(&Pack) -> bool) -> u64 {
        let before = self.tags.len();
        self.tags.retain(|tag| !is_meant(&tag.statement.pack));
        self.actors.retain(|actor| !is_meant(&actor.pack));
        (before - self.tags.len()) as u64
    }

    /// The tags and actors collected so far.
    pub(crate) fn into_parts(self) -> (Vec<Tag>, Vec<Actor>) {
        (self.tags, self.actors)
    }

    /// The set.
    ///
    /// # Errors
    /// [`IntelError::Full`] beyond 2³² of anything.
    pub fn build(&self) -> Result<TagSet, IntelError> {
        TagSet::from_bytes(self.bytes()?)
    }

    fn bytes(&self) -> Result<Vec<u8>, IntelError> {
        let mut sections: [Vec<u8>; Section::COUNT] = Default::default();
        let mut put = |section: Section, bytes: Vec<u8>| {
            if let Some(place) = sections.get_mut(section as usize) {
                *place = bytes;
            }
        };
        // The same statement comes from several documents; afterwards each is known by its place.
        let mut places: FxHashMap<&Statement, usize> = FxHashMap::default();
        let mut statements: Vec<&Statement> = Vec::new();
        let mut by_pointer: FxHashMap<*const Statement, usize> = FxHashMap::default();
        let mut tags: Vec<(Kind, Vec<u8>, usize)> = Vec::with_capacity(self.tags.len());
        for tag in &self.tags {
            let place = *by_pointer.entry(Arc::as_ptr(&tag.statement)).or_insert_with(|| {
                *places.entry(&*tag.statement).or_insert_with(|| {
                    statements.push(&tag.statement);
                    statements.len() - 1
                })
            });
            let (kind, key) = tag.subject.key();
            tags.push((kind, key, place));
        }
        let mut actors: Vec<&Actor> = self.actors.iter().collect();
        actors.sort_unstable();
        actors.dedup();

        let folded: Vec<String> =
            statements.iter().map(|statement| statement.label.to_lowercase()).collect();
        let names = Names::of(&actors);
        let mut strings = Strings::default();
        statements.iter().for_each(|statement| add_statement(&mut strings, statement));
        actors.iter().for_each(|actor| add_actor(&mut strings, actor));
        strings.add_all(folded.iter().map(String::as_str));
        strings.add_all(names.texts());
        let (ends, bytes) = strings.number()?;
        put(Section::StringEnds, words(ends));
        put(Section::StringBytes, bytes);

        let mut lists = Lists::default();
        let of_tags = statements.iter().map(|statement| &statement.pack);
        let packs: FxHashSet<&Pack> =
            of_tags.chain(actors.iter().map(|actor| &actor.pack)).map(|pack| &**pack).collect();
        let mut packs: Vec<&Pack> = packs.into_iter().collect();
        packs.sort_unstable();
        let pack_number: FxHashMap<&Pack, u32> = packs.iter().copied().zip(0..).collect();
        put(Section::Packs, words(packs.iter().flat_map(|pack| pack_record(pack, &strings))));

        // Statements in the order of their records; `rank` leads from place to number.
        let mut records = Vec::with_capacity(statements.len());
        let mut order: Vec<usize> = (0..statements.len()).collect();
        order.sort_unstable_by(|a, b| statements.get(*a).cmp(&statements.get(*b)));
        let mut rank = vec![0; statements.len()];
        let (mut labels, mut concepts, mut actor_tags) = (Vec::new(), Vec::new(), Vec::new());
        for (number, place) in (0..NONE).zip(order) {
            let (Some(statement), Some(folded)) = (statements.get(place), folded.get(place)) else {
                continue;
            };
            if let Some(rank) = rank.get_mut(place) {
                *rank = number;
            }
            let pack = pack_number.get(&*statement.pack).copied().unwrap_or(NONE);
            records.extend(statement_record(statement, pack, &strings, &mut lists)?);
            labels.push([strings.get(folded), number]);
            concepts.extend(statement.all_concepts().map(|id| [strings.get(id), number]));
            actor_tags.extend(statement.actor.iter().map(|id| [strings.get(id), number]));
        }
        put(Section::Statements, words(records));
        for (section, mut pairs) in [
            (Section::Labels, labels),
            (Section::Concepts, concepts),
            (Section::ActorTags, actor_tags),
        ] {
            pairs.sort_unstable();
            pairs.dedup();
            put(section, words(pairs.into_iter().flatten()));
        }

        let mut records = Vec::new();
        for actor in &actors {
            let pack = pack_number.get(&*actor.pack).copied().unwrap_or(NONE);
            records.extend(actor_record(actor, pack, &strings, &mut lists)?);
        }
        put(Section::Actors, words(records));
        put(Section::Names, words(names.records(&strings)));
        put(Section::Lists, words(lists.words));

        let count = statements.len();
        let tags = tags
            .into_iter()
            .map(|(kind, key, place)| (kind, key, rank.get(place).copied().unwrap_or_default()));
        let subjects = Subjects::of(tags.collect(), count)?;
        subjects.put_into(&mut put);
        Ok(layout::assemble(self.network, sections))
    }
}

fn words(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Subjects, their tags and their hash table.
struct Subjects {
    kind_ends: Vec<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
    tag_ends: Vec<u32>,
    tag_statements: Vec<u32>,
    bucket_ends: Vec<u32>,
    bucket_entries: Vec<u32>,
    statement_ends: Vec<u32>,
    statement_subjects: Vec<u32>,
}

impl Subjects {
    fn of(mut tags: Vec<(Kind, Vec<u8>, u32)>, statements: usize) -> Result<Self, IntelError> {
        tags.sort_unstable();
        tags.dedup();
        small(tags.len(), "tags")?;
        let mut kind_ends = vec![0; Kind::ALL.len()];
        let (mut ends, mut bytes) = (Vec::new(), Vec::new());
        let (mut tag_ends, mut tag_statements) = (Vec::new(), Vec::with_capacity(tags.len()));
        let mut hashes: Vec<(u64, u32)> = Vec::new();
        let mut by_statement = Vec::with_capacity(tags.len());
        for same in tags.chunk_by(|a, b| (a.0, &a.1) == (b.0, &b.1)) {
            let Some((kind, key, _)) = same.first() else { continue };
            let subject = small(ends.len(), "subjects")?;
            bytes.extend_from_slice(key);
            ends.push(small(bytes.len(), "bytes of addresses")?);
            tag_statements.extend(same.iter().map(|(_, _, statement)| *statement));
            tag_ends.push(tag_statements.len() as u32);
            by_statement.extend(same.iter().map(|(_, _, statement)| (*statement, subject)));
            hashes.push((hashing::hash(*kind, key), subject));
            kind_ends.iter_mut().skip(*kind as usize).for_each(|end| *end = subject + 1);
        }
        let buckets = hashing::buckets(hashes.len());
        hashes.sort_unstable();
        let bucket_ends =
            ends_of(buckets, hashes.iter().map(|(hash, _)| hashing::bucket(*hash, buckets)));
        let bucket_entries =
            hashes.iter().flat_map(|(hash, subject)| [*hash as u32, *subject]).collect();
        by_statement.sort_unstable();
        let statement_ends =
            ends_of(statements, by_statement.iter().map(|(statement, _)| *statement as usize));
        let statement_subjects = by_statement.into_iter().map(|(_, subject)| subject).collect();
        Ok(Self {
            kind_ends,
            ends,
            bytes,
            tag_ends,
            tag_statements,
            bucket_ends,
            bucket_entries,
            statement_ends,
            statement_subjects,
        })
    }

    fn put_into(self, put: &mut impl FnMut(Section, Vec<u8>)) {
        put(Section::SubjectBytes, self.bytes);
        for (section, array) in [
            (Section::KindEnds, self.kind_ends),
            (Section::SubjectEnds, self.ends),
            (Section::TagEnds, self.tag_ends),
            (Section::TagStatements, self.tag_statements),
            (Section::BucketEnds, self.bucket_ends),
            (Section::BucketEntries, self.bucket_entries),
            (Section::StatementEnds, self.statement_ends),
            (Section::StatementSubjects, self.statement_subjects),
        ] {
            put(section, words(array));
        }
    }
}

/// For each of `groups` groups the number of members up to its end, given each member's group.
fn ends_of(groups: usize, members: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut ends = vec![0; groups];
    for group in members {
        if let Some(count) = ends.get_mut(group) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    ends
}
