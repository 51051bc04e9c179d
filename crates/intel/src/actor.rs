//! Actors before they enter a set: people, companies, groups.

use std::sync::Arc;

use crate::Pack;

/// An actor as one pack describes it. Two packs that describe the same id are two claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// The id that tags refer to.
    pub id: String,
    /// Its usual name.
    pub label: String,
    /// Its address on the web, or the page that describes it.
    pub uri: String,
    /// When the pack last changed it, as written there.
    pub lastmod: Option<String>,
    /// Ids of the [taxonomy](crate::taxonomy), or unknown ones.
    pub categories: Vec<String>,
    /// Countries, ISO 3166 codes as a rule.
    pub jurisdictions: Vec<String>,
    /// Other names, each with its source.
    pub aliases: Vec<Alias>,
    /// Actors that it belongs to, each with its source.
    pub part_of: Vec<Membership>,
    /// Anything else: name and value, in the pack's order; nested values as JSON.
    pub context: Vec<(String, String)>,
    /// The pack.
    pub pack: Arc<Pack>,
}

/// Another name of an actor, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// Who says that it is the same actor.
    pub source: String,
}

/// An actor that another one belongs to, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// Id of the larger actor.
    pub actor: String,
    /// Who says so.
    pub source: String,
}

/// A name as it is compared: lower case, without spaces and punctuation. `Jade Sleet`,
/// `jade-sleet` and `JADESLEET` are one name.
pub(crate) fn folded_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
