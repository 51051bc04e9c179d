//! Batch, block by block and after reorganisations: the same clusters, the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{random::Text, *};

/// Relabels whole clusters, transaction by transaction.
fn oracle(ledger: &MemoryLedger) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..ledger.address_count()).collect();
    let mut inputs = Vec::new();
    for tx in 0..ledger.tx_count() {
        ledger.inputs(TxNum(tx), &mut inputs).unwrap();
        let joined: BTreeSet<u32> =
            inputs.iter().map(|input| ids[input.address.unwrap().index()]).collect();
        if let Some(&smallest) = joined.first() {
            ids.iter_mut().filter(|id| joined.contains(id)).for_each(|id| *id = smallest);
        }
    }
    ids
}

fn bytes(clustering: &Clustering) -> Vec<u8> {
    let mut bytes = Vec::new();
    let digest = clustering.encode(|piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), ()>(())
    });
    assert_eq!(digest.unwrap(), clustering.digest());
    bytes
}

fn of(text: &Text) -> MemoryLedger {
    parse(&text.text).1
}

const WHOLE: Option<Guard> = Some(Guard { large: 2, thin: 2, hold_back: false });
const HELD: Option<Guard> = Some(Guard { large: 2, thin: 2, hold_back: true });

#[track_caller]
fn same_after_reorganisation<R: Rule<MemoryLedger> + Clone>(
    rule: &R,
    guard: Option<Guard>,
    (one, other): (&[MemoryLedger], &[MemoryLedger]),
    undoable: u32,
) {
    let build = |ledger, threads| build(ledger, rule, &on(threads, guard)).unwrap();
    // Block by block from nothing, each time the same as a batch.
    let mut live = Live::start(&one[0], rule.clone(), on(1, guard), undoable).unwrap();
    for ledger in &one[1..] {
        assert_eq!(live.sync(ledger).unwrap().folded, 1);
        assert_eq!(live.clustering::<MemoryLedger>(), build(ledger, 1));
    }
    // To the other branch and back, however deep the fork is.
    let (first, last) = (&one[one.len() - 1], &other[other.len() - 1]);
    for ledger in [last, first, last] {
        let synced = live.sync(ledger).unwrap();
        let built = build(ledger, 2);
        assert_eq!(bytes(&live.clustering::<MemoryLedger>()), bytes(&built), "{synced:?}");
        assert_eq!(live.findings(), built.findings());
    }
    // Taking back block by block, what was folded in and what was there from the start.
    let started = Live::start(last, rule.clone(), on(1, guard), undoable).unwrap();
    for mut live in [live, started] {
        let mut left = 0;
        while live.undo() {
            left += 1;
            match other.len().checked_sub(1 + left) {
                Some(place) => {
                    assert_eq!(live.clustering::<MemoryLedger>(), build(&other[place], 1));
                }
                None => {
                    assert_eq!(
                        (live.tip(), live.clustering::<MemoryLedger>().addresses()),
                        (None, 0)
                    );
                }
            }
        }
        assert!(left <= undoable as usize);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(48)))]

    #[test]
    fn batch_is_incremental_is_after_reorganisation(
        trunk in random::blocks(5),
        one in random::blocks(5),
        other in random::blocks(5),
        undoable in 0u32..12,
    ) {
        let mut text = Text::default();
        let mut common = vec![of(&text)];
        for txs in &trunk {
            text.block("", txs);
            common.push(of(&text));
        }
        let branch = |tag: &str, blocks: &[Vec<random::Tx>]| {
            let (mut text, mut ledgers) = (text.clone(), common.clone());
            for txs in blocks {
                text.block(tag, txs);
                ledgers.push(of(&text));
            }
            ledgers
        };
        let branches = (branch("x", &one), branch("y", &other));
        for ledger in &branches.0 {
            let built = build(ledger, &AllInputs, &on(3, WHOLE)).unwrap();
            prop_assert_eq!(built.ids, oracle(ledger));
        }
        for guard in [None, WHOLE, HELD] {
            let branches = (&branches.0[..], &branches.1[..]);
            same_after_reorganisation(&AllInputs, guard, branches, undoable);
            same_after_reorganisation(&CoinJoinsApart, guard, branches, undoable);
            let change = JudgedChange::new(AllInputs, "multi_input_all", Strength::Weak);
            same_after_reorganisation(&change, guard, branches, undoable);
        }
    }
}

