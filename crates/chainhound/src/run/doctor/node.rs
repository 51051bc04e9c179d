//! The node: there, of the right kind, and up to date.

use chain::{Height, Network};
use source::{
    Node,
    node::{ChainInfo, NodeError},
};

use super::Findings;
use crate::node::NodeAt;

/// Before it `gettxspendingprevout` is not there, by which watched outputs are found in the mempool.
const NEEDED: u32 = 24;
/// From it on a node is told which block we know when it waits for the next one (Core PR 30635).
const ADVISED: u32 = 30;

/// A node that answers.
pub(super) struct Seen {
    pub(super) node: Node,
    pub(super) info: ChainInfo,
}

impl Seen {
    pub(super) fn network(&self) -> Network {
        self.node.network()
    }
}

/// Asks it.
pub(super) fn check(at: &NodeAt, findings: &mut Findings) -> Option<Seen> {
    let opened = at.open().and_then(|node| Ok((node.check_network()?, node)));
    let (info, node) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            not_there(&error, findings);
            return None;
        }
    };
    findings.ok("node", format!("{} answers, network {}", node.url(), node.network()));
    version(&node, findings);
    rest(&node, findings);
    downloads(&info, findings);
    Some(Seen { node, info })
}

fn not_there(error: &NodeError, findings: &mut Findings) {
    // Most of its messages end with what to do.
    let advice = match error {
        NodeError::WarmingUp(_) | NodeError::Busy { .. } => "wait a moment and ask again",
        NodeError::WrongNetwork { .. } => {
            "name the network with --network, or the port of the other node"
        }
        NodeError::Credentials { .. } => "name the cookie of the node that runs now",
        _ => "start the node, or name another one with --node",
    };
    findings.missing("node", error.to_string(), advice);
}

fn version(node: &Node, findings: &mut Findings) {
    let info = match node.network_info() {
        Ok(info) => info,
        Err(error) => return findings.bad("node version", error.to_string(), "see rpcwhitelist"),
    };
    let (major, minor) = (info.major(), info.version / 100 % 100);
    let printable = |c: &char| c.is_ascii_graphic();
    let name: String = info.subversion.chars().filter(printable).take(80).collect();
    let found = format!("{major}.{minor} {name}");
    match major {
        ..NEEDED => findings.bad(
            "node version",
            found,
            format!("update the node: before {NEEDED} it does not say what spends an output in its mempool"),
        ),
        NEEDED..ADVISED => findings.warn(
            "node version",
            found,
            format!("works; {ADVISED} or newer is advised, which is told the block that we know when it waits for the next"),
        ),
        _ => findings.ok("node version", found),
    }
    if info.connections == 0 && node.network() != Network::Regtest {
        findings.warn(
            "node peers",
            "none",
            "see whether the node has a connection to the internet",
        );
    }
}

fn rest(node: &Node, findings: &mut Findings) {
    match node.probe_rest() {
        Ok(true) => findings.ok("node rest", "on"),
        Ok(false) => findings.warn(
            "node rest",
            "off",
            "works over JSON-RPC; with rest=1 in bitcoin.conf blocks come with half the bytes",
        ),
        Err(error) => findings.bad("node rest", error.to_string(), "ask again"),
    }
}

fn downloads(info: &ChainInfo, findings: &mut Findings) {
    let (blocks, headers) = (info.blocks, info.headers);
    if headers > blocks.saturating_add(1) || info.initialblockdownload && headers > blocks {
        findings.warn(
            "node sync",
            format!("{blocks} blocks of {headers} known headers"),
            "wait: `index --follow` takes what comes",
        );
    } else {
        findings.ok("node sync", format!("block {blocks}, the best that it knows"));
    }
}

/// Whether the node still has the blocks that a store with this many lacks.
pub(super) fn pruning(info: &ChainInfo, blocks: u32, findings: &mut Findings) {
    let lowest = info.pruneheight.unwrap_or(0);
    if !info.pruned {
        findings.ok("node pruning", "off: it has all blocks");
    } else if lowest <= blocks {
        findings.warn(
            "node pruning",
            format!("it has blocks from height {lowest} on, which is enough for this store"),
            "let the store follow (`index --node URL --follow`), so that no block is pruned before it is read",
        );
    } else {
        findings.bad(
            "node pruning",
            format!(
                "the store needs block {}, the node has blocks from height {lowest} on",
                Height(blocks)
            ),
            "index from a node that keeps all blocks",
        );
    }
}
