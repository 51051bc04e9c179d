//! Small transactions, against counting every subset of coins.

use proptest::prelude::*;

use super::*;

fn sats(values: &[u64]) -> Vec<Sats> {
    values.iter().copied().map(Sats).collect()
}

fn of(inputs: &[u64], outputs: &[u64]) -> Entropy {
    entropy(&sats(inputs), &sats(outputs), IntraFees::default(), Limits::default())
}

#[track_caller]
fn check(inputs: &[u64], outputs: &[u64], interpretations: u128, deterministic: &[(u32, u32)]) {
    let found = of(inputs, outputs);
    assert_eq!(found.counted.map(|counted| counted.interpretations), Ok(interpretations));
    assert_eq!(found.deterministic, deterministic);
    assert!(found.deterministic_complete);
}

#[test]
fn a_payment_has_one_interpretation() {
    check(&[10], &[7, 2], 1, &[(0, 0), (0, 1)]);
    check(&[10, 5], &[12, 2], 1, &[(0, 0), (0, 1), (1, 0), (1, 1)]);
    // Outputs without a value are in nobody's block.
    check(&[10], &[0, 9], 1, &[(0, 1)]);
}

#[test]
fn equal_outputs_hide_and_changes_do_not() {
    check(&[10, 30], &[7, 7, 2, 22], 3, &[(0, 2), (1, 3)]);
    check(&[5; 5], &[5; 5], 1_496, &[]);
    check(&[5; 8], &[5; 8], 9_934_563, &[]);
}

/// Whirlpool's eight: five remixed, three new ones that pay the fee.
#[test]
fn a_mix_with_a_fee() {
    let found = of(&[100, 100, 100, 100, 100, 103, 104, 105], &[100; 8]);
    let counted = found.counted.unwrap();
    assert_eq!(counted.interpretations, 9_934_563);
    assert_eq!(counted.entropy.to_string(), "23.244025077");
    assert_eq!(counted.per_million(0, 0), counted.per_million(7, 7));
}

#[test]
fn unknown_is_said() {
    let why = |inputs: &[u64], outputs: &[u64]| of(inputs, outputs).counted.unwrap_err();
    assert_eq!(why(&[], &[5]), Unknown::Empty);
    assert_eq!(why(&[5], &[0]), Unknown::Empty);
    assert_eq!(why(&[5], &[6]), Unknown::Contradiction);
    let many: Vec<u64> = (0..70).map(|n| (1 << 20) + n * n).collect();
    assert_eq!(why(&many, &[5]), Unknown::Size);
    assert_eq!(why(&many[..30], &[5]), Unknown::Size);
    assert_eq!(why(&[5; 60], &[5; 60]), Unknown::TooMany);
    assert_eq!(why(&[5; 2_000], &[5; 2_000]), Unknown::Size);
    assert_eq!(why(&[u64::MAX, 1], &[5]), Unknown::Contradiction);
    let few = Limits { parts: 1 << 18, steps: 100 };
    let found = entropy(&sats(&many[..8]), &sats(&many[..8]), IntraFees::default(), few);
    assert_eq!(found.counted, Err(Unknown::Budget));
}

/// Beyond the limits the large coins are still tied.
#[test]
fn large_transactions_keep_their_deterministic_links() {
    let mut inputs: Vec<u64> = (0..40).map(|n| 1_000 + n * n).collect();
    inputs.push(1_000_000);
    let outputs = [990_000, 5_000, 7_000];
    let found = of(&inputs, &outputs);
    assert_eq!(found.counted, Err(Unknown::Size));
    assert_eq!(found.deterministic, [(40, 0)]);
    assert!(!found.deterministic_complete);
}

/// All interpretations, by their definition: inputs cut into blocks, outputs given to blocks.
fn naive(inputs: &[u64], outputs: &[u64], window: Window) -> (u128, Vec<Vec<u128>>) {
    let mut found = (0, vec![vec![0; inputs.len()]; outputs.len()]);
    let mut block_of = vec![0; inputs.len()];
    cut(inputs, outputs, window, &mut block_of, 1, &mut found);
    found
}

