//! How fast the trace engine is by itself: sweeps over a synthetic chain in flat arrays.
//!
//! `cargo run --release -p analyze --example sweep [TRANSACTIONS [POLICY]]`
//!
//! The chain has the proportions of the yardstick in docs/performance.md (2.6 inputs and 3.0
//! outputs a transaction); most coins are spent soon, some after a long time. Figures on the
//! durable store are `cargo xtask bench`'s business.

use std::time::Instant;

use analyze::trace::{NoStops, Policy, Query, RootSpec, StopReason, sweep};
use bitcoin::hashes::Hash;
use chain::{
    AddressNum, Block, BlockHash, Flags, Height, Input, Ledger, LedgerError, Network, OutNum,
    Output, Result, Sats, ScriptBuf, Spend, Tip, TxNum, Txid,
};

/// Transactions per block.
const BLOCK: u32 = 2_000;

struct Flat {
    first_input: Vec<u32>,
    first_output: Vec<u32>,
    source: Vec<u32>,
    /// Beside the source, as the store has it.
    source_value: Vec<u64>,
    value: Vec<u64>,
    /// 0: unspent.
    spender: Vec<u32>,
}

/// xorshift64*: the same chain each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % n
    }
}

impl Flat {
    fn generate(transactions: u32) -> Self {
        let mut random = Random(42);
        let mut flat = Self {
            first_input: vec![0],
            first_output: vec![0],
            source: Vec::new(),
            source_value: Vec::new(),
            value: Vec::new(),
            spender: Vec::new(),
        };
        // Unspent outputs, roughly by age.
        let mut unspent: Vec<u32> = Vec::new();
        for tx in 0..transactions {
            let mut taken = 0;
            if tx % BLOCK != 0 && unspent.len() > 10 {
                for _ in 0..1 + random.below(4) + random.below(2) * random.below(2) {
                    // Three in four spend something recent, the rest anything.
                    let len = unspent.len() as u64;
                    let recent = random.below(4) > 0;
                    let back =
                        if recent { random.below(len.min(5_000)) } else { random.below(len) };
                    let out = unspent.swap_remove((len - 1 - back) as usize);
                    flat.spender[out as usize] = tx;
                    flat.source.push(out);
                    flat.source_value.push(flat.value[out as usize]);
                    taken += flat.value[out as usize];
                    if unspent.len() < 10 {
                        break;
                    }
                }
            } else {
                taken = 50_0000_0000;
            }
            let outputs = 2 + random.below(3);
            let mut left = taken - taken / 10_000;
            for at in 0..outputs {
                let value = if at + 1 == outputs { left } else { random.below(left + 1) };
                left -= value;
                unspent.push(flat.value.len() as u32);
                flat.value.push(value);
                flat.spender.push(0);
            }
            flat.first_input.push(flat.source.len() as u32);
            flat.first_output.push(flat.value.len() as u32);
        }
        flat
    }
}

fn none<T>() -> Result<T> {
    Err(LedgerError::OutOfRange { what: "answer", number: 0, count: 0 })
}

impl Ledger for Flat {
    fn network(&self) -> Network {
        Network::Regtest
    }

    fn tip(&self) -> Option<Tip> {
        None
    }

    fn tx_count(&self) -> u32 {
        self.first_input.len() as u32 - 1
    }

    fn find_tx(&self, txid: &Txid) -> Result<Option<TxNum>> {
        let bytes: &[u8] = txid.as_ref();
        Ok(Some(TxNum(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))))
    }

    fn txid(&self, tx: TxNum) -> Result<Txid> {
        Ok(txid(tx.0))
    }

    fn flags(&self, tx: TxNum) -> Result<Flags> {
        Ok(if tx.0.is_multiple_of(BLOCK) { Flags::COINBASE } else { Flags::VERSION_2 })
    }

    fn height(&self, tx: TxNum) -> Result<Option<Height>> {
        Ok(Some(Height(tx.0 / BLOCK)))
    }

    fn block(&self, _: Height) -> Result<Option<Block>> {
        none()
    }

    fn find_block(&self, _: &BlockHash) -> Result<Option<Height>> {
        none()
    }

    fn inputs(&self, tx: TxNum, into: &mut Vec<Input>) -> Result<()> {
        into.clear();
        let range = self.first_input[tx.index()]..self.first_input[tx.index() + 1];
        let range = range.start as usize..range.end as usize;
        for (&source, &value) in self.source[range.clone()].iter().zip(&self.source_value[range]) {
            let source = OutNum(source.into());
            into.push(Input { source, value: Sats(value), address: None });
        }
        Ok(())
    }

    fn input_sum(&self, tx: TxNum) -> Result<Sats> {
        let range = self.first_input[tx.index()]..self.first_input[tx.index() + 1];
        Ok(Sats(self.source_value[range.start as usize..range.end as usize].iter().sum()))
    }

    fn outputs(&self, tx: TxNum, into: &mut Vec<Output>) -> Result<()> {
        into.clear();
        let first = self.first_output[tx.index()];
        for num in first..self.first_output[tx.index() + 1] {
            into.push(self.at(num, num - first));
        }
        Ok(())
    }

    fn output(&self, out: OutNum) -> Result<Output> {
        let tx = self.tx_of(out)?;
        Ok(self.at(out.0 as u32, out.0 as u32 - self.first_output[tx.index()]))
    }

    fn output_at(&self, tx: TxNum, vout: u32) -> Result<Option<OutNum>> {
        Ok(Some(OutNum((self.first_output[tx.index()] + vout).into())))
    }

    fn tx_of(&self, out: OutNum) -> Result<TxNum> {
        let at = self.first_output.partition_point(|first| u64::from(*first) <= out.0);
        Ok(TxNum(at as u32 - 1))
    }

    fn address_count(&self) -> u32 {
        self.value.len() as u32
    }

    fn find_script(&self, _: &bitcoin::Script) -> Result<Option<AddressNum>> {
        none()
    }

    fn script(&self, _: AddressNum) -> Result<ScriptBuf> {
        none()
    }

    fn output_script(&self, _: OutNum) -> Result<ScriptBuf> {
        none()
    }

    fn last_output_of(&self, _: AddressNum, _: Option<OutNum>) -> Result<Option<OutNum>> {
        none()
    }
}

