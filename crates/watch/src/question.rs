//! What is watched, and how it is written down.

use analyze::trace::{Fees, Policy, RootSpec};
use chain::{Network, OutPoint, Sats, ScriptBuf, Txid, script};
use serde::{Deserialize, Serialize};

use crate::{Result, WatchError};

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Stolen coins: a trace, whose unspent tainted outputs are watched. When one is spent, the taint
    /// goes on by itself.
    Trace(TraceQuestion),
    /// Whatever these locking scripts receive and spend.
    Addresses(Vec<ScriptBuf>),
    /// Whatever the clusters of these locking scripts receive and spend.
    Clusters(Vec<ScriptBuf>),
}

/// A trace that stays alive. See [`analyze::trace::Query`] for the meaning of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceQuestion {
    /// Where the coins were stolen. What is not on the chain yet is waited for.
    pub roots: Vec<RootSpec>,
    /// How taint passes a transaction.
    pub policy: Policy,
    /// What happens to fees.
    pub fees: Fees,
    /// Stop rule.
    pub max_hops: Option<u32>,
    /// Stop rule.
    pub min_tainted: Sats,
    /// Stop rule.
    pub max_transactions: Option<u64>,
    /// Stop rule: arrived there.
    pub stop_addresses: Vec<ScriptBuf>,
    /// Stop rules of the caller's, by name.
    pub stop_rules: Vec<String>,
}

impl TraceQuestion {
    /// Haircut, fees dropped, no stop rules.
    pub fn new(roots: Vec<RootSpec>) -> Self {
        Self {
            roots,
            policy: Policy::default(),
            fees: Fees::default(),
            max_hops: None,
            min_tainted: Sats::ZERO,
            max_transactions: None,
            stop_addresses: Vec::new(),
            stop_rules: Vec::new(),
        }
    }
}

/// The written form: JSON in the state file, and the same in `watch show`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Trace {
        roots: Vec<String>,
        policy: String,
        fees: String,
        max_hops: Option<u32>,
        min_tainted_sat: u64,
        max_transactions: Option<u64>,
        stop_addresses: Vec<String>,
        stop_rules: Vec<String>,
    },
    Addresses {
        addresses: Vec<String>,
    },
    Clusters {
        addresses: Vec<String>,
    },
}

impl Question {
    /// As JSON. The same question gives the same text.
    pub fn to_json(&self, network: Network) -> String {
        let texts = |scripts: &[ScriptBuf]| scripts.iter().map(|s| text_of(s, network)).collect();
        let written = match self {
            Self::Trace(trace) => Written::Trace {
                roots: trace.roots.iter().map(|root| root_text(root, network)).collect(),
                policy: trace.policy.to_string(),
                fees: trace.fees.to_string(),
                max_hops: trace.max_hops,
                min_tainted_sat: trace.min_tainted.0,
                max_transactions: trace.max_transactions,
                stop_addresses: texts(&trace.stop_addresses),
                stop_rules: trace.stop_rules.clone(),
            },
            Self::Addresses(scripts) => Written::Addresses { addresses: texts(scripts) },
            Self::Clusters(scripts) => Written::Clusters { addresses: texts(scripts) },
        };
        // No map with other keys than text, and no number that JSON lacks.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// From its JSON.
    ///
    /// # Errors
    /// [`WatchError::Question`] for anything that is none.
    pub fn from_json(text: &str, network: Network) -> Result<Self> {
        let written: Written = serde_json::from_str(text).map_err(question)?;
        let scripts = |texts: Vec<String>| -> Result<Vec<ScriptBuf>> {
            texts.iter().map(|text| script::parse(text, network).map_err(question)).collect()
        };
        Ok(match written {
            Written::Addresses { addresses } => Self::Addresses(scripts(addresses)?),
            Written::Clusters { addresses } => Self::Clusters(scripts(addresses)?),
            Written::Trace {
                roots,
                policy,
                fees,
                max_hops,
                min_tainted_sat,
                max_transactions,
                stop_addresses,
                stop_rules,
            } => Self::Trace(TraceQuestion {
                roots: roots.iter().map(|root| parse_root(root, network)).collect::<Result<_>>()?,
                policy: policy.parse().map_err(question)?,
                fees: fees.parse().map_err(question)?,
                max_hops,
                min_tainted: Sats(min_tainted_sat),
                max_transactions,
                stop_addresses: scripts(stop_addresses)?,
                stop_rules,
            }),
        })
    }

    /// `trace`, `addresses` or `clusters`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Trace(_) => "trace",
            Self::Addresses(_) => "addresses",
            Self::Clusters(_) => "clusters",
        }
    }
}

/// `TXID`, `TXID:VOUT`, an address, or `script:HEX`.
///
/// # Errors
/// [`WatchError::Question`].
pub fn parse_root(text: &str, network: Network) -> Result<RootSpec> {
    if let Ok(txid) = text.parse::<Txid>() {
        return Ok(RootSpec::Transaction(txid));
    }
    if let Ok(outpoint) = text.parse::<OutPoint>() {
        return Ok(RootSpec::Output(outpoint));
    }
    Ok(RootSpec::Script(script::parse(text, network).map_err(question)?))
}

/// What [`parse_root`] reads.
pub fn root_text(root: &RootSpec, network: Network) -> String {
    match root {
        RootSpec::Output(outpoint) => outpoint.to_string(),
        RootSpec::Transaction(txid) => txid.to_string(),
        RootSpec::Script(script) => text_of(script, network),
    }
}

/// A locking script as people name it.
pub(crate) fn text_of(script: &ScriptBuf, network: Network) -> String {
    script::address(script, network).unwrap_or_else(|| format!("script:{}", script.to_hex_string()))
}

fn question(error: impl std::fmt::Display) -> WatchError {
    WatchError::Question(error.to_string())
}
