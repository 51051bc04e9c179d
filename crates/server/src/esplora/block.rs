//! `/block/...`, `/blocks` and `/block-height/...`.

use bitcoin::hex::DisplayHex;
use chain::{Block, Header, Height, Ledger, Tip, TxNum, Txid, header};

use super::{
    dto::{BlockInfo, BlockStatus, TxDocument},
    tx,
};
use crate::{desk::View, error::Refusal};

/// Transactions on a page.
const PAGE: u32 = 25;
/// Blocks in a list.
const LISTED: u32 = 10;
/// A header's time is at least the median of those of so many blocks before (Core:
/// `nMedianTimeSpan`).
const MEDIAN_SPAN: u32 = 11;

pub(super) fn info(view: &View<'_>, block: &Block) -> Result<BlockInfo, Refusal> {
    let header = parsed(view, block)?;
    let raw = match view.raw_block(&block.hash) {
        Ok(raw) => Some((raw.len(), view.decoded(&block.hash)?.weight().to_wu())),
        Err(Refusal::NotHere(_)) => None,
        Err(refusal) => return Err(refusal),
    };
    Ok(BlockInfo {
        id: block.hash,
        height: block.height.0,
        version: header.version.to_consensus(),
        timestamp: header.time,
        tx_count: block.txs.end - block.txs.start,
        size: raw.map(|(size, _)| size),
        weight: raw.map(|(_, weight)| weight),
        merkle_root: header.merkle_root,
        previousblockhash: (block.height.0 > 0).then_some(header.prev_blockhash),
        mediantime: median_time(view, block.height)?,
        nonce: header.nonce,
        bits: header.bits.to_consensus(),
        difficulty: header.difficulty_float(),
    })
}

pub(super) fn header(view: &View<'_>, hash: &str) -> Result<String, Refusal> {
    let bytes = view.store.header(view.block(hash)?.height)?;
    Ok(bytes.ok_or(Refusal::Again)?.to_lower_hex_string())
}

pub(super) fn status(view: &View<'_>, hash: &str) -> Result<BlockStatus, Refusal> {
    let Some(block) = view.block_if_any(hash)? else { return Ok(BlockStatus::default()) };
    let next = block.height.checked_add(1).map(|next| view.store.block(next)).transpose()?;
    Ok(BlockStatus {
        in_best_chain: true,
        height: Some(block.height.0),
        next_best: next.flatten().map(|next| next.hash),
    })
}

pub(super) fn txids(view: &View<'_>, hash: &str) -> Result<Vec<String>, Refusal> {
    let txids = tx::txids(view, &view.block(hash)?)?;
    Ok(txids.iter().map(Txid::to_string).collect())
}

pub(super) fn txid(view: &View<'_>, hash: &str, index: &str) -> Result<String, Refusal> {
    let index: u32 = number(index)?;
    let mut txs = view.block(hash)?.txs;
    let tx = txs.nth(index as usize).ok_or(Refusal::Missing("tx not found"))?;
    Ok(view.store.txid(TxNum(tx))?.to_string())
}

pub(super) fn txs(view: &View<'_>, hash: &str, start: &str) -> Result<Vec<TxDocument>, Refusal> {
    let start: u32 = number(start)?;
    if !start.is_multiple_of(PAGE) {
        return Err(Refusal::Bad("start index must be a multiple of 25"));
    }
    let txs = view.block(hash)?.txs;
    let page = txs.skip(start as usize).take(PAGE as usize);
    let page: Vec<TxDocument> =
        page.map(|num| tx::document(view, TxNum(num))).collect::<Result<_, _>>()?;
    if page.is_empty() { Err(Refusal::Missing("start index out of range")) } else { Ok(page) }
}

pub(super) fn at_height(view: &View<'_>, height: &str) -> Result<Block, Refusal> {
    let height: u32 = number(height)?;
    view.store.block(Height(height))?.ok_or(Refusal::Missing("Block not found"))
}

/// Ten blocks, newest first, from the tip or from a height downwards.
pub(super) fn newest(view: &View<'_>, start: Option<&str>) -> Result<Vec<BlockInfo>, Refusal> {
    let start = match start {
        Some(text) => at_height(view, text)?.height,
        None => tip(view)?.height,
    };
    let heights = (0..=start.0).rev().take(LISTED as usize);
    heights
        .map(|height| {
            let block = view.store.block(Height(height))?.ok_or(Refusal::Again)?;
            info(view, &block)
        })
        .collect()
}

pub(super) fn tip(view: &View<'_>) -> Result<Tip, Refusal> {
    view.store.tip().ok_or(Refusal::NotHere("the store is empty"))
}

fn parsed(view: &View<'_>, block: &Block) -> Result<Header, Refusal> {
    let bytes = view.store.header(block.height)?.ok_or(Refusal::Again)?;
    header::parse(&bytes).map_err(|error| Refusal::Inside(format!("block {}: {error}", block.hash)))
}

fn median_time(view: &View<'_>, height: Height) -> Result<u32, Refusal> {
    let mut times = Vec::new();
    for height in (0..=height.0).rev().take(MEDIAN_SPAN as usize) {
        times.push(view.store.block(Height(height))?.ok_or(Refusal::Again)?.time);
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn number(text: &str) -> Result<u32, Refusal> {
    text.parse().map_err(|_| Refusal::Bad("this is not a number"))
}
