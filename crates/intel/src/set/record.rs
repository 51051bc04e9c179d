//! Records of fixed width: which word of a record says what.

use super::layout::Words;

/// A pack: strings, but for `IsPublic`.
#[derive(Clone, Copy)]
pub(super) enum PackField {
    Title,
    Creator,
    Uri,
    Description,
    Owner,
    IsPublic,
}

/// A statement: strings, but for the list of concepts (start, length), the flag and the pack.
#[derive(Clone, Copy)]
pub(super) enum StatementField {
    Label,
    Source,
    Category,
    Abuse,
    ConceptsStart,
    ConceptsLen,
    Actor,
    Confidence,
    Lastmod,
    IsClusterDefiner,
    Context,
    TagType,
    Currency,
    Pack,
}

/// An actor: strings, the pack, and lists as start and length. Aliases, memberships and context
/// are lists of pairs of strings.
#[derive(Clone, Copy)]
pub(super) enum ActorField {
    Id,
    Label,
    Uri,
    Lastmod,
    Pack,
    CategoriesStart,
    CategoriesLen,
    JurisdictionsStart,
    JurisdictionsLen,
    AliasesStart,
    AliasesLen,
    PartOfStart,
    PartOfLen,
    ContextStart,
    ContextLen,
}

pub(super) const PACK_WIDTH: usize = PackField::IsPublic as usize + 1;
pub(super) const STATEMENT_WIDTH: usize = StatementField::Pack as usize + 1;
pub(super) const ACTOR_WIDTH: usize = ActorField::ContextLen as usize + 1;

/// Word `field` of record `number` in an array of records of `width` words.
pub(super) fn word(records: Words<'_>, width: usize, number: u32, field: usize) -> u32 {
    records.get(number as usize * width + field)
}

/// Yes, no, and no answer, as a word.
pub(super) fn from_flag(flag: Option<bool>) -> u32 {
    match flag {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

/// The answer in a word.
pub(super) fn to_flag(word: u32) -> Option<bool> {
    match word {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}
