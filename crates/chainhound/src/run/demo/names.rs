//! Who has the money, through which mixers it went, and who is said to have taken it: from traces
//! and labels. The truth is only set beside it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::Hash,
};

use analyze::{
    coinjoin::{Detector, ShapeBuf},
    exposure::mixes,
};
use chain::{Ledger, Txid, script};
use intel::TagSet;
use report::model::TraceDocument;
use store::Store;
use testkit::replay::Truth;

use super::truth::is_mix;
use crate::{
    failure::Failure,
    names::basis,
    output::{Actor, Amount, Mixer, NamedParty, Rounds},
};

/// The parties to whom the traces book something, in the order in which they come up.
pub(super) fn parties(documents: &[TraceDocument]) -> Vec<NamedParty> {
    let mut parties: Vec<NamedParty> = Vec::new();
    for document in documents {
        for booking in &document.bookings {
            let (Some(entity), Some(category)) = (&booking.entity, &booking.category) else {
                continue;
            };
            let same = |known: &NamedParty| known.entity == *entity && known.category == *category;
            let at = match parties.iter().position(same) {
                Some(at) => at,
                None => {
                    parties.push(NamedParty {
                        entity: entity.clone(),
                        category: category.clone(),
                        basis: booking.basis.clone(),
                        booked: BTreeMap::new(),
                    });
                    parties.len() - 1
                }
            };
            if let Some(party) = parties.get_mut(at) {
                let policy = document.provenance.parameters.policy.to_owned();
                party.booked.insert(policy, booking.amount);
            }
        }
    }
    parties
}

/// To whom labels attribute an address.
pub(super) fn actors(tags: &TagSet, address: &str) -> Result<Vec<Actor>, Failure> {
    let script = script::parse(address, tags.network())?;
    let mut actors = Vec::new();
    for claim in tags.of_script(script.as_bytes()).ranked() {
        for actor in claim.actors() {
            actors.push(Actor {
                actor: actor.id().to_owned(),
                name: actor.label().to_owned(),
                address: address.to_owned(),
                basis: basis(claim),
            });
        }
    }
    Ok(actors)
}

/// The protocols before whose CoinJoins a trace ended (`entering`), and how another one that passed
/// them (`passing`) went on.
pub(super) fn mixers(
    store: &Store,
    entering: &TraceDocument,
    passing: &TraceDocument,
    truth: &Truth,
) -> Result<Vec<Mixer>, Failure> {
    let followed = followed(store, passing)?;
    let mut really: Way<'_, &str> = Way::default();
    for step in &truth.steps {
        let protocol = is_mix(step.role).then(|| step.role.name());
        for input in step.inputs.iter().filter(|input| input.stolen) {
            really.step(&input.txid, &step.txid, protocol);
        }
    }
    let mut mixers = Vec::new();
    for booking in &entering.bookings {
        let Some(protocol) = booking.protocol else { continue };
        let leaves = entering.leaves.iter().filter_map(|leaf| leaf.coinjoin.as_ref());
        let first: BTreeMap<Txid, u32> = leaves
            .filter(|coinjoin| coinjoin.protocol == protocol)
            .map(|coinjoin| (coinjoin.txid, coinjoin.anonymity_set))
            .collect();
        let sets = || first.values().copied();
        mixers.push(Mixer {
            protocol,
            basis: booking.basis.clone(),
            entered: Amount::Between {
                lower_sat: booking.amount.lower(),
                upper_sat: booking.amount.upper(),
            },
            entered_outputs: booking.count,
            first_coinjoins: first.len() as u64,
            anonymity_set: [sets().min().unwrap_or(0), sets().max().unwrap_or(0)],
            followed: followed.rounds(protocol),
            true_way: really.rounds(protocol),
        });
    }
    Ok(mixers)
}

/// The CoinJoins on a trace's way.
fn followed(store: &Store, document: &TraceDocument) -> Result<Way<'static, Txid>, Failure> {
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    let mut known: HashMap<Txid, Option<&'static str>> = HashMap::new();
    let mut way = Way::default();
    for flow in &document.flows {
        let protocol = match known.get(&flow.txid) {
            Some(protocol) => *protocol,
            None => {
                let found = match store.find_tx(&flow.txid)? {
                    Some(tx) => detector.classify_tx(store, tx, &mut buffer)?,
                    None => None,
                };
                let protocol = found.filter(mixes).map(|finding| finding.protocol.name());
                known.insert(flow.txid, protocol);
                protocol
            }
        };
        way.step(flow.from.txid(), flow.txid, protocol);
    }
    Ok(way)
}

/// Steps from transaction to transaction, in chain order, and the CoinJoins behind each of them.
struct Way<'p, K> {
    behind: HashMap<K, BTreeMap<&'p str, u32>>,
    coinjoins: BTreeMap<&'p str, HashSet<K>>,
}

impl<K> Default for Way<'_, K> {
    fn default() -> Self {
        Self { behind: HashMap::new(), coinjoins: BTreeMap::new() }
    }
}

impl<'p, K: Copy + Eq + Hash> Way<'p, K> {
    fn step(&mut self, from: K, to: K, protocol: Option<&'p str>) {
        let mut passed = self.behind.get(&from).cloned().unwrap_or_default();
        if let Some(protocol) = protocol {
            *passed.entry(protocol).or_default() += 1;
            self.coinjoins.entry(protocol).or_default().insert(to);
        }
        let behind = self.behind.entry(to).or_default();
        for (protocol, rounds) in passed {
            let most = behind.entry(protocol).or_default();
            *most = rounds.max(*most);
        }
    }

    fn rounds(&self, protocol: &str) -> Rounds {
        let counts = self.behind.values().filter_map(|behind| behind.get(protocol));
        Rounds {
            coinjoins: self.coinjoins.get(protocol).map_or(0, |txs| txs.len() as u64),
            rounds: counts.copied().max().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_those_of_the_longest_way() {
        let mut way: Way<'_, u32> = Way::default();
        way.step(0, 1, Some("a"));
        way.step(1, 2, Some("a"));
        way.step(1, 3, None);
        way.step(2, 3, None);
        way.step(3, 4, Some("b"));
        way.step(0, 5, Some("a"));
        assert_eq!(way.rounds("a"), Rounds { coinjoins: 3, rounds: 2 });
        assert_eq!(way.rounds("b"), Rounds { coinjoins: 1, rounds: 1 });
        assert_eq!(way.rounds("c"), Rounds::default());
    }
}
