//! The walk along a chain and its branches.

use std::collections::{BTreeSet, VecDeque};

use chain::{Flags, Input, Ledger, OutNum, OutPoint, Output, Sats, Spend, TxNum, Txid};

use super::{Branch, Coin, Hop, Options, Peeling, Sign, Stop, Totals, sign};
use crate::{
    Error, Result,
    change::Payment,
    coinjoin::{Detector, ShapeBuf},
    trace::StopAt,
};

pub(super) struct Walk<'a, L, S> {
    ledger: &'a L,
    options: &'a Options,
    stops: &'a mut S,
    detector: Detector,
    buffer: ShapeBuf,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Transactions passed.
    passed: BTreeSet<TxNum>,
    /// All outputs of those.
    own: BTreeSet<OutNum>,
    totals: Totals,
}

/// A branch that waits to be followed.
struct Start {
    parent: Option<usize>,
    depth: u32,
    ambiguous: u32,
    tx: TxNum,
    output: Output,
}

/// What becomes of a coin.
enum Next {
    /// The transaction that spends it and what it pays are at hand.
    Hop { tx: TxNum, txid: Txid, hop: Hop },
    /// The branch ends, before this transaction if there is one.
    End { stop: Stop, before: Option<Txid>, signs: Vec<Sign> },
}

impl Next {
    fn end(stop: Stop) -> Self {
        Self::End { stop, before: None, signs: Vec::new() }
    }
}

