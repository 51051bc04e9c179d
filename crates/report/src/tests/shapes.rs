//! Heists of different shapes, as text in testkit's language.

use std::fmt::Write;

use super::Case;

/// A theft, a split, a service, a fee.
pub(crate) fn tiny() -> Case {
    let mut case = Case::new(
        "block
         tx coins: coinbase -> Victim:50
         block
         tx theft: coins:0 -> Thief:30 Victim:19.9999
         block
         tx split: theft:0 -> Left:10 p2tr/Right:19.998
         block
         tx sell: split:0 -> Exchange:9.999",
        "theft:0",
    );
    case.stops = vec![("Exchange".into(), "service")];
    case.owners = vec![("Exchange".into(), "Exchange & Sons <\"1\">")];
    case
}

/// A theft of 4,502.9 bitcoin with the shape of May 2024: ten storage addresses, splits, peel
/// chains, CoinJoins, a bridge, a service.
pub(crate) fn heist() -> Case {
    let mut text = String::new();
    for i in 0..92 {
        writeln!(text, "block\ntx coins{i}: coinbase -> Victim:50").unwrap();
    }
    let inputs: Vec<String> = (0..92).map(|i| format!("coins{i}:0")).collect();
    writeln!(text, "block\ntx theft: {} -> LookAlike:4502.9 Victim:97.0999", inputs.join(" "))
        .unwrap();
    let storage: Vec<String> = (0..10).map(|i| format!("Storage{i}:450.2899")).collect();
    writeln!(text, "blocks 140\nblock\ntx storage: theft:0 -> {}", storage.join(" ")).unwrap();
    let mut stops = Vec::new();
    for i in 0..10 {
        // Two of ten do not move.
        if i % 5 == 4 {
            continue;
        }
        writeln!(text, "block\ntx split{i}: storage:{i} -> A{i}:200.1 B{i}:150.1 C{i}:100.0898")
            .unwrap();
        let mut from = format!("split{i}:0");
        let mut left = 20_010_000_000_i64;
        for hop in 0..(12 + i) {
            let peel = 99_000_000 + 10_000_000 * hop + 1_234_567;
            left -= peel + 1000;
            let service = format!("Service{i}_{hop}");
            writeln!(
                text,
                "block\ntx peel{i}_{hop}: {from} -> {service}:{peel}sat P{i}_{hop}:{left}sat"
            )
            .unwrap();
            from = format!("peel{i}_{hop}:1");
            if hop % 3 == 0 {
                stops.push((service, "service"));
            }
        }
        if i % 2 == 0 {
            let (mix, out) = (format!("Mix{i}"), format!("to_mix{i}"));
            writeln!(text, "block\ntx {out}: split{i}:1 -> {mix}:150.0999").unwrap();
            stops.push((mix, "coinjoin"));
        }
        if i % 3 == 0 {
            let vault = format!("Vault{i}");
            writeln!(
                text,
                "block\ntx swap{i}: split{i}:2 -> {vault}:100.0897 data:\"=:ETH.ETH:0x00\""
            )
            .unwrap();
            stops.push((vault, "bridge"));
        }
    }
    let mut case = Case::new(&text, "theft:0");
    case.owners = stops
        .iter()
        .map(|(name, why)| {
            let owner = match *why {
                "bridge" => "THORChain",
                "coinjoin" => "Wasabi round",
                _ => "HuiOne",
            };
            (name.clone(), owner)
        })
        .collect();
    case.stops = stops;
    case
}

/// One transaction with many outputs.
pub(crate) fn wide(outputs: u64) -> Case {
    let outputs: Vec<String> =
        (0..outputs).map(|i| format!("W{i}:{}sat", 5_000_000 + i * 19_999)).collect();
    let text = format!(
        "block\ntx coins: coinbase -> Thief:50\nblock\ntx spread: coins:0 -> {} | fee=5000sat\n",
        outputs.join(" ")
    );
    Case::new(&text, "coins:0")
}

/// A peel chain.
pub(crate) fn deep(hops: u64) -> Case {
    let mut text = "block\ntx p0: coinbase -> Thief:50\n".to_owned();
    for hop in 1..=hops {
        let left = 5_000_000_000 - hop * 12_345_678;
        writeln!(
            text,
            "block\ntx p{hop}: p{}:0 -> C{hop}:{left}sat Cash{hop}:12340678sat",
            hop - 1
        )
        .unwrap();
    }
    let mut case = Case::new(&text, "p0:0");
    case.stops = (1..=hops).step_by(4).map(|hop| (format!("Cash{hop}"), "service")).collect();
    case
}

/// Two thefts that meet.
pub(crate) fn two_thefts() -> Case {
    let mut case = Case::of(
        "block
         tx one: coinbase -> Thief1:50
         block
         tx two: coinbase -> Thief2:50
         block
         tx away: one:0 -> Cold:20 Hot:29.99
         block
         tx mix: away:1 two:0 -> M1:40 M2:39.98
         block
         tx round: mix:0 -> R1:10 R2:10 R3:10 R4:9.99",
        &["one:0", "two:0"],
    );
    case.coinjoins = vec!["round".into()];
    case
}

/// Where the change of a CoinJoin came from.
pub(crate) fn backward() -> Case {
    let text = "block
         tx one: coinbase -> A:50
         block
         tx two: coinbase -> B:50
         block
         tx away: one:0 -> C:20 D:29.99
         block
         tx mix: away:1 two:0 -> E:40 F:39.98
         block
         tx late: mix:0 away:0 -> G:25 H:34.99";
    Case::new(text, "late:1").backward()
}

/// A chain of transactions that spend and make outputs at random.
pub(crate) fn mesh(steps: &[(Vec<usize>, Vec<u64>)]) -> Case {
    let mut text =
        "block\ntx t0: coinbase -> Thief:50\nblock\ntx u: coinbase -> Clean:50\n".to_owned();
    let mut open = vec![("t0:0".to_owned(), 5_000_000_000_u64), ("u:0".to_owned(), 5_000_000_000)];
    let mut stops = Vec::new();
    for (number, (inputs, outputs)) in (1..).zip(steps) {
        let mut from = Vec::new();
        let mut sum = 0;
        for input in inputs {
            if open.is_empty() {
                break;
            }
            let (name, value) = open.swap_remove(input % open.len());
            from.push(name);
            sum += value;
        }
        let parts: u64 = outputs.iter().sum::<u64>() + 1;
        let to: Vec<(String, u64)> = (0..)
            .zip(outputs)
            .map(|(vout, part)| {
                (
                    format!("O{number}_{vout}"),
                    u64::try_from(u128::from(sum) * u128::from(*part) / u128::from(parts)).unwrap(),
                )
            })
            .collect();
        if from.is_empty() {
            break;
        }
        let shown: Vec<String> =
            to.iter().map(|(name, value)| format!("{name}:{value}sat")).collect();
        let block = if number % 40 == 1 { "block\n" } else { "" };
        writeln!(text, "{block}tx t{number}: {} -> {}", from.join(" "), shown.join(" ")).unwrap();
        for (vout, (name, value)) in to.into_iter().enumerate() {
            if (number + vout) % 7 == 0 {
                stops.push((name, ["service", "bridge", "coinjoin"][vout % 3]));
            } else {
                open.push((format!("t{number}:{vout}"), value));
            }
        }
    }
    let mut case = Case::new(&text, "t0:0");
    case.stops = stops;
    case
}
