//! A webhook: HTTP POST, signed.

use std::path::Path;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use ureq::{Agent, Error, http::Uri};

use super::{
    Message, Sink, SinkError,
    settings::{SettingsError, WebhookSettings, duration, secret},
};

/// Posts alerts as `application/json`, one a request.
///
/// `X-Chainhound-Signature: sha256=HEX` is the HMAC-SHA256 of the timestamp in `X-Chainhound-Timestamp`, a full stop
/// and the body. `Idempotency-Key` is the alert's id, the same at every attempt.
pub(super) struct WebhookSink {
    name: String,
    uri: Uri,
    secret: String,
    agent: Agent,
}

impl WebhookSettings {
    /// Scheme and host: the path of such addresses is often a secret.
    pub(super) fn shown(&self) -> String {
        let uri = self.url.as_ref().and_then(|url| url.parse::<Uri>().ok());
        uri.as_ref().map_or_else(|| "the address in `url_file`".to_owned(), place)
    }
}

fn place(uri: &Uri) -> String {
    format!("{}://{}", uri.scheme_str().unwrap_or(""), uri.host().unwrap_or(""))
}

impl WebhookSink {
    pub(super) fn open(
        name: &str,
        settings: &WebhookSettings,
        dir: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let url = match (&settings.url, &settings.url_file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => secret(name, dir, file)?,
            (None, None) => String::new(),
        };
        let uri = url
            .parse::<Uri>()
            .ok()
            .filter(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
            })
            .ok_or_else(|| SettingsError::new(name, "`url` is no http:// or https:// address"))?;
        let secret = match (&settings.secret_file, &settings.secret_env) {
            (Some(file), _) => secret(name, dir, file)?,
            (None, Some(env)) => {
                variable(env).filter(|value| !value.is_empty()).ok_or_else(|| {
                    SettingsError::new(name, format_args!("the environment has no {env}"))
                })?
            }
            (None, None) => String::new(),
        };
        let agent = Agent::config_builder()
            .timeout_global(Some(duration(settings.timeout_seconds)))
            // A signed alert goes where it was meant to go.
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent(concat!("chainhound/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { name: name.to_owned(), uri, secret, agent })
    }
}

impl Sink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        let answer = self
            .agent
            .post(self.uri.clone())
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", message.id)
            .header("X-Chainhound-Timestamp", message.time.to_string())
            .header(
                "X-Chainhound-Signature",
                signature(self.secret.as_bytes(), message.time, message.body),
            )
            .send(message.body);
        let at = place(&self.uri);
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(SinkError::new(format!("{at} answers {}", answer.status().as_u16()))),
            // Not the error's own words where they may have the address in them.
            Err(Error::BadUri(_) | Error::Http(_)) => {
                Err(SinkError::new(format!("{at}: the address makes no request")))
            }
            Err(error) => Err(SinkError::new(format!("{at}: {error}"))),
        }
    }
}

/// The value of `X-Chainhound-Signature`: `sha256=` and the HMAC-SHA256 (RFC 2104), in hexadecimal digits, of
/// the timestamp in decimal digits, a full stop and the body.
pub fn signature(secret: &[u8], time: u64, body: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(secret);
    engine.input(time.to_string().as_bytes());
    engine.input(b".");
    engine.input(body.as_bytes());
    format!("sha256={}", Hmac::<sha256::Hash>::from_engine(engine))
}
