//! Where data lies: the datadir, and which network in it is meant.

use std::path::PathBuf;

use chain::Network;
use etcetera::BaseStrategy;

use crate::{args::Common, failure::Failure, say::Say};

/// Our own directory. Never a node's.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// `--datadir`, `CHAINHOUND_DATADIR`, or the data directory of the user (XDG).
    pub(crate) fn new(common: &Common) -> Result<Self, Failure> {
        if let Some(path) = &common.datadir {
            return Ok(Self { path: path.clone() });
        }
        match etcetera::choose_base_strategy() {
            Ok(base) => Ok(Self { path: base.data_dir().join("chainhound") }),
            Err(_) => Err(Failure::usage("there is no home directory to keep data in")
                .hint("name a directory with --datadir or CHAINHOUND_DATADIR")),
        }
    }

    /// Where cases are kept, of all networks.
    pub(crate) fn cases(&self) -> PathBuf {
        self.path.join("cases")
    }

    /// What belongs to one network.
    pub(crate) fn of(&self, network: Network) -> Place {
        Place { network, root: self.path.join(network.name()) }
    }

    /// The network that was asked for; the only one that there is data of; or mainnet.
    pub(crate) fn choose(&self, common: &Common, say: &Say) -> Place {
        if let Some(network) = common.network {
            return self.of(network);
        }
        let all = || Network::ALL.into_iter().map(|network| self.of(network));
        let only_one = |is_meant: fn(&Place) -> bool| {
            let mut present = all().filter(is_meant);
            present.next().filter(|_| present.next().is_none())
        };
        // Labels alone decide only where there is no chain at all.
        let only = match all().any(|place| place.has_chain()) {
            true => only_one(Place::has_chain),
            false => only_one(|place| place.labels().is_dir()),
        };
        match only {
            Some(only) => {
                if only.network != Network::Mainnet {
                    let path = self.path.display();
                    say.detail(format_args!(
                        "network: {}, the only one in {path} (choose with --network)",
                        only.network
                    ));
                }
                only
            }
            None => self.of(Network::Mainnet),
        }
    }
}

/// One network's corner of the datadir.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The network.
    pub(crate) network: Network,
    root: PathBuf,
}

impl Place {
    /// The store of the whole chain. Can be made again from blocks.
    pub(crate) fn graph(&self) -> PathBuf {
        self.root.join("graph")
    }

    /// Single transactions, as they were told.
    pub(crate) fn sparse(&self) -> PathBuf {
        self.root.join("sparse")
    }

    /// What a server answered. Each has a directory of its own: what one says is not what another says.
    pub(crate) fn server(&self, url: &str) -> PathBuf {
        let (_, name) = url.split_once("://").unwrap_or(("", url));
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-.".contains(letter);
        let name: String =
            name.chars().take(60).map(|letter| if plain(letter) { letter } else { '_' }).collect();
        let digest = blake3::hash(url.as_bytes()).to_hex();
        self.root.join("servers").join(format!("{name}-{}", &digest[..8]))
    }

    /// What sources say about addresses.
    pub(crate) fn labels(&self) -> PathBuf {
        self.root.join("labels")
    }

    /// Clusterings of the store's addresses. Can be made again from the store.
    pub(crate) fn clusters(&self) -> PathBuf {
        self.root.join("clusters")
    }

    /// Watches, their alerts, and what was delivered.
    pub(crate) fn watch(&self) -> PathBuf {
        self.root.join("watch")
    }

    /// Whether there is a store of the whole chain.
    pub(crate) fn has_graph(&self) -> bool {
        self.graph().join("meta").exists()
    }

    /// Whether there is a chain, whole or sparse.
    pub(crate) fn has_chain(&self) -> bool {
        self.has_graph() || self.sparse().exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datadir_with_one_network_needs_no_flag() {
        let dir = tempfile::tempdir().unwrap();
        let mut common = Common { datadir: Some(dir.path().to_owned()), ..Common::default() };
        let data = DataDir::new(&common).unwrap();
        let say = Say::new(&common);
        assert_eq!(data.choose(&common, &say).network, Network::Mainnet);
        let make = |network: Network| {
            let graph = data.of(network).graph();
            std::fs::create_dir_all(&graph).unwrap();
            std::fs::write(graph.join("meta"), "").unwrap();
        };
        std::fs::create_dir_all(data.of(Network::Signet).labels()).unwrap();
        assert_eq!(data.choose(&common, &say).network, Network::Signet);
        make(Network::Regtest);
        assert_eq!(data.choose(&common, &say).network, Network::Regtest);
        common.network = Some(Network::Signet);
        assert_eq!(data.choose(&common, &say).network, Network::Signet);
        common.network = None;
        make(Network::Testnet4);
        assert_eq!(data.choose(&common, &say).network, Network::Mainnet);
    }
}
