//! Namings for tests: parties by name of address.

mod ends;
mod properties;
mod sums;

use std::collections::BTreeMap;

use chain::{AddressNum, Ledger, MemoryLedger, Network};
use testkit::Chain;

use super::{Holder, Naming};

/// A chain in testkit's language as a ledger.
pub(super) fn ledger(text: &str) -> (Chain, MemoryLedger) {
    let chain = Chain::parse(text).unwrap();
    let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
    (chain, ledger)
}

/// Parties by address.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(pub(super) BTreeMap<AddressNum, Holder>);

impl Known {
    /// `NAME=PARTY*CONFIDENCE …`.
    pub(super) fn parse(chain: &Chain, ledger: &MemoryLedger, text: &str) -> Self {
        let mut known = BTreeMap::new();
        for word in text.split_whitespace() {
            let (name, rest) = word.split_once('=').unwrap();
            let (party, confidence) = rest.split_once('*').unwrap_or((rest, "100"));
            let address = ledger.find_script(chain.script(name).unwrap()).unwrap().unwrap();
            let (party, confidence) = (party.parse().unwrap(), confidence.parse().unwrap());
            known.insert(address, Holder { party, confidence });
        }
        Self(known)
    }
}

impl Naming for Known {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        Ok(self.0.get(&address).copied())
    }
}
