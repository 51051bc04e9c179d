//! The fields of a tag: what a row says, else its header, else the import's defaults.

use std::{borrow::Cow, sync::Arc};

use super::{Collector, Defaults, NoteKind, Reason, Shared};
use crate::{
    Confidence, Pack, Statement,
    address::{self, Found},
    taxonomy,
    yaml::{Node, Value},
};

/// The fields that hold one text each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Address,
    TxHash,
    CoinbaseText,
    Currency,
    Network,
    Label,
    Source,
    Category,
    Abuse,
    Actor,
    Confidence,
    Lastmod,
    IsClusterDefiner,
    Context,
    TagType,
    Title,
    Creator,
    Description,
    Owner,
    Uri,
    IsPublic,
}

const NAMES: &[(&str, Field)] = &[
    ("address", Field::Address),
    ("tx_hash", Field::TxHash),
    ("coinbase_text", Field::CoinbaseText),
    ("currency", Field::Currency),
    ("network", Field::Network),
    ("label", Field::Label),
    ("source", Field::Source),
    ("category", Field::Category),
    ("abuse", Field::Abuse),
    ("actor", Field::Actor),
    ("confidence", Field::Confidence),
    ("lastmod", Field::Lastmod),
    ("is_cluster_definer", Field::IsClusterDefiner),
    ("context", Field::Context),
    ("tag_type", Field::TagType),
    ("title", Field::Title),
    ("creator", Field::Creator),
    ("description", Field::Description),
    ("owner", Field::Owner),
    ("uri", Field::Uri),
    ("is_public", Field::IsPublic),
];
const COUNT: usize = NAMES.len();

impl Field {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }
}

/// What one row or header says. Empty text counts as silence.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    texts: [Option<Cow<'a, str>>; COUNT],
    pub(super) concepts: Option<Vec<String>>,
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, field: Field) -> Option<&str> {
        self.texts.get(field as usize)?.as_deref()
    }

    /// Sets a field. Two values for one field are nobody's claim.
    pub(super) fn set(&mut self, field: Field, text: Cow<'a, str>) -> Result<(), Reason> {
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        if text.is_empty() {
            return Ok(());
        }
        let Some(place) = self.texts.get_mut(field as usize) else { return Ok(()) };
        if place.replace(text).is_some() {
            let name = NAMES.iter().find(|(_, known)| *known == field).map_or("", |(name, _)| name);
            return Err(Reason::Twice(name.to_owned()));
        }
        Ok(())
    }

    /// The fields of a YAML map, and the names that are no field's. `skip` is the list of tags
    /// when the map is a whole pack.
    pub(super) fn of_map(
        node: &'a Node<'_>,
        skip: &str,
    ) -> Result<(Self, Vec<String>), (u64, Reason)> {
        let (mut fields, mut unknown) = (Self::default(), Vec::new());
        for (key, value) in node.entries() {
            let at = |reason| (key.line, reason);
            let Some(name) = key.text() else {
                unknown.push(key.json());
                continue;
            };
            if name == skip || value.is_null() {
                continue;
            }
            if name == "concepts" {
                if fields.concepts.replace(concepts(value).map_err(at)?).is_some() {
                    return Err(at(Reason::Twice(name.to_owned())));
                }
                continue;
            }
            let Some(field) = Field::by_name(name) else {
                unknown.push(name.to_owned());
                continue;
            };
            let shape = || Reason::Shape { field: name.to_owned(), expected: "text" };
            let text = match (&value.value, field) {
                (Value::Scalar(text, _), _) => Cow::Borrowed(&**text),
                (Value::List(items), Field::Source) => {
                    let items: Option<Vec<&str>> = items.iter().map(Node::text).collect();
                    Cow::Owned(items.ok_or_else(|| at(shape()))?.join(" ; "))
                }
                (_, Field::Context) => Cow::Owned(value.json()),
                _ => return Err(at(shape())),
            };
            fields.set(field, text).map_err(at)?;
        }
        Ok((fields, unknown))
    }

    /// The import's defaults as the outermost header.
    pub(super) fn of_defaults(defaults: &'a Defaults) -> Self {
        let mut fields = Self::default();
        let d = defaults;
        for (field, text) in [
            (Field::Title, &d.title),
            (Field::Creator, &d.creator),
            (Field::Uri, &d.uri),
            (Field::Description, &d.description),
            (Field::Label, &d.label),
            (Field::Source, &d.source),
            (Field::Category, &d.category),
            (Field::Abuse, &d.abuse),
            (Field::Actor, &d.actor),
            (Field::Confidence, &d.confidence),
            (Field::Lastmod, &d.lastmod),
            (Field::Currency, &d.currency),
        ] {
            if let (Some(text), Some(place)) = (text, fields.texts.get_mut(field as usize)) {
                *place = Some(Cow::Borrowed(text.trim())).filter(|text| !text.is_empty());
            }
        }
        fields.concepts = (!d.concepts.is_empty()).then(|| d.concepts.clone());
        fields
    }

    /// Whether the row says nothing but what it is about.
    fn is_bare(&self) -> bool {
        self.concepts.is_none()
            && NAMES.iter().all(|(_, field)| match field {
                Field::Address | Field::TxHash | Field::CoinbaseText => true,
                Field::Currency | Field::Network => true,
                field => self.get(*field).is_none(),
            })
    }
}

