//! What goes wrong: at the start, and with a request.

use std::net::SocketAddr;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chain::LedgerError;
use store::StoreError;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that others can reach. There are no users yet, so nobody could be kept out.
    #[error("{0} can be reached from elsewhere: only loopback is served, like 127.0.0.1:3002")]
    NotLoopback(SocketAddr),
    /// No such port, or taken.
    #[error("{address}: {error}")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// What the operating system said.
        error: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a request has no answer: a status, and a sentence for whoever asked.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request makes no sense.
    Bad(&'static str),
    /// There is no such thing.
    Missing(&'static str),
    /// Not from this server as it was started.
    NotHere(&'static str),
    /// Too much to do.
    TooMuch(&'static str),
    /// Ask again.
    Again,
    /// Inside: the person who runs the server is told.
    Inside(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::Missing(text) => (StatusCode::NOT_FOUND, text),
            Self::NotHere(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
            Self::TooMuch(text) => (StatusCode::UNPROCESSABLE_ENTITY, text),
            Self::Again => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the chain was reorganised, or is being indexed anew: ask again",
            ),
            Self::Inside(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the server cannot answer; its log says why")
            }
        };
        let text = format!("{text}\n");
        let mut response = (status, [(header::CONTENT_TYPE, "text/plain")], text).into_response();
        if matches!(self, Self::Again) {
            response.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        response
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            // A number of ours that is not there any more: the store was rolled back.
            LedgerError::Reorganised | LedgerError::OutOfRange { .. } => Self::Again,
            error => Self::Inside(error.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Reorganised | StoreError::Missing { .. } => Self::Again,
            error => Self::Inside(error.to_string()),
        }
    }
}