fn cut(
    inputs: &[u64],
    outputs: &[u64],
    window: Window,
    block_of: &mut Vec<usize>,
    place: usize,
    found: &mut (u128, Vec<Vec<u128>>),
) {
    let blocks = 1 + block_of[..place].iter().max().unwrap();
    if place < inputs.len() {
        for block in 0..=blocks {
            block_of[place] = block;
            cut(inputs, outputs, window, block_of, place + 1, found);
        }
        return;
    }
    for code in 0..blocks.pow(outputs.len() as u32) {
        let given: Vec<usize> =
            (0..outputs.len()).map(|n| code / blocks.pow(n as u32) % blocks).collect();
        let fits = (0..blocks).all(|block| {
            let sum = |values: &[u64], of: &[usize]| -> u64 {
                let mine = values.iter().zip(of).filter(|(_, of)| **of == block);
                mine.map(|(value, _)| value).sum()
            };
            let taken = sum(outputs, &given);
            window.outputs_for(sum(inputs, block_of)).contains(&taken)
        });
        if fits {
            found.0 += 1;
            for (row, links) in found.1.iter_mut().enumerate() {
                for (input, link) in links.iter_mut().enumerate() {
                    *link += u128::from(block_of[input] == given[row]);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
    #[test]
    fn counts_are_those_of_the_definition(
        inputs in prop::collection::vec(1_u64..12, 1..6),
        outputs in prop::collection::vec(1_u64..12, 1..5),
        extra in 0_u64..4,
        per_million in prop_oneof![Just(0_u32), Just(150_000)],
    ) {
        let mut inputs = inputs;
        let short = outputs.iter().sum::<u64>().saturating_sub(inputs.iter().sum());
        inputs[0] += short + extra;
        let allowed = IntraFees { per_million };
        let fee = inputs.iter().sum::<u64>() - outputs.iter().sum::<u64>();
        let window = Window::of(&sats(&inputs), &sats(&outputs), fee, allowed);
        let found = entropy(&sats(&inputs), &sats(&outputs), allowed, Limits::default());
        let counted = found.counted.clone().unwrap();
        let (interpretations, links) = naive(&inputs, &outputs, window);
        prop_assert_eq!(counted.interpretations, interpretations);
        prop_assert_eq!(&counted.links, &links);

        // The other ways to deterministic links agree: one finds all, one only true ones.
        let all = deterministic::of_counts(&counted);
        let (a, b) = sides(&sats(&inputs), &sats(&outputs)).unwrap();
        let blocks = Blocks::find(a, b, window, 1 << 18, &mut Steps(1 << 30)).ok().unwrap();
        let sums = deterministic::of_sums(&sats(&inputs), &sats(&outputs), window);
        prop_assert!(sums.iter().all(|link| all.contains(link)));
        if window.gain == 0 {
            let mut exact = deterministic::of_blocks(&blocks);
            let mut all = all;
            exact.sort_unstable();
            all.sort_unstable();
            prop_assert_eq!(exact, all);
        }
    }

    #[test]
    fn the_order_decides_nothing(
        inputs in prop::collection::vec(1_u64..50, 1..6),
        outputs in prop::collection::vec(1_u64..50, 1..6),
    ) {
        let mut turned = (inputs.clone(), outputs.clone());
        turned.0.reverse();
        turned.1.reverse();
        let (one, other) = (of(&inputs, &outputs), of(&turned.0, &turned.1));
        match (one.counted, other.counted) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(one.interpretations, other.interpretations);
                let mut links = other.links;
                links.reverse();
                links.iter_mut().for_each(|row| row.reverse());
                prop_assert_eq!(one.links, links);
            }
            (one, other) => prop_assert_eq!(one.err(), other.err()),
        }
    }
}