/// A list of concepts, or one of them as text.
fn concepts(node: &Node<'_>) -> Result<Vec<String>, Reason> {
    let shape = || Reason::Shape { field: "concepts".to_owned(), expected: "a list of ids" };
    match &node.value {
        Value::Scalar(text, _) => Ok(split_concepts(text)),
        Value::List(items) => {
            items.iter().map(|item| item.text().map(str::to_owned).ok_or_else(shape)).collect()
        }
        Value::Map(_) => Err(shape()),
    }
}

/// Concepts in one cell: separated by `;`, `,` or `|`.
pub(super) fn split_concepts(text: &str) -> Vec<String> {
    let parts = text.split([';', ',', '|']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A document's header, ready to complete its rows.
pub(super) struct Header<'a> {
    fields: Fields<'a>,
    defaults: Fields<'a>,
    pack: Arc<Pack>,
    /// The statement of rows that say nothing of their own, by currency; and what to note.
    bare: Vec<(String, Shared, Vec<NoteKind>)>,
}

impl<'a> Header<'a> {
    pub(super) fn new(fields: Fields<'a>, defaults: Fields<'a>) -> Self {
        let mut header = Self { fields, defaults, pack: Arc::default(), bare: Vec::new() };
        let owned = |field| header.outer(field).map(str::to_owned);
        header.pack = Arc::new(Pack {
            title: owned(Field::Title).unwrap_or_default(),
            creator: owned(Field::Creator).unwrap_or_default(),
            uri: owned(Field::Uri),
            description: owned(Field::Description),
            owner: owned(Field::Owner),
            is_public: owned(Field::IsPublic).and_then(|text| flag(&text)),
        });
        header
    }

    fn outer(&self, field: Field) -> Option<&str> {
        self.fields.get(field).or_else(|| self.defaults.get(field))
    }

    /// Takes a row, or rejects it.
    pub(super) fn take(&mut self, row: &Fields<'_>, line: u64, into: &mut Collector) {
        into.report.rows += 1;
        if let Err(reason) = self.try_take(row, line, into) {
            into.reject(line, reason);
        }
    }

    fn try_take(
        &mut self,
        row: &Fields<'_>,
        line: u64,
        into: &mut Collector,
    ) -> Result<(), Reason> {
        let Found { subject, currency, note } = self.subject(row, into)?;
        let bare = row.is_bare();
        let known = self.bare.iter().find(|(known, ..)| bare && *known == currency);
        let (shared, notes) = match known {
            Some((_, shared, notes)) => (shared.clone(), notes.clone()),
            None => {
                let (statement, notes) = self.statement(row, &currency)?;
                let shared = into.shared(statement);
                if bare {
                    self.bare.push((currency, shared.clone(), notes.clone()));
                }
                (shared, notes)
            }
        };
        for note in notes.into_iter().chain(note) {
            into.note(note, line);
        }
        into.tag(subject, shared, line);
        Ok(())
    }

    fn subject(&self, row: &Fields<'_>, into: &Collector) -> Result<Found, Reason> {
        let currency = row.get(Field::Currency).or_else(|| self.outer(Field::Currency));
        let network = row.get(Field::Network).or_else(|| self.outer(Field::Network));
        let own = into.network;
        let (address, tx) = (row.get(Field::Address), row.get(Field::TxHash));
        match (address, tx, row.get(Field::CoinbaseText)) {
            (Some(address), None, None) => address::of_address(address, currency, network, own),
            (None, Some(tx), None) => address::of_transaction(tx, currency, network, own),
            (None, None, Some(text)) => Ok(Found {
                subject: crate::Subject::CoinbaseText(text.to_owned()),
                currency: currency.map_or_else(|| "BTC".to_owned(), address::ticker),
                note: None,
            }),
            (None, None, None) => Err(Reason::NoSubject),
            _ => Err(Reason::TwoSubjects),
        }
    }

    /// What the row says, completed, and what is worth noting about it.
    fn statement(
        &self,
        row: &Fields<'_>,
        currency: &str,
    ) -> Result<(Statement, Vec<NoteKind>), Reason> {
        let get = |field| row.get(field).or_else(|| self.outer(field));
        let owned = |field| get(field).map(str::to_owned);
        let mut notes = Vec::new();
        let mut concepts = [&row.concepts, &self.fields.concepts, &self.defaults.concepts]
            .into_iter()
            .find_map(Clone::clone)
            .unwrap_or_default();
        concepts.sort_unstable();
        concepts.dedup();
        let confidence = get(Field::Confidence).unwrap_or_else(|| {
            notes.push(NoteKind::NoConfidence);
            "unknown"
        });
        if !Confidence::of(confidence).known {
            notes.push(NoteKind::UnknownConfidence(confidence.to_owned()));
        }
        let is_cluster_definer = get(Field::IsClusterDefiner).and_then(|text| {
            let flag = flag(text);
            if flag.is_none() {
                notes.push(NoteKind::OddFlag(text.to_owned()));
            }
            flag
        });
        let statement = Statement {
            label: owned(Field::Label).ok_or(Reason::Missing("label"))?,
            source: owned(Field::Source).ok_or(Reason::Missing("source"))?,
            category: owned(Field::Category),
            abuse: owned(Field::Abuse),
            concepts,
            actor: owned(Field::Actor),
            confidence: confidence.to_owned(),
            lastmod: owned(Field::Lastmod),
            is_cluster_definer,
            context: owned(Field::Context),
            tag_type: owned(Field::TagType),
            currency: currency.to_owned(),
            pack: Arc::clone(&self.pack),
        };
        for id in statement.all_concepts().filter(|id| !taxonomy::is_known(id)) {
            notes.push(NoteKind::UnknownConcept(id.to_owned()));
        }
        if is_cluster_definer == Some(true) && statement.is_about_mixing() {
            notes.push(NoteKind::ClusterOfMixer);
        }
        if let Some(date) = statement.lastmod.as_deref().filter(|text| !is_date(text)) {
            notes.push(NoteKind::OddDate(date.to_owned()));
        }
        Ok((statement, notes))
    }
}

/// The words that YAML 1.1 takes for true and false.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a text begins like `2024-05-31`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes.iter().take(10).enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_order_of_fields() {
        for (at, (name, field)) in NAMES.iter().enumerate() {
            assert_eq!(*field as usize, at, "{name}");
        }
    }

    #[test]
    fn dates_and_flags() {
        assert!(is_date("2024-05-31") && is_date("2023-08-16 12:18:52.619444"));
        assert!(!is_date("31.5.2024") && !is_date("2024"));
        assert_eq!((flag("True"), flag("no"), flag("maybe")), (Some(true), Some(false), None));
    }
}