impl<'a, L: Ledger, S: StopAt> Walk<'a, L, S> {
    pub(super) fn new(ledger: &'a L, options: &'a Options, stops: &'a mut S) -> Self {
        Self {
            ledger,
            options,
            stops,
            detector: Detector::default(),
            buffer: ShapeBuf::default(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            passed: BTreeSet::new(),
            own: BTreeSet::new(),
            totals: Totals::default(),
        }
    }

    pub(super) fn run(mut self, tx: TxNum, output: Output) -> Result<Peeling> {
        self.totals.start = output.value.0.into();
        self.own.insert(output.num);
        let mut branches = Vec::new();
        let first = Start { parent: None, depth: 0, ambiguous: 0, tx, output };
        let mut waiting = VecDeque::from([first]);
        while let Some(start) = waiting.pop_front() {
            let number = branches.len();
            let (branch, splits) = self.branch(start, number)?;
            branches.push(branch);
            waiting.extend(splits);
        }
        Ok(Peeling { branches, totals: self.totals, named_stops: self.stops.names() })
    }

    /// Follows a branch to its end; also gives the branches into which it splits.
    fn branch(&mut self, start: Start, number: usize) -> Result<(Branch, Vec<Start>)> {
        let Start { parent, depth, ambiguous, tx, output } = start;
        let mut at = (tx, output);
        let mut branch = Branch {
            parent,
            depth,
            ambiguous,
            start: self.coin(self.ledger.txid(tx)?, &output),
            hops: Vec::new(),
            end: self.coin(self.ledger.txid(tx)?, &output),
            stop: Stop::Branched,
            before: None,
            signs: Vec::new(),
        };
        loop {
            // A chain is shorter than 2³² transactions.
            let hops = depth + branch.hops.len() as u32;
            let first = hops == 0;
            match self.next(at, hops, ambiguous, first)? {
                Next::End { stop, before, signs } => {
                    (branch.stop, branch.before, branch.signs) = (stop, before, signs);
                    self.totals.left += u128::from(branch.end.value.0);
                    return Ok((branch, Vec::new()));
                }
                Next::Hop { tx, txid, hop } => {
                    let next = hop.next.clone();
                    branch.hops.push(hop);
                    if let [coin] = next[..] {
                        branch.end = coin;
                        at = (tx, self.ledger.output(coin.out)?);
                        continue;
                    }
                    branch.before = Some(txid);
                    let split = |coin: &Coin| -> Result<Start> {
                        Ok(Start {
                            parent: Some(number),
                            depth: hops + 1,
                            ambiguous: ambiguous + 1,
                            tx,
                            output: self.ledger.output(coin.out)?,
                        })
                    };
                    let splits = next.iter().map(split).collect::<Result<_>>()?;
                    return Ok((branch, splits));
                }
            }
        }
    }

    /// What becomes of an output that was made by `maker`, `hops` transactions after the start.
    fn next(
        &mut self,
        (maker, output): (TxNum, Output),
        hops: u32,
        ambiguous: u32,
        first: bool,
    ) -> Result<Next> {
        if !first && let Some(rule) = self.stops.output(maker, &output) {
            return Ok(Next::end(Stop::Named(rule)));
        }
        let tx = match output.spend {
            Spend::Unspent => return Ok(Next::end(Stop::Unspent)),
            Spend::Unknown => return Ok(Next::end(Stop::Unknown)),
            Spend::By(tx) => tx,
        };
        let txid = self.ledger.txid(tx)?;
        let end = |stop| Next::End { stop, before: Some(txid), signs: Vec::new() };
        if output.value < self.options.min_value {
            return Ok(end(Stop::Value));
        }
        if hops >= self.options.max_hops {
            return Ok(end(Stop::Hops));
        }
        if self.passed.len() as u64 >= self.options.max_transactions {
            return Ok(end(Stop::Budget));
        }
        if self.passed.contains(&tx) {
            return Ok(end(Stop::Joined));
        }
        if self.ledger.flags(tx)?.has(Flags::STUB) {
            return Ok(end(Stop::Unknown));
        }
        self.ledger.inputs(tx, &mut self.inputs)?;
        self.ledger.outputs(tx, &mut self.outputs)?;
        if let Some(rule) = self.stops.transaction(tx, &self.inputs, &self.outputs) {
            return Ok(end(Stop::Named(rule)));
        }
        let finding = self.detector.classify_tx(self.ledger, tx, &mut self.buffer)?;
        if let Some(finding) = finding.filter(|found| found.is_named() || found.do_not_union) {
            return Ok(end(Stop::CoinJoin(finding.protocol)));
        }
        let own = |input: &Input| {
            self.own.contains(&input.source)
                || input.address.is_some() && input.address == output.address
        };
        if !self.inputs.iter().all(own) {
            return Ok(end(Stop::Consolidation));
        }
        match self.outputs.iter().filter(|output| output.address.is_some()).count() {
            0 => return Ok(end(Stop::Burned)),
            1 => return Ok(end(Stop::Sweep)),
            2 => {}
            _ => return Ok(end(Stop::FanOut)),
        }
        let Some(payment) = Payment::load(self.ledger, tx)? else { return Ok(end(Stop::Unknown)) };
        let signs = sign::signs(self.ledger, &payment, self.options)?;
        let rest = sign::decide(&signs, self.options.signs);
        if rest.is_none() && ambiguous >= self.options.max_ambiguous {
            return Ok(Next::End { stop: Stop::Ambiguous, before: Some(txid), signs });
        }
        let hop = self.hop(tx, txid, output.num, rest, signs)?;
        Ok(Next::Hop { tx, txid, hop })
    }

    /// The transaction at hand as a hop: on with `rest`, or with both outputs.
    fn hop(
        &mut self,
        tx: TxNum,
        txid: Txid,
        from: OutNum,
        rest: Option<u32>,
        signs: Vec<Sign>,
    ) -> Result<Hop> {
        self.passed.insert(tx);
        self.own.extend(self.outputs.iter().map(|output| output.num));
        let taken: u128 = self.inputs.iter().map(|input| u128::from(input.value.0)).sum();
        let made: u128 = self.outputs.iter().map(|output| u128::from(output.value.0)).sum();
        let fee = taken.checked_sub(made).and_then(|fee| u64::try_from(fee).ok());
        let Some(fee) = fee else {
            return Err(Error::Inconsistent { txid, detail: "pays out more than it takes in" });
        };
        let others = self.inputs.iter().filter(|input| input.source != from);
        let added = others.fold(0, |sum: u64, input| sum.saturating_add(input.value.0));
        let vin = self.inputs.iter().position(|input| input.source == from).unwrap_or(0);
        let (mut next, mut payments, mut burned) = (Vec::new(), Vec::new(), 0_u64);
        for output in &self.outputs {
            let coin = self.coin(txid, output);
            match (output.address, rest) {
                (None, _) => burned = burned.saturating_add(output.value.0),
                (Some(_), Some(vout)) if output.vout != vout => payments.push(coin),
                (Some(_), _) => next.push(coin),
            }
        }
        self.totals.added += u128::from(added);
        self.totals.fees += u128::from(fee);
        self.totals.burned += u128::from(burned);
        self.totals.paid += payments.iter().map(|coin| u128::from(coin.value.0)).sum::<u128>();
        Ok(Hop {
            tx,
            txid,
            height: self.ledger.height(tx)?,
            // A block has fewer than 2³² inputs.
            vin: vin as u32,
            added: Sats(added),
            next,
            payments,
            fee: Sats(fee),
            burned: Sats(burned),
            signs,
        })
    }

    fn coin(&self, txid: Txid, output: &Output) -> Coin {
        Coin {
            out: output.num,
            outpoint: OutPoint::new(txid, output.vout),
            value: output.value,
            address: output.address,
        }
    }
}
