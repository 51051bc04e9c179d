//! The Esplora routes: paths, and what kind of answer each gives.
//!
//! Names and shapes are those of Blockstream's Esplora (its `API.md`), so that programs written for
//! it work here. The store has confirmed transactions only: its mempool is always empty.

mod address;
mod block;
mod dto;
mod proof;
mod tx;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use serde::Serialize;

use crate::{
    desk::{Desk, View},
    error::Refusal,
};

type Asked = State<Arc<Desk>>;

/// All of them.
pub(crate) fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/tx/{txid}", one(|view, txid| json(&tx::document(view, view.tx(txid)?)?)))
        .route("/tx/{txid}/hex", one(|view, txid| Ok(Body::Text(tx::hex(view, txid)?))))
        .route("/tx/{txid}/raw", one(|view, txid| Ok(Body::Bytes(tx::raw(view, txid)?))))
        .route("/tx/{txid}/status", one(|view, txid| json(&tx::status(view, txid)?)))
        .route("/tx/{txid}/outspends", one(|view, txid| json(&tx::outspends(view, txid)?)))
        .route(
            "/tx/{txid}/outspend/{vout}",
            two(|view, txid, vout| json(&tx::outspend(view, txid, vout)?)),
        )
        .route("/tx/{txid}/merkle-proof", one(|view, txid| json(&proof::merkle(view, txid)?)))
        .route(
            "/tx/{txid}/merkleblock-proof",
            one(|view, txid| Ok(Body::Text(proof::merkle_block(view, txid)?))),
        )
        .route("/address/{address}", one(|view, text| json(&address::stats(view, text)?)))
        .route("/address/{address}/txs", one(|view, text| json(&address::page(view, text, None)?)))
        .route(
            "/address/{address}/txs/chain",
            one(|view, text| json(&address::page(view, text, None)?)),
        )
        .route(
            "/address/{address}/txs/chain/{last_seen}",
            two(|view, text, last| json(&address::page(view, text, Some(last))?)),
        )
        .route(
            "/address/{address}/txs/mempool",
            one(|view, text| {
                address::find(view, text)?;
                json(&[(); 0])
            }),
        )
        .route("/address/{address}/utxo", one(|view, text| json(&address::unspent(view, text)?)))
        .route(
            "/scripthash/{*rest}",
            one(|_, _| {
                Err(Refusal::NotHere("script hashes are not indexed here: ask for /address/..."))
            }),
        )
        .route("/block/{hash}", one(|view, hash| json(&block::info(view, &view.block(hash)?)?)))
        .route("/block/{hash}/header", one(|view, hash| Ok(Body::Text(block::header(view, hash)?))))
        .route("/block/{hash}/status", one(|view, hash| json(&block::status(view, hash)?)))
        .route("/block/{hash}/txids", one(|view, hash| json(&block::txids(view, hash)?)))
        .route(
            "/block/{hash}/txid/{index}",
            two(|view, hash, index| Ok(Body::Text(block::txid(view, hash, index)?))),
        )
        .route(
            "/block/{hash}/raw",
            one(|view, hash| Ok(Body::Bytes(view.raw_block(&view.block(hash)?.hash)?))),
        )
        .route("/block/{hash}/txs", one(|view, hash| json(&block::txs(view, hash, "0")?)))
        .route(
            "/block/{hash}/txs/{start}",
            two(|view, hash, start| json(&block::txs(view, hash, start)?)),
        )
        .route(
            "/block-height/{height}",
            one(|view, height| Ok(Body::Text(block::at_height(view, height)?.hash.to_string()))),
        )
        .route("/blocks", none(|view| json(&block::newest(view, None)?)))
        .route("/blocks/{start}", one(|view, start| json(&block::newest(view, Some(start))?)))
        .route(
            "/blocks/tip/height",
            none(|view| Ok(Body::Text(block::tip(view)?.height.to_string()))),
        )
        .route("/blocks/tip/hash", none(|view| Ok(Body::Text(block::tip(view)?.hash.to_string()))))
        .fallback(unknown)
        .with_state(desk)
}

/// An answer, by its kind.
enum Body {
    Text(String),
    Bytes(Vec<u8>),
    Json(Vec<u8>),
}

type Answer = Result<Body, Refusal>;

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        let (kind, bytes) = match self {
            Self::Text(text) => ("text/plain", text.into_bytes()),
            Self::Bytes(bytes) => ("application/octet-stream", bytes),
            Self::Json(bytes) => ("application/json", bytes),
        };
        ([(header::CONTENT_TYPE, kind)], bytes).into_response()
    }
}

fn json(document: &impl Serialize) -> Answer {
    // Written on the worker's thread: a block's transactions are megabytes.
    let written = serde_json::to_vec(document);
    written.map(Body::Json).map_err(|error| Refusal::Inside(error.to_string()))
}

/// A route without parameters.
fn none(question: fn(&View<'_>) -> Answer) -> MethodRouter<Arc<Desk>> {
    get(move |State(desk): Asked| desk.ask(question))
}

/// A route with one parameter.
fn one(question: fn(&View<'_>, &str) -> Answer) -> MethodRouter<Arc<Desk>> {
    get(move |State(desk): Asked, Path(text): Path<String>| {
        desk.ask(move |view| question(view, &text))
    })
}

/// A route with two parameters.
fn two(question: fn(&View<'_>, &str, &str) -> Answer) -> MethodRouter<Arc<Desk>> {
    get(move |State(desk): Asked, Path((one, two)): Path<(String, String)>| {
        desk.ask(move |view| question(view, &one, &two))
    })
}

async fn unknown() -> (StatusCode, &'static str) {
    let text = "no such route: this server speaks Esplora's, /tx/..., /address/..., /block/...\n";
    (StatusCode::NOT_FOUND, text)
}
