//! `chainhound coinjoin scan`.

use std::ops::RangeInclusive;

use chain::{Height, Ledger, TxNum};
use report::model::UtcTime;
use serde::Serialize;

use super::{Finder, file, tally::Tally};
use crate::{
    args::ScanArgs,
    failure::{Exit, Failure},
    ledger::{Chain, on_ledger},
    output::{FoundTransaction, Provenance, ScanDocument},
    run::{Session, progress::Counter},
    say::Say,
};

#[derive(Serialize)]
struct Parameters {
    esplora: Option<String>,
    from_height: Option<u32>,
    to_height: Option<u32>,
}

/// Scans and prints.
pub(super) fn run(args: &ScanArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let range = Heights::of(args)?;
    let place = session.place()?;
    let parameters = || Parameters {
        esplora: args.esplora.as_ref().map(|path| path.display().to_string()),
        from_height: args.from_height,
        to_height: args.to_height,
    };
    let say = session.say;
    if let Some(path) = &args.esplora {
        let body = file::scan(path, place.network, range.as_ref(), say)?;
        let provenance = Provenance::of("sparse", place.network, None, parameters());
        session.output.answer(args.format.format, provenance, body)?;
        return Ok(Exit::Done);
    }
    session.answer(&place, None, args.format.format, |chain| {
        let txs = transactions(chain, range.as_ref(), say)?;
        let body = on_ledger!(chain, ledger => scan(ledger, txs, range.as_ref(), say))?;
        Ok((parameters(), body))
    })
}

/// Heights asked for; without any, transactions that have none count too.
pub(super) struct Heights(RangeInclusive<u32>);

impl Heights {
    fn of(args: &ScanArgs) -> Result<Option<Self>, Failure> {
        match (args.from_height, args.to_height) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) if from > to => {
                Err(Failure::usage(format!("--from-height {from} lies behind --to-height {to}")))
            }
            (from, to) => Ok(Some(Self(from.unwrap_or(0)..=to.unwrap_or(u32::MAX)))),
        }
    }

    /// Whether a transaction is meant.
    pub(super) fn has(&self, height: Option<Height>) -> bool {
        height.is_some_and(|height| self.0.contains(&height.0))
    }
}

/// The numbers of the transactions that may be meant: in a whole chain just these.
fn transactions(
    chain: &Chain,
    range: Option<&Heights>,
    say: &Say,
) -> Result<std::ops::Range<u32>, Failure> {
    let ledger = chain.ledger();
    let all = 0..ledger.tx_count();
    let (Some(Heights(range)), true, Some(tip)) = (range, chain.is_whole(), ledger.tip()) else {
        return Ok(all);
    };
    let (from, to) = (Height(*range.start()), Height(*range.end()).min(tip.height));
    let Some(first) = ledger.block(from)? else {
        return Err(chain.lacks(&format!("block {from}")));
    };
    if *range.end() != u32::MAX && *range.end() > to.0 {
        say.warning(format_args!("--to-height {}: the chain ends at height {to}", range.end()));
    }
    let last = ledger.block(to)?.ok_or_else(|| chain.lacks(&format!("block {to}")))?;
    Ok(first.txs.start..last.txs.end)
}

fn scan(
    ledger: &impl Ledger,
    txs: std::ops::Range<u32>,
    range: Option<&Heights>,
    say: &Say,
) -> Result<ScanDocument, Failure> {
    let (mut finder, mut tally, mut listed) = (Finder::default(), Tally::default(), Vec::new());
    let mut counter = Counter::new(say, "transactions", Some(u64::from(txs.end - txs.start)));
    let start = txs.start;
    for tx in txs.map(TxNum) {
        counter.at(u64::from(tx.0 - start));
        let stub = ledger.flags(tx)?.has(chain::Flags::STUB);
        if stub || range.is_some_and(|range| !ledger.height(tx).is_ok_and(|at| range.has(at))) {
            continue;
        }
        let finding = finder.find(ledger, tx)?;
        if tally.count(finding.as_ref())
            && let Some(finding) = finding
        {
            listed.push(FoundTransaction {
                txid: ledger.txid(tx)?.to_string(),
                height: ledger.height(tx)?.map(|height| height.0),
                time: ledger.time(tx)?.map(UtcTime),
                finding: finder.judged(ledger, tx, finding)?,
            });
        }
    }
    counter.finish();
    Ok(tally.finish(listed))
}
