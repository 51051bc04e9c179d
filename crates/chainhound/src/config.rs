//! Settings: files, environment and flags, in one order.
//!
//! The system's file, the user's, that of `--config`, the environment, flags: the later one wins. Each value
//! remembers where it came from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use chain::Network;
use clap::{ArgMatches, parser::ValueSource};
use etcetera::BaseStrategy;
use serde::Deserialize;

use crate::{
    args::Common,
    failure::Failure,
    node::{PASSWORD_FILE, USER},
};

/// The file of the whole machine.
const SYSTEM: &str = "/etc/chainhound/config.toml";
/// Names another one in its place.
const SYSTEM_VARIABLE: &str = "CHAINHOUND_SYSTEM_CONFIG";

/// Every setting, and what holds where nobody sets it.
pub(crate) const KEYS: [(&str, &str); 8] = [
    ("datadir", "chainhound in the user's data directory"),
    ("network", "the only one in the datadir, else mainnet"),
    ("node.url", "none: name it with --node"),
    ("node.cookie_file", ".cookie in the node's directory"),
    ("node.bitcoin_datadir", "~/.bitcoin"),
    ("node.rpc_user", "none: the cookie is used"),
    ("node.rpc_password_file", "none: the cookie is used"),
    ("watch.sinks", "none: alerts go to stdout"),
];

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// As text; a path is absolute or as it was typed.
    pub(crate) value: String,
    /// A file, `environment NAME` or `flag --NAME`.
    pub(crate) origin: String,
}

/// All that is set, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<&'static str, Setting>);

