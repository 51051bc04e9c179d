//! The ready case files in `docs/cases`.

use std::path::Path;

use bitcoin::{Transaction, consensus::encode};
use cases::Case;
use chain::{Network, script};

fn read(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cases");
    std::fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn the_dmm_case_can_be_read_and_keeps_the_authorities_words() {
    let case = Case::parse(&read("dmm-bitcoin-2024.toml")).unwrap();
    assert_eq!((case.network, case.policies.len()), (Network::Mainnet, 6));
    assert!(case.stops.services && case.stops.coinjoins);
    let said = case.sources.iter().find(|source| source.id == "fbi-dc3-npa").unwrap();
    assert!(said.says.as_deref().unwrap().contains("'likely'"));
}

/// What the case says of the theft is what the real transaction says.
#[test]
fn the_dmm_case_names_the_real_output() {
    let Some(data) = testkit::data_dir() else { return };
    let hex = std::fs::read_to_string(data.join("dmm_theft/theft_975ec405.hex")).unwrap();
    let tx: Transaction = encode::deserialize_hex(hex.trim()).unwrap();
    let case = Case::parse(&read("dmm-bitcoin-2024.toml")).unwrap();
    let theft = &case.thefts[0];
    assert_eq!(theft.text, format!("{}:0", tx.compute_txid()));
    assert_eq!(theft.amount_sat, Some(tx.output[0].value.to_sat()));
    let address = script::address(&tx.output[0].script_pubkey, Network::Mainnet).unwrap();
    assert!(theft.note.as_deref().unwrap().contains(&address));
    assert!(tx.input.iter().all(|input| {
        case.notes.iter().any(|note| note.contains(&input.previous_output.txid.to_string()))
    }));
}
