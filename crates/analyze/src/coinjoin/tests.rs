//! Rules as one-liners: `inputs -> outputs [| when]`, and what must come out.
//!
//! A coin is `[KIND/]VALUE[xN][@NAME]`: `N` coins of a value, each with a script of its own unless
//! a name is given; `wpkh` where no kind is. `data:N` is an `OP_RETURN` script of `N` bytes and
//! `coordinator:VALUE` pays Wasabi 1's coordinator. `when` is `h=HEIGHT` or `t=TIME`.

use chain::{Height, Sats};
use proptest::prelude::*;

use super::{lineage::*, *};

fn script(kind: &str, name: u64) -> Vec<u8> {
    let fill = |before: &[u8], len: usize, after: &[u8]| {
        let mut key = name.to_be_bytes().repeat(4);
        key.truncate(len);
        [before, &key, after].concat()
    };
    match kind {
        "wpkh" => fill(&[0x00, 0x14], 20, &[]),
        "wsh" => fill(&[0x00, 0x20], 32, &[]),
        "tr" => fill(&[0x51, 0x20], 32, &[]),
        "sh" => fill(&[0xa9, 0x14], 20, &[0x87]),
        "pkh" => fill(&[0x76, 0xa9, 0x14], 20, &[0x88, 0xac]),
        other => panic!("no such kind: {other}"),
    }
}

fn build(text: &str) -> ShapeBuf {
    let mut buffer = ShapeBuf::default();
    let (text, when) = text.split_once('|').unwrap_or((text, ""));
    match when.trim().split_once('=') {
        Some(("h", height)) => buffer.set_when(When::Height(Height(height.parse().unwrap()))),
        Some(("t", time)) => buffer.set_when(When::Time(time.parse().unwrap())),
        _ => {}
    }
    let (inputs, outputs) = text.split_once("->").unwrap();
    let mut fresh = 1_000_000;
    for (side, words) in [inputs, outputs].into_iter().enumerate() {
        for word in words.split_whitespace() {
            if let Some(bytes) = word.strip_prefix("data:") {
                let mut script = vec![0x6a; 1];
                script.resize(bytes.parse().unwrap(), 0);
                buffer.output(Sats(0), &script);
                continue;
            }
            if let Some(value) = word.strip_prefix("coordinator:") {
                let script = chain::script::parse(
                    "bc1qs604c7jv6amk4cxqlnvuxv26hv3e48cds4m0ew",
                    chain::Network::Mainnet,
                );
                buffer.output(Sats(value.parse().unwrap()), script.unwrap().as_bytes());
                continue;
            }
            let (kind, rest) = word.split_once('/').unwrap_or(("wpkh", word));
            let (rest, name) = match rest.split_once('@') {
                Some((rest, name)) => (rest, Some(u64::from(name.as_bytes()[0]))),
                None => (rest, None),
            };
            let (value, count) = rest.split_once('x').unwrap_or((rest, "1"));
            for _ in 0..count.parse().unwrap() {
                fresh += 1;
                let script = script(kind, name.unwrap_or(fresh));
                let value = Sats(value.parse().unwrap());
                if side == 0 { buffer.input(value, &script) } else { buffer.output(value, &script) }
            }
        }
    }
    buffer
}

fn find(text: &str) -> Option<Finding> {
    Detector::default().classify(&build(text).shape())
}

/// `expected`: rule, `label` if it may be named, `apart` if its inputs must not be joined;
/// `-` for nothing.
#[track_caller]
fn check(text: &str, expected: &str) {
    let found = find(text).map_or("-".to_owned(), |finding| {
        assert!(RULES.contains(&finding.rule));
        assert_eq!(finding.class().protocol(), Some(finding.protocol));
        let word = |set, word: &str| if set { format!(" {word}") } else { String::new() };
        finding.rule.to_owned()
            + &word(finding.label, "label")
            + &word(finding.do_not_union, "apart")
    });
    assert_eq!(found, expected, "{text}");
}

