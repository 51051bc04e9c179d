//! Entropy of a transaction and link probabilities, after LaurentMT's Boltzmann.
//!
//! How many ways are there to say whose inputs paid for which outputs? Each is an interpretation;
//! the binary logarithm of their number is the transaction's entropy. The share of interpretations
//! in which an input and an output belong together is their link probability; where it is one, the
//! link is deterministic: no reading of the transaction avoids it. Definition, limits and sources:
//! `docs/methods/entropy.md`.
//!
//! Counts are exact integers. Beyond the [`Limits`] the answer is [`Unknown`], never an estimate;
//! deterministic links are given for transactions of any size.

mod bits;
mod count;
mod deterministic;
mod parts;
mod window;

#[cfg(test)]
mod tests;

use chain::{Sats, script::ScriptKind};

use crate::coinjoin::Shape;

pub use bits::Bits;
pub use window::IntraFees;

use count::{Blocks, Steps};
use parts::Side;
use window::Window;

/// How much work an answer may take. The same limits give the same answer on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Combinations of values that either side may have: with all values different, 2ⁿ.
    pub parts: u64,
    /// Steps of counting: with the default of 20 million no transaction took over two seconds.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parts: 1 << 18, steps: 20_000_000 }
    }
}

/// Why there is no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// No inputs or no outputs with a value: a coinbase, or inputs that nobody knows.
    Empty,
    /// The outputs are worth more than the inputs: not all inputs were given.
    Contradiction,
    /// More combinations than [`Limits::parts`].
    Size,
    /// More steps than [`Limits::steps`].
    Budget,
    /// The count itself has more than 128 bits.
    TooMany,
}

impl Unknown {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Contradiction => "contradiction",
            Self::Size => "size",
            Self::Budget => "budget",
            Self::TooMany => "too_many",
        }
    }
}

/// What is known about the links of a transaction. Places of outputs are those of the outputs with
/// a value; the others link nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entropy {
    /// The places (`vout`) of the outputs with a value.
    pub outputs: Vec<u32>,
    /// The exact figures, or why there are none.
    pub counted: Result<Counted, Unknown>,
    /// Pairs of an input's place and an output's (`vin`, `vout`) that every interpretation links,
    /// ascending.
    pub deterministic: Vec<(u32, u32)>,
    /// Whether these are all of them. Otherwise they are those that simple rules prove.
    pub deterministic_complete: bool,
}

/// Exact figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The number of interpretations, at least 1.
    pub interpretations: u128,
    /// Its binary logarithm.
    pub entropy: Bits,
    /// For each output with a value (row) and input (column): in how many interpretations they
    /// belong together.
    pub links: Vec<Vec<u128>>,
}

impl Counted {
    /// The probability of a link in parts of a million, rounded down; `None` for places that do
    /// not exist. `row` counts the outputs with a value.
    pub fn per_million(&self, row: usize, input: usize) -> Option<u32> {
        let count = *self.links.get(row)?.get(input)?;
        let scaled = match count.checked_mul(1_000_000) {
            Some(product) => product / self.interpretations,
            // Both are far above a million then, so the error is under one part.
            None => count / (self.interpretations / 1_000_000),
        };
        u32::try_from(scaled).ok()
    }
}

/// The entropy of a transaction given by the values of all its inputs and outputs.
///
/// Outputs without a value are left out. `allowed` is what makers of a CoinJoin may have earned;
/// without it no money passes between the parties, which is the usual reading.
pub fn entropy(inputs: &[Sats], outputs: &[Sats], allowed: IntraFees, limits: Limits) -> Entropy {
    let places: Vec<u32> =
        (0..).zip(outputs).filter(|(_, value)| value.0 > 0).map(|(place, _)| place).collect();
    let valued: Vec<Sats> = outputs.iter().copied().filter(|value| value.0 > 0).collect();
    let unknown = |reason| Entropy {
        outputs: places.clone(),
        counted: Err(reason),
        deterministic: Vec::new(),
        deterministic_complete: false,
    };
    if inputs.is_empty() || valued.is_empty() {
        return unknown(Unknown::Empty);
    }
    let Some(fee) = sum(inputs).zip(sum(&valued)).and_then(|(a, b)| a.checked_sub(b)) else {
        return unknown(Unknown::Contradiction);
    };
    let window = Window::of(inputs, &valued, fee, allowed);
    let mut steps = Steps(limits.steps);
    let blocks = sides(inputs, &valued)
        .ok_or(Unknown::Size)
        .and_then(|(a, b)| Blocks::find(a, b, window, limits.parts, &mut steps));
    let counted = match &blocks {
        Ok(blocks) => count::count(blocks, &mut steps).map(|counts| spread(blocks, &counts)),
        Err(reason) => Err(*reason),
    };
    let (links, complete) = match (&counted, &blocks) {
        (Ok(counted), _) => (deterministic::of_counts(counted), true),
        (Err(_), Ok(blocks)) if window.gain == 0 => (deterministic::of_blocks(blocks), true),
        _ => (deterministic::of_sums(inputs, &valued, window), false),
    };
    let mut deterministic: Vec<(u32, u32)> = links
        .into_iter()
        .filter_map(|(input, row)| Some((u32::try_from(input).ok()?, *places.get(row)?)))
        .collect();
    deterministic.sort_unstable();
    Entropy { outputs: places, counted, deterministic, deterministic_complete: complete }
}

/// The entropy of a transaction by its shape; data carriers are left out.
pub fn of_shape(shape: &Shape<'_>, allowed: IntraFees, limits: Limits) -> Entropy {
    let inputs: Vec<Sats> = shape.inputs.iter().map(|coin| coin.value).collect();
    let value = |coin: &crate::coinjoin::Coin| match coin.kind {
        ScriptKind::OpReturn => Sats::ZERO,
        _ => coin.value,
    };
    let outputs: Vec<Sats> = shape.outputs.iter().map(value).collect();
    entropy(&inputs, &outputs, allowed, limits)
}

fn sum(values: &[Sats]) -> Option<u64> {
    values.iter().try_fold(0_u64, |sum, value| sum.checked_add(value.0))
}

fn sides(inputs: &[Sats], outputs: &[Sats]) -> Option<(Side, Side)> {
    let plain = |values: &[Sats]| values.iter().map(|value| value.0).collect::<Vec<_>>();
    Some((Side::new(&plain(inputs))?, Side::new(&plain(outputs))?))
}

/// From a pair of values to every pair of coins.
fn spread(blocks: &Blocks, counts: &count::Counts) -> Counted {
    let row = |class: &usize| -> Vec<u128> {
        blocks.inputs.class_of.iter().map(|other| counts.links[*class][*other]).collect()
    };
    Counted {
        interpretations: counts.interpretations,
        entropy: Bits::log2(counts.interpretations),
        links: blocks.outputs.class_of.iter().map(row).collect(),
    }
}