#[test]
fn a_fork_deeper_than_what_can_be_undone_is_built_again() {
    let mut text = Text::default();
    let empty = of(&text);
    let txs = [(3, 7, 1, 2), (2, 1, 3, 4)];
    (0..6).for_each(|_| text.block("x", &txs));
    let one = of(&text);
    let mut text = Text::default();
    (0..7).for_each(|_| text.block("y", &txs));
    let other = of(&text);
    let mut live = Live::start(&empty, AllInputs, Options::default(), 3).unwrap();
    let folded = live.sync(&one).unwrap();
    assert_eq!(folded, Synced { undone: 0, folded: 6, rebuilt: false });
    // Genesis stays, but three blocks only can be taken back.
    let synced = live.sync(&other).unwrap();
    assert_eq!(synced, Synced { undone: 3, folded: 0, rebuilt: true });
    assert_eq!(live.clustering::<MemoryLedger>().ids, oracle(&other));
    assert_eq!(live.sync(&other).unwrap(), Synced::default());
}

#[test]
fn a_block_of_another_chain_is_not_folded() {
    let mut text = Text::default();
    text.block("x", &[]);
    let one = of(&text);
    let mut text = Text::default();
    text.block("y", &[]);
    text.block("y", &[]);
    let mut live = Live::start(&one, AllInputs, Options::default(), 3).unwrap();
    let before = live.clustering::<MemoryLedger>();
    let error = live.fold(&of(&text)).unwrap_err();
    assert!(matches!(error, crate::Error::Ledger(chain::LedgerError::Reorganised)));
    assert_eq!(live.clustering::<MemoryLedger>(), before);
}

#[test]
fn a_kept_clustering_is_gone_on_with() {
    let mut text = Text::default();
    let txs = [(3, 7, 1, 2), (2, 1, 3, 4)];
    (0..3).for_each(|_| text.block("", &txs));
    let old = of(&text);
    (0..3).for_each(|_| text.block("", &txs));
    let new = of(&text);
    let kept = build(&old, &AllInputs, &Options::default()).unwrap();
    let kept = Clustering::decode(&bytes(&kept)).unwrap();
    let mut live = Live::resume::<MemoryLedger>(kept.clone(), AllInputs, Options::default(), 9);
    let live = live.as_mut().unwrap();
    assert_eq!(live.sync(&new).unwrap().folded, 3);
    assert_eq!(live.clustering::<MemoryLedger>().ids, oracle(&new));
    // Sizes by cluster are right, too.
    let mut sizes = BTreeMap::<u32, u32>::new();
    oracle(&new).iter().for_each(|id| *sizes.entry(*id).or_default() += 1);
    for (address, id) in (0..).zip(oracle(&new)) {
        assert_eq!(live.cluster_of(AddressNum(address)), Some((AddressNum(id), sizes[&id])));
    }
    let unguarded = Options { guard: None, ..Options::default() };
    let other = Live::resume::<MemoryLedger>(kept.clone(), AllInputs, unguarded, 9);
    assert!(matches!(other.unwrap_err(), crate::Error::OtherBasis));
    let mut older = kept.clone();
    older.basis.coinjoin_rules = 0;
    let other = Live::resume::<MemoryLedger>(older, AllInputs, Options::default(), 9);
    assert!(matches!(other.unwrap_err(), crate::Error::OtherBasis));
    let other = Live::resume::<MemoryLedger>(kept, CoinJoinsApart, Options::default(), 9);
    assert!(matches!(other.unwrap_err(), crate::Error::OtherRule { .. }));
}

#[test]
fn an_empty_ledger_has_no_clusters() {
    let ledger = MemoryLedger::from_blocks(Network::Regtest, &[]).unwrap();
    let mut live = Live::start(&ledger, CoinJoinsApart, Options::default(), 3).unwrap();
    assert_eq!(live.clustering::<MemoryLedger>().addresses(), 0);
    assert_eq!((live.undo(), live.fold(&ledger).unwrap()), (false, false));
    assert_eq!(build(&ledger, &CoinJoinsApart, &Options::default()).unwrap().clusters(), 0);
}