#[test]
fn whirlpool_mixes() {
    const OK: &str = "whirlpool_mix label apart";
    check("1000000x3 1004000x2 -> 1000000x5", OK);
    check("1000000x3 1004000x2 -> 1000000x5 | h=700000", OK);
    check("100000x6 100400x2 -> 100000x7 wsh/100000", OK);
    check("50000000x9 50110000 -> 50000000x10", OK);
    // All remixed: nobody pays the miner.
    check("1000000x5 -> 1000000x5", "whirlpool_mix apart");
    // Ashigaru's pools, in their time only.
    check("2500000x3 2504000x2 -> 2500000x5 | t=1750000000", OK);
    check("2500000x3 2504000x2 -> 2500000x5 | h=800000", "equal_outputs apart");
    // Before its time, not a pool, too many, too few, another kind, a script twice, too much in.
    check("1000000x3 1004000x2 -> 1000000x5 | h=569999", "equal_outputs apart");
    check("1100000x3 1104000x2 -> 1100000x5", "equal_outputs apart");
    check("1000000x9 1004000x2 -> 1000000x11", "equal_outputs apart");
    check("1000000x2 1004000x2 -> 1000000x4", "equal_outputs apart");
    check("sh/1000000x3 sh/1004000x2 -> sh/1000000x5", "equal_outputs apart");
    check("1000000x3 1004000 1004000@a -> 1000000x4 1000000@a", "equal_outputs apart");
    check("1000000x3 1004000 1110001 -> 1000000x5", "equal_outputs apart");
}

#[test]
fn tx0() {
    const OK: &str = "whirlpool_tx0 label";
    check("9000000 -> data:66 50000 1004000x5 3925000", OK);
    check("9000000 -> data:83 50000 1004000x5 3925000 | h=800000", OK);
    check("3000000 -> data:66 50000 1004000 | h=800000", OK);
    check("4000000x2 -> data:66 50000 1004000x5 2925000", OK);
    check("sh/4000000x2 -> data:66 37500 1004000x5 2925000", OK);
    check("4000000x2 -> data:66 50000 1004000x5 1400000 1500000", "whirlpool_tx0 label apart");
    check("9000000 -> data:66 50000 1004000x5 3925000 | h=569999", "-");
    check("9000000 -> data:40 50000 1004000x5 3925000", "-");
    check("9000000 -> data:66 20000 1004000x5 3925000", "-");
    check("9000000 -> data:66 50000 sh/1004000x5 3925000", "-");
    check("9000000 -> data:66 50000 1004000x5 1000 2000 3000", "-");
    check("9000000 -> data:66 data:66 50000 1004000x5", "-");
    check("99000000 -> data:66 50000 1004000x71", "-");
}

#[test]
fn wasabi1() {
    const LATER: &str = "wasabi1_denomination label apart";
    let late = "30000000x12 -> 10980000x12 21960000x5 19000000 18000000 7000000 6000000";
    check(late, LATER);
    check(&format!("{late} | h=697000"), LATER);
    check(&format!("{late} | t=1630000000"), LATER);
    check(&format!("{late} | h=530499"), "equal_outputs apart");
    check(&format!("{late} | h=850000"), "equal_outputs apart");
    check(&late.replace("10980000", "20980000"), "equal_outputs apart");
    check("30000000x12 -> sh/10980000 10980000x11 19000000 18000000", "equal_outputs apart");
    // Paid to the coordinator: smaller rounds and other amounts too, while the address was used.
    const PAID: &str = "wasabi1_coordinator label apart";
    check("9000000x6 -> 8797488x6 coordinator:131960 700000 600000", PAID);
    check("9000000x6 -> 5000000x6 coordinator:131960 700000 600000 | h=540000", PAID);
    check(
        "9000000x6 -> 5000000x6 coordinator:131960 700000 600000 | h=650000",
        "equal_outputs apart",
    );
}

