//! What stands around all routes: limits, and who may ask.

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::{
    catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer,
};

use crate::Limits;

/// No route reads a body.
const BODY: usize = 1 << 10;

/// The routes with their limits, the outermost last.
pub(crate) fn around(routes: Router, limits: Limits) -> Router {
    let timeout = StatusCode::SERVICE_UNAVAILABLE;
    routes
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(middleware::from_fn(only_loopback))
        .layer(TimeoutLayer::with_status_code(timeout, limits.patience))
        .layer(GlobalConcurrencyLimitLayer::new(limits.requests.max(1)))
        .layer(CatchPanicLayer::new())
}

/// Refuses requests for another host's name. A page in a browser can have its name lead to
/// loopback, and would read what is here (DNS rebinding); it cannot change what it asks for.
async fn only_loopback(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = host.and_then(|host| host.parse::<Authority>().ok());
    let ours = named.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    if ours {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "only requests to localhost are answered\n").into_response()
}
