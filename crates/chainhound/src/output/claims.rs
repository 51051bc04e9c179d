//! Claims and actors, as every document shows them.

use intel::{
    Claim,
    set::{ActorRef, NamedAs, Naming, StatementRef},
};
use serde::Serialize;

use super::Rows;

/// What a source says. Always a claim: neither a fact of the chain nor an inference from it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClaimRow {
    /// The name that the source gives.
    pub(crate) label: String,
    /// `claim`.
    basis: &'static str,
    /// Who says so.
    pub(crate) source: String,
    /// How far the source is trusted, 0 to 100; no probability.
    pub(crate) confidence: u8,
    /// The same as an id of the scale.
    pub(crate) confidence_id: String,
    /// When the source last changed it, as written there.
    pub(crate) lastmod: Option<String>,
    /// Kind of entity.
    pub(crate) category: Option<String>,
    /// Kind of abuse.
    pub(crate) abuse: Option<String>,
    /// Further concepts.
    pub(crate) concepts: Vec<String>,
    /// Id of the actor.
    pub(crate) actor: Option<String>,
    /// Whether the source means the whole cluster of the address.
    is_cluster_definer: Option<bool>,
    /// The same, as far as it is believed: never of mixers.
    defines_cluster: bool,
    /// What else the source says.
    context: Option<String>,
    /// The collection that it stands in.
    pub(crate) pack: String,
}

/// What a source says of many subjects.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StatementRow {
    /// What is said.
    #[serde(flatten)]
    pub(crate) claim: ClaimRow,
    /// Of how many subjects.
    pub(crate) count: u64,
    /// Some of them.
    pub(crate) subjects: Vec<String>,
}

/// An actor that a name may mean, as one pack describes it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ActorRow {
    /// The id that tags refer to.
    pub(crate) id: String,
    /// Its usual name.
    pub(crate) label: String,
    /// `claim`.
    basis: &'static str,
    /// How the name in question names it: `id`, `label` or `alias`.
    pub(crate) named_as: &'static str,
    /// Who says so.
    pub(crate) named_by: Vec<String>,
    /// Its address on the web.
    uri: String,
    categories: Vec<String>,
    jurisdictions: Vec<String>,
    /// Its other names.
    pub(crate) aliases: Vec<Sourced>,
    /// Actors that it belongs to.
    pub(crate) part_of: Vec<Sourced>,
    lastmod: Option<String>,
    /// The collection that describes it.
    pub(crate) pack: String,
    /// How many tags name it.
    pub(crate) tags: u64,
}

/// A name, and all who say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sourced {
    /// The name, or the id.
    pub(crate) name: String,
    /// Who says so.
    pub(crate) sources: Vec<String>,
}

impl ClaimRow {
    /// What a statement says.
    pub(crate) fn of(said: StatementRef<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let confidence = said.confidence();
        Self {
            label: said.label().to_owned(),
            basis: "claim",
            source: said.source().to_owned(),
            confidence: confidence.level,
            confidence_id: confidence.id.to_owned(),
            lastmod: owned(said.lastmod()),
            category: owned(said.category()),
            abuse: owned(said.abuse()),
            concepts: said.concepts().map(str::to_owned).collect(),
            actor: owned(said.actor()),
            is_cluster_definer: said.is_cluster_definer(),
            defines_cluster: said.defines_cluster(),
            context: owned(said.context()),
            pack: said.pack().title().to_owned(),
        }
    }

    /// What a source says of one subject.
    pub(crate) fn of_claim(claim: Claim<'_>) -> Self {
        Self::of(claim.statement())
    }

    /// Category, abuse and concepts, each once.
    fn kinds(&self) -> String {
        let all = self.category.iter().chain(&self.abuse).chain(&self.concepts);
        let mut kinds: Vec<&str> = Vec::new();
        for kind in all {
            if !kinds.contains(&kind.as_str()) {
                kinds.push(kind);
            }
        }
        kinds.join(" ")
    }