#[test]
fn wasabi2() {
    const OK: &str = "wasabi2_denominations label apart";
    let round = "9000000x10 tr/8000000x10 -> \
                 2097152x6 tr/4782969x5 531441x3 tr/5000000x4 65536x2 777777 888888";
    check(round, OK);
    check(&format!("{round} | h=800000"), OK);
    check(&format!("{round} | h=741212"), "many_groups apart");
    check(&round.replace("9000000x10", "sh/9000000x10"), "many_groups apart");
    // Payments of round amounts are no denominations.
    check(
        "9000000x20 -> 5000000x6 1000000x5 2000000x3 10000x4 50000x2 777777 888888",
        "many_groups apart",
    );
    check("9000000x6 -> 2097152x2 4782969 531441 5000000 65536", "wasabi2_small_round apart");
}

#[test]
fn joinmarket() {
    const OK: &str = "joinmarket_maker_taker label apart";
    const LIKE: &str = "joinmarket_like apart";
    check("5000000 6000000 7000000 -> 4000000x3 999000 2000300 2999700", OK);
    check("pkh/5000000 pkh/6000000 pkh/4001000 -> pkh/4000000x3 pkh/999000 pkh/2000300", OK);
    check("5000000x2 6000000 7000000 -> 4000000x2 tr/4000000 999000 2000300 7998700", OK);
    check(
        "5000000 6000000 7000000 -> 4000000x3 999000 2000300 2999700 | h=300000",
        "equal_outputs apart",
    );
    // Kinds mixed, a script on both sides, dust: several parties, but not JoinMarket's wallets.
    check("tr/5000000 6000000 7000000 -> 4000000x3 999000 2000300 2999700", LIKE);
    check("5000000@a 6000000 7000000 -> 4000000x3 999000@a 2000300 2999700", LIKE);
    check("5000 6000 7000 -> 4000x3 999 2000 2600", LIKE);
    // Somebody got far more than he brought, too many changes, too few.
    check("50000000 600000 700000 -> 400000x3 9000000 10000000 21000000", "equal_outputs apart");
    check(
        "5000000 6000000 9000000 -> 4000000x3 999000 2000300 2999700 888888",
        "equal_outputs apart",
    );
    check("5000000x3 -> 4000000x3 2999000", "equal_outputs apart");
    // One owner of all inputs.
    check("5000000x3@a -> 4000000x3 999000 2000300", "-");
}

#[test]
fn suspicions() {
    check("3000000 4000000 -> 2000000x2 900000 1900000", "stonewall_shape apart");
    check("3000000 4000000 -> 2000000x2 2900000", "stonewall_shape apart");
    check("9000000 400000 -> 2000000x2 2900000 2490000", "-");
    check("9000000 3400000 -> 2000000x2 2900000 2490000 1000000", "equal_pair apart");
    check("3000 4000 -> 2000x2 2900", "equal_pair apart");
    check("tr/546x2 tr/90000 tr/70000 -> tr/546x2 tr/80000 tr/79000", "equal_pair apart");
    check("3000000 4000000 -> 3500000 3400000", "payjoin_unnecessary_input");
    check("3000000 4000000 -> 6500000 400000", "-");
    check("3000000 sh/4000000 -> 3500000 3400000", "-");
    check("3000000 -> 1400000x2 100000", "-");
    check("3000000@a 4000000@a -> 3500000 3400000", "-");
}

#[test]
fn what_is_no_coinjoin_has_a_reason() {
    let check = |text: &str, expected: &str| {
        let absence = Detector::default().absence(&build(text).shape());
        assert_eq!(absence.to_string(), expected, "{text}");
    };
    check("1000@a 2000@b -> 2900", "it has a single output");
    check("1000@a 2000@a -> 900x3", "one script pays for all of it");
    check("1000 2000 -> 700 800 900", "no two outputs have the same value");
    check("1000 2000 -> 700x3", "3 outputs have the same value, but only 2 different scripts pay");
    check("9000x3 -> 10 20 30 40 50 60 70x2", "only 2 of 8 outputs have the same value");
    check(
        "3000000 4000000 -> 2000000x2 900000 1900000",
        "its equal outputs and its payers fit no rule",
    );
    let mix = "1000000x3 1004000x2 -> 1000000x5 | h=";
    let early = "it has the shape of whirlpool, which did not exist when it was mined";
    check(&format!("{mix}569999"), early);
    check(&format!("{mix}570000"), "its equal outputs and its payers fit no rule");
}

