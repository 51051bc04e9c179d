//! The stop rules of services and CoinJoins, for traces and for exposure: one engine for both.

use std::collections::BTreeMap;

use chain::{AddressNum, Input, Ledger, LedgerError, OutNum, Output, TxNum};
use rustc_hash::FxHashMap;

use super::{Holder, Naming};
use crate::{
    Result,
    coinjoin::{Class, Detector, Finding, Protocol, ShapeBuf, stored_class},
    trace::{CERTAIN, Direction, StopAt},
};

/// What happens at a CoinJoin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AtCoinJoin {
    /// The walk ends before it, where a protocol's shape is recognised.
    #[default]
    Stop,
    /// The policy spreads the money over all outputs, and the way there is as sure as one in the
    /// number of people that may have taken part.
    Pass,
}

/// Somebody or something at which walks ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndsAt {
    /// An address of this party ([`Holder::party`]).
    Party(u32),
    /// A CoinJoin of this protocol.
    CoinJoin(Protocol),
}

/// Ends walks at the addresses of parties and before CoinJoins, and keeps count of how sure the
/// way is: [`StopAt`] for [`crate::trace`].
///
/// Its answers are numbered as they come up: [`Ends::met`] tells what each stands for. The name of
/// parties in bookings is that given to [`Ends::new`], that of CoinJoins is `coinjoin`.
#[derive(Debug)]
pub struct Ends<'a, L, N> {
    ledger: &'a L,
    naming: N,
    direction: Direction,
    coinjoins: AtCoinJoin,
    party_name: &'static str,
    detector: Detector,
    buffer: ShapeBuf,
    numbers: FxHashMap<EndsAt, u32>,
    met: Vec<EndsAt>,
    holders: BTreeMap<AddressNum, Holder>,
    findings: BTreeMap<TxNum, Finding>,
    ways: Ways,
    failed: Option<LedgerError>,
}

impl<'a, L: Ledger, N: Naming> Ends<'a, L, N> {
    /// Ends walks over `ledger` in this direction at whom `naming` knows.
    pub fn new(
        ledger: &'a L,
        naming: N,
        direction: Direction,
        coinjoins: AtCoinJoin,
        party_name: &'static str,
    ) -> Self {
        Self {
            ledger,
            naming,
            direction,
            coinjoins,
            party_name,
            detector: Detector::default(),
            buffer: ShapeBuf::default(),
            numbers: FxHashMap::default(),
            met: Vec::new(),
            holders: BTreeMap::new(),
            findings: BTreeMap::new(),
            ways: Ways::default(),
            failed: None,
        }
    }

    /// What the answers stand for, index by index, in the order in which they came up.
    pub fn met(&self) -> &[EndsAt] {
        &self.met
    }

    /// The addresses at which walks ended, and whose they are.
    pub fn holders(&self) -> &BTreeMap<AddressNum, Holder> {
        &self.holders
    }

    /// The CoinJoins before which walks ended, and as what they were recognised.
    pub fn findings(&self) -> &BTreeMap<TxNum, Finding> {
        &self.findings
    }

    /// Whether every question was answered. To be asked after the walk, which itself cannot say.
    ///
    /// # Errors
    /// The first thing that the ledger reported.
    pub fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The naming, for what it may have kept of its own.
    pub fn into_naming(self) -> N {
        self.naming
    }

    fn number(&mut self, at: EndsAt) -> u32 {
        let next = self.met.len() as u32;
        let number = *self.numbers.entry(at).or_insert(next);
        if number == next {
            self.met.push(at);
        }
        number
    }

    /// What an error leaves of an answer: the walk goes on to its end, and [`Ends::check`] says
    /// that it is worth nothing.
    fn answer<T>(&mut self, answer: chain::Result<Option<T>>) -> Option<T> {
        answer.unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            None
        })
    }
}

