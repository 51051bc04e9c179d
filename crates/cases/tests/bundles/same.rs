//! On a made-up chain of thousands of transactions, with CoinJoins and services: the bundle's transactions
//! give what the whole chain gives.

use std::path::Path;

use bitcoin::{Block, consensus::encode};
use cases::bundle;
use chain::{Height, Ledger, Network, TxNum};
use source::BlockDir;
use testkit::generate::{GeneratorOptions, generate};

use crate::world::{World, faults};

/// The best chain of a directory of block files.
pub(crate) fn blocks(dir: &Path, network: Network) -> Vec<Block> {
    let dir = BlockDir::open(dir, Some(network)).unwrap();
    let mut reader = dir.reader();
    let mut raw = Vec::new();
    let places = dir.best_chain().unwrap().blocks_from(Height(0));
    places
        .map(|place| {
            reader.read_block(&place, &mut raw).unwrap();
            encode::deserialize(&raw).unwrap()
        })
        .collect()
}

/// Making a bundle fails where the two computations differ, so it is enough that bundles are made and
/// hold.
#[test]
fn what_a_bundle_gives_is_what_the_chain_gives() {
    let dir = tempfile::tempdir().unwrap();
    let options = GeneratorOptions { seed: 11, ..GeneratorOptions::new(2_000, dir.path()) };
    generate(&options, |_| {}).unwrap();
    let world = World::new(Network::Regtest, blocks(&dir.path().join("blocks"), Network::Regtest));
    let (ledger, tip) = (&world.ledger, world.blocks.len() - 1);
    let mut sizes = Vec::new();
    for case in 0..testkit::cases(6) {
        let tx = TxNum(ledger.tx_count() / 7 * (1 + case % 5) + 13 * case);
        let txid = ledger.txid(tx).unwrap();
        let stops = match case % 6 {
            0 => "max_hops = 3".to_owned(),
            1 => "at = ['coinjoin']\nmax_hops = 6".to_owned(),
            2 => "min_tainted_sat = 1000000".to_owned(),
            3 => "max_transactions = 40".to_owned(),
            4 => format!("until_height = {}", tip * 3 / 4),
            _ => "at = ['coinjoin', 'service']\nmax_transactions = 100".to_owned(),
        };
        let text = format!(
            "title = 'T'\nnetwork = 'regtest'\n[[theft]]\ntransaction = '{txid}'\n[stops]\n{stops}\n"
        );
        let made = match world.make(&text, None) {
            Ok(made) => made,
            // A coinbase that is born after the height.
            Err(error) if error.to_string().contains("where the trace ends") => continue,
            Err(error) => panic!("{stops}: {error}"),
        };
        let verdict = bundle::verify(&made.bytes, None);
        assert_eq!(faults(&verdict), Vec::<String>::new(), "{stops}");
        sizes.push(made.provenance.transactions.passed);
    }
    assert!(sizes.iter().any(|passed| *passed > 100), "{sizes:?}");
}
