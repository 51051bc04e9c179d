//! The published vectors of Boltzmann come out exactly.

use std::fs;

use analyze::entropy::{Bits, IntraFees, Limits, entropy};
use chain::Sats;
use serde_json::Value;

/// Values, largest first: the order of the vectors' matrices.
fn sorted(value: &Value) -> Vec<Sats> {
    let mut values: Vec<Sats> =
        value.as_array().unwrap().iter().map(|value| Sats(value.as_u64().unwrap())).collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    values
}

#[test]
fn the_vectors_come_out_exactly() {
    let Some(data) = testkit::data_dir() else { return };
    let text = fs::read_to_string(data.join("boltzmann_vectors/known_txs.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.len(), 19);
    println!("| vector | inputs x outputs | interpretations | bits | matrix |");
    for vector in &vectors {
        let label = vector["label"].as_str().unwrap();
        let (inputs, outputs) = (sorted(&vector["inputs"]), sorted(&vector["outputs"]));
        let ratio = vector["max_cj_intrafees_ratio"].as_f64().unwrap();
        let allowed = IntraFees { per_million: (ratio * 1e6).round() as u32 };
        let found = entropy(&inputs, &outputs, allowed, Limits::default());
        let counted = found.counted.unwrap();
        let expected = u128::from(vector["nb_cmbn"].as_u64().unwrap());
        assert_eq!(counted.interpretations, expected, "{label}");
        let bits = (vector["entropy_bits"].as_f64().unwrap() * 1e9).round() as u64;
        assert_eq!(counted.entropy, Bits(bits), "{label}");
        let matrix: Option<Vec<Vec<u128>>> =
            serde_json::from_value(vector["mat_lnk_rows_are_outputs"].clone()).unwrap();
        if let Some(matrix) = &matrix {
            assert_eq!(&counted.links, matrix, "{label}");
        }
        println!(
            "| {label} | {}x{} | {} | {} | {} |",
            inputs.len(),
            outputs.len(),
            counted.interpretations,
            counted.entropy,
            if matrix.is_some() { "equal" } else { "none given" }
        );
    }
}
