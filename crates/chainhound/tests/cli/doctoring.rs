//! `doctor`: what it finds beside a node that a server plays, and how it exits.

use serde_json::{Value, json};
use testkit::node::FakeNode;

use crate::harness::{HEIST, Home, Run, text};

fn doctor(home: &Home, fake: &FakeNode, more: &[&str]) -> Run {
    let (url, cookie) = (fake.url(), home.path("cookie"));
    std::fs::write(&cookie, "__cookie__:secret").unwrap();
    let args = ["doctor", "--node", &url, "--cookie-file", text(&cookie)];
    home.run(&[&args[..], more].concat())
}

/// The condition of a check; `null` where it was not made.
fn condition(run: &Run, check: &str) -> Value {
    let document: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    assert_eq!(document["schema"], "chainhound.doctor.v1");
    let rows = document["checks"].as_array().unwrap();
    let row = rows.iter().find(|row| row["check"] == json!(check));
    row.map_or(Value::Null, |row| {
        // Whatever is not in order says what to do.
        assert_eq!(row["advice"].is_null(), row["condition"] == "ok", "{row}");
        row["condition"].clone()
    })
}

#[test]
fn node_and_store_are_held_against_each_other() {
    let home = Home::new(HEIST);
    let fake = FakeNode::start(home.chain.best()).unwrap();
    fake.knowledge().version = 300_200;
    let json = ["--format", "json"];
    let well = doctor(&home, &fake, &json);
    assert_eq!(well.code, Some(0), "{well:?}");
    for check in [
        "node",
        "node version",
        "node rest",
        "node sync",
        "node pruning",
        "store",
        "store and node",
    ] {
        assert_eq!(condition(&well, check), "ok", "{check}");
    }
    assert_eq!(condition(&well, "clock"), Value::Null, "blocks on demand have any time");

    fake.knowledge().version = 290_000;
    fake.knowledge().rest = false;
    fake.knowledge().pruned_below = 5;
    fake.knowledge().set_chain(home.chain.best().into_iter().take(4));
    let worse = doctor(&home, &fake, &json);
    assert_eq!(worse.code, Some(0), "warnings alone are no failure: {worse:?}");
    for check in ["node version", "node rest", "node pruning", "store and node"] {
        assert_eq!(condition(&worse, check), "warn", "{check}");
    }

    fake.knowledge().version = 230_000;
    fake.knowledge().pruned_below = 100;
    let bad = doctor(&home, &fake, &json);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert_eq!(condition(&bad, "node version"), "bad");
    assert_eq!(condition(&bad, "node pruning"), "bad");

    let quiet = doctor(&home, &fake, &["--quiet"]);
    assert!(!quiet.out.contains("ok  ") && quiet.out.contains("update the node"), "{}", quiet.out);
}

#[test]
fn what_is_not_there_is_told_from_what_is_wrong() {
    let home = Home::new(HEIST);
    let alone = home.run(&["doctor", "--format", "json"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert_eq!(condition(&alone, "node"), Value::Null);

    let gone = home.run(&[
        "doctor",
        "--node",
        "http://127.0.0.1:1",
        "--network",
        "regtest",
        "--bitcoin-datadir",
        "/nowhere",
        "--format",
        "json",
    ]);
    assert_eq!(gone.code, Some(3), "{gone:?}");
    assert_eq!(condition(&gone, "node"), "bad");
    assert_eq!(condition(&gone, "store"), "ok");

    std::fs::write(home.graph().join("meta"), "nonsense").unwrap();
    let damaged = home.run(&["doctor", "--format", "json"]);
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert_eq!(condition(&damaged, "store"), "bad");

    let empty = Home::blocks("blocks 1");
    let none = empty.run(&["doctor"]);
    assert_eq!(none.code, Some(3), "{none:?}");
    assert!(none.out.contains("chainhound index --blocks-dir"), "{}", none.out);
}
