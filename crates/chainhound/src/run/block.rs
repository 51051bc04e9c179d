//! `chainhound block`.

use chain::{BlockHash, Height, TxNum};
use report::model::UtcTime;

use super::{Session, describe};
use crate::{
    args::BlockArgs,
    failure::{Exit, Failure},
    ledger::Chain,
    output::{BlockDocument, Header},
};

/// Prints a block.
pub(crate) fn run(args: &BlockArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let wanted = Wanted::parse(&args.block)?;
    let place = session.place()?;
    let file = args.esplora.esplora.as_deref();
    session.answer(&place, file, args.format.format, |chain| {
        let parameters =
            Parameters { block: args.block.clone(), limit: args.limit, cursor: args.cursor };
        Ok((parameters, document(chain, &wanted, args)?))
    })
}

#[derive(serde::Serialize)]
struct Parameters {
    block: String,
    limit: u32,
    cursor: u32,
}

enum Wanted {
    Height(Height),
    Hash(BlockHash),
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, Failure> {
        if text.len() == 64
            && let Ok(hash) = text.parse()
        {
            return Ok(Self::Hash(hash));
        }
        text.parse().map(|height| Self::Height(Height(height))).map_err(|_| {
            Failure::usage(format!(
                "'{text}' is no block: write a height, or a hash of 64 hexadecimal digits"
            ))
        })
    }
}

fn document(chain: &Chain, wanted: &Wanted, args: &BlockArgs) -> Result<BlockDocument, Failure> {
    let ledger = chain.ledger();
    let missing = || chain.lacks(&format!("block {}", args.block));
    let height = match wanted {
        Wanted::Height(height) => *height,
        Wanted::Hash(hash) => ledger.find_block(hash)?.ok_or_else(missing)?,
    };
    let block = ledger.block(height)?.ok_or_else(missing)?;
    let header = match chain {
        Chain::Whole(store) => store.header(height)?.map(|bytes| Header::parse(&bytes)),
        Chain::Sparse(_) => None,
    };
    let count = block.txs.end - block.txs.start;
    if args.cursor > 0 && args.cursor >= count {
        return Err(Failure::usage(format!(
            "--cursor {}: block {height} has {count} transactions, numbered from 0",
            args.cursor
        )));
    }
    let start = block.txs.start + args.cursor;
    let end = start.saturating_add(args.limit).min(block.txs.end);
    let txids = (start..end).map(|tx| Ok(ledger.txid(TxNum(tx))?.to_string()));
    Ok(BlockDocument {
        height: height.0,
        block_hash: block.hash.to_string(),
        time: UtcTime(block.time),
        confirmations: describe::confirmations(ledger, chain.is_whole(), height),
        header,
        transactions: count,
        txids: txids.collect::<chain::Result<_>>()?,
        next_cursor: (end < block.txs.end).then_some(end - block.txs.start),
    })
}
