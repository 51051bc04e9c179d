//! The commands in docs/guide, run as they stand there.

use std::{fs, path::Path};

use testkit::blkfile::{Disorder, Layout, write_blocks};

use crate::{
    harness::{HEIST, Home, text},
    serving::{Served, trace},
    watching::REPLACED,
};

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

/// The page's server is one that only answered before.
#[test]
fn the_page_about_servers_is_true() {
    let home = Home::new(HEIST);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let data = home.path("elsewhere");
    trace(&data, &served.url, &home.txid("theft"), &[]).ok();
    drop(served);
    let servers = data.join("regtest/servers");
    let kept = fs::read_dir(&servers).unwrap().next().unwrap().unwrap().path();
    // As `Place::server` names it.
    let url = "https://esplora.example/api";
    let digest = blake3::hash(url.as_bytes()).to_hex();
    let name = format!("esplora.example_api-{}", &digest[..8]);
    fs::rename(kept, servers.join(name)).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/without-a-node.md");
    trycmd::TestCases::new().case(page).env("CHAINHOUND_DATADIR", text(&data));
}

/// Two days of a node: its blocks before and after a reorganisation.
#[test]
fn the_guide_to_watching_is_true() {
    let home = Home::blocks(REPLACED);
    let blocks = home.chain.blocks();
    for (day, blocks) in [("monday", &blocks[..4]), ("tuesday", blocks)] {
        write_blocks(&home.path(day), blocks, Layout::default(), Disorder::default()).unwrap();
    }
    let exchanges = format!(
        "title: Exchanges
creator: Example
lastmod: 2024-06-03
currency: BTC
confidence: ownership
source: https://example.org/deposits
tags:
- {{address: {}, label: Example Exchange, category: exchange}}
",
        home.address("exchange")
    );
    fs::write(home.path("exchanges.yaml"), exchanges).unwrap();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/watch.md");
    std::env::set_current_dir(home.dir.path()).unwrap();
    trycmd::TestCases::new()
        .case(guide)
        .env("CHAINHOUND_DATADIR", home.path("data").to_str().unwrap());
}
