//! `chainhound cluster show`, and the cluster that `address` shows.

use std::fs;

use analyze::cluster::Clustering;
use chain::AddressNum;
use serde::Serialize;

use super::{field, in_force, number, tags, whole};
use crate::{
    args::ShowArgs,
    clusters::{self, Shelf, Which},
    failure::{Exit, Failure},
    labels,
    ledger::Chain,
    output::{AddressCluster, ClusteringField, ShowDocument},
    place::Place,
    run::{Session, describe},
};

#[derive(Serialize)]
struct Parameters {
    address: String,
    rule: &'static str,
    limit: u32,
    cursor: Option<String>,
}

/// Prints a cluster.
pub(super) fn run(args: &ShowArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let (which, shelf) = (args.which.which(), Shelf::of(&place));
    let labels = labels::open(&place)?;
    session.answer_with(&place, None, args.format.format, labels.as_ref(), |chain| {
        let store = whole(chain)?;
        let clustering = in_force(&shelf, which, store)?;
        let address = number(chain, &clustering, &args.address, which)?;
        let cluster = clustering.cluster_of(address).unwrap_or(address);
        let after = match &args.cursor {
            None => None,
            Some(text) => Some(cursor(chain, &clustering, cluster, text, which)?),
        };
        // One more than is shown says whether there are more.
        let mut page = clustering.page(cluster, after, (args.limit as usize).saturating_add(1));
        let more = page.len() > args.limit as usize;
        page.truncate(args.limit as usize);
        let mut members = Vec::with_capacity(page.len());
        for member in &page {
            members.push(describe::lock_of(store, *member)?);
        }
        let behind = clusters::blocks_behind(store, clustering.basis());
        let size = clustering.size_of(cluster);
        let tags = match &labels {
            Some(set) => Some(tags::of_cluster(store, &clustering, (cluster, size), set)?),
            None => None,
        };
        let body = ShowDocument {
            clustering: ClusteringField::new(clustering.basis(), behind),
            cluster: field(store, cluster, size)?,
            next_cursor: members.last().filter(|_| more).map(|last| last.shown()),
            members,
            tags,
        };
        let parameters = Parameters {
            address: args.address.clone(),
            rule: which.name(),
            limit: args.limit,
            cursor: args.cursor.clone(),
        };
        Ok((parameters, body))
    })
}

/// A cursor is an address and not a number of ours: it survives a store made anew.
fn cursor(
    chain: &Chain,
    clustering: &Clustering,
    cluster: AddressNum,
    text: &str,
    which: Which,
) -> Result<AddressNum, Failure> {
    let after = number(chain, clustering, text, which)?;
    match clustering.cluster_of(after) {
        Some(found) if found == cluster => Ok(after),
        _ => Err(Failure::usage(format!("--cursor {text} is no address of this cluster"))
            .hint("start again without --cursor: the clustering may be a newer one")),
    }
}

/// A clustering's file is read as a whole, so that damage cannot pass. `address` answers at once, and
/// larger files than this take longer; `cluster show` reads them.
const MOST_BYTES: u64 = 256 << 20;

/// The cluster of an address, where one was built that is of this chain and can be read at once.
pub(in crate::run) fn of_address(
    place: &Place,
    chain: &Chain,
    address: AddressNum,
) -> Result<Option<AddressCluster>, Failure> {
    let (which, shelf) = (Which::MultiInput, Shelf::of(place));
    let Chain::Whole(store) = chain else { return Ok(None) };
    let Ok(file) = fs::metadata(shelf.path(which)) else { return Ok(None) };
    if file.len() > MOST_BYTES {
        return Ok(None);
    }
    let Some(clustering) = shelf.read(which)? else { return Ok(None) };
    if !clusters::is_on(store.as_ref(), clustering.basis())? {
        return Ok(None);
    }
    let Some(cluster) = clustering.cluster_of(address) else { return Ok(None) };
    let behind = clusters::blocks_behind(store.as_ref(), clustering.basis());
    Ok(Some(AddressCluster {
        cluster: field(store.as_ref(), cluster, clustering.size_of(cluster))?,
        clustering: ClusteringField::new(clustering.basis(), behind),
    }))
}
