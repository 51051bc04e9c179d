use std::collections::{BTreeSet, HashMap};

use super::*;

#[test]
fn every_stolen_satoshi_is_booked_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = ReplayOptions { transactions: 20_000, ..ReplayOptions::new(dir.path()) };
    let replay = replay(&options, |_| {}).unwrap();
    super::super::tests::check(dir.path(), &replay.summary);
    let truth = &replay.truth;
    assert_eq!(truth.theft.value_sat, 450_290_000_000);
    assert_eq!((truth.theft.fee_sat, truth.steps[0].inputs.len()), (10_000_000, 9));
    assert_eq!(truth.totals.root_sat, truth.totals.booked_sat);
    let before: u64 = truth.before_mixers.iter().map(|booking| booking.value_sat).sum();
    assert_eq!(before, truth.totals.root_sat);
    let found: BTreeSet<_> = truth.dispositions.iter().map(|booking| booking.category).collect();
    use Category::*;
    assert_eq!(found, [Unspent, UnspentMixed, Service, Bridge, MixerFee, Fee].into());
    let mixers: Vec<_> = truth.before_mixers.iter().filter(|b| b.category == Mixer).collect();
    assert_eq!(mixers.len(), 3, "{mixers:?}");
    walk(truth);
    assert!(truth.look_alike.prefix >= 5 && truth.look_alike.suffix >= 2);
    assert_ne!(truth.look_alike.genuine, truth.look_alike.imitation);
    let memos: Vec<_> = truth.steps.iter().filter_map(|step| step.memo.as_deref()).collect();
    assert!(memos.len() == 3 && memos.iter().all(|memo| memo.starts_with("=:ETH.ETH:0x")));
    let text = fs::read_to_string(dir.path().join("truth.json")).unwrap();
    assert_eq!(&serde_json::from_str::<Truth>(&text).unwrap(), truth);
}

/// Every step spends coins that an earlier one left with the thief.
fn walk(truth: &Truth) {
    let mut stolen: HashMap<(String, u32), u64> = HashMap::new();
    for (place, step) in truth.steps.iter().enumerate() {
        assert_eq!(step.inputs.iter().any(|input| input.stolen), place > 0);
        for input in step.inputs.iter().filter(|input| input.stolen) {
            let value = stolen.remove(&(input.txid.clone(), input.vout));
            assert_eq!(value, Some(input.value_sat), "{} {}", step.stage, input.txid);
        }
        for output in step.outputs.iter().filter(|output| output.stolen) {
            stolen.insert((step.txid.clone(), output.vout), output.value_sat);
        }
    }
    let unspent: u64 = truth
        .dispositions
        .iter()
        .filter(|b| matches!(b.category, Category::Unspent | Category::UnspentMixed))
        .map(|b| b.value_sat)
        .sum();
    assert_eq!(unspent, stolen.values().sum::<u64>());
}
