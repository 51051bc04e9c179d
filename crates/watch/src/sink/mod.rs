//! Where alerts go.

mod command;
mod mail;
mod settings;
mod webhook;

use serde_json::Value;

pub use settings::{
    CommandSettings, MailSettings, Settings, SettingsError, SinkSettings, Tls, WebhookSettings,
};
pub use webhook::signature;

/// An alert on its way.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its id: the same at every attempt.
    pub id: &'a str,
    /// Name of its watch.
    pub watch: &'a str,
    /// Its number in the watch.
    pub sequence: u64,
    /// Its line of JSON, without the line's end.
    pub body: &'a str,
    /// When this attempt is made, seconds since 1970 UTC.
    pub time: u64,
}

/// Takes alerts, one after the other.
pub trait Sink: Send {
    /// Its name, by which it is known what it has got.
    fn name(&self) -> &str;

    /// Hands an alert over. It may have been handed over before: the id tells.
    ///
    /// # Errors
    /// [`SinkError`]: it is handed over again later.
    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError>;
}

/// Why an alert did not arrive. Says nothing that is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SinkError {
    /// In words.
    pub detail: String,
    /// Whether there is no use in trying again in this process: nobody reads any more.
    pub closed: bool,
}

impl SinkError {
    /// One that may pass.
    pub fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), closed: false }
    }
}

/// An alert in a line for people, from its JSON.
pub fn in_words(body: &str) -> String {
    let Ok(alert) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let text = |key: &str| alert.get(key).and_then(Value::as_str).unwrap_or("");
    let number = |key: &str| alert.get(key).and_then(Value::as_u64);
    let bitcoin = |sat: u64| chain::Sats(sat).to_string();
    let mut line =
        format!("{}/{} {}", text("watch"), number("sequence").unwrap_or(0), text("kind"));
    if let Some(tainted) = number("tainted_sat") {
        let value = bitcoin(number("value_sat").unwrap_or(0));
        line += &format!(": {} stolen of {value} ({})", bitcoin(tainted), text("policy"));
    } else if let (Some(lower), Some(upper)) = (number("lower_sat"), number("upper_sat")) {
        line += &format!(": {} to {} stolen (bounds)", bitcoin(lower), bitcoin(upper));
    } else if let Some(value) = number("value_sat") {
        line += &format!(": {}", bitcoin(value));
    }
    match number("height") {
        Some(height) => line += &format!(", block {height}"),
        None => line += ", in no block",
    }
    line += &format!(", transaction {}", text("txid"));
    if !text("refers_to").is_empty() {
        line += &format!(", follows up {}", text("refers_to"));
    }
    for advice in alert.get("advice").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| advice.get(key).and_then(Value::as_str);
        line += &format!("\n    {}", part("text").unwrap_or(""));
        if let Some(contact) = part("contact") {
            line += &format!(" ({contact})");
        }
    }
    // Labels come from outside: nothing of them may steer a terminal or a header.
    line.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
