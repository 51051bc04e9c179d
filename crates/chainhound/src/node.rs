//! The node that was named on the command line: its network, and how to log in.

use std::path::PathBuf;

use chain::Network;
use etcetera::HomeDirError;
use source::node::{Login, Node, NodeError, default_port};

use crate::{
    args::{Common, LoginArgs},
    config::Settings,
    failure::Failure,
};

/// The user of `rpcauth` or `rpcuser`.
pub(crate) const USER: &str = "CHAINHOUND_RPC_USER";
/// The file whose first line is the password.
pub(crate) const PASSWORD_FILE: &str = "CHAINHOUND_RPC_PASSWORD_FILE";

/// Where a node is said to be.
#[derive(Clone, Debug)]
pub(crate) struct NodeAt {
    url: String,
    network: Option<Network>,
    way: Way,
}

/// How to log in.
#[derive(Clone, Debug)]
enum Way {
    /// The same for all networks.
    Login(Login),
    /// By the cookie in the node's directory.
    Datadir(PathBuf),
}

impl NodeAt {
    /// As flags and environment say: the cookie file, the cookie of a directory, a user with a
    /// password file, else the cookie in the usual directory.
    ///
    /// # Errors
    /// [`Failure`] where the environment has a user and no password file, or where there is no home
    /// directory.
    pub(crate) fn new(url: &str, login: &LoginArgs, common: &Common) -> Result<Self, Failure> {
        let settings = &common.settings;
        let url = match url {
            "" => settings.get("node.url").ok_or_else(|| {
                Failure::usage("--node without a URL, and node.url is not set")
                    .hint("`chainhound config show --origin` tells which settings hold")
            })?,
            url => url,
        };
        let user = std::env::var(USER).ok().filter(|user| !user.is_empty());
        let file = std::env::var_os(PASSWORD_FILE).filter(|path| !path.is_empty());
        let way = match (&login.cookie_file, &login.bitcoin_datadir) {
            (Some(path), _) => Way::Login(Login::Cookie(path.clone())),
            (None, Some(dir)) => Way::Datadir(dir.clone()),
            (None, None) => match (user, file) {
                (Some(user), Some(path)) => {
                    Way::Login(Login::PasswordFile { user, path: path.into() })
                }
                (None, None) => Way::of(settings)?,
                (Some(_), None) => {
                    return Err(Failure::usage(format!(
                        "{USER} is set and {PASSWORD_FILE} is not"
                    )));
                }
                (None, Some(_)) => {
                    return Err(Failure::usage(format!(
                        "{PASSWORD_FILE} is set and {USER} is not"
                    )));
                }
            },
        };
        Ok(Self { url: url.to_owned(), network: common.network, way })
    }

    /// The node as one of its network: that asked for, that of its port, that of the only cookie
    /// there is, or the one that it names itself.
    ///
    /// # Errors
    /// [`NodeError`]; where the network has to be asked for, those of the connection.
    pub(crate) fn open(&self) -> Result<Node, NodeError> {
        let network = match self.network.or_else(|| self.network_of_port()) {
            Some(network) => network,
            None => match &self.way {
                Way::Datadir(dir) => only_cookie(dir).unwrap_or(Network::Mainnet),
                Way::Login(login) => self.ask(login)?,
            },
        };
        let login = match &self.way {
            Way::Login(login) => login.clone(),
            Way::Datadir(dir) => Login::cookie_of(dir, network),
        };
        Node::new(&self.url, login, network)
    }

    /// What the user wrote, for the provenance: a URL that contains a secret is refused before.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn network_of_port(&self) -> Option<Network> {
        let (_, port) = self.url.trim_end_matches('/').rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        Network::ALL.into_iter().find(|network| default_port(*network) == port)
    }

    fn ask(&self, login: &Login) -> Result<Network, NodeError> {
        let node = Node::new(&self.url, login.clone(), Network::Mainnet)?;
        let info = node.chain_info()?;
        // What it calls itself if that is nothing we know will be said when it is checked.
        Ok(info.chain.parse().unwrap_or(Network::Mainnet))
    }
}

impl Way {
    /// As files of settings say, else by the cookie in the usual directory.
    fn of(settings: &Settings) -> Result<Self, Failure> {
        if let Some(path) = settings.path("node.cookie_file") {
            return Ok(Self::Login(Login::Cookie(path)));
        }
        if let Some(dir) = settings.path("node.bitcoin_datadir") {
            return Ok(Self::Datadir(dir));
        }
        match (settings.get("node.rpc_user"), settings.path("node.rpc_password_file")) {
            (Some(user), Some(path)) => {
                Ok(Self::Login(Login::PasswordFile { user: user.to_owned(), path }))
            }
            (None, None) => Ok(Self::Datadir(usual_datadir().map_err(|_| no_home())?)),
            _ => Err(Failure::usage("node.rpc_user and node.rpc_password_file go together")),
        }
    }
}

/// Where Bitcoin Core keeps its data, if nobody says otherwise.
fn usual_datadir() -> Result<PathBuf, HomeDirError> {
    let home = etcetera::home_dir()?;
    Ok(match std::env::consts::OS {
        "macos" => home.join("Library/Application Support/Bitcoin"),
        _ => home.join(".bitcoin"),
    })
}

fn no_home() -> Failure {
    Failure::usage("there is no home directory to look for the node's cookie in")
        .hint("name the cookie with --cookie-file")
}

/// The network of the only cookie in a node's directory.
fn only_cookie(dir: &std::path::Path) -> Option<Network> {
    let has_cookie = |network: &Network| match Login::cookie_of(dir, *network) {
        Login::Cookie(path) => path.is_file(),
        _ => false,
    };
    let mut found = Network::ALL.into_iter().filter(has_cookie);
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_names_its_network() {
        let at = |url: &str| NodeAt {
            url: url.to_owned(),
            network: None,
            way: Way::Login(Login::Nobody),
        };
        assert_eq!(at("http://127.0.0.1:38332/").network_of_port(), Some(Network::Signet));
        assert_eq!(at("127.0.0.1:8332").network_of_port(), Some(Network::Mainnet));
        assert_eq!(at("http://127.0.0.1:9999").network_of_port(), None);
        assert_eq!(at("http://127.0.0.1").network_of_port(), None);
    }

    #[test]
    fn the_only_cookie_decides() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(only_cookie(dir.path()), None);
        std::fs::create_dir(dir.path().join("regtest")).unwrap();
        std::fs::write(dir.path().join("regtest/.cookie"), "a:b").unwrap();
        assert_eq!(only_cookie(dir.path()), Some(Network::Regtest));
        std::fs::write(dir.path().join(".cookie"), "a:b").unwrap();
        assert_eq!(only_cookie(dir.path()), None);
    }
}
