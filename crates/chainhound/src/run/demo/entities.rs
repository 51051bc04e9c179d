//! Clusters and CoinJoins of the whole chain, held against the truth. Definitions:
//! [`crate::output::ClusterScore`], [`crate::output::CoinJoinScore`].

use analyze::{
    cluster::{self, Clustering},
    coinjoin::{Detector, Protocol, ShapeBuf},
};
use chain::{Ledger, TxNum};
use store::Store;
use testkit::generate::{Class, SideFiles};

use super::Directory;
use crate::{
    failure::Failure,
    output::{ClusterScore, CoinJoinScore, Share},
};

/// The protocols that the generator makes.
const MADE: [(Protocol, Class); 5] = [
    (Protocol::Whirlpool, Class::Whirlpool),
    (Protocol::WhirlpoolTx0, Class::Tx0),
    (Protocol::Wasabi1, Class::Wasabi1),
    (Protocol::Wasabi2, Class::Wasabi2),
    (Protocol::JoinMarket, Class::Joinmarket),
];

/// What the generator knows of every transaction and output.
pub(super) fn truth(out: &Directory) -> Result<SideFiles, Failure> {
    SideFiles::read(out.path()).map_err(|error| Failure::file(&out.path().join("truth"), error))
}

/// How right the clusters are.
pub(super) fn clusters(
    store: &Store,
    clustering: &Clustering,
    truth: &SideFiles,
) -> Result<ClusterScore, Failure> {
    let mut owners: Vec<Option<u32>> = vec![None; store.address_count() as usize];
    let mut outputs = Vec::new();
    for tx in (0..store.tx_count()).map(TxNum) {
        store.outputs(tx, &mut outputs)?;
        for output in &outputs {
            let place = output.address.and_then(|address| owners.get_mut(address.index()));
            // 0 owns nothing: data carriers and genesis.
            let owner = truth.owner(output.num.index()).filter(|owner| *owner != 0);
            if let Some(place) = place.filter(|place| place.is_none()) {
                *place = owner;
            }
        }
    }
    let owner = |address: chain::AddressNum| owners.get(address.index()).copied().flatten();
    let score = cluster::score(clustering, owner);
    let share = |ratio: cluster::Ratio| Share::of(ratio.part, ratio.whole);
    Ok(ClusterScore {
        rule: clustering.basis().rule.clone(),
        addresses: score.addresses,
        clusters: score.clusters,
        entities: score.entities,
        mixed: score.mixed,
        precision: share(score.precision()),
        recall: share(score.recall()),
        purity: share(score.purity()),
        completeness: share(score.completeness()),
    })
}

/// How right the classes are that the store got when it was made.
pub(super) fn coinjoins(store: &Store, truth: &SideFiles) -> Result<Vec<CoinJoinScore>, Failure> {
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    let mut counts = MADE.map(|_| Counts::default());
    for tx in (0..store.tx_count()).map(TxNum) {
        let found = detector.class_of(store, tx, &mut buffer)?;
        let really = truth.class(tx.index());
        for ((protocol, class), counts) in MADE.iter().zip(&mut counts) {
            let (is, said) = (really == Some(*class), found.protocol() == Some(*protocol));
            counts.really += u64::from(is);
            counts.found += u64::from(said);
            counts.right += u64::from(is && said);
            counts.kept_apart += u64::from(is && found.do_not_union());
        }
    }
    let rows = MADE.iter().zip(counts).map(|((protocol, _), counts)| CoinJoinScore {
        protocol: protocol.name(),
        true_count: counts.really,
        found: counts.found,
        right: counts.right,
        kept_apart: counts.kept_apart,
        precision: Share::of(counts.right, counts.found),
        recall: Share::of(counts.right, counts.really),
    });
    Ok(rows.collect())
}

#[derive(Clone, Copy, Default)]
struct Counts {
    really: u64,
    found: u64,
    right: u64,
    kept_apart: u64,
}
