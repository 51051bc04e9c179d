//! Where alerts go, as a TOML file says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::{Sink, command::CommandSink, mail::MailSink, webhook::WebhookSink};

/// Seconds that a sink has for one alert, where nothing is said.
const TIMEOUT: u64 = 10;
const MOST_SECONDS: u64 = 3600;

/// Sinks by name, in the order of their kinds and names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default)]
    webhook: BTreeMap<String, WebhookSettings>,
    #[serde(default)]
    mail: BTreeMap<String, MailSettings>,
    #[serde(default)]
    command: BTreeMap<String, CommandSettings>,
}

/// One sink's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkSettings {
    /// An HTTP POST.
    Webhook(String, WebhookSettings),
    /// An e-mail.
    Mail(String, MailSettings),
    /// A program.
    Command(String, CommandSettings),
}

/// An HTTP POST to a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    pub(super) url: Option<String>,
    pub(super) url_file: Option<PathBuf>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) secret_env: Option<String>,
    #[serde(default = "timeout")]
    pub(super) timeout_seconds: u64,
}

/// An e-mail through an SMTP server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    pub(super) server: String,
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) tls: Tls,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    #[serde(default = "timeout")]
    pub(super) timeout_seconds: u64,
}

/// How the connection to an SMTP server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// From the first byte (port 465).
    #[default]
    Implicit,
    /// After a command, which must succeed (port 587).
    Starttls,
    /// Not at all: a server on this machine only (port 25).
    None,
}

/// A program that gets the alert on its standard input.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    pub(super) argv: Vec<String>,
    #[serde(default = "timeout")]
    pub(super) timeout_seconds: u64,
}

const fn timeout() -> u64 {
    TIMEOUT
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SettingsError {
    /// In words, with the place.
    pub detail: String,
}

impl SettingsError {
    pub(super) fn new(sink: &str, detail: impl std::fmt::Display) -> Self {
        Self { detail: format!("sink '{sink}': {detail}") }
    }
}

impl Settings {
    /// From the text of a file.
    ///
    /// # Errors
    /// [`SettingsError`] with line and column; for an unknown key with the one that may be meant.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| SettingsError {
            detail: screen::explain_toml(text, &error).to_string(),
        })?;
        let mut names = Vec::new();
        for sink in settings.sinks() {
            sink.check()?;
            if names.contains(&sink.name().to_owned()) {
                return Err(SettingsError::new(sink.name(), "the name is there twice"));
            }
            names.push(sink.name().to_owned());
        }
        Ok(settings)
    }

    /// The sinks, in the order of their kinds and names.
    pub fn sinks(&self) -> Vec<SinkSettings> {
        let mut sinks = Vec::new();
        for (name, one) in &self.webhook {
            sinks.push(SinkSettings::Webhook(name.clone(), one.clone()));
        }
        for (name, one) in &self.mail {
            sinks.push(SinkSettings::Mail(name.clone(), one.clone()));
        }
        for (name, one) in &self.command {
            sinks.push(SinkSettings::Command(name.clone(), one.clone()));
        }
        sinks
    }
}

impl SinkSettings {
    /// The sink's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Webhook(name, _) | Self::Mail(name, _) | Self::Command(name, _) => name,
        }
    }

    /// The kind, and where to: nothing secret.
    pub fn summary(&self) -> String {
        match self {
            Self::Webhook(_, one) => format!("webhook to {}", one.shown()),
            Self::Mail(_, one) => format!("mail to {} through {}", one.to.join(", "), one.server),
            Self::Command(_, one) => {
                format!("command {}", one.argv.first().map_or("", String::as_str))
            }
        }
    }

    /// Opens the sink. Files with secrets are named from the directory of the settings on. `variable`
    /// reads the environment.
    ///
    /// # Errors
    /// [`SettingsError`] for secrets that cannot be read.
    pub fn open(
        &self,
        dir: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Box<dyn Sink>, SettingsError> {
        Ok(match self {
            Self::Webhook(name, one) => Box::new(WebhookSink::open(name, one, dir, variable)?),
            Self::Mail(name, one) => Box::new(MailSink::open(name, one, dir)?),
            Self::Command(name, one) => Box::new(CommandSink::open(name, one)),
        })
    }

    fn check(&self) -> Result<(), SettingsError> {
        let fail = |detail: &str| Err(SettingsError::new(self.name(), detail));
        let seconds = match self {
            Self::Webhook(_, one) => {
                if one.url.is_some() == one.url_file.is_some() {
                    return fail("needs `url`, or `url_file` where the address itself is secret");
                }
                if one.secret_file.is_some() == one.secret_env.is_some() {
                    return fail("needs `secret_file` or `secret_env`: alerts are signed");
                }
                one.timeout_seconds
            }
            Self::Mail(_, one) => {
                if one.to.is_empty() {
                    return fail("`to` names nobody");
                }
                if one.username.is_some() != one.password_file.is_some() {
                    return fail("`username` and `password_file` go together");
                }
                one.timeout_seconds
            }
            Self::Command(_, one) => {
                if one.argv.is_empty() {
                    return fail("`argv` names no program");
                }
                one.timeout_seconds
            }
        };
        if seconds == 0 || seconds > MOST_SECONDS {
            return fail("`timeout_seconds` is from 1 to 3600");
        }
        Ok(())
    }
}

/// What a file holds, without the end of its line.
pub(super) fn secret(sink: &str, dir: &Path, file: &Path) -> Result<String, SettingsError> {
    let path = dir.join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| SettingsError::new(sink, format_args!("{}: {error}", path.display())))?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        return Err(SettingsError::new(sink, format_args!("{}: is empty", path.display())));
    }
    Ok(text)
}

pub(super) const fn duration(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
