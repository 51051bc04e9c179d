//! `chainhound address`.

use chain::{AddressNum, Ledger, OutNum, Spend, script};
use source::esplora::explorer::Start;

use super::{Session, cluster, describe};
use crate::{
    args::AddressArgs,
    explore::{self, Told},
    failure::{Exit, Failure},
    labels,
    ledger::Chain,
    output::{AddressDocument, AddressTotals, ClaimRow, Received},
    root::parse_outpoint,
};

/// Prints an address.
pub(crate) fn run(args: &AddressArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let script = script::parse(&args.address, place.network)?;
    let cursor = args.cursor.as_deref().map(parse_outpoint).transpose()?;
    let file = args.esplora.esplora.as_deref();
    let labels = labels::open(&place)?;
    let start = Start::Script(script.clone());
    let told = explore::look(file, &args.server, &place, session.say, start)?;
    let from = Told::or(told.as_ref(), file);
    session.answer_with(&place, from, args.format.format, labels.as_ref(), |chain| {
        let ledger = chain.ledger();
        let Some(address) = ledger.find_script(&script)? else {
            return Err(chain.lacks(&format!("address {}", args.address)));
        };
        let after = match cursor {
            None => None,
            Some(outpoint) => Some(resolve_cursor(chain, address, outpoint)?),
        };
        let (history, next_cursor) = page(ledger, address, after, args.limit)?;
        let body = AddressDocument {
            lock: describe::lock(&script, ledger.network()),
            totals: if args.no_totals { None } else { Some(totals(ledger, address)?) },
            cluster: cluster::of_address(&place, chain, address)?,
            tags: labels.as_ref().map(|set| {
                let claims = set.of_script(script.as_bytes()).ranked();
                claims.into_iter().map(ClaimRow::of_claim).collect()
            }),
            history,
            next_cursor,
        };
        let parameters = Parameters {
            address: args.address.clone(),
            limit: args.limit,
            cursor: args.cursor.clone(),
            no_totals: args.no_totals,
            server: told.as_ref().map(|told| told.server.clone()),
        };
        Ok((parameters, body))
    })
}

#[derive(serde::Serialize)]
struct Parameters {
    address: String,
    limit: u32,
    cursor: Option<String>,
    no_totals: bool,
    /// Who told, and whose claim it is that outputs are unspent and that these are all.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

/// A cursor is an output of the address and not a number of ours: it survives a reorganisation
/// and a store made anew.
fn resolve_cursor(
    chain: &Chain,
    address: AddressNum,
    outpoint: chain::OutPoint,
) -> Result<OutNum, Failure> {
    let ledger = chain.ledger();
    let stale = || {
        Failure::usage(format!("--cursor {outpoint} is no output of this address"))
            .hint("start again without --cursor: the chain may have been reorganised")
    };
    let tx = ledger.find_tx(&outpoint.txid)?.ok_or_else(stale)?;
    let out = ledger.output_at(tx, outpoint.vout)?.ok_or_else(stale)?;
    match ledger.output(out)?.address {
        Some(owner) if owner == address => Ok(out),
        _ => Err(stale()),
    }
}

fn page(
    ledger: &dyn Ledger,
    address: AddressNum,
    after: Option<OutNum>,
    limit: u32,
) -> Result<(Vec<Received>, Option<String>), Failure> {
    let mut rows: Vec<Received> = Vec::new();
    let mut next = ledger.last_output_of(address, after)?;
    while let Some(out) = next {
        if rows.len() >= limit as usize {
            let cursor = rows.last().map(|row| format!("{}:{}", row.txid, row.vout));
            return Ok((rows, cursor));
        }
        let (output, tx) = (ledger.output(out)?, ledger.tx_of(out)?);
        let (height, time) = describe::block_time(ledger, tx)?;
        rows.push(Received {
            txid: ledger.txid(tx)?.to_string(),
            vout: output.vout,
            height,
            time,
            value_sat: output.value.0,
            fate: describe::fate(ledger, &output, false)?,
        });
        next = ledger.last_output_of(address, Some(out))?;
    }
    Ok((rows, None))
}

/// Walks the whole history: one step per output.
fn totals(ledger: &dyn Ledger, address: AddressNum) -> Result<AddressTotals, Failure> {
    let mut totals = AddressTotals::default();
    let newest = ledger.last_output_of(address, None)?;
    let (mut next, mut oldest) = (newest, newest);
    let mut last_spender = None;
    while let Some(out) = next {
        let output = ledger.output(out)?;
        let value = output.value.0;
        totals.received_count += 1;
        totals.received_sat = totals.received_sat.saturating_add(value);
        match output.spend {
            Spend::Unspent => totals.balance_sat = totals.balance_sat.saturating_add(value),
            Spend::Unknown => totals.unknown_sat = totals.unknown_sat.saturating_add(value),
            Spend::By(by) => {
                totals.sent_count += 1;
                totals.sent_sat = totals.sent_sat.saturating_add(value);
                // Numbers follow chain order, so the largest one is the last.
                last_spender = last_spender.max(Some(by));
            }
        }
        oldest = Some(out);
        next = ledger.last_output_of(address, Some(out))?;
    }
    let made = |out: Option<OutNum>| out.map(|out| ledger.tx_of(out)).transpose();
    let height = |tx: Option<chain::TxNum>| tx.map_or(Ok(None), |tx| ledger.height(tx));
    totals.first_height = height(made(oldest)?)?.map(|height| height.0);
    let last = height(made(newest)?)?.max(height(last_spender)?);
    totals.last_height = last.map(|height| height.0);
    Ok(totals)
}
