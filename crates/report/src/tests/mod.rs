//! Documents of small chains, and what becomes of them in each format.

mod formats;
pub(crate) mod shapes;
pub(crate) mod xml;

use std::collections::BTreeMap;

use analyze::trace::{Direction, NoStops, Policy, Query, RootSpec, StopAt, trace};
use chain::{Input, MemoryLedger, Network, Output, ScriptBuf, TxNum, Txid};
use testkit::Chain;

use crate::model::{AddressNote, Basis, Context, Notes, Tag, TraceDocument, TxNote};

/// A chain and what is asked of it.
pub(crate) struct Case {
    pub(crate) chain: Chain,
    pub(crate) query: Query,
    /// Stop at these addresses (by name in the chain), for this reason.
    pub(crate) stops: Vec<(String, &'static str)>,
    /// These transactions (by name) are CoinJoins.
    pub(crate) coinjoins: Vec<String>,
    /// Who owns these addresses (by name).
    pub(crate) owners: Vec<(String, &'static str)>,
}

impl Case {
    /// A forward haircut from one output.
    pub(crate) fn new(text: &str, root: &str) -> Self {
        Self::of(text, &[root])
    }

    /// A forward haircut from these: `TX`, `TX:VOUT` or `@NAME` for an address.
    pub(crate) fn of(text: &str, roots: &[&str]) -> Self {
        let chain = Chain::parse(text).unwrap();
        let roots = roots.iter().map(|root| spec(&chain, root)).collect();
        let query = Query::new(roots);
        Self { chain, query, stops: vec![], coinjoins: vec![], owners: vec![] }
    }

    pub(crate) fn policy(mut self, policy: Policy) -> Self {
        self.query.policy = policy;
        self
    }

    pub(crate) fn backward(mut self) -> Self {
        self.query.direction = Direction::Backward;
        self
    }

    pub(crate) fn document(&self) -> TraceDocument {
        let best = self.chain.best().into_iter().cloned().collect::<Vec<_>>();
        let ledger = MemoryLedger::from_blocks(Network::Regtest, &best).unwrap();
        let address = |name: &str| self.chain.address(name).unwrap();
        let mut notes = Notes::default();
        for (name, owner) in &self.owners {
            let tags = vec![Tag::new((*owner).into(), "somebody".into(), Some(80))];
            let note = AddressNote { entity: Some((*owner).into()), tags, ..Default::default() };
            notes.addresses.insert(address(name), note);
        }
        for name in &self.coinjoins {
            let basis =
                Basis::Inference { heuristic: "equal_outputs".into(), confidence: Some(95) };
            let note = TxNote { class: "coinjoin".into(), basis };
            notes.transactions.insert(self.chain.txid(name).unwrap(), note);
        }
        let claim = Basis::Claim { source: "somebody".into(), confidence: Some(80) };
        let context = Context {
            tool_version: "0.0.0-test".into(),
            stop_rules: BTreeMap::from([
                ("service".into(), claim.clone()),
                ("bridge".into(), claim),
            ]),
            notes,
            ..Context::default()
        };
        let found = if self.stops.is_empty() {
            trace(&ledger, &self.query, &mut NoStops).unwrap()
        } else {
            trace(&ledger, &self.query, &mut self.named_stops(&ledger)).unwrap()
        };
        TraceDocument::new(&found, &ledger, &context).unwrap()
    }

    fn named_stops(&self, ledger: &MemoryLedger) -> At {
        use chain::Ledger;
        let mut at = At::default();
        for (name, reason) in &self.stops {
            let script: ScriptBuf = self.chain.script(name).unwrap().into();
            let Some(address) = ledger.find_script(&script).unwrap() else { continue };
            let number = match at.names.iter().position(|known| known == reason) {
                Some(number) => number,
                None => {
                    at.names.push((*reason).to_owned());
                    at.names.len() - 1
                }
            };
            at.places.insert(address.0, u32::try_from(number).unwrap());
        }
        at
    }
}

fn spec(chain: &Chain, root: &str) -> RootSpec {
    if let Some(name) = root.strip_prefix('@') {
        return RootSpec::Script(chain.script(name).unwrap().into());
    }
    match root.split_once(':') {
        Some((name, vout)) => {
            RootSpec::Output(chain.outpoint(name, vout.parse().unwrap()).unwrap())
        }
        None => RootSpec::Transaction(chain.txid(root).unwrap() as Txid),
    }
}

/// Named stops by address.
#[derive(Default)]
struct At {
    names: Vec<String>,
    places: BTreeMap<u32, u32>,
}

impl StopAt for At {
    fn asks_about_transactions(&self) -> bool {
        false
    }

    fn output(&mut self, _: TxNum, output: &Output) -> Option<u32> {
        self.places.get(&output.address?.0).copied()
    }

    fn transaction(&mut self, _: TxNum, _: &[Input], _: &[Output]) -> Option<u32> {
        None
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}
