//! What a trace is asked: policy, direction, roots, stop rules and limits.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chain::{AddressNum, Height, OutPoint, Sats, ScriptBuf, Txid};

/// How a transaction's tainted satoshis pass from its inputs to its outputs.
///
/// Definitions, sources and worked examples: `docs/methods/tracing.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Every output gets its share, in proportion to its value.
    #[default]
    Haircut,
    /// First in, first out.
    Fifo,
    /// Last in, first out.
    Lifo,
    /// Taint in, highest out: the highest outputs first.
    Tiho,
    /// One tainted satoshi taints everything. Does not conserve value.
    Poison,
    /// For every output the interval that holds under every value-conserving policy.
    Bounds,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Haircut, Self::Fifo, Self::Lifo, Self::Tiho, Self::Poison, Self::Bounds];

    /// The name in flags and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Haircut => "haircut",
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::Tiho => "tiho",
            Self::Poison => "poison",
            Self::Bounds => "bounds",
        }
    }

    /// Whether the tainted amounts of a transaction's outputs and fee sum up to those of its
    /// inputs, so that every root satoshi is booked exactly once.
    pub const fn conserves_value(self) -> bool {
        matches!(self, Self::Haircut | Self::Fifo | Self::Lifo | Self::Tiho)
    }
}

/// Which way to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Where did the money go?
    #[default]
    Forward,
    /// Where did the money come from?
    Backward,
}

impl Direction {
    /// The name in flags and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// What happens to tainted satoshis that are paid as a fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fees {
    /// They are booked as [`super::StopReason::Fee`].
    #[default]
    Drop,
    /// They go on into the coinbase of their block: after the subsidy, in block order.
    Follow,
}

impl Fees {
    /// The name in flags and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Follow => "follow",
        }
    }
}

/// A text that names none of the choices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{text}': use {choices}")]
pub struct UnknownName {
    what: &'static str,
    text: String,
    choices: &'static str,
}

macro_rules! named {
    ($type:ty, $what:literal, $choices:literal, [$($value:expr),*]) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                let unknown =
                    || UnknownName { what: $what, text: text.to_owned(), choices: $choices };
                [$($value),*].into_iter().find(|value| value.name() == text).ok_or_else(unknown)
            }
        }
    };
}

named!(
    Policy,
    "policy",
    "haircut, fifo, lifo, tiho, poison or bounds",
    [Self::Haircut, Self::Fifo, Self::Lifo, Self::Tiho, Self::Poison, Self::Bounds]
);
named!(Direction, "direction", "forward or backward", [Self::Forward, Self::Backward]);
named!(Fees, "fee mode", "drop or follow", [Self::Drop, Self::Follow]);

/// Where a trace starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RootSpec {
    /// One output.
    Output(OutPoint),
    /// All (known) outputs of a transaction; data carriers without value are left out.
    Transaction(Txid),
    /// All outputs that a locking script ever received (forward with
    /// [`Stops::until_height`]: up to that height).
    Script(ScriptBuf),
}

/// A question to [`super::super::trace`] or [`super::super::sweep`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The thefts, each of one or more outputs.
    pub roots: Vec<RootSpec>,
    /// Whether amounts are also given per entry of `roots`. Costs time and memory.
    pub keep_roots_apart: bool,
    /// How taint passes a transaction.
    pub policy: Policy,
    /// Which way.
    pub direction: Direction,
    /// What happens to fees.
    pub fees: Fees,
    /// Where to stop.
    pub stops: Stops,
    /// How much to record.
    pub limits: Limits,
}

impl Query {
    /// Forward, haircut, fees dropped, no stop rules, roots kept apart when there are several.
    pub fn new(roots: Vec<RootSpec>) -> Self {
        Self {
            keep_roots_apart: roots.len() > 1,
            roots,
            policy: Policy::default(),
            direction: Direction::default(),
            fees: Fees::default(),
            stops: Stops::default(),
            limits: Limits::default(),
        }
    }
}

/// The rules that end a trace before the money's own end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    /// Do not pass more than this many transactions. Roots are at 0 hops.
    pub max_hops: Option<u32>,
    /// Do not follow an output with less than this tainted (bounds: than this possibly tainted).
    pub min_tainted: Sats,
    /// Forward: the state after this block; leaves are the tainted outputs not yet spent then.
    /// Backward: do not look into the block that made an output if it is this one or before it.
    pub until_height: Option<Height>,
    /// Pass at most this many transactions.
    pub max_transactions: Option<u64>,
    /// Do not follow what arrives at these addresses. Roots are not looked at.
    pub addresses: BTreeSet<AddressNum>,
}

/// How much of a trace is recorded. What goes beyond is left out of the lists and still counted
/// in all sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At most this many flows; nodes end with them.
    pub flows: usize,
    /// At most this many leaves.
    pub leaves: usize,
}

impl Default for Limits {
    /// A million each: about 300 MB.
    fn default() -> Self {
        Self { flows: 1_000_000, leaves: 1_000_000 }
    }
}
