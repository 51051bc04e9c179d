//! Questions to a set: by subject, by label, by actor, by concept.

use std::collections::BTreeSet;

use bitcoin::{Script, Txid};
use memchr::memmem;

use super::{Claim, Claims, TagSet, claim::StatementRef, layout::Section};
use crate::{Subject, tag::Kind};

/// Where the claims about a subject differ. Shown, never settled: which source is right is for a
/// person to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disagreement<'a> {
    /// Actors named, where there are several.
    pub actors: Vec<&'a str>,
    /// Categories named, where there are several.
    pub categories: Vec<&'a str>,
}

impl TagSet {
    /// What is said about an address of the own network, given its locking script.
    pub fn of_script(&self, script: &[u8]) -> Claims<'_> {
        Claims::of(self, self.find_subject(Kind::Script, script))
    }

    /// The locking scripts about which something is said, in order.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        let range = self.words(Section::KindEnds).range(Kind::Script as usize);
        range.map(|subject| Script::from_bytes(self.subject_bytes(subject as u32)))
    }

    /// What is said about a transaction of the own network.
    pub fn of_transaction(&self, txid: &Txid) -> Claims<'_> {
        let bytes: &[u8; 32] = txid.as_ref();
        Claims::of(self, self.find_subject(Kind::Tx, bytes))
    }

    /// What is said about any subject.
    pub fn of_subject(&self, subject: &Subject) -> Claims<'_> {
        let (kind, key) = subject.key();
        Claims::of(self, self.find_subject(kind, &key))
    }

    /// What is said about an address of another chain, as a person writes it: `ETH`, `0xAB…`.
    pub fn of_address_elsewhere(&self, network: &str, address: &str) -> Claims<'_> {
        let found = crate::address::of_address(address, None, Some(network), self.network()).ok();
        match found {
            Some(found) => self.of_subject(&found.subject),
            None => Claims::of(self, None),
        }
    }

    /// The networks elsewhere of which the set has addresses, in order: `ETH`, `TRX`, `testnet4`.
    pub fn networks_elsewhere(&self) -> Vec<&str> {
        let range = self.words(Section::KindEnds).range(Kind::Elsewhere as usize);
        let network = |subject: usize| {
            let key = self.subject_bytes(subject as u32);
            let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
            std::str::from_utf8(key.get(..end).unwrap_or_default()).unwrap_or_default()
        };
        let (mut found, mut at) = (Vec::new(), range.start);
        while at < range.end {
            let this = network(at);
            found.push(this);
            // Subjects are sorted, so each network is one run of them; its end is searched for.
            let (mut low, mut high) = (at + 1, range.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if network(middle) == this { low = middle + 1 } else { high = middle }
            }
            at = low;
        }
        found
    }

    /// What is said about the texts in a coinbase input: whose mining pool it is. Several where
    /// several texts occur. A text may also occur by chance or be copied, so this stays a claim.
    pub fn of_coinbase(&self, input: &[u8]) -> Vec<Claim<'_>> {
        let ends = self.words(Section::KindEnds);
        let range = ends.range(Kind::CoinbaseText as usize);
        let subjects = range.map(|subject| subject as u32);
        subjects
            .filter(|subject| {
                let text = self.subject_bytes(*subject);
                !text.is_empty() && memmem::find(input, text).is_some()
            })
            .flat_map(|subject| Claims::of(self, Some(subject)))
            .collect()
    }

    /// Statements whose label begins with a text, whatever the case; at most `limit`.
    pub fn by_label_prefix(&self, text: &str, limit: usize) -> Vec<StatementRef<'_>> {
        let text = text.to_lowercase();
        let labels = self.words(Section::Labels);
        let label = |at: usize| self.string(labels.get(2 * at));
        let (mut low, mut high) = (0, labels.len() / 2);
        while low < high {
            let middle = low + (high - low) / 2;
            if label(middle) < text.as_str() { low = middle + 1 } else { high = middle }
        }
        (low..labels.len() / 2)
            .take_while(|at| label(*at).starts_with(&text))
            .take(limit)
            .map(|at| StatementRef { set: self, number: labels.get(2 * at + 1) })
            .collect()
    }

    /// Statements whose label contains a text, whatever the case; at most `limit`.
    pub fn by_label(&self, text: &str, limit: usize) -> Vec<StatementRef<'_>> {
        let text = text.to_lowercase();
        let finder = memmem::Finder::new(&text);
        let labels = self.words(Section::Labels);
        (0..labels.len() / 2)
            .filter(|at| finder.find(self.string(labels.get(2 * at)).as_bytes()).is_some())
            .take(limit)
            .map(|at| StatementRef { set: self, number: labels.get(2 * at + 1) })
            .collect()
    }

    /// Statements that name an actor, by its id.
    pub fn by_actor(&self, id: &str) -> impl Iterator<Item = StatementRef<'_>> {
        self.statements_under(Section::ActorTags, id)
    }

    /// Statements with a category, abuse or concept, by its id.
    pub fn by_concept(&self, id: &str) -> impl Iterator<Item = StatementRef<'_>> {
        self.statements_under(Section::Concepts, id)
    }

    fn statements_under(
        &self,
        section: Section,
        text: &str,
    ) -> impl Iterator<Item = StatementRef<'_>> {
        let run = match self.find_string(text) {
            Some(string) => self.run(section, 2, string),
            None => 0..0,
        };
        let pairs = self.words(section);
        run.map(move |at| StatementRef { set: self, number: pairs.get(2 * at + 1) })
    }
}

impl<'a> Claims<'a> {
    /// Where these claims differ in actor or category; `None` where they do not.
    pub fn disagreement(self) -> Option<Disagreement<'a>> {
        let (mut actors, mut categories) = (BTreeSet::new(), BTreeSet::new());
        for claim in self {
            actors.extend(claim.actor());
            categories.extend(claim.category());
        }
        let several = |set: BTreeSet<&'a str>| match set.len() {
            0 | 1 => Vec::new(),
            _ => set.into_iter().collect(),
        };
        let found = Disagreement { actors: several(actors), categories: several(categories) };
        (found != Disagreement::default()).then_some(found)
    }
}
