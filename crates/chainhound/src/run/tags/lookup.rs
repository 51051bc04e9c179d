//! `chainhound tags lookup`.
//!
//! A cluster's labels are those of its addresses whose claims say that they mean the whole cluster
//! (`Claim::defines_cluster`); `cluster show` asks for them.

use std::collections::BTreeSet;

use chain::{Network, Txid, script};
use intel::{
    Claims, TagSet,
    set::{Naming, StatementRef},
    taxonomy,
};

use super::{SOURCE, Session};
use crate::{
    args::{Format, TagLookupArgs},
    failure::{Exit, Failure},
    labels,
    output::{
        ActorRow, ClaimRow, DisagreementRow, Document, Provenance, StatementRow, TagsLookupDocument,
    },
};

/// Prints what is said.
pub(super) fn run(args: &TagLookupArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let set = labels::open(&place)?;
    if set.is_none() {
        session.say.warning(format_args!(
            "no labels are imported for {}: only the actors that come with the program are known; \
             see `chainhound tags import --help`",
            place.network
        ));
    }
    let set = match set {
        Some(set) => set,
        None => TagSet::initial(place.network)?,
    };
    let body = look_up(&set, args, place.network)?;
    match args.format.format {
        Format::Json => {
            let parameters = Parameters { what: args.what.clone(), limit: args.limit };
            let provenance =
                Provenance::of(SOURCE, place.network, None, parameters).with_labels(Some(&set));
            session.output.json(&Document::new("chainhound.tags_lookup.v1", provenance, body))?;
        }
        Format::Table => {
            let text = body.to_table(session.output.colour());
            session.output.text(&text)?;
        }
    }
    Ok(Exit::Done)
}

#[derive(serde::Serialize)]
struct Parameters {
    what: String,
    limit: usize,
}

fn look_up(
    set: &TagSet,
    args: &TagLookupArgs,
    network: Network,
) -> Result<TagsLookupDocument, Failure> {
    let what = args.what.trim();
    if what.is_empty() {
        return Err(Failure::usage("nothing to look up")
            .hint("an address, a txid, an actor, a category, or part of a label"));
    }
    let mut found = TagsLookupDocument {
        query: what.to_owned(),
        found_as: Vec::new(),
        claims: Vec::new(),
        disagreement: None,
        actors: Vec::new(),
        statements: Vec::new(),
        more: false,
    };
    if let Some((kind, claims)) = subject(set, what, network)? {
        found.found_as.push(kind);
        found.add(&claims);
        return Ok(found);
    }
    found.add_actors(set.resolve(what));
    let mut all: Vec<StatementRef<'_>> = Vec::new();
    let ids: Vec<String> = found.actors.iter().map(|actor| actor.id.clone()).collect();
    for id in &ids {
        all.extend(set.by_actor(id));
    }
    let before = all.len();
    all.extend(set.by_concept(what));
    if all.len() > before || taxonomy::is_known(what) {
        found.found_as.push("category");
    }
    let before = all.len();
    // One more than is shown says whether there are more.
    all.extend(set.by_label(what, args.limit.saturating_add(1)));
    if all.len() > before {
        found.found_as.push("label");
    }
    found.add_statements(all, args.limit, network);
    if found.found_as.is_empty() {
        return Err(Failure::unavailable(format!(
            "'{what}' is neither an address nor a txid, and no actor, category or label is called so"
        ))
        .hint("categories are GraphSense's: exchange, mixing_service, ransomware, sanction, …"));
    }
    Ok(found)
}

/// The claims about an address or a transaction, whether there are any or not; `None` where the
/// text is neither.
fn subject<'a>(
    set: &'a TagSet,
    what: &str,
    network: Network,
) -> Result<Option<(&'static str, Vec<Claims<'a>>)>, Failure> {
    if let Ok(txid) = what.parse::<Txid>() {
        return Ok(Some(("transaction", vec![set.of_transaction(&txid)])));
    }
    let own = script::parse(what, network);
    if let Ok(script) = &own {
        return Ok(Some(("address", vec![set.of_script(script.as_bytes())])));
    }
    // The same text may be an address on several chains that write theirs in the same way.
    let networks = set.networks_elsewhere();
    let elsewhere = networks.iter().map(|network| set.of_address_elsewhere(network, what));
    let claims: Vec<Claims<'_>> = elsewhere.filter(|claims| !claims.is_empty()).collect();
    match own {
        _ if !claims.is_empty() => Ok(Some(("address", claims))),
        Err(error @ script::AddressError::OtherNetwork { .. }) => Err(error.into()),
        Err(error @ script::AddressError::Hex(_)) => Err(error.into()),
        _ => Ok(None),
    }
}

impl TagsLookupDocument {
    fn add(&mut self, all: &[Claims<'_>]) {
        let differ = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        for claims in all {
            if let Some(found) = claims.clone().disagreement() {
                let row = self
                    .disagreement
                    .get_or_insert(DisagreementRow { actors: Vec::new(), categories: Vec::new() });
                let (actors, categories): (Vec<_>, Vec<_>) =
                    (differ(found.actors), differ(found.categories));
                row.actors.extend(actors);
                row.categories.extend(categories);
            }
            self.claims.extend(claims.clone().ranked().into_iter().map(ClaimRow::of_claim));
        }
    }

    /// One row for each description of an actor, with everybody who gives it the name.
    fn add_actors<'a>(&mut self, namings: Vec<Naming<'a>>) {
        let key = |naming: &Naming<'a>| (naming.actor.id(), naming.actor.pack().title());
        let mut keys: Vec<(&str, &str)> = namings.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        for one in keys {
            let same: Vec<Naming<'_>> =
                namings.iter().filter(|naming| key(naming) == one).copied().collect();
            if let Some(first) = same.first() {
                self.actors.push(ActorRow::of(first.actor, &same));
            }
        }
        if !self.actors.is_empty() {
            self.found_as.push("actor");
        }
    }

    /// Each statement once, those about most subjects first.
    fn add_statements(&mut self, all: Vec<StatementRef<'_>>, limit: usize, network: Network) {
        let mut seen = BTreeSet::new();
        let mut statements: Vec<(u64, StatementRef<'_>)> = Vec::new();
        for said in all {
            if seen.insert(said.number()) {
                statements.push((said.claims().len() as u64, said));
            }
        }
        statements.sort_by_key(|(count, said)| (std::cmp::Reverse(*count), said.number()));
        self.more = statements.len() > limit;
        for (count, said) in statements.into_iter().take(limit) {
            let subjects = said.claims().take(limit).filter_map(|claim| claim.subject());
            self.statements.push(StatementRow {
                claim: ClaimRow::of(said),
                count,
                subjects: subjects.map(|subject| subject.text(network)).collect(),
            });
        }
    }
}
