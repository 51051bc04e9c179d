//! Asking a server: few connections, time limits, bounded answers, and patience with a server that
//! is busy.

use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use ureq::{Agent, Proxy, tls::TlsConfig};

use super::{Patience, fault::ServerFault};

/// Says what is asking, and nothing of who.
const USER_AGENT: &str = "chainhound";

/// A connection pool to one server.
#[derive(Debug)]
pub(super) struct Http {
    agent: Agent,
    base: String,
    patience: Patience,
    /// Nobody asks before: set when the server wanted a pause.
    not_before: Mutex<Option<Instant>>,
}

/// How a try went wrong.
enum Miss {
    /// It will not get better.
    Final(ServerFault),
    /// Busy, with the pause that it asked for.
    Busy(u16, Option<Duration>),
    /// The connection failed.
    Lost(String),
}

impl Http {
    pub(super) fn new(
        base: String,
        proxy: Option<&str>,
        connections: usize,
        patience: Patience,
    ) -> Result<Self, ServerFault> {
        let proxy = proxy.map(parse_proxy).transpose()?;
        let config = Agent::config_builder()
            // Given or none: the environment is not looked at.
            .proxy(proxy)
            .user_agent(USER_AGENT)
            .accept_encoding("identity")
            .http_status_as_error(false)
            // Another host would learn what is looked for.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .timeout_connect(Some(patience.timeout))
            .timeout_global(Some(patience.timeout))
            .tls_config(TlsConfig::default())
            .build();
        Ok(Self { agent: config.into(), base, patience, not_before: Mutex::new(None) })
    }

    /// The body of a route's answer, at most `limit` bytes.
    pub(super) fn get(&self, route: &str, limit: u64) -> Result<Vec<u8>, ServerFault> {
        let mut tries = 0;
        loop {
            self.wait_if_asked();
            let miss = match self.once(route, limit) {
                Ok(body) => return Ok(body),
                Err(miss) => miss,
            };
            tries += 1;
            let pause = self.patience.pause(tries);
            let wait = match miss {
                Miss::Final(fault) => return Err(fault),
                Miss::Busy(_, Some(asked)) if asked > self.patience.longest => {
                    return Err(ServerFault::Pause(asked));
                }
                Miss::Busy(status, _) if tries >= self.patience.tries => {
                    return Err(ServerFault::Refused { status, tries });
                }
                Miss::Lost(detail) if tries >= self.patience.tries => {
                    return Err(ServerFault::Unreachable { tries, detail });
                }
                Miss::Busy(_, asked) => asked.unwrap_or_default().max(pause),
                Miss::Lost(_) => pause,
            };
            self.ask_to_wait(wait);
        }
    }

    fn once(&self, route: &str, limit: u64) -> Result<Vec<u8>, Miss> {
        let url = format!("{}/{route}", self.base);
        let mut response = self.agent.get(url).call().map_err(miss)?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            429 | 500 | 502 | 503 | 504 => {
                let header = response.headers().get("retry-after");
                // Seconds; the other form, a date, needs a clock that agrees with the server's.
                let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                return Err(Miss::Busy(status, seconds.map(Duration::from_secs)));
            }
            404 | 400 => return Err(Miss::Final(ServerFault::NotThere(status))),
            other => return Err(Miss::Final(ServerFault::Status(other))),
        }
        response.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => Miss::Final(ServerFault::TooLong(limit)),
            error => miss(error),
        })
    }

    /// All connections wait: a busy server is busy for all of them.
    fn ask_to_wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut not_before = self.not_before.lock().unwrap_or_else(|lock| lock.into_inner());
        *not_before = Some(not_before.map_or(until, |set| set.max(until)));
    }

    fn wait_if_asked(&self) {
        let until = *self.not_before.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(pause) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            thread::sleep(pause);
        }
    }
}

fn miss(error: ureq::Error) -> Miss {
    match error {
        ureq::Error::Http(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => Miss::Final(ServerFault::Address(error.to_string())),
        error => Miss::Lost(error.to_string()),
    }
}

/// Only a kind of proxy that looks names up itself: with any other, whoever answers for names here
/// learns which server is asked.
fn parse_proxy(text: &str) -> Result<Proxy, ServerFault> {
    let refuse = || {
        ServerFault::Address(format!(
            "'{text}' is not a proxy that looks names up itself: write socks5h://127.0.0.1:9050"
        ))
    };
    if !text.starts_with("socks5h://") {
        return Err(refuse());
    }
    Proxy::new(text).map_err(|_| refuse())
}
