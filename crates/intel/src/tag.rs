//! A tag before it enters a set: about what, what is said, and who says it.

use std::{fmt, sync::Arc};

use bitcoin::ScriptBuf;
use chain::{Network, Txid};

use crate::taxonomy::{self, Role};

/// One tag: a subject and what a source says about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// About what.
    pub subject: Subject,
    /// What is said. Shared, because packs say the same of thousands of addresses.
    pub statement: Arc<Statement>,
}

/// What a tag is about. "Own" is the Bitcoin network of the tag set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An address of the own network, as its locking script. Whether the chain has seen it does
    /// not matter.
    Script(ScriptBuf),
    /// A transaction of the own network.
    Tx(Txid),
    /// An address elsewhere: another chain, or another Bitcoin network.
    Elsewhere {
        /// `ETH`, `TRX`, … or `testnet4`.
        network: String,
        /// The address as text; hexadecimal ones in lower case.
        address: String,
    },
    /// A transaction elsewhere.
    TxElsewhere {
        /// As above.
        network: String,
        /// Its hash as text.
        hash: String,
    },
    /// Text that a miner writes into its coinbase input.
    CoinbaseText(String),
}

/// Everything a tag says, with the pack it stands in. Field names are those of TagPacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The name that the source gives.
    pub label: String,
    /// Where it comes from: an address on the web, or several separated by ` ; `.
    pub source: String,
    /// Kind of entity, an id of the [taxonomy](crate::taxonomy) or an unknown one.
    pub category: Option<String>,
    /// Kind of abuse, as above.
    pub abuse: Option<String>,
    /// Further concepts, as above; sorted, each once.
    pub concepts: Vec<String>,
    /// Id of the actor.
    pub actor: Option<String>,
    /// Id on the scale of confidence.
    pub confidence: String,
    /// When the source last changed it, as written there (`2024-05-31`).
    pub lastmod: Option<String>,
    /// Whether the source says that the whole cluster of the address is meant. Never to be believed
    /// of the participants of a mixer.
    pub is_cluster_definer: Option<bool>,
    /// Anything else that the source adds, often JSON.
    pub context: Option<String>,
    /// Kind of tag, where the source has kinds.
    pub tag_type: Option<String>,
    /// Ticker of what is held there (`BTC`, `USDT`, …).
    pub currency: String,
    /// The collection it stands in.
    pub pack: Arc<Pack>,
}

/// The collection that a tag or actor comes from: a TagPack's header.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pack {
    /// Its title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// Where it can be had.
    pub uri: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Who owns it.
    pub owner: Option<String>,
    /// Whether it may be passed on.
    pub is_public: Option<bool>,
}

impl Pack {
    /// How to cite it: its address on the web, or its title and creator.
    pub fn citation(&self) -> String {
        match &self.uri {
            Some(uri) => uri.clone(),
            None => format!("{} ({})", self.title, self.creator),
        }
    }
}

impl Statement {
    /// Category, abuse and concepts, in this order.
    pub fn all_concepts(&self) -> impl Iterator<Item = &str> {
        let one = [&self.category, &self.abuse].into_iter().flatten().map(String::as_str);
        one.chain(self.concepts.iter().map(String::as_str))
    }

    /// Whether a mixer or CoinJoin is meant: its operator, or somebody who took part.
    pub fn is_about_mixing(&self) -> bool {
        self.all_concepts().any(|id| taxonomy::role(id) == Some(Role::Mixing))
    }
}

impl Subject {
    /// The subject as people write it; a script as its address on `network`, or as `script:HEX`.
    pub fn text(&self, network: Network) -> String {
        match self {
            Self::Script(script) => script_text(script.as_script(), network),
            Self::Tx(txid) => txid.to_string(),
            Self::Elsewhere { address, .. } => address.clone(),
            Self::TxElsewhere { hash, .. } => hash.clone(),
            Self::CoinbaseText(text) => text.clone(),
        }
    }

    /// Kind and bytes under which a set keeps it.
    pub(crate) fn key(&self) -> (Kind, Vec<u8>) {
        let joined = |a: &str, b: &str| [a.as_bytes(), &[0], b.as_bytes()].concat();
        match self {
            Self::Script(script) => (Kind::Script, script.to_bytes()),
            Self::Tx(txid) => {
                let bytes: &[u8; 32] = txid.as_ref();
                (Kind::Tx, bytes.to_vec())
            }
            Self::Elsewhere { network, address } => (Kind::Elsewhere, joined(network, address)),
            Self::TxElsewhere { network, hash } => (Kind::TxElsewhere, joined(network, hash)),
            Self::CoinbaseText(text) => (Kind::CoinbaseText, text.clone().into_bytes()),
        }
    }

    /// The subject behind a key; `None` where the bytes are no such key.
    pub(crate) fn from_key(kind: Kind, key: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let split = || {
            let at = key.iter().position(|byte| *byte == 0)?;
            Some((text(key.get(..at)?)?, text(key.get(at + 1..)?)?))
        };
        Some(match kind {
            Kind::Script => Self::Script(ScriptBuf::from_bytes(key.to_vec())),
            Kind::Tx => {
                use bitcoin::hashes::Hash as _;
                Self::Tx(Txid::from_byte_array(key.try_into().ok()?))
            }
            Kind::Elsewhere => {
                split().map(|(network, address)| Self::Elsewhere { network, address })?
            }
            Kind::TxElsewhere => {
                split().map(|(network, hash)| Self::TxElsewhere { network, hash })?
            }
            Kind::CoinbaseText => Self::CoinbaseText(text(key)?),
        })
    }
}

/// A script as its address, or as `script:HEX` where it has none.
fn script_text(script: &bitcoin::Script, network: Network) -> String {
    chain::script::address(script, network)
        .unwrap_or_else(|| format!("script:{}", script.to_hex_string()))
}

/// The kinds of subjects, in the order in which a set keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Script,
    Tx,
    Elsewhere,
    TxElsewhere,
    CoinbaseText,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Script, Self::Tx, Self::Elsewhere, Self::TxElsewhere, Self::CoinbaseText];
}

impl fmt::Display for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.citation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back_to_its_subject() {
        let script = chain::script::parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network::Mainnet);
        let txid = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b".parse();
        for subject in [
            Subject::Script(script.unwrap()),
            Subject::Tx(txid.unwrap()),
            Subject::Elsewhere { network: "ETH".into(), address: "0xab".into() },
            Subject::TxElsewhere { network: "ETH".into(), hash: "0xcd".into() },
            Subject::CoinbaseText("/Pool/".into()),
        ] {
            let (kind, key) = subject.key();
            assert_eq!(Subject::from_key(kind, &key), Some(subject));
        }
        assert_eq!(Subject::from_key(Kind::Tx, &[1]), None);
        assert_eq!(Subject::from_key(Kind::Elsewhere, b"no zero"), None);
    }
}
