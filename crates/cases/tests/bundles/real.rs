//! Real blocks: the first payment of all, followed from block 9 on.

use cases::{bundle, results::Line};
use chain::Network;

use crate::{
    same::blocks,
    world::{World, faults},
};

/// Satoshi's payment to Hal Finney in block 170, and what came of the rest of it.
#[test]
fn the_first_payment_is_proven_with_the_headers_of_mainnet() {
    let Some(data) = testkit::data_dir() else { return };
    let world =
        World::new(Network::Mainnet, blocks(&data.join("blocks_jeffchan"), Network::Mainnet));
    let coinbase = world.blocks[9].txdata[0].compute_txid();
    assert_eq!(
        coinbase.to_string(),
        "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9"
    );
    let text = format!(
        "title = 'The first payment'\n[[theft]]\noutput = '{coinbase}:0'\namount_sat = 5000000000\n"
    );
    let made = world.make(&text, None).unwrap();
    let verdict = bundle::verify(&made.bytes, None);
    assert_eq!(faults(&verdict), Vec::<String>::new());
    assert!(verdict.is_complete());
    assert_eq!((made.provenance.headers.first, made.provenance.as_of.height), (0, 4312));
    let first = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    let step = |line: &Line| matches!(line, Line::Step(step) if step.txid == first);
    assert!(made.results[1].lines.iter().any(step));
}
