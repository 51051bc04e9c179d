//! The labels that a case used, as they were then: claims with their sources, and what clusters lend.

use std::collections::BTreeMap;

use analyze::exposure::{Holder, Naming};
use chain::{AddressNum, Ledger, Network, Script, ScriptBuf, script};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, evidence::LineFault};

/// What a source says about an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The name that it gives.
    pub label: String,
    /// Who says so.
    pub source: String,
    /// How far the source is trusted, 0 to 100.
    pub confidence: u8,
    /// Who is meant, as results call them.
    pub entity: String,
    /// What kind of party that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Whether a trace that ends at services ends here because of this. At most one of an address.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends: bool,
    /// The other address that the source means, where a rule carries the label over to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// That rule: with it the label is an inference from a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Says what is said about addresses, when a bundle is made.
pub trait LabelSource {
    /// The labels of an address, the best first.
    ///
    /// # Errors
    /// What the ledger reports, where it has to be asked.
    fn labels(&mut self, script: &Script, address: AddressNum) -> chain::Result<Vec<Label>>;
}

/// Knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLabels;

impl LabelSource for NoLabels {
    fn labels(&mut self, _: &Script, _: AddressNum) -> chain::Result<Vec<Label>> {
        Ok(Vec::new())
    }
}

/// All labels of the addresses that traces reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    by_script: BTreeMap<ScriptBuf, Vec<Label>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    script: String,
    address: Option<String>,
    labels: Vec<Label>,
}

impl Labels {
    /// Of an address.
    pub fn of(&self, script: &Script) -> &[Label] {
        self.by_script.get(script).map_or(&[], Vec::as_slice)
    }

    /// The one because of which traces end at an address.
    pub fn ending(&self, script: &Script) -> Option<&Label> {
        self.of(script).iter().find(|label| label.ends)
    }

    /// All of them, by script.
    pub fn iter(&self) -> impl Iterator<Item = (&Script, &[Label])> {
        self.by_script.iter().map(|(script, labels)| (script.as_script(), labels.as_slice()))
    }

    /// How many addresses have any.
    pub fn len(&self) -> usize {
        self.by_script.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_script.is_empty()
    }

    /// Keeps what is said about an address, if it is anything.
    pub(crate) fn keep(&mut self, script: ScriptBuf, labels: Vec<Label>) {
        if !labels.is_empty() {
            self.by_script.insert(script, labels);
        }
    }

    /// The file, sorted by script.
    pub(crate) fn to_bytes(&self, network: Network) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (script, labels) in &self.by_script {
            let line = Line {
                script: script.to_hex_string(),
                address: script::address(script, network),
                labels: labels.clone(),
            };
            serde_json::to_writer(&mut out, &line).map_err(|e| Error::proof("labels", e))?;
            out.push(b'\n');
        }
        Ok(out)
    }

    /// Reads the file.
    pub(crate) fn read(text: &str, network: Network) -> Result<Self, LineFault> {
        let mut labels = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let fault = |detail: String| LineFault { line: number, detail };
            let line: Line = serde_json::from_str(line).map_err(|e| fault(e.to_string()))?;
            let script = ScriptBuf::from_hex(&line.script)
                .map_err(|_| fault(format!("'{}' is no script", line.script)))?;
            if line.address != script::address(&script, network) {
                return Err(fault(format!("{} is not the address of its script", line.script)));
            }
            if line.labels.iter().filter(|label| label.ends).count() > 1 {
                return Err(fault("two labels end traces at one address".to_owned()));
            }
            if labels.by_script.last_key_value().is_some_and(|(last, _)| *last >= script) {
                return Err(fault("not in its place in the file".to_owned()));
            }
            labels.by_script.insert(script, line.labels);
        }
        Ok(labels)
    }
}

/// A party at whose addresses traces ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) entity: String,
    pub(crate) category: Option<String>,
    /// Of the labels met, in the order in which they came up.
    pub(crate) sources: Vec<String>,
    /// The least of the labels met.
    pub(crate) confidence: u8,
    pub(crate) rule: Option<String>,
}

/// Labels as a [`Naming`]; parties are numbered as they come up.
pub(crate) struct Parties<'a, L> {
    pub(crate) ledger: &'a L,
    pub(crate) labels: &'a Labels,
    /// Whether traces end at labelled addresses at all.
    pub(crate) stops: bool,
    pub(crate) met: Vec<Party>,
}

impl<L: Ledger> Naming for Parties<'_, L> {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        if !self.stops {
            return Ok(None);
        }
        let script = self.ledger.script(address)?;
        let Some(label) = self.labels.ending(&script) else { return Ok(None) };
        let same = |party: &Party| party.entity == label.entity && party.category == label.category;
        let number = match self.met.iter().position(same) {
            Some(number) => number,
            None => {
                self.met.push(Party {
                    entity: label.entity.clone(),
                    category: label.category.clone(),
                    sources: Vec::new(),
                    confidence: label.confidence,
                    rule: None,
                });
                self.met.len() - 1
            }
        };
        if let Some(party) = self.met.get_mut(number) {
            party.confidence = party.confidence.min(label.confidence);
            party.rule = party.rule.take().or_else(|| label.rule.clone());
            let source = label.said_by();
            if !party.sources.contains(&source) {
                party.sources.push(source);
            }
        }
        Ok(Some(Holder { party: number as u32, confidence: label.confidence }))
    }
}

impl Label {
    /// The source, and about whom it speaks if that is another address.
    pub fn said_by(&self) -> String {
        match &self.about {
            None => self.source.clone(),
            Some(about) => format!("{} (about {about})", self.source),
        }
    }
}
