//! What a trace answers: outputs reached, flows, leaves and sums.

use chain::{AddressNum, Height, OutNum, OutPoint, Sats, Spend, TxNum, Txid};

use super::Query;

/// How much of something is tainted. `lower == upper` under every policy but
/// [`super::Policy::Bounds`]; under [`super::Policy::Poison`] both are the whole value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taint {
    /// At least this much.
    pub lower: Sats,
    /// At most this much.
    pub upper: Sats,
    /// The same per root with anything here, ascending by root. Empty unless
    /// [`Query::keep_roots_apart`]. Exact policies: sums up to the amount. Bounds: each holds on
    /// its own, sums mean nothing. Poison: each root reaches the whole.
    pub by_root: Vec<RootShare>,
}

/// One root's part of a [`Taint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootShare {
    /// Index into [`Query::roots`].
    pub root: u32,
    /// At least this much.
    pub lower: Sats,
    /// At most this much.
    pub upper: Sats,
}

/// What a trace found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The question, with all parameters.
    pub query: Query,
    /// The outputs that the roots stand for, in chain order.
    pub roots: Vec<Root>,
    /// Every output that taint reached, in chain order; roots and leaves included.
    pub nodes: Vec<Node>,
    /// What passed from where to where, in chain order of the transactions (backward: reversed).
    pub flows: Vec<Flow>,
    /// Whether [`super::Limits::flows`] was too low for all of `flows` and `nodes`.
    pub flows_truncated: bool,
    /// Where the trace ended at an output, in the order in which it got there.
    pub leaves: Vec<Leaf>,
    /// Whether [`super::Limits::leaves`] was too low.
    pub leaves_truncated: bool,
    /// The sums.
    pub summary: Summary,
}

impl Trace {
    /// The node of an output.
    pub fn node(&self, out: OutNum) -> Option<&Node> {
        let at = self.nodes.binary_search_by_key(&out, |node| node.out).ok()?;
        self.nodes.get(at)
    }
}

/// The sums of a trace or sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// By destination, in the order of [`StopReason`]. Empty ones are left out.
    pub bookings: Vec<Booking>,
    /// What was started with and what was booked.
    pub totals: Totals,
    /// How far the trace got.
    pub reach: Reach,
    /// The names of [`StopReason::Named`].
    pub named_stops: Vec<String>,
}

impl Summary {
    /// The stable snake_case name of a reason, as in bookings and leaves.
    pub fn reason_name(&self, reason: StopReason) -> &str {
        match reason {
            StopReason::Named(rule) => {
                self.named_stops.get(rule as usize).map_or("named", String::as_str)
            }
            builtin => builtin.name(),
        }
    }
}

/// Satoshis started with and satoshis booked.
///
/// Under [`super::Policy::conserves_value`] all four are equal. Under bounds
/// `booked_lower <= root_upper` and `root_lower <= booked_upper`. Under poison `booked` is the
/// value of all leaves, which may be far more than the root: look at [`Reach`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of what the roots contributed, at least.
    pub root_lower: u128,
    /// The same, at most.
    pub root_upper: u128,
    /// Sum of the bookings, at least.
    pub booked_lower: u128,
    /// The same, at most.
    pub booked_upper: u128,
}

/// How far a trace got. Under poison this is the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Transactions that taint passed through.
    pub transactions: u64,
    /// Outputs that taint reached, roots included.
    pub outputs: u64,
    /// The whole value of those outputs, in satoshis; the same coins count each time they move.
    pub value: u128,
    /// Most hops of any of them.
    pub max_hops: u32,
    /// Most outputs that ever waited for their spender at the same time: what memory was for.
    pub peak_waiting: u64,
}

/// The sum of what ended for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Why it ended.
    pub reason: StopReason,
    /// Outputs (or fees) booked here.
    pub count: u64,
    /// Satoshis booked here, at least. Under poison: their whole value.
    pub lower: u128,
    /// The same, at most.
    pub upper: u128,
    /// The same per root, empty unless [`Query::keep_roots_apart`].
    pub by_root: Vec<BookingShare>,
}

/// One root's part of a [`Booking`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingShare {
    /// Index into [`Query::roots`].
    pub root: u32,
    /// Satoshis, at least.
    pub lower: u128,
    /// The same, at most.
    pub upper: u128,
}

