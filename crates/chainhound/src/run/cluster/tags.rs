//! What sources say about the addresses of a cluster.

use analyze::cluster::Clustering;
use chain::{AddressNum, Ledger, ScriptBuf};
use intel::TagSet;
use store::Store;

use crate::{
    output::{AddressClaim, ClaimRow, ClusterTags},
    run::describe,
};

/// Claims that are listed of each kind.
const LISTED: usize = 100;

/// Collects the claims. A claim counts for the whole cluster where its source means that and may be
/// believed in it: never of those who took part in a mix ([`intel::set::StatementRef::defines_cluster`]).
pub(super) fn of_cluster(
    store: &Store,
    clustering: &Clustering,
    (cluster, size): (AddressNum, u32),
    set: &TagSet,
) -> chain::Result<ClusterTags> {
    let mut tags = ClusterTags::default();
    let mut said = Vec::new();
    // Whichever is less: the addresses of the cluster, or all that are labelled.
    if u64::from(size) <= set.counts().scripts {
        for member in clustering.page(cluster, None, usize::MAX) {
            add(&mut tags, &mut said, store, &store.script(member)?, set);
        }
    } else {
        let mut members = Vec::new();
        for script in set.scripts() {
            let Some(address) = store.find_script(script)? else { continue };
            if clustering.cluster_of(address) == Some(cluster) {
                members.push(address);
            }
        }
        members.sort_unstable();
        for member in members {
            add(&mut tags, &mut said, store, &store.script(member)?, set);
        }
    }
    Ok(tags)
}

fn add(
    tags: &mut ClusterTags,
    said: &mut Vec<u32>,
    store: &Store,
    script: &ScriptBuf,
    set: &TagSet,
) {
    let claims = set.of_script(script.as_bytes());
    if claims.is_empty() {
        return;
    }
    let mut listed = true;
    for claim in claims.ranked() {
        let number = claim.statement().number();
        if claim.defines_cluster() {
            // The same statement about many addresses of the cluster is said once.
            if !said.contains(&number) && tags.cluster.len() < LISTED {
                said.push(number);
                tags.cluster.push(ClaimRow::of_claim(claim));
            }
        } else if tags.addresses.len() < LISTED {
            let of = describe::lock(script, store.network()).shown();
            tags.addresses.push(AddressClaim { of, claim: ClaimRow::of_claim(claim) });
        } else {
            listed = false;
        }
    }
    tags.more += u64::from(!listed);
}
