//! A target as a text, as a PSBT and as a file, and rules as a file: whatever they say, no panic, and
//! what cannot be read is not passed.

#![no_main]

use chain::{MemoryLedger, Network};
use libfuzzer_sys::fuzz_target;
use screen::{Kind, Rules, Screen, Target, Verdict};

fuzz_target!(|bytes: &[u8]| {
    let rules = Rules::default();
    let screen = Screen::<MemoryLedger> {
        network: Network::Mainnet,
        rules: &rules,
        tags: None,
        book: None,
        lent: None,
        label_book: None,
        ledger: None,
        is_whole: false,
        exposure: screen::Follow::Indirect,
    };
    let text = String::from_utf8_lossy(bytes);
    let mut targets = vec![
        Target::read(&text, Network::Mainnet),
        Target::Psbt(bytes.to_vec()),
        Target::Psbt([b"psbt\xff", bytes].concat()),
    ];
    targets.extend(Target::from_file(bytes));
    for target in targets {
        let result = screen.screen(&target).expect("no ledger, no error");
        assert!(result.kind != Kind::Unreadable || result.verdict == Verdict::Block);
    }
    let _ = Rules::from_toml(&text);
});
