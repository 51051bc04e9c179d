//! Floor 4: a watch is a question that stays alive.
//!
//! A [`Question`] is a trace, addresses, or clusters. The [`Engine`] puts it to a chain whenever the chain
//! has changed where it matters, and takes the difference to what was told before: every transaction that
//! newly moves watched coins is an alert, and every alert whose transaction is not on the chain any more is
//! withdrawn by a second one. [`State`] keeps questions, frontiers and alerts in one SQLite file, an alert
//! and the frontier that it comes from in one transaction. [`Delivery`] hands alerts to sinks: at
//! least once, and in order for each watch.
//!
//! Labels, clusters and stop rules are the caller's ([`Surroundings`]).

mod alert;
mod delivery;
mod engine;
mod error;
mod evaluate;
mod question;
mod sink;
mod state;
mod surroundings;

pub use alert::{ALERT_SCHEMA, Kind};
pub use delivery::{Delivery, Tell, backoff};
pub use engine::{Engine, MempoolNews, Outcome};
pub use error::{Result, WatchError};
pub use question::{Question, TraceQuestion, parse_root, root_text};
pub use sink::{
    CommandSettings, MailSettings, Message, Settings, SettingsError, Sink, SinkError, SinkSettings,
    Tls, WebhookSettings, in_words, signature,
};
pub use state::{Frontier, NewWatch, State, StoredAlert, StoredWatch};
pub use surroundings::{Advice, Bare, End, Party, Surroundings, Tag};
