//! Why nothing speaks for a CoinJoin.

use std::fmt;

use super::{
    Detector,
    era::When,
    facts::{Facts, small},
    finding::{Denomination, Protocol},
    shape::Shape,
};

/// Why a transaction is no CoinJoin by any rule: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Absence {
    /// It has the shape of a protocol that did not exist when it was mined, or not any more.
    Era(Protocol),
    /// One script pays for all of it: nobody else put anything in.
    OnePayer,
    /// One output only: there is nothing to be told apart.
    OneOutput,
    /// No two outputs have the same value, so each can be told from the others by its amount.
    NoEqualOutputs,
    /// Fewer scripts pay than outputs have the same value: not everybody can have brought a share.
    FewPayers {
        /// The most frequent value.
        equal: Denomination,
        /// Different locking scripts among the inputs.
        payers: u32,
    },
    /// The outputs of the same value are a small part of all, as in a payment to many.
    FewEqual {
        /// The most frequent value.
        equal: Denomination,
        /// All outputs that carry no data.
        outputs: u32,
    },
    /// There are equal outputs and payers enough, but the rest fits no rule.
    NoRule,
}

impl Absence {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Era(_) => "era",
            Self::OnePayer => "one_payer",
            Self::OneOutput => "one_output",
            Self::NoEqualOutputs => "no_equal_outputs",
            Self::FewPayers { .. } => "few_payers",
            Self::FewEqual { .. } => "few_equal_outputs",
            Self::NoRule => "no_rule",
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Era(protocol) => {
                write!(f, "it has the shape of {protocol}, which did not exist when it was mined")
            }
            Self::OnePayer => f.write_str("one script pays for all of it"),
            Self::OneOutput => f.write_str("it has a single output"),
            Self::NoEqualOutputs => f.write_str("no two outputs have the same value"),
            Self::FewPayers { equal, payers } => write!(
                f,
                "{} outputs have the same value, but only {payers} different scripts pay",
                equal.outputs
            ),
            Self::FewEqual { equal, outputs } => {
                write!(f, "only {} of {outputs} outputs have the same value", equal.outputs)
            }
            Self::NoRule => f.write_str("its equal outputs and its payers fit no rule"),
        }
    }
}

impl Detector {
    /// Why a transaction without a finding has none. One that has a finding gets
    /// [`Absence::NoRule`], or [`Absence::Era`] where that finding is only what is left of another.
    pub fn absence(&mut self, shape: &Shape<'_>) -> Absence {
        let timeless = Shape { when: When::Unknown, ..*shape };
        if let Some(finding) = self.classify(&timeless)
            && finding.is_named()
            && shape.when != When::Unknown
            && self.classify(shape).is_none_or(|found| !found.is_named())
        {
            return Absence::Era(finding.protocol);
        }
        self.facts.gather(shape);
        of_facts(&self.facts)
    }
}

fn of_facts(facts: &Facts) -> Absence {
    let (payers, outputs) = (facts.distinct_inputs(), facts.outputs());
    if outputs < 2 {
        return Absence::OneOutput;
    }
    if payers < 2 {
        return Absence::OnePayer;
    }
    let Some(equal) = facts.groups.first().copied() else { return Absence::NoEqualOutputs };
    if payers < equal.outputs as usize {
        return Absence::FewPayers { equal, payers: small(payers) };
    }
    if (equal.outputs as usize) * super::suspicion::SHARE < outputs {
        return Absence::FewEqual { equal, outputs: small(outputs) };
    }
    Absence::NoRule
}
