//! Small chains whose clusters are known, and random ones against a naive oracle.

mod follow;
mod paths;
mod random;
mod snapshots;

use std::{collections::BTreeMap, num::NonZeroUsize};

use chain::{AddressNum, Ledger, MemoryLedger, Network, TxNum};
use testkit::Chain;

use super::*;
use crate::change::Strength;

fn ledger(chain: &Chain) -> MemoryLedger {
    let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
    MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap()
}

fn parse(text: &str) -> (Chain, MemoryLedger) {
    let chain = Chain::parse(text).unwrap();
    let ledger = ledger(&chain);
    (chain, ledger)
}

fn on(threads: usize, guard: Option<Guard>) -> Options {
    Options { threads: NonZeroUsize::new(threads).unwrap(), guard }
}

fn address(chain: &Chain, ledger: &MemoryLedger, name: &str) -> AddressNum {
    ledger.find_script(chain.script(name).unwrap()).unwrap().unwrap()
}

fn name(chain: &Chain, ledger: &MemoryLedger, address: AddressNum) -> String {
    chain.script_name(&ledger.script(address).unwrap()).unwrap_or("genesis").to_owned()
}

fn tx(chain: &Chain, ledger: &MemoryLedger, name: &str) -> TxNum {
    ledger.find_tx(&chain.txid(name).unwrap()).unwrap().unwrap()
}

/// Clusters of several addresses by name: the members in order of appearance, the first is the id.
fn words(chain: &Chain, ledger: &MemoryLedger, clustering: &Clustering) -> String {
    let mut clusters: BTreeMap<AddressNum, Vec<String>> = BTreeMap::new();
    for (address, id) in clustering.ids() {
        clusters.entry(id).or_default().push(name(chain, ledger, address));
    }
    let several = clusters.into_values().filter(|members| members.len() > 1);
    several.map(|members| members.join(" ")).collect::<Vec<_>>().join(" | ")
}

#[track_caller]
fn check<R: Rule<MemoryLedger> + Clone>(text: &str, rule: R, guard: Option<Guard>, expected: &str) {
    let (chain, ledger) = parse(text);
    let built = build(&ledger, &rule, &on(1, guard)).unwrap();
    assert_eq!(words(&chain, &ledger, &built), expected);
    let live = Live::start(&ledger, rule, on(1, guard), 2).unwrap();
    assert_eq!(live.clustering::<MemoryLedger>(), built);
}

const FOUR: &str = "
    block
    tx a: coinbase -> A:10 B:10 C:10 D:10 E:10";

#[test]
fn inputs_of_one_transaction_are_one_cluster() {
    let text = FOUR.to_owned()
        + "
        block
        tx b: a:0 a:2 -> X:20
        tx c: a:1 a:3 -> Y:20
        tx d: a:4 -> Z:10";
    check(&text, CoinJoinsApart, None, "A C | B D");
    let text = text
        + "
        block
        tx e: b:0 c:0 -> W:40";
    check(&text, CoinJoinsApart, None, "A C | B D | X Y");
}

#[test]
fn a_chain_of_transactions_joins_over_reused_addresses() {
    let text = FOUR.to_owned()
        + "
        block
        tx b: a:0 a:1 -> C:20
        tx c: a:2 a:3 -> E:20
        tx d: b:0 c:0 -> F:40";
    check(&text, CoinJoinsApart, None, "A B | C D E");
}

#[test]
fn a_coinjoin_joins_nothing_unless_nobody_looks() {
    // Whirlpool: five equal inputs and outputs, two of them pay the fee.
    let text = "
        block
        tx a: coinbase -> A:1000000sat B:1000000sat C:1000000sat D:1000200sat E:1000200sat F:1
        block
        tx mix: a:0 a:1 a:2 a:3 a:4 -> V:1000000sat W:1000000sat X:1000000sat Y:1000000sat Z:1000000sat
        block
        tx own: mix:0 a:5 -> G:*";
    check(text, CoinJoinsApart, None, "F V");
    check(text, AllInputs, None, "A B C D E | F V");
}