/// A file. Passwords have no place in it: they are named by file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    datadir: Option<PathBuf>,
    network: Option<String>,
    #[serde(default)]
    node: NodeTable,
    #[serde(default)]
    watch: WatchTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeTable {
    url: Option<String>,
    cookie_file: Option<PathBuf>,
    bitcoin_datadir: Option<PathBuf>,
    rpc_user: Option<String>,
    rpc_password_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchTable {
    sinks: Option<PathBuf>,
}

impl Settings {
    /// Reads all of it, and fills in the common flags that were not given.
    ///
    /// # Errors
    /// [`Failure`] with file, line and column, and with the key that may be meant.
    pub(crate) fn load(common: &mut Common, matches: &ArgMatches) -> Result<(), Failure> {
        let mut settings = Self::default();
        let system = std::env::var_os(SYSTEM_VARIABLE).map_or(SYSTEM.into(), PathBuf::from);
        settings.file(&system, true)?;
        if let Ok(base) = etcetera::choose_base_strategy() {
            settings.file(&base.config_dir().join("chainhound/config.toml"), true)?;
        }
        if let Some(path) = &common.config {
            settings.file(path, false)?;
        }
        for (key, name) in [("node.rpc_user", USER), ("node.rpc_password_file", PASSWORD_FILE)] {
            if let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) {
                settings.set(key, value, format!("environment {name}"));
            }
        }
        settings.flags(common, matches);
        if common.datadir.is_none() {
            common.datadir = settings.path("datadir");
        }
        if common.network.is_none() {
            common.network = settings.get("network").and_then(|network| network.parse().ok());
        }
        common.settings = settings;
        Ok(())
    }

    /// A value.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|setting| setting.value.as_str())
    }

    /// A value that is a path.
    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        self.get(key).map(PathBuf::from)
    }

    /// A value and its origin.
    pub(crate) fn setting(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    fn set(&mut self, key: &'static str, value: String, origin: String) {
        self.0.insert(key, Setting { value, origin });
    }

    fn flags(&mut self, common: &Common, matches: &ArgMatches) {
        let origin = |id: &str, variable: &str| match matches.value_source(id) {
            Some(ValueSource::EnvVariable) => format!("environment {variable}"),
            _ => format!("flag --{id}"),
        };
        if let Some(datadir) = &common.datadir {
            let from = origin("datadir", "CHAINHOUND_DATADIR");
            self.set("datadir", datadir.display().to_string(), from);
        }
        if let Some(network) = common.network {
            self.set("network", network.name().to_owned(), origin("network", ""));
        }
    }

    /// A file, which may be missing where nobody named it.
    fn file(&mut self, path: &Path, may_be_missing: bool) -> Result<(), Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if may_be_missing && is_missing(&error) => return Ok(()),
            Err(error) => {
                return Err(Failure::usage(format!("{}: {error}", path.display()))
                    .hint("a file of settings: see `chainhound config show --help`"));
            }
        };
        self.text(&text, path)
    }

    fn text(&mut self, text: &str, path: &Path) -> Result<(), Failure> {
        let origin = path.display().to_string();
        let Document { datadir, network, node, watch } = toml::from_str(text).map_err(|error| {
            Failure::usage(format!("{origin}: {}", screen::explain_toml(text, &error)))
        })?;
        if let Some(network) = &network {
            network
                .parse::<Network>()
                .map_err(|error| Failure::usage(format!("{origin}: network: {error}")))?;
        }
        // Files are named from the directory of the one that names them.
        let dir = path.parent().unwrap_or(Path::new(""));
        let named = |path: PathBuf| dir.join(path).display().to_string();
        let values = [
            ("datadir", datadir.map(named)),
            ("network", network),
            ("node.url", node.url),
            ("node.cookie_file", node.cookie_file.map(named)),
            ("node.bitcoin_datadir", node.bitcoin_datadir.map(named)),
            ("node.rpc_user", node.rpc_user),
            ("node.rpc_password_file", node.rpc_password_file.map(named)),
            ("watch.sinks", watch.sinks.map(named)),
        ];
        for (key, value) in values {
            if let Some(value) = value {
                self.set(key, value, origin.clone());
            }
        }
        Ok(())
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for (n, text) in texts.iter().enumerate() {
            let path = PathBuf::from(format!("/etc/{n}/config.toml"));
            settings.text(text, &path).map_err(|failure| failure.to_string())?;
        }
        Ok(settings)
    }

    #[test]
    fn the_later_file_wins_key_by_key() {
        let settings = read(&[
            "datadir = \"data\"\nnetwork = \"signet\"\n[node]\nurl = \"http://a\"\n",
            "network = \"regtest\"\n[watch]\nsinks = \"/w/watch.toml\"\n",
        ])
        .unwrap();
        assert_eq!(settings.get("datadir"), Some("/etc/0/data"));
        assert_eq!(settings.get("network"), Some("regtest"));
        assert_eq!(settings.setting("network").unwrap().origin, "/etc/1/config.toml");
        assert_eq!(settings.get("node.url"), Some("http://a"));
        assert_eq!(settings.get("watch.sinks"), Some("/w/watch.toml"));
        assert_eq!(settings.get("node.rpc_user"), None);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |text: &str| read(&[text]).unwrap_err();
        let error = wrong("\ndatadri = \"x\"\n");
        assert!(error.contains("/etc/0/config.toml: line 2, column 1"), "{error}");
        assert!(error.contains("did you mean `datadir`?"), "{error}");
        assert!(wrong("network = \"moon\"").contains("network"), "{}", wrong("network = \"moon\""));
        // A password has no key of its own.
        let error = wrong("[node]\nrpc_password = \"x\"\n");
        assert!(error.contains("did you mean `rpc_password_file`?"), "{error}");
    }

    #[test]
    fn every_key_is_listed() {
        let all = "datadir = \"a\"\nnetwork = \"regtest\"\n[node]\nurl = \"a\"\ncookie_file = \"a\"\n\
                   bitcoin_datadir = \"a\"\nrpc_user = \"a\"\nrpc_password_file = \"a\"\n[watch]\nsinks = \"a\"\n";
        let settings = read(&[all]).unwrap();
        assert_eq!(settings.0.len(), KEYS.len());
        assert!(KEYS.iter().all(|(key, _)| settings.get(key).is_some()));
    }
}
