//! The bytes of a clustering: read back as they were, and every damage noticed.

use super::*;

fn bytes(clustering: &Clustering) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(_) = clustering.encode(|piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), std::convert::Infallible>(())
    });
    bytes
}

fn example() -> Clustering {
    let (_, ledger) = parse(BRIDGE);
    let guard = Guard { large: 3, thin: 3, hold_back: true };
    build(&ledger, &CoinJoinsApart, &on(1, Some(guard))).unwrap()
}

#[test]
fn bytes_lead_back() {
    let clustering = example();
    assert_eq!(clustering.findings().len(), 2);
    assert_eq!(Clustering::decode(&bytes(&clustering)), Ok(clustering.clone()));
    let basis = Basis { tip: None, ..clustering.basis().clone() };
    let without = Clustering { basis, ..clustering };
    assert_eq!(Clustering::decode(&bytes(&without)), Ok(without.clone()));
    let basis = Basis { guard: None, ..without.basis().clone() };
    let without = Clustering { basis, ..without };
    assert_eq!(Clustering::decode(&bytes(&without)), Ok(without));
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let good = bytes(&example());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        assert!(Clustering::decode(&bad).is_err(), "{at}");
        assert!(Clustering::decode(&good[..at]).is_err(), "{at}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(Clustering::decode(&longer).is_err());
    assert_eq!(Clustering::decode(b"chainhound"), Err(SnapshotError::NotOne));
    let mut newer = good;
    newer[7] = 2;
    assert_eq!(Clustering::decode(&newer), Err(SnapshotError::Version(2)));
}

#[test]
fn a_right_digest_over_nonsense_is_not_believed() {
    let mut nonsense = example();
    // Its id belongs to another cluster.
    nonsense.ids[6] = 5;
    let error = Clustering::decode(&bytes(&nonsense)).unwrap_err();
    assert!(matches!(error, SnapshotError::Content(_)), "{error}");
    nonsense.ids[6] = 4_000_000_000;
    assert!(Clustering::decode(&bytes(&nonsense)).is_err());
}
