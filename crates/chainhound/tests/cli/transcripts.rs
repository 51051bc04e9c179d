//! The commands in docs/guide/cli.md, run as they stand there.

use crate::harness::{HEIST, Home};

#[test]
fn the_guide_is_true() {
    let home = Home::new(HEIST);
    trycmd::TestCases::new()
        .case("../../docs/guide/cli.md")
        .env("CHAINHOUND_DATADIR", home.path("data").to_str().unwrap());
}
