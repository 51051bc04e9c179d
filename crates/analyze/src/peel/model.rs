//! What a peel chain is asked and what it answers: plain data. Amounts are satoshis.

use chain::{AddressNum, Height, OutNum, OutPoint, Sats, TxNum, Txid};

use super::Sign;
use crate::{change, coinjoin::Protocol};

/// How far to follow, and what to go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Independent signs for one output, and none for the other, that decide. At least one.
    pub signs: usize,
    /// Ambiguous hops in a row of branches that are still followed, each on both sides: this many
    /// double the branches each.
    pub max_ambiguous: u32,
    /// Transactions in a row.
    pub max_hops: u32,
    /// Transactions in all branches together.
    pub max_transactions: u64,
    /// Do not follow a rest of less than this.
    pub min_value: Sats,
    /// The rest is taken to be at least this many times the payment; `None` to leave size out.
    pub larger: Option<u64>,
    /// The change heuristics to ask, and their parameters.
    pub change: change::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            signs: 2,
            max_ambiguous: 2,
            max_hops: 10_000,
            max_transactions: 100_000,
            min_value: Sats::ZERO,
            // am-i-exposed: a payment is at most half of the change.
            larger: Some(2),
            change: change::Options::default(),
        }
    }
}

/// A peel chain with its branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeling {
    /// The first one begins with the output asked about; the others follow the ambiguous hops, in
    /// the order in which they were met.
    pub branches: Vec<Branch>,
    /// The sums over all branches.
    pub totals: Totals,
    /// The names of [`Stop::Named`].
    pub named_stops: Vec<String>,
}

impl Peeling {
    /// Every payment, in the order of branches and hops.
    pub fn payments(&self) -> impl Iterator<Item = (&Hop, &Coin)> {
        let hops = self.branches.iter().flat_map(|branch| &branch.hops);
        hops.flat_map(|hop| hop.payments.iter().map(move |payment| (hop, payment)))
    }

    /// The stable snake_case name of a stop reason.
    pub fn stop_name(&self, stop: Stop) -> &str {
        match stop {
            Stop::Named(rule) => {
                self.named_stops.get(rule as usize).map_or("named", String::as_str)
            }
            builtin => builtin.name(),
        }
    }
}

/// A run of hops without a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The branch that split, by its place in [`Peeling::branches`]; `None` for the first.
    pub parent: Option<usize>,
    /// Hops before it, from the beginning of the chain.
    pub depth: u32,
    /// Ambiguous hops before it.
    pub ambiguous: u32,
    /// The output that it begins with.
    pub start: Coin,
    /// Its hops, in chain order. The last one may be ambiguous ([`Stop::Ambiguous`] is then not
    /// the end: [`Stop::Branched`] is).
    pub hops: Vec<Hop>,
    /// The output where it ends; of a branch that split, the one that was spent there.
    pub end: Coin,
    /// Why it ends.
    pub stop: Stop,
    /// The transaction before which it ends, where one spends `end`.
    pub before: Option<Txid>,
    /// The signs in that transaction, where it is [`Stop::Ambiguous`].
    pub signs: Vec<Sign>,
}

/// An output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its number.
    pub out: OutNum,
    /// The same as the chain names it.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Sats,
    /// Its locking script's number.
    pub address: Option<AddressNum>,
}

/// A transaction of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The transaction.
    pub tx: TxNum,
    /// Its id.
    pub txid: Txid,
    /// Its block's height, where known.
    pub height: Option<Height>,
    /// Which of its inputs spends the coin that was followed.
    pub vin: u32,
    /// Value of its other inputs, which are the sender's own: the same address, or earlier outputs
    /// of the chain.
    pub added: Sats,
    /// What is followed from here: one output, or both of an ambiguous hop.
    pub next: Vec<Coin>,
    /// What was peeled off.
    pub payments: Vec<Coin>,
    /// The fee.
    pub fee: Sats,
    /// Burned in data carriers.
    pub burned: Sats,
    /// All signs, for either output.
    pub signs: Vec<Sign>,
}

impl Hop {
    /// Whether nothing decides which output is the rest.
    pub fn is_ambiguous(&self) -> bool {
        self.next.len() != 1
    }
}

/// Sums, in satoshis. `start + added == paid + fees + burned + left`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Value of the output that the chain begins with.
    pub start: u128,
    /// What further inputs of the sender's own brought in.
    pub added: u128,
    /// Peeled off.
    pub paid: u128,
    /// Fees.
    pub fees: u128,
    /// Burned in data carriers.
    pub burned: u128,
    /// Where branches end.
    pub left: u128,
}

/// Why a branch ends. Where several apply, the first in this order is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stop {
    /// A rule of the caller's ([`crate::trace::StopAt`]): an index into [`Peeling::named_stops`].
    Named(u32),
    /// Nobody has spent it yet.
    Unspent,
    /// A sparse ledger does not know who spends it, or what that transaction pays.
    Unknown,
    /// Less than [`Options::min_value`].
    Value,
    /// [`Options::max_hops`].
    Hops,
    /// [`Options::max_transactions`].
    Budget,
    /// Another branch passed the transaction that spends it.
    Joined,
    /// It goes into a transaction of this kind, or of this shape.
    CoinJoin(Protocol),
    /// It is spent with inputs that are not the sender's own: gathered with other coins.
    Consolidation,
    /// It moves on as a whole: one output only.
    Sweep,
    /// More than two outputs: divided, or many paid at once.
    FanOut,
    /// Nothing that can be spent comes out.
    Burned,
    /// One more hop without enough signs, after [`Options::max_ambiguous`].
    Ambiguous,
    /// The last hop is ambiguous: two branches follow its outputs.
    Branched,
}

impl Stop {
    /// The stable name in JSON; `named` for the caller's rules, see [`Peeling::stop_name`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Named(_) => "named",
            Self::Unspent => "unspent",
            Self::Unknown => "unknown",
            Self::Value => "value",
            Self::Hops => "hops",
            Self::Budget => "budget",
            Self::Joined => "joined",
            Self::CoinJoin(_) => "coinjoin",
            Self::Consolidation => "consolidation",
            Self::Sweep => "sweep",
            Self::FanOut => "fan_out",
            Self::Burned => "op_return",
            Self::Ambiguous => "ambiguous",
            Self::Branched => "branched",
        }
    }
}
