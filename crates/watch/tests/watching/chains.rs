//! A chain of the test language, seen branch by branch, and what watches tell of it.

use std::{path::PathBuf, sync::Arc};

use analyze::trace::RootSpec;
use chain::{Height, Ledger, MemoryLedger, Network, ScriptBuf};
use serde_json::Value;
use tempfile::TempDir;
use testkit::Chain;
use watch::{Bare, Engine, NewWatch, Outcome, Question, State, StoredAlert, TraceQuestion};

pub(crate) struct Home {
    dir: TempDir,
    pub(crate) chain: Chain,
    pub(crate) state: Arc<State>,
}

impl Home {
    pub(crate) fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = Arc::new(State::open(&dir.path().join("watch.sqlite")).unwrap());
        Self { dir, chain: Chain::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}")), state }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("watch.sqlite")
    }

    pub(crate) fn reopen(&mut self) {
        self.state = Arc::new(State::open(&self.file()).unwrap());
    }

    /// The chain that ends with this block.
    pub(crate) fn up_to(&self, block: &str) -> MemoryLedger {
        let mut hash = self.chain.block(block).unwrap().block_hash();
        let mut branch = Vec::new();
        while let Some(block) = self.chain.blocks().iter().find(|one| one.block_hash() == hash) {
            branch.push(block.clone());
            hash = block.header.prev_blockhash;
        }
        branch.reverse();
        MemoryLedger::from_blocks(Network::Regtest, &branch).unwrap()
    }

    pub(crate) fn root(&self, text: &str) -> RootSpec {
        match text.split_once(':') {
            Some((tx, vout)) => {
                RootSpec::Output(self.chain.outpoint(tx, vout.parse().unwrap()).unwrap())
            }
            None => match self.chain.txid(text) {
                Some(txid) => RootSpec::Transaction(txid),
                None => RootSpec::Script(self.script(text)),
            },
        }
    }

    pub(crate) fn script(&self, name: &str) -> ScriptBuf {
        self.chain.script(name).unwrap_or_else(|| panic!("no {name}")).to_owned()
    }

    pub(crate) fn trace(&self, roots: &[&str]) -> TraceQuestion {
        TraceQuestion::new(roots.iter().map(|root| self.root(root)).collect())
    }

    /// Adds a watch; news is what comes after this height.
    pub(crate) fn add(&self, name: &str, question: &Question, anchor: Option<u32>) {
        let question = question.to_json(Network::Regtest);
        let anchor = anchor.map(Height);
        self.state.add(&NewWatch { name: name.to_owned(), question, anchor }).unwrap();
    }

    pub(crate) fn alerts(&self) -> Vec<StoredAlert> {
        self.state.alerts(None, false, u32::MAX).unwrap()
    }

    /// Alerts in the words of the test language.
    pub(crate) fn told(&self) -> Vec<String> {
        self.alerts().iter().map(|alert| self.words(&alert.body)).collect()
    }

    fn words(&self, body: &str) -> String {
        let alert: Value = serde_json::from_str(body).unwrap();
        let name = |value: &Value| {
            let txid = value["txid"].as_str().unwrap().parse().unwrap();
            self.chain.tx_name(&txid).unwrap_or("?").to_owned()
        };
        let amount = |value: &Value| match (&value["tainted_sat"], &value["lower_sat"]) {
            (Value::Number(sat), _) => format!("={sat}"),
            (_, Value::Number(lower)) => format!("={lower}..{}", value["upper_sat"]),
            _ => String::new(),
        };
        let place = |value: &Value| format!("{}:{}{}", name(value), value["vout"], amount(value));
        let places = |key: &str| {
            let list = alert[key].as_array().cloned().unwrap_or_default();
            list.iter().map(place).collect::<Vec<_>>().join(" ")
        };
        let mut line =
            format!("{} {} {}", alert["sequence"], alert["kind"].as_str().unwrap(), name(&alert));
        match alert["height"].as_u64() {
            Some(height) => line += &format!(" @{height}"),
            None => line += " @-",
        }
        line += &amount(&alert);
        if !alert["from"].is_null() {
            line += &format!(": {} -> {}", places("from"), places("to"));
        }
        if let Some(fee) = alert["fee_tainted_sat"].as_u64() {
            line += &format!(" fee={fee}");
        }
        line
    }
}

pub(crate) fn step(engine: &mut Engine<'_>, ledger: &dyn Ledger) -> Outcome {
    let outcome = engine.step(ledger, &Bare).unwrap();
    assert_eq!(outcome.troubles, Vec::new());
    outcome
}
