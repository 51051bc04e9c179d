//! The store: there, whole, and as far as the node.

use chain::{Ledger, Tip};
use store::{Store, StoreError};

use super::{
    Findings,
    node::{Seen, pruning},
};
use crate::place::Place;

/// A store that is further behind is worth a word.
const BEHIND: u32 = 6;

/// Opens it; its tip.
pub(super) fn check(place: &Place, seen: Option<&Seen>, findings: &mut Findings) -> Option<Tip> {
    let path = place.graph();
    let store = match Store::open(&path) {
        Ok(store) => store,
        Err(error) => {
            match error {
                StoreError::Missing { .. } => findings.missing(
                    "store",
                    format!("none of {} in {}", place.network, path.display()),
                    "make one: chainhound index --blocks-dir DIR, or --node URL",
                ),
                StoreError::NewerFormat { .. } => {
                    findings.bad("store", error.to_string(), "update chainhound");
                }
                _ => findings.bad(
                    "store",
                    error.to_string(),
                    "see all of it with `chainhound store check`; index again into another --datadir",
                ),
            }
            if let Some(seen) = seen {
                pruning(&seen.info, 0, findings);
            }
            return None;
        }
    };
    let counts = store.counts();
    findings.ok(
        "store",
        format!(
            "format {}, {} blocks, {} transactions, {}",
            ::store::FORMAT_VERSION,
            counts.blocks,
            counts.transactions,
            path.display()
        ),
    );
    if let Some(seen) = seen {
        pruning(&seen.info, counts.blocks, findings);
        against(&store, seen, findings);
    }
    store.tip()
}

fn against(store: &Store, seen: &Seen, findings: &mut Findings) {
    let (check, node) = ("store and node", seen.info.blocks);
    let Some(tip) = store.tip() else {
        return findings.warn(check, "the store is empty", "chainhound index --node URL");
    };
    let ours = tip.height.0;
    match seen.node.block_hash(tip.height) {
        Err(error) => findings.bad(check, error.to_string(), "ask again"),
        Ok(None) => findings.warn(
            check,
            format!("the store is at block {ours}, the node at {node}"),
            "wait until the node has downloaded; nothing is taken back meanwhile",
        ),
        Ok(Some(hash)) if hash != tip.hash => findings.warn(
            check,
            format!("the store's block {ours} is not the node's"),
            "a reorganisation: `chainhound index --node URL` follows it",
        ),
        Ok(Some(_)) if node.saturating_sub(ours) > BEHIND => findings.warn(
            check,
            format!("the store is {} blocks behind the node", node - ours),
            "chainhound index --node URL --follow",
        ),
        Ok(Some(_)) => findings
            .ok(check, format!("the same chain, {} blocks behind", node.saturating_sub(ours))),
    }
}
