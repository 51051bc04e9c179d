//! `chainhound cluster`: which addresses belong together, and why.

mod build;
mod diff;
mod show;
mod tags;
mod why;

use analyze::cluster::{Clustering, Part};
use chain::{AddressNum, Ledger};
use store::Store;

pub(super) use self::{build::build_anew, show::of_address};
use super::{Session, describe};
use crate::{
    args::ClusterVerb,
    clusters::{self, Shelf, Which},
    failure::{Exit, Failure},
    ledger::Chain,
    output::ClusterField,
};

/// Runs a verb of `cluster`.
pub(crate) fn run(verb: &ClusterVerb, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match verb {
        ClusterVerb::Build(args) => build::run(args, session),
        ClusterVerb::Show(args) => show::run(args, session),
        ClusterVerb::Why(args) => why::run(args, session),
        ClusterVerb::Diff(args) => diff::run(args, session),
    }
}

/// The store: clusters need all of a chain.
pub(super) fn whole(chain: &Chain) -> Result<&Store, Failure> {
    match chain {
        Chain::Whole(store) => Ok(store),
        Chain::Sparse(_) => Err(Failure::unavailable(
            "clusters need the whole chain, and here are single transactions only",
        )
        .hint("`chainhound index --blocks-dir` reads a node's blocks into a store")),
    }
}

/// The clustering in force, if it is one of this chain.
fn in_force(shelf: &Shelf, which: Which, store: &Store) -> Result<Clustering, Failure> {
    let Some(clustering) = shelf.read(which)? else {
        return Err(Failure::unavailable(format!(
            "no clustering '{}' was built yet",
            which.name()
        ))
        .hint(build_command(which)));
    };
    if !clusters::is_on(store, clustering.basis())? {
        let path = shelf.path(which);
        return Err(Failure::unavailable(format!(
            "{}: the chain was reorganised: its last block is not on it any more",
            path.display()
        ))
        .hint(build_command(which)));
    }
    Ok(clustering)
}

fn build_command(which: Which) -> String {
    match which {
        Which::MultiInput => "`chainhound cluster build` makes it".to_owned(),
        Which::WithChange(strength) => {
            format!("`chainhound cluster build --with-change {}` makes it", strength.name())
        }
    }
}

/// The number of an address that the clustering knows.
fn number(
    chain: &Chain,
    clustering: &Clustering,
    text: &str,
    which: Which,
) -> Result<AddressNum, Failure> {
    let ledger = chain.ledger();
    let script = chain::script::parse(text, ledger.network())?;
    let Some(address) = ledger.find_script(&script)? else {
        return Err(chain.lacks(&format!("address {text}")));
    };
    if clustering.cluster_of(address).is_none() {
        let height = clustering.basis().tip.map_or(0, |tip| tip.height.0);
        return Err(Failure::unavailable(format!(
            "address {text} is newer than the clustering, which ends at block {height}"
        ))
        .hint(build_command(which)));
    }
    Ok(address)
}

/// A cluster by its id and size.
fn field(ledger: &dyn Ledger, cluster: AddressNum, addresses: u32) -> chain::Result<ClusterField> {
    let first = describe::lock_of(ledger, cluster)?;
    Ok(ClusterField { cluster: cluster.0, first, addresses })
}

/// Parts of a cluster.
fn parts(ledger: &dyn Ledger, parts: &[Part]) -> chain::Result<Vec<ClusterField>> {
    parts.iter().map(|part| field(ledger, part.cluster, part.addresses)).collect()
}
