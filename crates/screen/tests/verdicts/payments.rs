//! PSBTs, of both versions.

use bitcoin::{
    Amount, Psbt, Transaction, TxIn, TxOut, absolute, base64::prelude::*, consensus, transaction,
};
use chain::{Network, script};
use screen::{Part, Target, Verdict};

use super::{Desk, GENUINE, OTHER, THIEFS};

/// A PSBT that pays these addresses and spends an output of `spent`.
pub(super) fn psbt(to: &[&str], spent: &Transaction) -> Psbt {
    let output = |text: &&str| TxOut {
        value: Amount::from_sat(1000),
        script_pubkey: script::parse(text, Network::Mainnet).unwrap(),
    };
    let previous_output = bitcoin::OutPoint { txid: spent.compute_txid(), vout: 0 };
    let tx = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn { previous_output, ..TxIn::default() }],
        output: to.iter().map(output).collect(),
    };
    Psbt::from_unsigned_tx(tx).unwrap()
}

pub(super) fn earlier() -> Transaction {
    psbt(
        &[OTHER],
        &Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![],
            output: vec![],
        },
    )
    .unsigned_tx
}

#[test]
fn a_payment_is_screened_before_it_is_signed() {
    let desk = Desk::tagged("").book(&[GENUINE, OTHER]);
    let earlier = earlier();
    let mut payment = psbt(&[THIEFS, OTHER], &earlier);
    let text = |psbt: &Psbt| BASE64_STANDARD.encode(psbt.serialize());
    // Nobody says what is spent.
    assert_eq!(
        desk.said(&text(&payment)),
        "block lookalike:block unknown_input:review in_book:allow"
    );
    payment.inputs[0].non_witness_utxo = Some(earlier.clone());
    let result = desk.screen(&text(&payment));
    assert_eq!(result.verdict, Verdict::Block);
    assert_eq!(result.reasons[0].path[..2], ["output 0", THIEFS]);
    // The input and the second output are one address.
    assert_eq!(result.parties.len(), 2);
    assert_eq!(result.parties[0].parts, [Part::Input(0), Part::Output(1)]);
    assert_eq!(desk.target(&Target::from_file(&payment.serialize()).unwrap()), result);
    // What is said about the input must be true.
    payment.inputs[0].witness_utxo =
        Some(TxOut { value: Amount::ZERO, ..earlier.output[0].clone() });
    assert!(desk.screen(&text(&payment)).reasons[0].detail.contains("contradict each other"));
    let mut other = earlier.clone();
    other.output[0].value = Amount::from_sat(7);
    payment.inputs[0].witness_utxo = None;
    payment.inputs[0].non_witness_utxo = Some(other);
    assert!(
        desk.screen(&text(&payment)).reasons[0].detail.contains("the transaction given for that")
    );
    payment.inputs[0].non_witness_utxo = Some(earlier);
    assert_eq!(
        Desk::tagged("").said(&text(&psbt(&[OTHER], &payment.unsigned_tx))),
        "review unknown_input:review"
    );
}

/// The same payment in version 2.
fn second(psbt: &Psbt) -> Vec<u8> {
    let mut bytes = b"psbt\xff".to_vec();
    let field = |bytes: &mut Vec<u8>, key: u8, value: &[u8]| {
        bytes.extend([1, key]);
        bytes.extend(consensus::serialize(&value.to_vec()));
    };
    let tx = &psbt.unsigned_tx;
    field(&mut bytes, 0x02, &2_u32.to_le_bytes());
    field(&mut bytes, 0x04, &[tx.input.len() as u8]);
    field(&mut bytes, 0x05, &[tx.output.len() as u8]);
    field(&mut bytes, 0xfb, &2_u32.to_le_bytes());
    bytes.push(0);
    for (input, said) in tx.input.iter().zip(&psbt.inputs) {
        if let Some(whole) = &said.non_witness_utxo {
            field(&mut bytes, 0x00, &consensus::serialize(whole));
        }
        if let Some(short) = &said.witness_utxo {
            field(&mut bytes, 0x01, &consensus::serialize(short));
        }
        field(&mut bytes, 0x0e, &consensus::serialize(&input.previous_output.txid));
        field(&mut bytes, 0x0f, &input.previous_output.vout.to_le_bytes());
        bytes.push(0);
    }
    for output in &tx.output {
        field(&mut bytes, 0x03, &output.value.to_sat().to_le_bytes());
        field(&mut bytes, 0x04, output.script_pubkey.as_bytes());
        bytes.push(0);
    }
    bytes
}

#[test]
fn version_2_says_the_same() {
    let desk = Desk::tagged("").book(&[GENUINE, OTHER]);
    let earlier = earlier();
    let mut payment = psbt(&[THIEFS, OTHER], &earlier);
    let same = |payment: &Psbt| {
        let first = desk.target(&Target::Psbt(payment.serialize()));
        assert_eq!(desk.screen(&BASE64_STANDARD.encode(second(payment))), first);
        first
    };
    assert_eq!(same(&payment).parties.len(), 2);
    payment.inputs[0].witness_utxo = Some(earlier.output[0].clone());
    payment.inputs[0].non_witness_utxo = Some(earlier.clone());
    assert_eq!(same(&payment).parties[0].parts, [Part::Input(0), Part::Output(1)]);
    payment.inputs[0].witness_utxo =
        Some(TxOut { value: Amount::ZERO, ..earlier.output[0].clone() });
    assert!(same(&payment).reasons[0].detail.contains("contradict each other"));

    payment.inputs[0].witness_utxo = None;
    let whole = second(&payment);
    let unreadable = |bytes: Vec<u8>| {
        let result = desk.target(&Target::Psbt(bytes));
        let first = result.reasons.first();
        first.is_some_and(|reason| reason.rule == "unreadable" && reason.verdict == Verdict::Block)
    };
    for len in 5..whole.len() {
        assert!(unreadable(whole[..len].to_vec()), "{len}");
    }
    assert!(unreadable([&whole[..], &[0]].concat()));
    // A count that nothing stands behind: no memory is taken for it.
    let counts: &[u8] = &[1, 4, 9, 255, 255, 255, 255, 255, 255, 255, 255, 255];
    let header: &[u8] = b"psbt\xff\x01\xfb\x04\x02\0\0\0";
    assert!(unreadable([header, counts, &[1, 5, 1, 0, 0]].concat()));
    // A key twice, and an output without an amount.
    let twice: &[u8] = &[1, 4, 1, 0, 1, 4, 1, 0, 1, 5, 1, 0, 0];
    assert!(unreadable([header, twice].concat()));
    assert!(unreadable([header, &[1, 4, 1, 0, 1, 5, 1, 1, 0, 1, 4, 1, 0x51, 0]].concat()));
    assert!(!unreadable([header, &[1, 4, 1, 0, 1, 5, 1, 0, 0]].concat()));
}

#[test]
fn other_versions_and_cut_off_payments() {
    let desk = Desk::tagged("");
    let third: &[u8] = b"psbt\xff\x01\xfb\x04\x03\0\0\0\0";
    let result = desk.target(&Target::Psbt(third.to_vec()));
    assert_eq!(result.verdict, Verdict::Block);
    assert!(result.reasons[0].detail.contains("version 3"), "{}", result.reasons[0].detail);
    let whole = psbt(&[OTHER], &earlier()).serialize();
    for len in 5..whole.len() {
        let result = desk.target(&Target::Psbt(whole[..len].to_vec()));
        assert_eq!(result.verdict, Verdict::Block, "{len}");
    }
}