#[test]
fn change_is_joined_only_in_a_clustering_of_another_name() {
    let text = FOUR.to_owned()
        + "
        block
        tx b: a:0 a:1 -> X:12 Y:7.98765432
        tx c: b:1 -> Z:1 W:6.87654321";
    check(&text, CoinJoinsApart, None, "A B");
    // Others are paid round amounts; and of two inputs Y alone would not have needed both.
    let rule = |at_least| JudgedChange::new(CoinJoinsApart, MULTI_INPUT, at_least);
    check(&text, rule(Strength::Strong), None, "A B Y");
    let rule = rule(Strength::Weak);
    check(&text, rule.clone(), None, "A B Y W");
    let (chain, ledger) = parse(&text);
    let built = build(&ledger, &rule, &on(2, None)).unwrap();
    assert_eq!(built.basis().rule, "multi_input+change_weak");
    let pair = (address(&chain, &ledger, "A"), address(&chain, &ledger, "W"));
    let Why::Joined(steps) = why(&ledger, &rule, &built, pair, Limits::default()).unwrap() else {
        panic!("A and W are in one cluster");
    };
    let joints: Vec<_> = steps.iter().map(|step| (step.tx, step.joint)).collect();
    let at = |name| tx(&chain, &ledger, name);
    assert_eq!(joints, [(at("b"), Joint::Change), (at("c"), Joint::Change)]);
    // A proof is by the rule that made the clustering.
    let other = why(&ledger, &CoinJoinsApart, &built, pair, Limits::default()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "the clustering was made by the rule 'multi_input+change_weak', not by 'multi_input': build \
         it again"
    );
}

/// Two clusters of three, which `bridge` joins, and `late` joins again.
const BRIDGE: &str = "
    block
    tx a: coinbase -> A:5 B:5 C:5 D:5 E:5 F:5 A:1 D:1 G:1 B:1 E:1
    block
    tx b: a:0 a:1 a:2 -> X:15
    tx c: a:3 a:4 a:5 -> Y:15
    block
    tx bridge: a:6 a:7 -> Z:2
    tx late: a:8 a:9 a:10 -> Z:3";

#[test]
fn the_guard_reports_a_thin_merge_of_large_clusters() {
    let guard = Guard { large: 3, thin: 2, hold_back: false };
    check(BRIDGE, CoinJoinsApart, Some(guard), "A B C D E F G");
    let (chain, ledger) = parse(BRIDGE);
    let built = build(&ledger, &CoinJoinsApart, &on(2, Some(guard))).unwrap();
    let part = |name| Part { cluster: address(&chain, &ledger, name), addresses: 3 };
    let bridge = tx(&chain, &ledger, "bridge");
    let finding = Finding { tx: bridge, parts: vec![part("A"), part("D")], held_back: false };
    assert_eq!(built.findings(), [finding]);
    for guard in [Guard { large: 4, ..guard }, Guard { thin: 1, ..guard }] {
        let built = build(&ledger, &CoinJoinsApart, &on(1, Some(guard))).unwrap();
        assert_eq!(built.findings(), []);
    }
}

#[test]
fn the_guard_holds_a_merge_back_when_asked() {
    let guard = Guard { large: 3, thin: 2, hold_back: true };
    // Three addresses are not thin: the second transaction joins.
    check(BRIDGE, CoinJoinsApart, Some(guard), "A B C D E F G");
    let guard = Guard { large: 3, thin: 3, hold_back: true };
    check(BRIDGE, CoinJoinsApart, Some(guard), "A B C | D E F");
    let (chain, ledger) = parse(BRIDGE);
    let built = build(&ledger, &CoinJoinsApart, &on(1, Some(guard))).unwrap();
    let held: Vec<_> = built.findings().iter().map(|found| (found.tx, found.held_back)).collect();
    let at = |name| tx(&chain, &ledger, name);
    assert_eq!(held, [(at("bridge"), true), (at("late"), true)]);
}

#[test]
fn what_is_left_of_a_held_merge_has_the_right_ids() {
    // The first addresses join last, so that the largest part does not have the smallest number.
    let text = "
        block
        tx a: coinbase -> A:5 B:5 C:5 D:5 E:5 F:5 A:1 B:1 D:1 E:1 C:1 F:1
        block
        tx b: a:1 a:2 -> X:10
        tx c: a:0 a:7 -> X:6
        tx d: a:4 a:5 -> Y:10
        tx e: a:3 a:9 -> Y:6
        block
        tx bridge: a:10 a:11 -> Z:2";
    let guard = Guard { large: 3, thin: 2, hold_back: true };
    check(text, CoinJoinsApart, Some(guard), "A B C | D E F");
}

