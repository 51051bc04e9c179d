//! Names for addresses, as claims of a tag set: where walks end, and what is said about outputs.

mod lent;
mod snapshot;
mod tags;

use std::collections::HashMap;

use analyze::{
    cluster::Clustering,
    exposure::{Holder, Naming},
};
use chain::{AddressNum, Ledger, script};
use intel::{Claim, TagSet, taxonomy::Role};
use report::model::{AddressNote, Basis, Tag};

pub(crate) use self::{
    lent::Lent,
    snapshot::Snapshot,
    tags::{find as find_tags, none as no_labels},
};

/// Sources of a party that are named; there may be thousands.
const SOURCES: usize = 4;

/// Roles of those who hold many people's money: following it further follows other people's.
pub(crate) const SERVICES: &[Role] = &[Role::Service, Role::Mixing, Role::Bridge];

/// Roles of all at whom exposure ends.
pub(crate) const PARTIES: &[Role] =
    &[Role::Service, Role::Mixing, Role::Bridge, Role::Mining, Role::Abuse];

/// Which claims name a party.
#[derive(Clone, Copy)]
pub(crate) struct Selection<'a> {
    /// The claims.
    pub(crate) set: Option<&'a TagSet>,
    /// The roles of parties.
    pub(crate) roles: &'static [Role],
    /// The least confidence of a claim, 0 to 100.
    pub(crate) least: u8,
    /// What clusters lend to their addresses.
    pub(crate) lent: Option<&'a Lent<'a>>,
}

/// A claim that names a party, and how it comes to the address.
struct Picked<'a> {
    claim: Claim<'a>,
    /// The other address of the cluster that the claim is about.
    about: Option<&'a str>,
    /// By which rule they are one cluster.
    rule: &'a str,
}

impl<'a> Selection<'a> {
    /// The best claim that names a party: about the address itself, or else about its cluster.
    fn pick(&self, script: &[u8], address: Option<AddressNum>) -> Option<Picked<'a>> {
        let fits = |claim: &Claim<'a>| {
            claim.confidence().level >= self.least && self.category(*claim).is_some()
        };
        if let Some(claim) = self.set?.of_script(script).ranked().into_iter().find(fits) {
            return Some(Picked { claim, about: None, rule: "" });
        }
        let lent = self.lent?;
        let one = lent.of(address?).iter().find(|one| fits(&one.claim))?;
        let rule = &lent.clustering().basis().rule;
        Some(Picked { claim: one.claim, about: Some(&one.about), rule })
    }

    /// The clusters that lend labels: their rule and the block up to which they go.
    pub(crate) fn clustering(&self) -> Option<String> {
        Some(clustering(self.lent?.clustering()))
    }

    /// Where to reach whom the best claim names, as a source has it.
    pub(crate) fn contact(&self, script: &[u8], address: Option<AddressNum>) -> Option<String> {
        let actors = self.pick(script, address)?.claim.actors();
        let uri = actors.iter().map(|actor| actor.uri()).find(|uri| !uri.is_empty())?;
        Some(uri.to_owned())
    }

    /// What of a claim makes its subject a party: the category, or another concept.
    fn category(&self, claim: Claim<'a>) -> Option<&'a str> {
        let wanted =
            |id: &&str| intel::taxonomy::role(id).is_some_and(|role| self.roles.contains(&role));
        claim.statement().all_concepts().find(wanted)
    }

    /// All that is said about an address, for a reader. Who it belongs to is what the best claim
    /// says that names a party, or else the best of all.
    ///
    /// What its cluster lends is a claim about another address, and so no tag of this one.
    pub(crate) fn note(&self, script: &[u8], address: Option<AddressNum>) -> Option<AddressNote> {
        let claims = self.set?.of_script(script).ranked();
        let own = || Some(Picked { claim: *claims.first()?, about: None, rule: "" });
        let picked = self.pick(script, address).or_else(own)?;
        let best = picked.claim;
        let tag = |claim: &Claim<'_>| {
            let source = source(*claim);
            Tag::new(claim.label().to_owned(), source, Some(claim.confidence().level))
        };
        Some(AddressNote {
            entity: Some(entity(best)),
            category: self.category(best).or(best.category()).map(str::to_owned),
            tags: claims.iter().map(tag).collect(),
            basis: Some(picked.basis()),
        })
    }
}

