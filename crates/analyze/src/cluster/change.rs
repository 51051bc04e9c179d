//! Change joined with what pays for it: a clustering of another name, never the default.

use std::ops::Range;

use chain::{AddressNum, Ledger, TxNum};

use super::rule::Rule;
use crate::change::{Judge, Options, Strength};

/// Another rule, and besides the output that a [`Judge`] takes for change.
///
/// It asks heuristics that look at the transaction and what is before it, and none that look at
/// what spends its outputs: their opinions change as the chain goes on, and then a clustering that
/// followed the chain would differ from one that is built at its end.
#[derive(Clone, Debug)]
pub struct JudgedChange<R> {
    rule: R,
    at_least: Strength,
    name: String,
}

impl<R> JudgedChange<R> {
    /// Joins change with signs of at least this strength to what `rule` joins. `rule_name` is the
    /// other rule's name; the clustering's is `multi_input+change_strong`, for example.
    pub fn new(rule: R, rule_name: &str, at_least: Strength) -> Self {
        Self { rule, at_least, name: format!("{rule_name}+change_{}", at_least.name()) }
    }
}

impl<L: Ledger, R: Rule<L>> Rule<L> for JudgedChange<R> {
    type Memory = (R::Memory, Judge);

    fn memory(&self) -> Self::Memory {
        (self.rule.memory(), Judge::new(Options::without_looking_ahead()))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn look_ahead(
        &self,
        ledger: &L,
        txs: Range<u32>,
        (memory, _): &mut Self::Memory,
    ) -> chain::Result<()> {
        self.rule.look_ahead(ledger, txs, memory)
    }

    fn excludes(
        &self,
        ledger: &L,
        tx: TxNum,
        (memory, _): &mut Self::Memory,
    ) -> chain::Result<bool> {
        self.rule.excludes(ledger, tx, memory)
    }

    fn joins_change(&self) -> bool {
        true
    }

    fn change(
        &self,
        ledger: &L,
        tx: TxNum,
        (_, judge): &mut Self::Memory,
    ) -> chain::Result<Option<AddressNum>> {
        let verdict = judge.verdict(ledger, tx)?;
        let Some((vout, strength)) = verdict.and_then(|verdict| verdict.change) else {
            return Ok(None);
        };
        if strength < self.at_least {
            return Ok(None);
        }
        let Some(out) = ledger.output_at(tx, vout)? else { return Ok(None) };
        Ok(ledger.output(out)?.address)
    }
}
