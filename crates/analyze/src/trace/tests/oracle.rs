//! Tracing done naively: whole chain, every transaction, nothing clever.

use std::collections::BTreeMap;

use chain::{Flags, Height, Ledger, MemoryLedger, OutNum, TxNum};

/// A policy by its plainest definition. `X` is what an output carries.
pub(super) trait Naive {
    type X: Clone;
    /// An output that comes from nowhere (a stub, a subsidy).
    fn mint(&mut self, source: Origin, value: u64) -> Self::X;
    /// Taints what is not yet tainted.
    fn root(&mut self, x: Self::X, value: u64, root: u32) -> Self::X;
    /// What the destinations get; the last one is a rest.
    fn spread(&mut self, sources: Vec<(u64, Self::X)>, dests: &[u64]) -> Vec<Self::X>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    Output(OutNum),
    Subsidy(TxNum),
}

pub(super) struct Answer<X> {
    pub(super) outputs: BTreeMap<OutNum, X>,
    /// What ended up in fees, or with `follow` was left unclaimed.
    pub(super) rests: Vec<(u64, X)>,
}

/// Runs a policy over the whole chain.
pub(super) fn run<N: Naive>(
    ledger: &MemoryLedger,
    naive: &mut N,
    follow: bool,
    roots: &BTreeMap<OutNum, u32>,
) -> Answer<N::X> {
    let mut answer = Answer { outputs: BTreeMap::new(), rests: Vec::new() };
    let mut fees: Vec<(u64, N::X)> = Vec::new();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for tx in (0..ledger.tx_count()).map(TxNum) {
        let flags = ledger.flags(tx).unwrap();
        ledger.inputs(tx, &mut inputs).unwrap();
        ledger.outputs(tx, &mut outputs).unwrap();
        let mut values: Vec<u64> = outputs.iter().map(|output| output.value.0).collect();
        if flags.has(Flags::STUB) || (flags.has(Flags::COINBASE) && !follow) {
            for output in &outputs {
                let x = naive.mint(Origin::Output(output.num), output.value.0);
                answer.outputs.insert(output.num, x);
            }
        } else if !flags.has(Flags::COINBASE) {
            let source =
                |input: &chain::Input| (input.value.0, answer.outputs[&input.source].clone());
            let sources: Vec<_> = inputs.iter().map(source).collect();
            let taken: u64 = inputs.iter().map(|input| input.value.0).sum();
            let fee = taken - values.iter().sum::<u64>();
            values.push(fee);
            let mut spread = naive.spread(sources, &values).into_iter();
            for output in &outputs {
                answer.outputs.insert(output.num, spread.next().unwrap());
            }
            fees.push((fee, spread.next().unwrap()));
        }
        if !flags.has(Flags::COINBASE) || !follow {
            taint_roots(&mut answer, naive, ledger, &outputs, roots);
        }
        let height = ledger.height(tx).unwrap();
        let block = height.and_then(|height: Height| ledger.block(height).unwrap());
        let Some(block) = block.filter(|block| block.txs.end == tx.0 + 1) else { continue };
        if !follow {
            answer.rests.append(&mut fees);
            continue;
        }
        let coinbase = TxNum(block.txs.start);
        ledger.outputs(coinbase, &mut outputs).unwrap();
        let subsidy = ledger.network().subsidy(block.height.0);
        let mut sources = vec![(subsidy, naive.mint(Origin::Subsidy(coinbase), subsidy))];
        sources.append(&mut fees);
        let mut values: Vec<u64> = outputs.iter().map(|output| output.value.0).collect();
        let total: u64 = sources.iter().map(|(value, _)| value).sum();
        let unclaimed = total - values.iter().sum::<u64>();
        values.push(unclaimed);
        let mut spread = naive.spread(sources, &values).into_iter();
        for output in &outputs {
            answer.outputs.insert(output.num, spread.next().unwrap());
        }
        answer.rests.push((unclaimed, spread.next().unwrap()));
        taint_roots(&mut answer, naive, ledger, &outputs, roots);
    }
    answer
}

