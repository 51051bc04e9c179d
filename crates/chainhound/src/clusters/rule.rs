//! By which rule addresses are joined, as the command line names it.

use std::{ops::Range, sync::Mutex};

use analyze::{
    change::Strength,
    cluster::{MULTI_INPUT, Rule},
};
use chain::{AddressNum, TxNum};
use store::Store;

use crate::run::Counter;

/// A clustering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All inputs of a transaction, CoinJoins kept apart.
    MultiInput,
    /// And change that has signs of at least this strength: a hypothesis.
    WithChange(Strength),
}

impl Which {
    /// All that there can be.
    pub(crate) const ALL: [Self; 4] = [
        Self::MultiInput,
        Self::WithChange(Strength::SameAddress),
        Self::WithChange(Strength::Strong),
        Self::WithChange(Strength::Weak),
    ];

    /// The name of its rule, and of its files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MultiInput => MULTI_INPUT,
            Self::WithChange(Strength::SameAddress) => "multi_input+change_same_address",
            Self::WithChange(Strength::Strong) => "multi_input+change_strong",
            Self::WithChange(Strength::Weak) => "multi_input+change_weak",
        }
    }
}

/// Evaluates an expression with the rule of a clustering as the type that it is.
macro_rules! by_rule {
    ($which:expr, $rule:ident => $body:expr) => {
        match $which {
            $crate::clusters::Which::MultiInput => {
                let $rule = analyze::cluster::CoinJoinsApart;
                $body
            }
            $crate::clusters::Which::WithChange(strength) => {
                let (rule, name) =
                    (analyze::cluster::CoinJoinsApart, analyze::cluster::MULTI_INPUT);
                let $rule = analyze::cluster::JudgedChange::new(rule, name, strength);
                $body
            }
        }
    };
}
pub(crate) use by_rule;

/// A rule that says how far the work is.
#[derive(Clone, Copy)]
pub(crate) struct Watched<'a, 'say, R> {
    rule: R,
    counter: &'a Mutex<Counter<'say>>,
}

/// Transactions between two looks at the counter, so that threads rarely meet there.
const LOOK_EVERY: u32 = 1 << 16;

impl<'a, 'say, R> Watched<'a, 'say, R> {
    /// The same rule, counted.
    pub(crate) fn new(rule: R, counter: &'a Mutex<Counter<'say>>) -> Self {
        Self { rule, counter }
    }
}

impl<R: Rule<Store>> Rule<Store> for Watched<'_, '_, R> {
    type Memory = (R::Memory, u32);

    fn memory(&self) -> Self::Memory {
        (self.rule.memory(), 0)
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn look_ahead(
        &self,
        store: &Store,
        txs: Range<u32>,
        (memory, next): &mut Self::Memory,
    ) -> chain::Result<()> {
        if txs.start >= *next {
            *next = txs.start.saturating_add(LOOK_EVERY);
            if let Ok(mut counter) = self.counter.try_lock() {
                counter.at(u64::from(txs.start));
            }
        }
        self.rule.look_ahead(store, txs, memory)
    }

    fn excludes(
        &self,
        store: &Store,
        tx: TxNum,
        (memory, _): &mut Self::Memory,
    ) -> chain::Result<bool> {
        self.rule.excludes(store, tx, memory)
    }

    fn joins_change(&self) -> bool {
        self.rule.joins_change()
    }

    fn change(
        &self,
        store: &Store,
        tx: TxNum,
        (memory, _): &mut Self::Memory,
    ) -> chain::Result<Option<AddressNum>> {
        self.rule.change(store, tx, memory)
    }
}

#[cfg(test)]
mod tests {
    use analyze::cluster::{CoinJoinsApart, JudgedChange};

    use super::*;

    #[test]
    fn names_are_those_of_the_rules() {
        for strength in [Strength::SameAddress, Strength::Strong, Strength::Weak] {
            let rule = JudgedChange::new(CoinJoinsApart, MULTI_INPUT, strength);
            assert_eq!(Rule::<Store>::name(&rule), Which::WithChange(strength).name());
        }
        assert_eq!(Rule::<Store>::name(&CoinJoinsApart), Which::MultiInput.name());
    }
}
