//! Single questions to an open, warm store.

use std::{hint::black_box, time::Duration};

use anyhow::Context as _;
use chain::{AddressNum, Ledger, TxNum};

use crate::{
    clock::{Clock, quickest},
    figures::{Figures, Target},
};

/// How many transactions are looked up.
const LOOKUPS: u32 = 200_000;
/// Lines on the first page of an address's history.
const PAGE: usize = 100;
/// Addresses with the longest histories that are asked.
const BUSIEST: usize = 50;

/// Times look-ups by transaction id and the first pages of the longest histories.
pub(crate) fn measure(ledger: &impl Ledger) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    figures.group(format!("Look-ups, {} transactions, warm", ledger.tx_count()));
    transactions(ledger, &mut figures)?;
    histories(ledger, &mut figures)?;
    Ok(figures)
}

fn transactions(ledger: &impl Ledger, figures: &mut Figures) -> anyhow::Result<()> {
    let count = ledger.tx_count();
    anyhow::ensure!(count > 0, "the store is empty");
    // All over the chain, in an order without pattern: a multiplicative walk.
    let step = |n: u32| TxNum((u64::from(n) * 2_654_435_761 % u64::from(count)) as u32);
    let txids = (0..LOOKUPS).map(|n| ledger.txid(step(n))).collect::<chain::Result<Vec<_>>>()?;

    let number = |found: &mut u64| -> anyhow::Result<()> {
        for txid in &txids {
            *found += u64::from(ledger.find_tx(txid)?.context("a known transaction")?.0);
        }
        Ok(())
    };
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut whole = |found: &mut u64| -> anyhow::Result<()> {
        for txid in &txids {
            let tx = ledger.find_tx(txid)?.context("a known transaction")?;
            ledger.inputs(tx, &mut inputs)?;
            ledger.outputs(tx, &mut outputs)?;
            *found += u64::from(ledger.height(tx)?.map_or(0, |height| height.0));
            *found += (inputs.len() + outputs.len()) as u64;
        }
        Ok(())
    };
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(LOOKUPS);
    let time = each(repeat(number)?);
    figures.add("number of a transaction id", time, "µs", Target::AtMost(2.0));
    let time = each(repeat(&mut whole)?);
    figures.add("id, height, all inputs and outputs", time, "µs", Target::None);
    Ok(())
}

fn histories(ledger: &impl Ledger, figures: &mut Figures) -> anyhow::Result<()> {
    let busiest = busiest(ledger)?;
    let (mut slowest, mut longest) = (0f64, 0);
    for (address, count) in busiest {
        let script = ledger.script(address)?;
        let page = |found: &mut u64| -> anyhow::Result<()> {
            let address = ledger.find_script(&script)?.context("a known address")?;
            let mut before = None;
            for _ in 0..PAGE {
                let Some(out) = ledger.last_output_of(address, before)? else { break };
                let tx = ledger.tx_of(out)?;
                *found += ledger.output(out)?.value.0;
                *found += u64::from(ledger.txid(tx)? == ledger.txid(TxNum(0))?);
                *found += u64::from(ledger.height(tx)?.map_or(0, |height| height.0));
                before = Some(out);
            }
            Ok(())
        };
        slowest = slowest.max(repeat(page)?.as_secs_f64() * 1e3);
        longest = longest.max(count);
    }
    let what = format!("first {PAGE} of a history of up to {longest}, slowest of {BUSIEST}");
    figures.add(what, slowest, "ms", Target::AtMost(1.0));
    Ok(())
}

/// The addresses with most outputs, most first.
fn busiest(ledger: &impl Ledger) -> anyhow::Result<Vec<(AddressNum, u32)>> {
    let mut counts: Vec<u32> = Vec::new();
    let mut outputs = Vec::new();
    for tx in 0..ledger.tx_count() {
        ledger.outputs(TxNum(tx), &mut outputs)?;
        for address in outputs.iter().filter_map(|output| output.address) {
            if counts.len() <= address.index() {
                counts.resize(address.index() + 1, 0);
            }
            if let Some(count) = counts.get_mut(address.index()) {
                *count += 1;
            }
        }
    }
    let mut ranked: Vec<_> = (0..).map(AddressNum).zip(counts).collect();
    ranked.sort_unstable_by_key(|(address, count)| (std::cmp::Reverse(*count), *address));
    ranked.truncate(BUSIEST);
    Ok(ranked)
}

/// The quickest of five runs after one that warms up.
fn repeat(mut run: impl FnMut(&mut u64) -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut found = 0;
    let time = quickest(5, || {
        let clock = Clock::start();
        run(&mut found)?;
        Ok(clock.passed().wall)
    })?;
    black_box(found);
    Ok(time)
}