fn taint_roots<N: Naive>(
    answer: &mut Answer<N::X>,
    naive: &mut N,
    ledger: &MemoryLedger,
    outputs: &[chain::Output],
    roots: &BTreeMap<OutNum, u32>,
) {
    for output in outputs {
        if let Some(&root) = roots.get(&output.num) {
            let x = answer.outputs[&output.num].clone();
            let value = ledger.output(output.num).unwrap().value.0;
            answer.outputs.insert(output.num, naive.root(x, value, root));
        }
    }
}

/// Satoshi by satoshi: the label of each. Labels below [`CLEAN`] are roots.
pub(super) struct Line {
    pub(super) reverse: bool,
    /// Not 0: satoshis are shuffled by this instead.
    pub(super) shuffle: u64,
    /// Where clean labels come from.
    pub(super) origins: Vec<Origin>,
}

pub(super) const CLEAN: u64 = 1_000;

impl Line {
    pub(super) fn new(reverse: bool, shuffle: u64) -> Self {
        Self { reverse, shuffle, origins: Vec::new() }
    }
}

impl Naive for Line {
    type X = Vec<u64>;

    fn mint(&mut self, source: Origin, value: u64) -> Vec<u64> {
        let first = CLEAN + self.origins.len() as u64;
        self.origins.extend((0..value).map(|_| source));
        (first..first + value).collect()
    }

    fn root(&mut self, x: Vec<u64>, _: u64, root: u32) -> Vec<u64> {
        x.into_iter().map(|label| if label >= CLEAN { u64::from(root) } else { label }).collect()
    }

    fn spread(&mut self, sources: Vec<(u64, Vec<u64>)>, dests: &[u64]) -> Vec<Vec<u64>> {
        let mut queue: Vec<u64> = sources.into_iter().flat_map(|(_, labels)| labels).collect();
        if self.reverse {
            queue.reverse();
        }
        if self.shuffle > 0 {
            for at in (1..queue.len()).rev() {
                // Knuth's constants for a linear congruential generator.
                self.shuffle = self
                    .shuffle
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                queue.swap(at, (self.shuffle >> 33) as usize % (at + 1));
            }
        }
        let mut queue = queue.into_iter();
        dests.iter().map(|value| queue.by_ref().take(*value as usize).collect()).collect()
    }
}

/// One amount per output: haircut or TIHO.
pub(super) struct Share {
    pub(super) tiho: bool,
}

impl Naive for Share {
    type X = u64;

    fn mint(&mut self, _: Origin, _: u64) -> u64 {
        0
    }

    fn root(&mut self, _: u64, value: u64, _: u32) -> u64 {
        value
    }

    fn spread(&mut self, sources: Vec<(u64, u64)>, dests: &[u64]) -> Vec<u64> {
        let total: u64 = sources.iter().map(|(value, _)| value).sum();
        let mut left: u64 = sources.iter().map(|(_, tainted)| tainted).sum();
        let tainted = left;
        let mut order: Vec<usize> = (0..dests.len()).collect();
        if self.tiho {
            order.sort_by_key(|&at| (at == dests.len() - 1, u64::MAX - dests[at]));
            let mut parts = vec![0; dests.len()];
            for at in order {
                parts[at] = left.min(dests[at]);
                left -= parts[at];
            }
            return parts;
        }
        if total == 0 {
            return vec![0; dests.len()];
        }
        let mut parts: Vec<u64> = dests.iter().map(|value| value * tainted / total).collect();
        order.sort_by_key(|&at| (total - dests[at] * tainted % total, at));
        left -= parts.iter().sum::<u64>();
        for &at in order.iter().take(left as usize) {
            parts[at] += 1;
        }
        parts
    }
}

pub(super) struct Poisoned;

impl Naive for Poisoned {
    type X = bool;

    fn mint(&mut self, _: Origin, _: u64) -> bool {
        false
    }

    fn root(&mut self, _: bool, _: u64, _: u32) -> bool {
        true
    }

    fn spread(&mut self, sources: Vec<(u64, bool)>, dests: &[u64]) -> Vec<bool> {
        let any = sources.iter().any(|(_, tainted)| *tainted);
        // A fee of nothing carries nothing.
        let last = dests.len() - 1;
        dests.iter().enumerate().map(|(at, value)| any && (at < last || *value > 0)).collect()
    }
}
