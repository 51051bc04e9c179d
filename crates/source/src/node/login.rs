//! Who we are to the node: its cookie, or a user and a password.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chain::Network;

use super::NodeError;

/// Longer files are not a cookie or a password.
const LONGEST: u64 = 4096;

/// How to log in. Neither its `Debug` nor any error shows a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// The file that the node writes at every start: `user:password`.
    Cookie(PathBuf),
    /// A user, and the file whose first line is the password.
    PasswordFile {
        /// As in the node's `rpcauth` or `rpcuser`.
        user: String,
        /// Read again when the node refuses it.
        path: PathBuf,
    },
    /// A user and a password that the caller has from elsewhere: the environment, a configuration.
    Password {
        /// As in the node's `rpcauth` or `rpcuser`.
        user: String,
        /// The secret.
        password: String,
    },
    /// Nothing: a node behind a proxy that adds them.
    Nobody,
}

impl Login {
    /// The cookie where a node of this network keeps it in its datadir.
    pub fn cookie_of(datadir: &Path, network: Network) -> Self {
        // Core's `CBaseChainParams`; testnet3 is the folder of 2012.
        Self::Cookie(match network {
            Network::Mainnet => datadir.join(".cookie"),
            Network::Testnet3 => datadir.join("testnet3/.cookie"),
            other => datadir.join(other.name()).join(".cookie"),
        })
    }

    fn read(&self) -> Result<Option<String>, NodeError> {
        let pair = match self {
            Self::Cookie(path) => first_line(path)?,
            Self::PasswordFile { user, path } => format!("{user}:{}", first_line(path)?),
            Self::Password { user, password } => format!("{user}:{password}"),
            Self::Nobody => return Ok(None),
        };
        Ok(Some(format!("Basic {}", BASE64_STANDARD.encode(pair))))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
            Self::PasswordFile { path, .. } => {
                f.debug_struct("PasswordFile").field("path", path).finish_non_exhaustive()
            }
            Self::Password { .. } => f.write_str("Password(..)"),
            Self::Nobody => f.write_str("Nobody"),
        }
    }
}

/// The header for a request, read once and again when the node refuses it.
pub(super) struct Key {
    login: Login,
    header: Mutex<Option<String>>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.login.fmt(f)
    }
}

impl Key {
    pub(super) fn new(login: Login) -> Self {
        Self { login, header: Mutex::new(None) }
    }

    /// The header as known. The file is read where it was not yet.
    pub(super) fn header(&self) -> Result<Option<String>, NodeError> {
        let mut header = self.header.lock().unwrap_or_else(PoisonError::into_inner);
        if header.is_none() {
            *header = self.login.read()?;
        }
        Ok(header.clone())
    }

    /// Reads the file again, since this header was refused. Whether there is another one now.
    pub(super) fn renew(&self, refused: Option<&str>) -> Result<bool, NodeError> {
        let mut header = self.header.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have renewed it already.
        if header.as_deref() == refused {
            *header = self.login.read()?;
        }
        Ok(header.as_deref() != refused)
    }
}

fn first_line(path: &Path) -> Result<String, NodeError> {
    let failed = |error| NodeError::Login { path: path.to_owned(), error };
    let len = fs::metadata(path).map_err(failed)?.len();
    if len > LONGEST {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "too long for a secret")));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let line = text.lines().next().unwrap_or("").trim_end();
    if line.is_empty() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = Login::Password { user: "anna".into(), password: "hunter2".into() };
        let file = Login::PasswordFile { user: "anna".into(), path: "/x".into() };
        for login in [secret, file] {
            let key = Key::new(login.clone());
            let _ = key.header();
            for text in [format!("{login:?}"), format!("{key:?}")] {
                assert!(!text.contains("hunter2") && !text.contains("anna"), "{text}");
            }
        }
    }

    #[test]
    fn cookies_lie_where_nodes_put_them() {
        let at = |network| match Login::cookie_of(Path::new("/b"), network) {
            Login::Cookie(path) => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(Network::Mainnet), Path::new("/b/.cookie"));
        assert_eq!(at(Network::Testnet3), Path::new("/b/testnet3/.cookie"));
        assert_eq!(at(Network::Signet), Path::new("/b/signet/.cookie"));
    }

    #[test]
    fn a_refused_cookie_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".cookie");
        let key = Key::new(Login::Cookie(path.clone()));
        assert!(matches!(key.header(), Err(NodeError::Login { .. })));
        fs::write(&path, "__cookie__:aa").unwrap();
        let old = key.header().unwrap();
        assert_eq!(old.as_deref(), Some("Basic X19jb29raWVfXzphYQ=="));
        assert!(!key.renew(old.as_deref()).unwrap(), "the same again");
        fs::write(&path, "__cookie__:bb\n").unwrap();
        assert!(key.renew(old.as_deref()).unwrap());
        assert!(key.renew(old.as_deref()).unwrap(), "another thread asks with the old one");
        fs::write(&path, "").unwrap();
        assert!(Key::new(Login::Cookie(path)).header().is_err());
    }
}
