//! Exposure: how much of some money went to, or came from, whom.

use std::{cmp::Reverse, collections::BTreeMap};

use chain::{Flags, Ledger, OutPoint, Txid};

use super::{AtCoinJoin, Ends, EndsAt, Naming};
use crate::{
    Error, Result,
    trace::{CERTAIN, Direction, Policy, Query, Reach, RootSpec, StopReason, Stops, sweep},
};

/// Which way to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    /// To whom the money went.
    #[default]
    Sending,
    /// From whom it came.
    Receiving,
}

impl Side {
    /// The name in flags and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Receiving => "receiving",
        }
    }

    /// How a trace goes there.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Sending => Direction::Forward,
            Self::Receiving => Direction::Backward,
        }
    }
}

/// Whose exposure, and how to look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// An address (all that it ever received), an output, or a transaction (sending: what it
    /// spends; receiving: what it makes).
    pub subject: RootSpec,
    /// Which way.
    pub side: Side,
    /// How money passes a transaction; one that conserves value.
    pub policy: Policy,
    /// What happens at CoinJoins.
    pub coinjoins: AtCoinJoin,
    /// Where to stop in any case.
    pub stops: Stops,
}

impl Question {
    /// Under haircut, with CoinJoins as ends and no other stop rules.
    pub fn new(subject: RootSpec, side: Side) -> Self {
        let (policy, coinjoins, stops) =
            (Policy::default(), AtCoinJoin::default(), Stops::default());
        Self { subject, side, policy, coinjoins, stops }
    }
}

/// To whom money went, or from whom it came.
///
/// The sums are exact: `total` is the sum of all `ends` and all of `rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Satoshis asked about: the value of the subject's outputs, each satoshi once.
    pub total: u128,
    /// At parties and CoinJoins, the largest first.
    pub ends: Vec<Share>,
    /// What reached neither, by reason, in the order of [`StopReason`].
    pub rest: Vec<Rest>,
    /// How far the walk got.
    pub reach: Reach,
}

/// What ended at one party, or at CoinJoins of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Where.
    pub at: EndsAt,
    /// Satoshis that got there in one hop.
    pub direct: u128,
    /// Satoshis that got there through addresses of nobody known.
    pub indirect: u128,
    /// Outputs in which they did.
    pub outputs: u64,
    /// Fewest transactions between the subject and one of them, 1 for a direct one.
    pub min_hops: u32,
    /// Most, each by its shortest way.
    pub max_hops: u32,
    /// The least of all path confidences, 0 to 100: the weakest link of any way there.
    pub confidence: u8,
}

impl Share {
    /// All satoshis.
    pub fn amount(&self) -> u128 {
        self.direct + self.indirect
    }
}

/// What ended for another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Why.
    pub reason: StopReason,
    /// Satoshis.
    pub amount: u128,
    /// Outputs, or fees.
    pub count: u64,
}

/// The exposure of a subject to whom `naming` knows: a trace with [`Ends`] as its stop rules.
///
/// # Errors
/// A subject that is not there, a policy that does not conserve value ([`Error::NotConserving`]), a
/// ledger that cannot answer.
pub fn exposure<L: Ledger, N: Naming>(
    ledger: &L,
    question: &Question,
    naming: N,
) -> Result<Exposure> {
    Ok(exposure_with(ledger, question, naming)?.0)
}

/// As [`exposure`], and the rules with what they met.
///
/// # Errors
/// The same.
pub fn exposure_with<'a, L: Ledger, N: Naming>(
    ledger: &'a L,
    question: &Question,
    naming: N,
) -> Result<(Exposure, Ends<'a, L, N>)> {
    let Question { policy, side, coinjoins, .. } = *question;
    if !policy.conserves_value() {
        return Err(Error::NotConserving(policy));
    }
    let query = Query {
        policy,
        direction: side.direction(),
        stops: question.stops.clone(),
        keep_roots_apart: false,
        ..Query::new(roots(ledger, question)?)
    };
    let mut ends = Ends::new(ledger, naming, query.direction, coinjoins, "party");
    let mut shares: BTreeMap<u32, Tally> = BTreeMap::new();
    let summary = sweep(ledger, &query, &mut ends, |ended| {
        if let StopReason::Named(number) = ended.reason {
            let amount = u128::from(ended.taint.upper.0);
            shares.entry(number).or_default().add(amount, ended.hops, ended.confidence);
        }
    })?;
    ends.check()?;
    let mut found = Vec::new();
    for (number, tally) in shares {
        found.extend(ends.met().get(number as usize).map(|at| tally.share(*at)));
    }
    found.sort_by_key(|share| (Reverse(share.amount()), share.at));
    let rest = summary.bookings.iter().filter_map(|booking| match booking.reason {
        StopReason::Named(_) => None,
        reason => Some(Rest { reason, amount: booking.upper, count: booking.count }),
    });
    let (total, rest) = (summary.totals.root_upper, rest.collect());
    Ok((Exposure { total, ends: found, rest, reach: summary.reach }, ends))
}

/// The roots of the walk. Where the money of a transaction went begins with what it spends, so
/// that its own outputs are one hop away like those of any payment.
fn roots(ledger: &impl Ledger, question: &Question) -> Result<Vec<RootSpec>> {
    let subject = || vec![question.subject.clone()];
    let RootSpec::Transaction(txid) = question.subject else { return Ok(subject()) };
    if question.side == Side::Receiving {
        return Ok(subject());
    }
    let tx = ledger.find_tx(&txid)?.ok_or(Error::TxNotFound(txid))?;
    let flags = ledger.flags(tx)?;
    if flags.has(Flags::COINBASE) || flags.has(Flags::STUB) {
        return Ok(subject());
    }
    let mut inputs = Vec::new();
    ledger.inputs(tx, &mut inputs)?;
    let mut roots = Vec::with_capacity(inputs.len());
    for input in inputs {
        let made: Txid = ledger.txid(ledger.tx_of(input.source)?)?;
        let vout = ledger.output(input.source)?.vout;
        roots.push(RootSpec::Output(OutPoint::new(made, vout)));
    }
    Ok(roots)
}

/// Sums by hops of the outputs as the trace counts them: 0 for the subject's own, 1 for the next.
#[derive(Clone, Copy, Debug)]
struct Tally {
    by_hops: [u128; 3],
    outputs: u64,
    min_hops: u32,
    max_hops: u32,
    confidence: u8,
}

impl Default for Tally {
    fn default() -> Self {
        let (by_hops, outputs) = ([0; 3], 0);
        Self { by_hops, outputs, min_hops: u32::MAX, max_hops: 0, confidence: CERTAIN }
    }
}

impl Tally {
    fn add(&mut self, amount: u128, hops: u32, confidence: u8) {
        self.by_hops[hops.min(2) as usize] += amount;
        self.outputs += 1;
        self.min_hops = self.min_hops.min(hops);
        self.max_hops = self.max_hops.max(hops);
        self.confidence = self.confidence.min(confidence);
    }

    /// An output of a party is as far away as the trace says; a CoinJoin is one transaction behind
    /// the output where the trace ended.
    fn share(self, at: EndsAt) -> Share {
        let Self { by_hops: [own, next, far], outputs, min_hops, max_hops, confidence } = self;
        let (direct, indirect, behind) = match at {
            EndsAt::Party(_) => (own + next, far, 0),
            EndsAt::CoinJoin(_) => (own, next + far, 1),
        };
        let (min_hops, max_hops) =
            (min_hops.saturating_add(behind), max_hops.saturating_add(behind));
        Share { at, direct, indirect, outputs, min_hops, max_hops, confidence }
    }
}
