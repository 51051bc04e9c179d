//! A text in the chain language: parsed, or refused with a place in it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match testkit::Chain::parse(text) {
        Ok(chain) => {
            let best = chain.best();
            assert!(best.windows(2).all(|two| two[1].header.prev_blockhash == two[0].block_hash()));
            assert!(best.iter().all(|block| block.check_merkle_root()));
        }
        Err(error) => assert!(error.line as usize <= text.lines().count().max(1), "{error}"),
    }
});