#[test]
fn participants_and_anonymity_sets() {
    let check = |text: &str, people: (u32, u32), sets: &[(u64, u32)]| {
        let finding = find(text).unwrap();
        assert_eq!((finding.participants.lower, finding.participants.upper), people, "{text}");
        let found: Vec<_> =
            finding.denominations.iter().map(|group| (group.value.0, group.outputs)).collect();
        assert_eq!(found, sets, "{text}");
    };
    check("1000000x3 1004000x2 -> 1000000x5", (5, 5), &[(1_000_000, 5)]);
    check("9000000 -> data:66 50000 1004000x5 3925000", (1, 1), &[(1_004_000, 5)]);
    check(
        "30000000x12 -> 10980000x12 21960000x5 19000000 18000000",
        (12, 12),
        &[(10_980_000, 12), (21_960_000, 5)],
    );
    let round = "9000000x21 -> 2097152x6 4782969x5 531441x3 5000000x4 65536x2";
    let sets = [(2_097_152, 6), (4_782_969, 5), (5_000_000, 4), (531_441, 3), (65_536, 2)];
    check(round, (3, 20), &sets);
    check("3000000 4000000 -> 2000000x2 900000 1900000", (1, 2), &[(2_000_000, 2)]);
}

/// An address number stands for a script as well as the script itself, so a chain of its own shows
/// both passes: two mixes, the second from the first.
#[test]
fn lineage_confirms_a_remix() {
    let mix = |name: &str, inputs: &str| {
        let outputs: Vec<String> = (0..5).map(|n| format!("{name}{n}:0.01")).collect();
        format!("tx {name}: {inputs} -> {}\n", outputs.join(" "))
    };
    let fund: Vec<String> = (0..10).map(|n| format!("F{n}:0.01004")).collect();
    let text = format!(
        "block\ntx f: coinbase -> {}\nblock\n{}{}",
        fund.join(" "),
        mix("m", "f:0 f:1 f:2 f:3 f:4"),
        mix("n", "m:0 m:1 m:2 f:5 f:6"),
    );
    let chain = testkit::Chain::parse(&text).unwrap();
    let ledger = chain::MemoryLedger::from_blocks(chain::Network::Regtest, chain.blocks()).unwrap();
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    let mut judged = |name: &str| {
        let tx = ledger.find_tx(&chain.txid(name).unwrap()).unwrap().unwrap();
        let mut finding = detector.classify_tx(&ledger, tx, &mut buffer).unwrap().unwrap();
        assert_eq!(finding.era, Era::Unchecked);
        let around = lineage(&ledger, tx, finding.protocol, |other| {
            let found = detector.classify_tx(&ledger, other, &mut buffer)?;
            Ok(found.map_or(Class::NONE, |finding| finding.class()))
        });
        let around = around.unwrap();
        let judgement = judge(&finding, &around);
        apply(&mut finding, judgement);
        (around.inputs_related, around.outputs_related, judgement, finding.label)
    };
    // Its inputs are a miner's: no Tx0, no mix.
    assert_eq!(judged("m"), (0, 3, Judgement::Rejected, false));
    assert_eq!(judged("n"), (3, 0, Judgement::Confirmed, true));
}

/// Values that make rules apply often.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = prop_oneof![
        Just(1_000_000_u64),
        Just(1_004_000),
        Just(10_980_000),
        Just(2_097_152),
        Just(531_441),
        Just(50_000),
        30_000_u64..20_000_000,
    ];
    prop::collection::vec(value, 1..24)
}