impl Flat {
    fn at(&self, num: u32, vout: u32) -> Output {
        let spend = match self.spender[num as usize] {
            0 => Spend::Unspent,
            tx => Spend::By(TxNum(tx)),
        };
        Output {
            num: OutNum(num.into()),
            vout,
            value: Sats(self.value[num as usize]),
            address: Some(AddressNum(num)),
            spend,
        }
    }
}

/// CPU time of this thread where Linux tells, so that a busy machine does not spoil the figures;
/// else time on the clock.
fn seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let clock = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|stat| stat.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or(clock, |nanoseconds| nanoseconds / 1e9)
}

fn txid(tx: u32) -> Txid {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&tx.to_le_bytes());
    Txid::from_byte_array(bytes)
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn report(name: &str, flat: &Flat, query: &Query) {
    let (mut leaves, start) = (0u64, seconds());
    let summary = match sweep(flat, query, &mut NoStops, |_| leaves += 1) {
        Ok(summary) => summary,
        Err(error) => return println!("{name}: {error}"),
    };
    let seconds = seconds() - start;
    let reach = summary.reach;
    let fees = summary.bookings.iter().find(|booking| booking.reason == StopReason::Fee);
    println!(
        "{name:24} {:>9} tx {:>9} outputs {:>8.1} ms {:>6.2} M tx/s, {leaves} leaves, {} fees, \
         {} waited at once, {}",
        reach.transactions,
        reach.outputs,
        seconds * 1e3,
        reach.transactions as f64 / seconds / 1e6,
        fees.map_or(0, |booking| booking.count),
        reach.peak_waiting,
        if summary.totals.root_lower == summary.totals.booked_lower { "exact" } else { "reach" },
    );
}

/// What it costs to read every transaction and do nothing: the floor under all figures.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn scan(flat: &Flat) {
    let start = seconds();
    let (mut inputs, mut outputs, mut sum) = (Vec::new(), Vec::new(), 0);
    for tx in (0..flat.tx_count()).map(TxNum) {
        if flat.inputs(tx, &mut inputs).and_then(|()| flat.outputs(tx, &mut outputs)).is_ok() {
            sum += inputs.iter().map(|input| input.value.0 & 1).sum::<u64>();
            sum += outputs.iter().map(|output| output.value.0 & 1).sum::<u64>();
        }
    }
    let seconds = seconds() - start;
    println!("reading alone: {:.1} ms ({sum} odd values)", seconds * 1e3);
}

fn main() {
    let transactions =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let flat = Flat::generate(transactions);
    #[expect(clippy::print_stdout, reason = "the figures are the purpose")]
    {
        println!(
            "{transactions} transactions, {} inputs, {} outputs",
            flat.source.len(),
            flat.value.len()
        );
    }
    scan(&flat);
    let coinbases = |every: u32| -> Vec<RootSpec> {
        let heights = (0..transactions / BLOCK).filter(|height| height % every == 0);
        heights.map(|height| RootSpec::Transaction(txid(height * BLOCK))).collect()
    };
    let only: Option<Policy> = std::env::args().nth(2).and_then(|text| text.parse().ok());
    for policy in Policy::ALL.into_iter().filter(|policy| only.is_none_or(|only| only == *policy)) {
        for (what, roots) in [("all coins", coinbases(1)), ("every other block's", coinbases(2))] {
            let mut query = Query::new(roots);
            (query.policy, query.keep_roots_apart) = (policy, false);
            report(&format!("{policy} {what}"), &flat, &query);
        }
    }
    let middle = transactions / 2 / BLOCK * BLOCK;
    let mut query = Query::new(vec![RootSpec::Transaction(txid(middle))]);
    query.policy = Policy::Poison;
    query.stops.max_hops = Some(20);
    report("poison 20 hops", &flat, &query);
    query.policy = Policy::Haircut;
    report("haircut 20 hops", &flat, &query);
    query.stops.max_transactions = Some(1_000);
    report("haircut 1000 tx", &flat, &query);
}
