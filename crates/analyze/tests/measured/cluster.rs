//! Clusters held against the owners of a generated chain: with CoinJoins kept out, with nothing kept
//! out (what must go wrong), and with change joined besides.

use analyze::{
    change::Strength,
    cluster::{
        AllInputs, Clustering, CoinJoinsApart, Finding, Guard, JudgedChange, Limits, MULTI_INPUT,
        Options, Part, Rule, Score, Why, build, score, why,
    },
};
use chain::{AddressNum, Ledger, MemoryLedger, TxNum};
use testkit::generate::{Class, SideFiles};

use crate::generated;

/// The owner of each address; `None` for nobody.
fn owners(ledger: &MemoryLedger, truth: &SideFiles) -> Vec<Option<u32>> {
    let mut owners = vec![None; ledger.address_count() as usize];
    let mut outputs = Vec::new();
    for tx in (0..ledger.tx_count()).map(TxNum) {
        ledger.outputs(tx, &mut outputs).unwrap();
        for output in &outputs {
            if let Some(address) = output.address {
                owners[address.index()] =
                    truth.owner(output.num.index()).filter(|owner| *owner != 0);
            }
        }
    }
    owners
}

fn print(name: &str, score: &Score) {
    println!(
        "| `{name}` | {} | {} | {} | {} | {} | {} | {} |",
        score.precision(),
        score.recall(),
        score.purity(),
        score.completeness(),
        score.mixed,
        score.largest_mixed,
        score.most_owners
    );
}

#[test]
fn clusters_on_a_generated_chain() {
    let (ledger, truth) = generated::chain("cluster", 60_000);
    let owners = owners(&ledger, &truth);
    let measure = |clustering: &Clustering| {
        let score = score(clustering, |address: AddressNum| owners[address.index()]);
        print(&clustering.basis().rule, &score);
        score
    };
    println!(
        "| rule | precision | recall | purity | completeness | mixed | largest mixed | most owners |"
    );
    let build_by = |guard| Options { guard, ..Options::default() };
    let apart = build(&ledger, &CoinJoinsApart, &build_by(None)).unwrap();
    let kept_out = measure(&apart);
    let all = build(&ledger, &AllInputs, &build_by(None)).unwrap();
    let joined = measure(&all);
    for strength in [Strength::SameAddress, Strength::Strong, Strength::Weak] {
        let rule = JudgedChange::new(CoinJoinsApart, MULTI_INPUT, strength);
        measure(&build(&ledger, &rule, &build_by(None)).unwrap());
    }

    // Kept out: nearly everything that is joined is right.
    assert!(kept_out.precision().millionths() >= 990_000, "{kept_out:?}");
    assert!(kept_out.purity().millionths() >= 995_000, "{kept_out:?}");
    // Not kept out: superclusters of many people, and a good part of what is joined is wrong.
    assert!(joined.precision().millionths() <= 900_000, "{joined:?}");
    assert!(joined.mixed > 100 && joined.most_owners > 100, "{joined:?}");
    assert!(kept_out.most_owners <= 3, "{kept_out:?}");

    superclusters_show(&ledger, &truth, &owners, &all);
    guard_finds_them(&ledger, &owners);
}

/// In a supercluster, a proof path between two owners leads through a transaction of several
/// people.
fn superclusters_show(
    ledger: &MemoryLedger,
    truth: &SideFiles,
    owners: &[Option<u32>],
    all: &Clustering,
) {
    let owner = |address: AddressNum| owners[address.index()];
    let strangers = |cluster: AddressNum| {
        let first = owner(cluster)?;
        let members = all.page(cluster, None, usize::MAX).into_iter();
        let other = members.rev().find(|member| owner(*member).is_some_and(|own| own != first))?;
        Some((cluster, other))
    };
    let pair = all.largest(100).into_iter().find_map(|(cluster, _)| strangers(cluster)).unwrap();
    let Why::Joined(steps) = why(ledger, &AllInputs, all, pair, Limits::default()).unwrap() else {
        panic!("two members of one cluster");
    };
    let mixes = |class: Option<Class>| {
        use Class::{Joinmarket, Tx0, Wasabi1, Wasabi2, Whirlpool};
        matches!(class, Some(Joinmarket | Tx0 | Wasabi1 | Wasabi2 | Whirlpool))
    };
    println!("two owners in one cluster, joined by {} transactions", steps.len());
    assert!(steps.iter().any(|step| mixes(truth.class(step.tx.index()))), "{steps:?}");
}

/// With limits low enough for a small chain, what the guard reports where nothing is kept out is
/// wrong mostly, and where CoinJoins are kept out there is hardly anything to report.
fn guard_finds_them(ledger: &MemoryLedger, owners: &[Option<u32>]) {
    let mut sums = [[0; 2]; 2];
    for (large, thin) in [(5, 3), (5, 10), (10, 10), (10, 30), (20, 30)] {
        let guard = Guard { large, thin, hold_back: false };
        let count = |found: &Clustering| {
            let strangers = |finding: &&Finding| {
                let owner = |part: &Part| owners[part.cluster.index()];
                finding.parts.windows(2).any(|pair| owner(&pair[0]) != owner(&pair[1]))
            };
            [found.findings().len(), found.findings().iter().filter(strangers).count()]
        };
        let kept_out = count(&guarded(ledger, &CoinJoinsApart, guard));
        let joined = count(&guarded(ledger, &AllInputs, guard));
        println!(
            "guard: large {large}, thin {thin}; reported and wrong: CoinJoins kept out {kept_out:?}, \
             nothing kept out {joined:?}"
        );
        for (sum, [all, wrong]) in sums.iter_mut().zip([kept_out, joined]) {
            *sum = [sum[0] + all, sum[1] + wrong];
        }
    }
    let [[_, wrong_kept_out], [all, wrong]] = sums;
    assert!(wrong * 2 > all && wrong_kept_out == 0, "{sums:?}");
}

fn guarded<R: Rule<MemoryLedger>>(ledger: &MemoryLedger, rule: &R, guard: Guard) -> Clustering {
    build(ledger, rule, &Options { guard: Some(guard), ..Options::default() }).unwrap()
}
