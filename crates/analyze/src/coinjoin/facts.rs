//! What all rules ask about a transaction, counted once.

use chain::script::ScriptKind;

use super::{
    finding::Denomination,
    shape::{Coin, Shape},
};

const KINDS: usize = 11;

/// Counts of one transaction; the memory is reused for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Values of the outputs that are no data carriers, ascending.
    pub(super) values: Vec<u64>,
    /// Values that occur twice or more among them, most frequent first, then largest.
    pub(super) groups: Vec<Denomination>,
    /// Values of the inputs, ascending.
    pub(super) spent: Vec<u64>,
    /// Distinct locking scripts on each side, ascending.
    scripts_in: Vec<u64>,
    scripts_out: Vec<u64>,
    /// How many scripts both sides have.
    pub(super) shared: usize,
    /// Inputs and outputs by kind of script.
    kinds_in: [u32; KINDS],
    kinds_out: [u32; KINDS],
    /// Data carriers among the outputs.
    pub(super) carriers: usize,
}

impl Facts {
    pub(super) fn gather(&mut self, shape: &Shape<'_>) {
        let valued = |coin: &&Coin| coin.kind != ScriptKind::OpReturn;
        self.values.clear();
        self.values.extend(shape.outputs.iter().filter(valued).map(|coin| coin.value.0));
        self.values.sort_unstable();
        self.carriers = shape.outputs.len() - self.values.len();
        self.spent.clear();
        self.spent.extend(shape.inputs.iter().map(|coin| coin.value.0));
        self.spent.sort_unstable();
        distinct(shape.inputs.iter(), &mut self.scripts_in);
        distinct(shape.outputs.iter().filter(valued), &mut self.scripts_out);
        self.shared =
            self.scripts_out.iter().filter(|id| self.scripts_in.binary_search(id).is_ok()).count();
        self.kinds_in = [0; KINDS];
        self.kinds_out = [0; KINDS];
        count(shape.inputs, &mut self.kinds_in);
        count(shape.outputs, &mut self.kinds_out);
        self.groups.clear();
        for run in self.values.chunk_by(|a, b| a == b).filter(|run| run.len() > 1) {
            let value = chain::Sats(run[0]);
            self.groups.push(Denomination { value, outputs: small(run.len()) });
        }
        self.groups.sort_unstable_by_key(|group| std::cmp::Reverse((group.outputs, group.value)));
    }

    pub(super) fn inputs(&self) -> usize {
        self.spent.len()
    }

    /// Outputs without data carriers.
    pub(super) fn outputs(&self) -> usize {
        self.values.len()
    }

    pub(super) fn distinct_inputs(&self) -> usize {
        self.scripts_in.len()
    }

    pub(super) fn distinct_outputs(&self) -> usize {
        self.scripts_out.len()
    }

    pub(super) fn all_outputs_distinct(&self) -> bool {
        self.scripts_out.len() == self.values.len()
    }

    /// Inputs and outputs of these kinds.
    pub(super) fn of_kinds(&self, kinds: &[ScriptKind]) -> (usize, usize) {
        let sum = |counts: &[u32; KINDS]| -> usize {
            kinds.iter().filter_map(|kind| counts.get(*kind as usize)).map(|n| *n as usize).sum()
        };
        (sum(&self.kinds_in), sum(&self.kinds_out))
    }

    /// Whether all inputs, and all outputs but data carriers, are of these kinds.
    pub(super) fn only(&self, kinds: &[ScriptKind]) -> bool {
        self.of_kinds(kinds) == (self.inputs(), self.outputs())
    }

    /// The one kind of all inputs.
    pub(super) fn input_kind(&self, shape: &Shape<'_>) -> Option<ScriptKind> {
        let first = shape.inputs.first()?.kind;
        (self.of_kinds(&[first]).0 == self.inputs()).then_some(first)
    }

    /// Outputs whose value occurs once.
    pub(super) fn unique(&self) -> usize {
        let in_groups: usize = self.groups.iter().map(|group| group.outputs as usize).sum();
        self.outputs() - in_groups
    }

    /// The largest output that has not this value.
    pub(super) fn largest_other(&self, value: u64) -> Option<u64> {
        self.values.iter().rev().copied().find(|other| *other != value)
    }
}

/// A count as the findings have it; no transaction has 2³² inputs or outputs.
pub(super) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn distinct<'a>(coins: impl Iterator<Item = &'a Coin>, into: &mut Vec<u64>) {
    into.clear();
    into.extend(coins.map(|coin| coin.script.0));
    into.sort_unstable();
    into.dedup();
}

fn count(coins: &[Coin], into: &mut [u32; KINDS]) {
    for coin in coins {
        if let Some(count) = into.get_mut(coin.kind as usize) {
            *count += 1;
        }
    }
}
