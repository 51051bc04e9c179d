//! The commands in docs/guide/cli.md, run as they stand there.

use std::{fs, path::Path};

use crate::harness::{HEIST, Home};

/// The labels that the guide imports: two of addresses, one of them wrong, and a claim against one.
fn labels(home: &Home) -> String {
    let (thief, three) = (home.address("thief"), home.address("three"));
    let mistyped = three.replace('N', "M");
    format!(
        "title: Case 17
creator: Example Exchange
lastmod: 2024-06-03
currency: BTC
confidence: forensic
source: https://example.org/case-17
tags:
- {{address: {thief}, label: Hot wallet thief, abuse: service_hack, actor: tradertraitor}}
- {{address: {three}, label: example.com, category: exchange}}
- {{address: {mistyped}, label: example.com, category: exchange}}
"
    )
}

#[test]
fn the_guide_is_true() {
    let home = Home::new(HEIST);
    fs::write(home.path("case17.yaml"), labels(&home)).unwrap();
    fs::write(home.path("payees.txt"), "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P\n").unwrap();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/cli.md");
    // The guide's files are named without a path.
    std::env::set_current_dir(home.dir.path()).unwrap();
    trycmd::TestCases::new()
        .case(guide)
        .env("CHAINHOUND_DATADIR", home.path("data").to_str().unwrap());
}