impl<L: Ledger, N: Naming> StopAt for Ends<'_, L, N> {
    fn output(&mut self, tx: TxNum, output: &Output) -> Option<u32> {
        let known = match output.address {
            Some(address) => match self.holders.get(&address) {
                Some(holder) => Some((address, *holder)),
                None => {
                    let asked = self.naming.holder(address);
                    self.answer(asked).map(|holder| (address, holder))
                }
            },
            None => None,
        };
        let confidence = known.map_or(CERTAIN, |(_, holder)| holder.confidence);
        self.ways.reach(tx, output.num, confidence);
        let (address, holder) = known?;
        self.holders.insert(address, holder);
        Some(self.number(EndsAt::Party(holder.party)))
    }

    fn transaction(&mut self, tx: TxNum, inputs: &[Input], outputs: &[Output]) -> Option<u32> {
        match self.direction {
            Direction::Forward => self.ways.enter(tx, inputs.iter().map(|input| input.source)),
            Direction::Backward => self.ways.enter(tx, outputs.iter().map(|output| output.num)),
        }
        // Most transactions are none, and a store knows that without looking at them.
        let found = match stored_class(self.ledger, tx) {
            Ok(Some(Class::NONE)) => Ok(None),
            Ok(_) => self.detector.classify_tx(self.ledger, tx, &mut self.buffer),
            Err(error) => Err(error),
        };
        let finding = self.answer(found)?;
        if self.coinjoins == AtCoinJoin::Stop && mixes(&finding) {
            let number = self.number(EndsAt::CoinJoin(finding.protocol));
            self.findings.insert(tx, finding);
            return Some(number);
        }
        if finding.do_not_union {
            self.ways.weaken(tx, one_in(finding.participants.upper));
        }
        None
    }

    fn names(&self) -> Vec<String> {
        let name = |at: &EndsAt| match at {
            EndsAt::Party(_) => self.party_name.to_owned(),
            EndsAt::CoinJoin(_) => "coinjoin".to_owned(),
        };
        self.met.iter().map(name).collect()
    }

    fn confidence(&mut self, out: OutNum) -> u8 {
        self.ways.end(out)
    }
}

/// Whether what comes out of it may be somebody else's than what went in: what a scan for
/// CoinJoins reports, but for a Tx0, which one wallet makes alone to prepare for Whirlpool.
pub fn mixes(finding: &Finding) -> bool {
    finding.is_named() && finding.protocol != Protocol::WhirlpoolTx0
}

/// One in so many, in per cent, and not nothing.
fn one_in(people: u32) -> u8 {
    u8::try_from(100 / people.max(1)).unwrap_or(CERTAIN).max(1)
}

/// How sure the weakest step is on any way to an output. Only what is below [`CERTAIN`] is kept:
/// usually that is little.
#[derive(Debug, Default)]
struct Ways {
    weak: FxHashMap<u64, u8>,
    /// Weak ways into the transaction at hand: forgotten when the next one comes.
    entered: Vec<u64>,
    /// The transaction at hand, and the weakest of all ways through it.
    here: Option<(TxNum, u8)>,
}

impl Ways {
    /// The walk comes to a transaction that may carry on what these outputs have.
    fn enter(&mut self, tx: TxNum, outputs: impl Iterator<Item = OutNum>) {
        for out in self.entered.drain(..) {
            self.weak.remove(&out);
        }
        let mut weakest = CERTAIN;
        if !self.weak.is_empty() {
            for out in outputs {
                if let Some(confidence) = self.weak.get(&out.0) {
                    weakest = weakest.min(*confidence);
                    self.entered.push(out.0);
                }
            }
        }
        self.here = Some((tx, weakest));
    }

    /// Passing this transaction is no surer than this.
    fn weaken(&mut self, tx: TxNum, confidence: u8) {
        self.here = Some((tx, self.through(tx).min(confidence)));
    }

    /// The weakest of all ways through a transaction. A coinbase into which fees are followed is
    /// not entered: how sure the way of a fee is, is not kept.
    fn through(&self, tx: TxNum) -> u8 {
        self.here.filter(|(at, _)| *at == tx).map_or(CERTAIN, |(_, confidence)| confidence)
    }

    /// The walk reaches an output through this transaction.
    fn reach(&mut self, tx: TxNum, out: OutNum, confidence: u8) {
        let confidence = self.through(tx).min(confidence);
        if confidence < CERTAIN {
            self.weak.insert(out.0, confidence);
        }
    }

    /// The walk ends at an output: whoever spends it carries nothing on.
    fn end(&mut self, out: OutNum) -> u8 {
        self.weak.remove(&out.0).unwrap_or(CERTAIN)
    }
}
