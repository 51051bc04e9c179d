//! What is told to the traces of a demo: whose the addresses of services are.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use analyze::trace::StopAt;
use chain::{AddressNum, Input, OutPoint, Output, TxNum, script};
use report::model::{AddressNote, Basis, Context, Notes, Tag};
use testkit::{generate::Role, replay::Truth};

use crate::{failure::Failure, ledger::Chain};

/// Who says so.
const SOURCE: &str = "labels of the replay";

/// The services of the story and their addresses.
pub(super) struct Labels {
    /// In order of appearance.
    services: Vec<Service>,
    /// What they do, each once: the stop rules.
    roles: Vec<&'static str>,
    /// To a place in `roles`.
    by_address: HashMap<AddressNum, u32>,
}

struct Service {
    name: String,
    role: &'static str,
    addresses: Vec<String>,
}

impl Labels {
    /// Services are those who hold other people's money; thief, victim and private people are not
    /// labelled.
    pub(super) fn new(truth: &Truth, chain: &Chain) -> Result<Self, Failure> {
        let mut labels =
            Self { services: Vec::new(), roles: Vec::new(), by_address: HashMap::new() };
        for entity in &truth.entities {
            let labelled = matches!(
                entity.role,
                Role::Exchange | Role::Service | Role::Bridge | Role::Coordinator | Role::Merchant
            );
            if !labelled || entity.entity == "victim" {
                continue;
            }
            let (name, role) = (entity.entity.clone(), entity.role.name());
            let rule = match labels.roles.iter().position(|known| *known == role) {
                Some(at) => at,
                None => {
                    labels.roles.push(role);
                    labels.roles.len() - 1
                }
            };
            for address in &entity.addresses {
                let script = script::parse(address, chain.ledger().network())?;
                if let Some(number) = chain.ledger().find_script(&script)? {
                    labels.by_address.insert(number, rule as u32);
                }
            }
            labels.services.push(Service { name, role, addresses: entity.addresses.clone() });
        }
        Ok(labels)
    }

    /// The rule that ends a trace at a service.
    pub(super) fn stops(&self) -> Services<'_> {
        Services { labels: self }
    }

    /// The labels in the words of a report.
    pub(super) fn context(&self) -> Context {
        let mut addresses = BTreeMap::new();
        for service in &self.services {
            for address in &service.addresses {
                let tags = vec![Tag::new(service.name.clone(), SOURCE.to_owned(), None)];
                let entity = Some(service.name.clone());
                let note = AddressNote { entity, tags, ..AddressNote::default() };
                addresses.insert(address.clone(), note);
            }
        }
        let claim = || Basis::Claim { source: SOURCE.to_owned(), confidence: None };
        let rules = self.roles.iter().map(|role| ((*role).to_owned(), claim()));
        Context {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            stop_rules: rules.collect(),
            notes: Notes { addresses, ..Notes::default() },
            ..Context::default()
        }
    }

    /// `case.toml`: what was asked, to be read and changed by people.
    pub(super) fn case_file(&self, theft: OutPoint) -> String {
        let mut text = String::new();
        let policies: Vec<_> =
            crate::args::ALL_POLICIES.iter().map(|policy| format!("\"{policy}\"")).collect();
        let _ = write!(
            text,
            "# What the demo asked. The chain is in data/, what really happened in truth.json.\n\
             name = \"The replayed theft of May 2024\"\n\
             network = \"regtest\"\n\n\
             [[theft]]\n\
             output = \"{theft}\"\n\n\
             [trace]\n\
             policies = [{}]\n\
             direction = \"forward\"\n\
             fees = \"drop\"\n",
            policies.join(", ")
        );
        for service in &self.services {
            let addresses: Vec<_> =
                service.addresses.iter().map(|address| format!("  \"{address}\",\n")).collect();
            let _ = write!(
                text,
                "\n# A trace ends there.\n[[service]]\nname = \"{}\"\nrole = \"{}\"\n\
                 source = \"{SOURCE}\"\naddresses = [\n{}]\n",
                service.name,
                service.role,
                addresses.concat()
            );
        }
        text
    }
}

/// Ends a trace at the addresses of services.
pub(super) struct Services<'a> {
    labels: &'a Labels,
}

impl StopAt for Services<'_> {
    fn asks_about_transactions(&self) -> bool {
        false
    }

    fn output(&mut self, _: TxNum, output: &Output) -> Option<u32> {
        self.labels.by_address.get(&output.address?).copied()
    }

    fn transaction(&mut self, _: TxNum, _: &[Input], _: &[Output]) -> Option<u32> {
        None
    }

    fn names(&self) -> Vec<String> {
        self.labels.roles.iter().map(|role| (*role).to_owned()).collect()
    }
}