fn with(inputs: &[(u64, u64)], outputs: &[(u64, u64)], when: When) -> ShapeBuf {
    let mut buffer = ShapeBuf::default();
    buffer.set_when(when);
    for (value, name) in inputs {
        buffer.input(Sats(*value), &script("wpkh", *name));
    }
    for (value, name) in outputs {
        buffer.output(Sats(*value), &script("wpkh", *name));
    }
    buffer
}

/// Every coin with a script of its own.
fn coins(values: &[u64], from: u64) -> Vec<(u64, u64)> {
    values.iter().copied().zip(from..).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(testkit::cases(256)))]
    #[test]
    fn the_order_decides_nothing(
        (inputs, mixed_in) in values().prop_flat_map(shuffled),
        (outputs, mixed_out) in values().prop_flat_map(shuffled),
    ) {
        let mut detector = Detector::default();
        let one = detector.classify(&with(&inputs, &outputs, When::Unknown).shape());
        let other = detector.classify(&with(&mixed_in, &mixed_out, When::Unknown).shape());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn no_protocol_before_it_existed(
        inputs in values(), outputs in values(), height in 0_u32..900_000,
    ) {
        let when = When::Height(Height(height));
        let buffer = with(&coins(&inputs, 0), &coins(&outputs, 100), when);
        let first = |protocol| match protocol {
            Protocol::JoinMarket => 336_861,
            Protocol::Wasabi1 => 530_500,
            Protocol::Whirlpool | Protocol::WhirlpoolTx0 => 570_000,
            Protocol::Wasabi2 => 741_213,
            _ => 0,
        };
        if let Some(finding) = Detector::default().classify(&buffer.shape()) {
            prop_assert!(height >= first(finding.protocol));
        }
    }

    /// Rules without amounts of their own see only proportions.
    #[test]
    fn larger_amounts_are_the_same_shape(
        inputs in values(), outputs in values(), factor in 2_u64..50,
    ) {
        let scale = |values: &[u64]| values.iter().map(|value| value * factor).collect::<Vec<_>>();
        let rule = |inputs: &[u64], outputs: &[u64]| {
            let buffer = with(&coins(inputs, 0), &coins(outputs, 100), When::Unknown);
            Detector::default().classify(&buffer.shape()).map(|finding| finding.rule)
        };
        let (small, large) = (rule(&inputs, &outputs), rule(&scale(&inputs), &scale(&outputs)));
        let free = |rule: Option<&str>| rule.is_none_or(|rule| {
            Protocol::ALL.iter().all(|protocol| {
                let own = matches!(protocol, Protocol::JoinMarket) || !protocol.is_named();
                own || !rule.starts_with(protocol.name())
            })
        });
        if free(small) && free(large) {
            prop_assert_eq!(small, large);
        }
    }

    #[test]
    fn whatever_was_ruled_out_is_no_finding(inputs in values(), outputs in values()) {
        let ruled_out = !possible(inputs.iter().copied(), outputs.iter().copied(), 0);
        let buffer = with(&coins(&inputs, 0), &coins(&outputs, 100), When::Unknown);
        let shape = buffer.shape();
        let mut facts = Facts::default();
        facts.gather(&shape);
        let found = joinmarket::round(&shape, &facts)
            .or_else(|| suspicion::stonewall(&facts))
            .or_else(|| suspicion::generic(&facts))
            .or_else(|| suspicion::pair(&facts))
            .or_else(|| suspicion::payjoin(&shape, &facts))
            .or_else(|| wasabi1::round(&shape, &facts))
            .or_else(|| wasabi2::round(&shape, &facts));
        prop_assert!(!ruled_out || found.is_none(), "{:?}", found);
    }
}

type Coins = Vec<(u64, u64)>;

/// Coins, and the same in another order.
fn shuffled(values: Vec<u64>) -> impl Strategy<Value = (Coins, Coins)> {
    let coins = coins(&values, 7);
    (Just(coins.clone()), Just(coins).prop_shuffle())
}