impl Picked<'_> {
    /// Who says so; and about whom, if that is another address.
    fn source(&self) -> String {
        let source = source(self.claim);
        match self.about {
            None => source,
            Some(about) => format!("{source} (about {about})"),
        }
    }

    fn basis(&self) -> Basis {
        let (source, confidence) = (self.source(), Some(self.claim.confidence().level));
        match self.about {
            None => basis(self.claim),
            Some(_) => {
                Basis::InferenceFromClaim { heuristic: self.rule.to_owned(), source, confidence }
            }
        }
    }
}

/// A party at whose addresses walks ended.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// Its name.
    pub(crate) entity: String,
    /// What kind of party it is.
    pub(crate) category: String,
    /// Who says so, of the addresses met; at most [`SOURCES`].
    sources: Vec<String>,
    /// Whether there are more.
    more_sources: bool,
    /// The least confidence of the claims about the addresses met.
    pub(crate) confidence: u8,
    /// The rule of clusters by which some of the addresses are its own.
    rule: Option<String>,
}

impl Party {
    /// On what it rests that the addresses met are its own.
    pub(crate) fn basis(&self) -> Basis {
        let mut source = self.sources.join(" ; ");
        if self.more_sources {
            source.push_str(" ; and others");
        }
        let confidence = Some(self.confidence);
        match self.rule.clone() {
            None => Basis::Claim { source, confidence },
            Some(heuristic) => Basis::InferenceFromClaim { heuristic, source, confidence },
        }
    }
}

/// Claims as a [`Naming`]: parties are numbered as they come up.
pub(crate) struct Names<'a, L> {
    ledger: &'a L,
    selection: Selection<'a>,
    parties: Vec<Party>,
    numbers: HashMap<(String, String), u32>,
}

impl<'a, L: Ledger> Names<'a, L> {
    pub(crate) fn new(ledger: &'a L, selection: Selection<'a>) -> Self {
        Self { ledger, selection, parties: Vec::new(), numbers: HashMap::new() }
    }

    /// By [`Holder::party`].
    pub(crate) fn into_parties(self) -> Vec<Party> {
        self.parties
    }
}

impl<L: Ledger> Naming for Names<'_, L> {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        if self.selection.set.is_none() {
            return Ok(None);
        }
        let script = self.ledger.script(address)?;
        let Some(picked) = self.selection.pick(script.as_bytes(), Some(address)) else {
            return Ok(None);
        };
        let claim = picked.claim;
        let category = self.selection.category(claim).unwrap_or_default().to_owned();
        let (entity, confidence) = (entity(claim), claim.confidence().level);
        let next = self.parties.len() as u32;
        let number = *self.numbers.entry((entity.clone(), category.clone())).or_insert(next);
        if number == next {
            let (sources, more_sources) = (Vec::new(), false);
            let rule = None;
            self.parties.push(Party { entity, category, sources, more_sources, confidence, rule });
        }
        if let Some(party) = self.parties.get_mut(number as usize) {
            party.confidence = party.confidence.min(confidence);
            if picked.about.is_some() {
                party.rule = Some(picked.rule.to_owned());
            }
            let source = picked.source();
            if !party.sources.contains(&source) {
                match party.sources.len() < SOURCES {
                    true => party.sources.push(source),
                    false => party.more_sources = true,
                }
            }
        }
        Ok(Some(Holder { party: number, confidence }))
    }
}

/// Who a claim is about: the actor's usual name, or the label; on one line, whatever it is.
fn entity(claim: Claim<'_>) -> String {
    let described = claim.actors().first().map(|actor| actor.label());
    let name = described.or_else(|| claim.actor()).unwrap_or_else(|| claim.label());
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Who says so: the source, or the pack where it stands.
fn source(claim: Claim<'_>) -> String {
    match claim.source() {
        "" => claim.pack().to_pack().citation(),
        source => source.to_owned(),
    }
}

/// By what addresses were joined, and up to which block.
pub(crate) fn clustering(clustering: &Clustering) -> String {
    let basis = clustering.basis();
    let height = basis.tip.map_or(0, |tip| tip.height.0);
    format!("{} as of block {height}", basis.rule)
}

/// Who says so, how sure.
pub(crate) fn basis(claim: Claim<'_>) -> Basis {
    Basis::Claim { source: source(claim), confidence: Some(claim.confidence().level) }
}

/// A note about an address of a ledger, and its text if it has one.
pub(crate) fn note_of(
    ledger: &impl Ledger,
    address: AddressNum,
    selection: &Selection<'_>,
) -> chain::Result<Option<(String, AddressNote)>> {
    let found = ledger.script(address)?;
    let text = script::address(&found, ledger.network());
    Ok(text.zip(selection.note(found.as_bytes(), Some(address))))
}
