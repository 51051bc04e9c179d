//! What a bundle says, and that it says the same as the chain.

use cases::{
    bundle,
    results::{Amount, Basis, Line, Results},
    sign::SecretKey,
};

use crate::world::{World, case_of, faults, unpack, world};

#[test]
fn a_bundle_holds_under_every_check() {
    let (chain, world) = world();
    for stops in ["", "[stops]\nat = ['service', 'coinjoin']\n", "[stops]\nmax_hops = 1\n"] {
        let key = SecretKey::new([1; 8], [2; 32]);
        let made = world.make(&case_of(&chain, stops), Some(&key)).unwrap();
        let verdict = bundle::verify(&made.bytes, Some(&key.public()));
        assert_eq!(faults(&verdict), Vec::<String>::new(), "{stops}");
        assert!(verdict.is_complete());
        let results = verdict.checks.iter().filter(|check| check.name == "results").count();
        assert_eq!(results, 6);
        assert_eq!(verdict.manifest_sha256.as_deref(), Some(made.manifest_sha256.as_str()));
        assert_eq!(verdict.title.as_deref(), Some("A test"));
    }
}

#[test]
fn two_runs_give_the_same_bytes_and_a_later_tip_too() {
    let (chain, world) = world();
    let text = case_of(&chain, "[stops]\nuntil_height = 6\n");
    let one = world.make(&text, None).unwrap();
    assert_eq!(world.make(&text, None).unwrap().bytes, one.bytes);
    // Another machine, whose node has two blocks less.
    let blocks = world.blocks[..world.blocks.len() - 2].to_vec();
    let mut other = World::new(chain::Network::Regtest, blocks);
    other.labels.clone_from(&world.labels);
    assert_eq!(other.make(&text, None).unwrap().bytes, one.bytes);
}

#[test]
fn every_line_says_on_what_it_rests() {
    let (chain, world) = world();
    let text = case_of(&chain, "[stops]\nat = ['service']\n");
    let made = world.make(&text, None).unwrap();
    let fifo = unpack(&made.bytes).into_iter().find(|(name, _)| name == "results/fifo.jsonl");
    let fifo = Results::read(std::str::from_utf8(&fifo.unwrap().1).unwrap()).unwrap();
    assert_eq!(fifo, made.results[1]);
    let (exchange, shop) = (chain.address("exchange"), chain.address("shop"));
    let mut seen = (0, 0, 0);
    for line in &fifo.lines {
        match line {
            Line::Leaf(leaf) if leaf.address == exchange => {
                seen.0 += 1;
                let claim = Basis::Claim { source: "a list".to_owned(), confidence: 70 };
                assert_eq!((&leaf.basis, leaf.stop_reason.as_str()), (&claim, "service"));
                // The transaction that spends it is there, although the trace does not pass it.
                assert_eq!((leaf.status.as_str(), leaf.status_proven), ("spent", true));
            }
            Line::Leaf(leaf) if leaf.address == shop => {
                seen.1 += 1;
                assert_eq!((&leaf.basis, leaf.labels.len()), (&Basis::Fact {}, 1));
                assert_eq!((leaf.status.as_str(), leaf.status_proven), ("unspent", false));
            }
            Line::Step(step) => {
                seen.2 += 1;
                assert_eq!(step.basis, Basis::Fact {});
            }
            Line::Totals(totals) => {
                assert_eq!((totals.root_sat, totals.booked_sat), (4_000_000_000, 4_000_000_000));
            }
            _ => {}
        }
    }
    assert!(seen.0 == 1 && seen.1 == 1 && seen.2 > 3, "{seen:?}");
    let Line::Question(question) = &made.results[5].lines[0] else { panic!() };
    assert_eq!((question.policy.as_str(), question.until_height), ("bounds", 8));
    let between = |line: &Line| matches!(line, Line::Leaf(leaf) if matches!(leaf.amount, Amount::Between { .. }));
    assert!(made.results[5].lines.iter().any(between));
}

#[test]
fn what_was_taken_is_compared_with_what_is_said() {
    let (chain, world) = world();
    let made = world.make(&case_of(&chain, ""), None).unwrap();
    let amounts = &made.provenance.amounts[0];
    assert_eq!((amounts.claimed_sat, amounts.chain_sat), (Some(4_000_000_000), 4_000_000_000));
}

#[test]
fn a_signature_that_is_missing_or_of_another_is_said() {
    let (chain, world) = world();
    let (one, two) = (SecretKey::new([1; 8], [2; 32]), SecretKey::new([1; 8], [3; 32]));
    let text = case_of(&chain, "");
    let unsigned = world.make(&text, None).unwrap().bytes;
    assert!(faults(&bundle::verify(&unsigned, None)).is_empty());
    let missing = faults(&bundle::verify(&unsigned, Some(&one.public())));
    assert_eq!(missing, ["signature - the bundle is not signed"]);
    let signed = world.make(&text, Some(&one)).unwrap().bytes;
    assert!(faults(&bundle::verify(&signed, None)).is_empty());
    let others = faults(&bundle::verify(&signed, Some(&two.public())));
    assert!(others[0].contains("is signed by"), "{others:?}");
}

#[test]
fn several_thefts_stay_apart() {
    let (chain, world) = world();
    let more = format!("[[theft]]\ntransaction = \"{}\"\n", chain.txid("clean").unwrap());
    let made = world.make(&case_of(&chain, &more), None).unwrap();
    assert!(faults(&bundle::verify(&made.bytes, None)).is_empty());
    let apart = |line: &Line| matches!(line, Line::Leaf(leaf) if leaf.by_root.len() == 2);
    assert!(made.results[0].lines.iter().any(apart));
}

#[test]
fn a_theft_by_address_means_all_that_it_received() {
    let (chain, world) = world();
    let text = format!(
        "title = 'T'\nnetwork = 'regtest'\n[[theft]]\naddress = '{}'\n",
        chain.address("victim").unwrap()
    );
    let made = world.make(&text, None).unwrap();
    assert!(faults(&bundle::verify(&made.bytes, None)).is_empty());
    assert_eq!(made.provenance.amounts[0].chain_sat, 5_990_000_000);
}
