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

/// Outputs that are told in words.
const IN_WORDS: usize = 8;

/// An output in words, on a line of its own.
fn destination(output: &Value) -> String {
    let number = |key: &str| output.get(key).and_then(Value::as_u64);
    let bitcoin = |sat: u64| chain::Sats(sat).to_string();
    let address = output.get("address").and_then(Value::as_str).unwrap_or("no address");
    let mut line = format!("\n    {} to {address}", bitcoin(number("value_sat").unwrap_or(0)));
    match (number("tainted_sat"), number("lower_sat"), number("upper_sat")) {
        (Some(tainted), ..) if Some(tainted) != number("value_sat") => {
            line += &format!(", {} of it stolen", bitcoin(tainted));
        }
        (None, Some(lower), Some(upper)) => {
            line += &format!(", {} to {} of it stolen", bitcoin(lower), bitcoin(upper));
        }
        _ => {}
    }
    let party = |key: &str| output.get("party").and_then(|party| party.get(key)?.as_str());
    if let (Some(entity), Some(basis)) = (party("entity"), party("basis")) {
        line += &format!(": {entity} ({basis})");
    }
    line
}

/// An alert in a few lines for people, from its JSON. The first one says most.
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
    let to: Vec<&Value> = alert.get("to").and_then(Value::as_array).into_iter().flatten().collect();
    for output in to.iter().take(IN_WORDS) {
        line += &destination(output);
    }
    if to.len() > IN_WORDS {
        line += &format!("\n    and {} outputs more", to.len() - IN_WORDS);
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
