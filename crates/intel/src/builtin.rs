//! The actors that come with the program: those of the measuring case, with sources.

use std::sync::OnceLock;

use chain::Network;

use crate::{
    Document, Format, Import, IntelError, Settings,
    actor::folded_name,
    import::{Defaults, import},
};

const ACTORS: &str = include_str!("../data/actors.yaml");

/// The built-in actors as an import: TraderTraitor with the names that each source gives it, the
/// Lazarus Group, and what else the theft of May 2024 needs.
///
/// # Errors
/// None as long as the file in this crate is good; a test reads it.
pub fn builtin(network: Network) -> Result<Import, IntelError> {
    let document = Document { name: "built-in actors", bytes: ACTORS.as_bytes() };
    let format = Some(Format::ActorPack);
    import(document, &Settings { network, format, defaults: Defaults::default() })
}

/// Id of the built-in actor whose label stands at the start of a text, as a word:
/// `TraderTraitor (DPRK) per FBI` names TraderTraitor.
pub(crate) fn actor_named_at_start_of(text: &str) -> Option<String> {
    static LABELS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let labels = LABELS.get_or_init(|| {
        let actors = builtin(Network::Mainnet).map(|import| import.actors).unwrap_or_default();
        actors.into_iter().map(|actor| (folded_name(&actor.label), actor.id)).collect()
    });
    let end = text.find(['(', ';', ',']).unwrap_or(text.len());
    let head = text.get(..end)?;
    let name = folded_name(head.split(" per ").next()?);
    labels.iter().find(|(label, _)| *label == name).map(|(_, id)| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_good_and_every_name_has_a_source() {
        let import = builtin(Network::Mainnet).unwrap();
        assert_eq!((import.report.rejected.len(), import.report.notes.len()), (0, 0));
        assert_eq!(import.actors.len(), 4);
        let aliases = import.actors.iter().flat_map(|actor| &actor.aliases);
        assert!(aliases.into_iter().all(|alias| alias.source != import.actors[0].pack.citation()));
    }

    #[test]
    fn attributions_name_actors() {
        let name = |text| actor_named_at_start_of(text);
        assert_eq!(name("TraderTraitor (DPRK) per FBI/DC3/NPA").as_deref(), Some("tradertraitor"));
        assert_eq!(name("DPRK per Elliptic").as_deref(), Some("dprk"));
        assert_eq!(name("Huione; USDT frozen by Tether").as_deref(), Some("huione"));
        assert_eq!(name("suspected DPRK (unconfirmed)"), None);
        assert_eq!(name("unknown"), None);
    }
}
