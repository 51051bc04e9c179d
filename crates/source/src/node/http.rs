//! Requests and bounded answers.

use std::{io::Read, time::Duration};

use ureq::{Agent, Error, typestate::WithBody};

use super::{NodeError, login::Key};

/// A node on loopback answers at once, or is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections kept: one for each thread that fetches blocks, and some.
const IDLE: usize = 32;

/// The node's door.
#[derive(Debug)]
pub(super) struct Http {
    agent: Agent,
    pub(super) url: String,
    key: Key,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The bounds of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) patience: Duration,
    /// Bytes of the answer.
    pub(super) body: u64,
}

impl Http {
    pub(super) fn new(url: String, key: Key) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // The cookie goes to the node and to nobody else.
            .proxy(None)
            .max_redirects(0)
            .max_idle_connections(IDLE)
            .max_idle_connections_per_host(IDLE)
            // Core closes idle connections after 30 s (`rpcservertimeout`).
            .max_idle_age(Duration::from_secs(20))
            .user_agent("chainhound")
            .build()
            .new_agent();
        Self { agent, url, key }
    }

    /// Posts JSON to JSON-RPC, with our credentials; with new ones where they were refused.
    pub(super) fn post(
        &self,
        body: &[u8],
        what: &str,
        bounds: Bounds,
    ) -> Result<Answer, NodeError> {
        let mut key = self.key.header()?;
        loop {
            let answer = self.again(what, bounds, || {
                let mut request: ureq::RequestBuilder<WithBody> = self
                    .agent
                    .post(&self.url)
                    .config()
                    .timeout_global(Some(bounds.patience))
                    .build()
                    .header("Content-Type", "application/json");
                if let Some(key) = &key {
                    request = request.header("Authorization", key);
                }
                request.send(body)
            })?;
            match answer.status {
                401 if self.key.renew(key.as_deref())? => key = self.key.header()?,
                401 => return Err(NodeError::Credentials { url: self.url.clone() }),
                _ => return Ok(answer),
            }
        }
    }

    /// Gets a path of REST, which asks for no credentials.
    pub(super) fn get(&self, path: &str, bounds: Bounds) -> Result<Answer, NodeError> {
        let url = format!("{}{path}", self.url);
        self.again(path, bounds, || {
            self.agent.get(&url).config().timeout_global(Some(bounds.patience)).build().call()
        })
    }

    /// Sends a request, a second time where a kept connection turns out to be closed: everything
    /// we ask can be asked twice.
    fn again(
        &self,
        what: &str,
        bounds: Bounds,
        send: impl Fn() -> Result<ureq::http::Response<ureq::Body>, Error>,
    ) -> Result<Answer, NodeError> {
        let once = || -> Result<Answer, Error> {
            let mut response = send()?;
            let status = response.status().as_u16();
            // A truthful length saves the growing; a lie costs a megabyte.
            let length = response.body().content_length().unwrap_or(0);
            let mut body = Vec::with_capacity(length.min(1 << 20) as usize);
            let reader = response.body_mut().with_config().limit(bounds.body + 1).reader();
            reader.take(bounds.body + 1).read_to_end(&mut body)?;
            if body.len() as u64 > bounds.body {
                return Err(Error::BodyExceedsLimit(bounds.body));
            }
            if length > 0 && (body.len() as u64) < length {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            Ok(Answer { status, body })
        };
        let answer = match once() {
            Err(Error::Io(_) | Error::ConnectionFailed) => once(),
            answer => answer,
        };
        answer.map_err(|error| self.failed(&error, what, bounds))
    }

    fn failed(&self, error: &Error, request: &str, bounds: Bounds) -> NodeError {
        let (url, request) = (self.url.clone(), request.to_owned());
        match error {
            Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                NodeError::Unreachable { url, detail: "no connection in time".to_owned() }
            }
            Error::Timeout(_) => NodeError::TimedOut { url, request },
            Error::BodyExceedsLimit(_) => NodeError::TooLarge { url, request, limit: bounds.body },
            Error::Io(error) => NodeError::Unreachable { url, detail: error.to_string() },
            Error::ConnectionFailed | Error::HostNotFound => {
                NodeError::Unreachable { url, detail: error.to_string() }
            }
            error => NodeError::Nonsense { url, request, detail: error.to_string() },
        }
    }
}