#[test]
fn members_come_in_pages() {
    let (chain, ledger) = parse(BRIDGE);
    let built = build(&ledger, &CoinJoinsApart, &Options::default()).unwrap();
    let of = |name| address(&chain, &ledger, name);
    let cluster = built.cluster_of(of("E")).unwrap();
    assert_eq!(cluster, of("A"));
    let all: Vec<_> = ["A", "B", "C", "D", "E", "F", "G"].map(of).to_vec();
    assert_eq!(built.page(cluster, None, 100), all);
    assert_eq!(built.page(cluster, Some(all[1]), 2), all[2..4]);
    assert_eq!(built.page(cluster, Some(all[6]), 2), []);
    assert_eq!(built.page(AddressNum(9999), None, 2), []);
    let members = built.members();
    assert_eq!(members.of(cluster), all);
    assert_eq!(members.of(of("B")), []);
    assert_eq!(members.of(of("X")), [of("X")]);
    assert_eq!(members.of(AddressNum(9999)), []);
    assert_eq!(built.largest(1), [(cluster, 7)]);
    assert_eq!(built.largest(9), [(cluster, 7)]);
    assert_eq!(built.cluster_of(AddressNum(built.addresses())), None);

    let seen = activity(&ledger, members.of(cluster).iter().copied(), 100).unwrap();
    let height = |height| Some(chain::Height(height));
    assert_eq!((seen.addresses, seen.outputs, seen.unspent), (7, 11, 0));
    assert_eq!((seen.first, seen.last, seen.cut_off), (height(1), height(3), false));
    let seen = activity(&ledger, [of("Z")], 100).unwrap();
    assert_eq!((seen.outputs, seen.unspent, seen.first), (2, 2, height(3)));
    assert!(activity(&ledger, [of("Z")], 1).unwrap().cut_off);
}

#[test]
fn a_score_counts_pairs_and_majorities() {
    let (chain, ledger) = parse(BRIDGE);
    let guard = Guard { large: 3, thin: 3, hold_back: true };
    let built = build(&ledger, &CoinJoinsApart, &on(1, Some(guard))).unwrap();
    // A, B, C, G belong to 1; D, E to 2; F to 3.
    let owner = |address: AddressNum| match name(&chain, &ledger, address).as_str() {
        "A" | "B" | "C" | "G" => Some(1),
        "D" | "E" => Some(2),
        "F" => Some(3),
        _ => None,
    };
    let score = score(&built, owner);
    assert_eq!((score.addresses, score.clusters, score.entities), (7, 3, 3));
    assert_eq!((score.mixed, score.largest), (1, 3));
    assert_eq!((score.largest_mixed, score.most_owners), (3, 2));
    assert_eq!((score.right_pairs, score.joined_pairs, score.true_pairs), (4, 6, 7));
    assert_eq!((score.pure, score.complete), (6, 6));
    assert_eq!(score.precision().to_string(), "66.66 %");
    assert_eq!(score.recall().millionths(), 571_428);
    assert_eq!(super::score(&built, |_| None).precision().to_string(), "100.00 %");
}

#[test]
fn a_diff_names_merges_and_splits() {
    let (chain, ledger) = parse(BRIDGE);
    let held = Guard { large: 3, thin: 3, hold_back: true };
    let apart = build(&ledger, &CoinJoinsApart, &on(1, Some(held))).unwrap();
    let whole = build(&ledger, &CoinJoinsApart, &on(1, None)).unwrap();
    let of = |name| address(&chain, &ledger, name);
    let part = |name, addresses| Part { cluster: of(name), addresses };
    let parts = vec![part("A", 3), part("D", 3), part("G", 1)];
    let merge = Merge { cluster: of("A"), parts: parts.clone(), addresses: 7 };
    assert_eq!(diff(&apart, &whole), Diff { merges: vec![merge], ..Diff::default() });
    let split = Split { cluster: of("A"), parts, addresses: 7 };
    assert_eq!(diff(&whole, &apart), Diff { splits: vec![split], ..Diff::default() });
    assert_eq!(diff(&whole, &whole), Diff::default());
}

#[test]
fn a_diff_of_two_tips_counts_new_addresses() {
    let text = FOUR.to_owned() + "\nblock\ntx b: a:0 a:1 -> X:20";
    let (chain, old) = parse(&text);
    let (_, new) = parse(&(text + "\nblock\ntx c: b:0 a:2 -> Y:30\ntx d: c:0 a:3 -> Z:40"));
    let build = |ledger| build(ledger, &CoinJoinsApart, &Options::default()).unwrap();
    let diff = diff(&build(&old), &build(&new));
    let of = |name| address(&chain, &old, name);
    let merged: Vec<_> = diff.merges.iter().map(|merge| (merge.cluster, merge.addresses)).collect();
    assert_eq!(merged, [(of("C"), 2)]);
    // Y and Z; Y is joined with D.
    assert_eq!((diff.new_addresses, diff.joined_old, diff.lost_addresses), (2, 1, 0));
}