/// Why a trace went no further.
///
/// Where several apply to an output, the order is: data carrier, the caller's rule, address, unspent
/// or unknown, value, hops, budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StopReason {
    /// Nobody has spent it yet (or not up to [`super::Stops::until_height`]).
    Unspent,
    /// Paid as a fee and not followed further.
    Fee,
    /// Burned in a data carrier.
    OpReturn,
    /// The coinbase claimed less than subsidy and fees; nobody ever got the rest.
    Unclaimed,
    /// Backward: newly minted.
    Coinbase,
    /// A sparse ledger does not know more: who spends it, who made it, or the block's other fees.
    Unknown,
    /// It arrived at one of [`super::Stops::addresses`].
    Address,
    /// [`super::Stops::max_hops`].
    Hops,
    /// [`super::Stops::min_tainted`].
    Value,
    /// Backward: [`super::Stops::until_height`].
    Height,
    /// [`super::Stops::max_transactions`].
    Budget,
    /// A rule of the caller's ([`super::super::StopAt`]); the number is an index into
    /// [`Summary::named_stops`].
    Named(u32),
}

impl StopReason {
    /// The stable name in JSON; `named` for the caller's rules, see [`Summary::reason_name`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspent => "unspent",
            Self::Fee => "fee",
            Self::OpReturn => "op_return",
            Self::Unclaimed => "unclaimed",
            Self::Coinbase => "coinbase",
            Self::Unknown => "unknown",
            Self::Address => "address",
            Self::Hops => "hops",
            Self::Value => "value",
            Self::Height => "height",
            Self::Budget => "budget",
            Self::Named(_) => "named",
        }
    }
}

/// An output that the trace starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Index into [`Query::roots`] (the first that names the output).
    pub root: u32,
    /// The output.
    pub out: OutNum,
    /// The same as the chain names it.
    pub outpoint: OutPoint,
    /// Its block's height, where known.
    pub height: Option<Height>,
    /// Its whole value.
    pub value: Sats,
    /// Its locking script's number.
    pub address: Option<AddressNum>,
    /// How much of it came with taint of an earlier root already (at least), and keeps that:
    /// only `value` less this is counted as this root's.
    pub covered_lower: Sats,
    /// The same, at most.
    pub covered_upper: Sats,
}

/// An output that taint reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The output.
    pub out: OutNum,
    /// The same as the chain names it.
    pub outpoint: OutPoint,
    /// The transaction that made it.
    pub tx: TxNum,
    /// Its block's height, where known.
    pub height: Option<Height>,
    /// Transactions between it and the nearest root.
    pub hops: u32,
    /// Its whole value.
    pub value: Sats,
    /// Its locking script's number; `None` for data carriers.
    pub address: Option<AddressNum>,
    /// What became of it, whether the trace followed or not.
    pub spend: Spend,
    /// How much of it is tainted.
    pub taint: Taint,
    /// Index into [`Trace::roots`] if it is one.
    pub root: Option<usize>,
}

/// Where a flow starts or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// An output; it has a [`Node`].
    Output(OutNum),
    /// The fee of this transaction.
    Fee(TxNum),
    /// What this coinbase left unclaimed.
    Unclaimed(TxNum),
    /// The subsidy of this coinbase.
    Subsidy(TxNum),
}

/// What passed through one transaction from one place to another.
///
/// Money goes `from` → `to` in both directions of tracing. Under FIFO and LIFO this is the exact
/// run of satoshis; under haircut and TIHO, which pool a transaction's inputs, each destination's
/// amount is divided over the sources in proportion, such that the sums over either side are
/// exact. Under bounds it is the interval. Under poison there is no amount: both are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The transaction: the one that spends `from` and makes `to`, or the coinbase that collects
    /// the fee.
    pub tx: TxNum,
    /// Its id.
    pub txid: Txid,
    /// From here.
    pub from: Place,
    /// To there.
    pub to: Place,
    /// How much.
    pub taint: Taint,
}

/// An output where a trace ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The output.
    pub out: OutNum,
    /// The same as the chain names it.
    pub outpoint: OutPoint,
    /// Its block's height, where known.
    pub height: Option<Height>,
    /// Its locking script's number; `None` for data carriers.
    pub address: Option<AddressNum>,
    /// Its whole value.
    pub value: Sats,
    /// How much of it is tainted.
    pub taint: Taint,
    /// Transactions between it and the nearest root.
    pub hops: u32,
    /// What became of the output.
    pub status: Status,
    /// Why the trace ended.
    pub reason: StopReason,
    /// [`super::super::StopAt::confidence`] of the way there.
    pub confidence: u8,
}

/// What became of an output, as far as the trace looks ([`super::Stops::until_height`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nobody has spent it.
    Unspent,
    /// Somebody has.
    Spent,
    /// Nobody ever can.
    Unspendable,
    /// The ledger does not say.
    Unknown,
}

impl Status {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspent => "unspent",
            Self::Spent => "spent",
            Self::Unspendable => "unspendable",
            Self::Unknown => "unknown",
        }
    }
}