    fn cells(&self) -> [String; 6] {
        [
            self.label.clone(),
            self.kinds(),
            self.actor.clone().unwrap_or_default(),
            format!("{} {}", self.confidence, self.confidence_id),
            self.lastmod.clone().unwrap_or_default(),
            self.source.clone(),
        ]
    }
}

const HEADER: [&str; 6] = ["claim", "kind", "actor", "confidence", "last changed", "who says so"];

/// Claims side by side.
pub(crate) fn claim_table(claims: &[ClaimRow], colour: bool) -> String {
    let mut rows = Rows::new(&HEADER, colour);
    for claim in claims {
        rows.push(claim.cells());
    }
    rows.to_text()
}

/// Statements side by side, each with how many subjects it is about.
pub(crate) fn statement_table(statements: &[StatementRow], colour: bool) -> String {
    let mut rows = Rows::new(&[&HEADER[..], &[">of", "such as"]].concat(), colour);
    for row in statements {
        let first = row.subjects.first().cloned().unwrap_or_default();
        let count = [row.count.to_string(), first];
        rows.push(row.claim.cells().into_iter().chain(count));
    }
    rows.to_text()
}

impl ActorRow {
    /// An actor, by everybody who says that the name means it.
    pub(crate) fn of(actor: ActorRef<'_>, namings: &[Naming<'_>]) -> Self {
        // An id says more than a label, and that more than an alias.
        let how = namings.iter().map(|naming| naming.how).min().unwrap_or(NamedAs::Id);
        let by = namings.iter().filter(|naming| naming.how == how);
        let mut named_by: Vec<String> = by.map(|naming| naming.source.to_owned()).collect();
        named_by.dedup();
        let owned = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::to_owned).collect();
        Self {
            id: actor.id().to_owned(),
            label: actor.label().to_owned(),
            basis: "claim",
            named_as: match how {
                NamedAs::Id => "id",
                NamedAs::Label => "label",
                NamedAs::Alias => "alias",
            },
            named_by,
            uri: actor.uri().to_owned(),
            categories: owned(&mut actor.categories()),
            jurisdictions: owned(&mut actor.jurisdictions()),
            aliases: sourced(actor.aliases()),
            part_of: sourced(actor.part_of()),
            lastmod: actor.lastmod().map(str::to_owned),
            pack: actor.pack().title().to_owned(),
            tags: actor.statements().map(|said| said.claims().len() as u64).sum(),
        }
    }

    /// For people.
    pub(crate) fn to_table(&self, colour: bool) -> String {
        let mut facts = super::Facts::new(colour);
        facts.push("actor", format!("{} ({})", self.label, self.id));
        facts.push("described in", format!("{} {}", self.pack, self.uri));
        if self.named_as == "alias" {
            facts.push("found", format!("as an alias, according to {}", self.named_by.join("; ")));
        }
        facts.push_some("kind", some(self.categories.join(" ")));
        facts.push_some("countries", some(self.jurisdictions.join(" ")));
        facts.push("tags", self.tags);
        let mut text = facts.to_text();
        let mut rows = Rows::new(&["", "name", "who says so"], colour);
        for (kind, names) in [("also called", &self.aliases), ("part of", &self.part_of)] {
            for row in names {
                rows.push([kind.to_owned(), row.name.clone(), row.sources.join("; ")]);
            }
        }
        if !(self.aliases.is_empty() && self.part_of.is_empty()) {
            text.push_str(&rows.to_text());
        }
        text
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Each name once, with everybody who says it.
fn sourced(pairs: Vec<(&str, &str)>) -> Vec<Sourced> {
    let mut found: Vec<Sourced> = Vec::new();
    for (name, source) in pairs {
        match found.iter_mut().find(|known| known.name == name) {
            Some(known) => known.sources.push(source.to_owned()),
            None => found.push(Sourced { name: name.into(), sources: vec![source.into()] }),
        }
    }
    found
}
