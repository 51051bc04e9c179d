use super::*;
use crate::mine;

fn chain(text: &str) -> Chain {
    Chain::parse(text).unwrap()
}

/// The text is refused with this message.
#[track_caller]
fn refused(text: &str, message: &str) {
    assert_eq!(Chain::parse(text).unwrap_err().to_string(), message);
}

const EXAMPLE: &str = r#"
block
tx a: coinbase -> A:50
block
tx b: a:0 -> B:30 p2tr/C:19.9   # the fee is 0.1
tx c: b:0 b:1 -> D:49 data:"a \"memo\" # here" | version=1 locktime=3 sequence=5,0xfffffffd
"#;

#[test]
fn the_example_is_a_valid_chain() {
    let chain = chain(EXAMPLE);
    assert_eq!(chain.blocks().len(), 3);
    for (i, block) in chain.blocks().iter().enumerate() {
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        assert!(block.header.validate_pow(block.header.target()).is_ok());
        if i > 0 {
            assert_eq!(block.header.prev_blockhash, chain.blocks()[i - 1].block_hash());
            let height = mine::coinbase_script(i as u32, i as u32);
            assert_eq!(block.txdata[0].input[0].script_sig, height);
        }
    }
    let c = chain.tx("c").unwrap();
    assert_eq!(c.input[1].previous_output, chain.outpoint("b", 1).unwrap());
    assert_eq!(c.output[0].value.to_sat(), 4_900_000_000);
    let memo = chain::script::op_return_data(&c.output[1].script_pubkey).unwrap();
    assert_eq!(memo, b"a \"memo\" # here");
    assert_eq!((c.version.0, c.lock_time.to_consensus_u32()), (1, 3));
    assert_eq!((c.input[0].sequence.0, c.input[1].sequence.0), (5, 0xffff_fffd));
    // Subsidy, and the fees of b (0.1) and c (0.9).
    assert_eq!(chain.tx("b2.coinbase").unwrap().output[0].value.to_sat(), 5_100_000_000);
    assert_eq!(chain.script_name(&c.output[0].script_pubkey), Some("D"));
    assert_eq!(chain.tx_name(&c.compute_txid()), Some("c"));
    assert_eq!(chain.outpoint("c", 9), None);
}

#[test]
fn the_same_text_gives_the_same_bytes() {
    assert_eq!(chain(EXAMPLE).blocks(), chain(EXAMPLE).blocks());
}

#[test]
fn every_kind_is_made_and_spent() {
    let names: Vec<String> = Kind::ALL.iter().map(|k| format!("{k}/{}:1", k.name())).collect();
    let inputs: Vec<String> = (0..names.len()).map(|i| format!("a:{i}")).collect();
    let text = format!(
        "block\ntx a: coinbase -> {} script/51:0.5\nblock\ntx b: {} -> X:*",
        names.join(" "),
        inputs.join(" ")
    );
    let chain = chain(&text);
    assert!(chain.blocks()[2].check_witness_commitment());
    assert_eq!(chain.tx("b").unwrap().output[0].value.to_sat(), 900_000_000);
    assert_eq!(chain.script("script/51").unwrap().as_bytes(), [0x51]);
}

#[test]
fn forks_and_the_longest_branch() {
    let chain = chain(
        "block x\ntx a: coinbase -> A:50\nblock y\ntx b: a:0 -> B:*\nblock z on x\ntx b\nblock",
    );
    let heights: Vec<_> = (0..5).filter_map(|i| chain.height(i)).collect();
    assert_eq!(heights, [0, 1, 2, 2, 3]);
    let best: Vec<_> = chain.best().iter().map(|block| block.block_hash()).collect();
    assert_eq!(best.len(), 4);
    assert_eq!(best[2], chain.block("z").unwrap().block_hash());
    assert_eq!(chain.block("y").unwrap().txdata[1], chain.block("z").unwrap().txdata[1]);
    assert_ne!(chain.txid("y.coinbase"), chain.txid("z.coinbase"));
    refused(
        "block x\nblock y\nblock z on x\ntx a: y.coinbase:0 -> A:1",
        "line 4, column 7: 'y.coinbase:0' is not there to be spent on this branch",
    );
}

#[test]
fn unchecked_chains_may_be_wrong() {
    let unknown = "11".repeat(32);
    let text = format!(
        "unchecked\nblock\ntx a: coinbase -> A:99 | script=0102\nblock\n\
         tx a2: coinbase -> A:99 | script=0102\nblock\n\
         tx b: a:0 {unknown}:7 -> B:200\ntx c: a:0 -> C:1"
    );
    let chain = chain(&text);
    assert_eq!(chain.txid("a"), chain.txid("a2"));
    assert_eq!(chain.tx("b").unwrap().input[1].previous_output.vout, 7);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let one = "block\ntx a: coinbase -> A:1\n";
    refused(
        "\n  blok",
        "line 2, column 3: 'blok': a line starts with block, blocks, tx or unchecked",
    );
    refused(
        "tx a: coinbase -> A:1",
        "line 1, column 4: a transaction needs a block: write 'block' before it",
    );
    refused(
        "block\ntx a: coinbase -> A:51",
        "line 2, column 4: the outputs take 100000000 satoshis more than there are",
    );
    refused(
        "block\ntx ä: x",
        "line 2, column 4: 'ä' is not a name: letters, digits and _, a letter first",
    );
    refused(
        "block\ntx a: coinbase -> A:1 Ä:0.000000001",
        "line 2, column 25: '0.000000001' is not an amount: write 0.5 (bitcoin, at most eight decimals), 5000sat or *",
    );
    refused(
        "block\ntx a: coinbase -> Ä:1 data:\"x",
        "line 2, column 28: the quotation is not closed",
    );
    refused(
        "block\ntx a: coinbase -> p2tr/A:1 p2pkh/A:1",
        "line 2, column 34: 'A' is p2tr already",
    );
    refused(
        "block\ntx a: coinbase -> A:* B:*",
        "line 2, column 23: only one output can take what is left",
    );
    refused(
        "block\ntx a: coinbase -> A:21000001",
        "line 2, column 21: more than 21 million bitcoin",
    );
    refused(
        "block\ntx a: coinbase -> A:1 | speed=1",
        "line 2, column 25: expected version=, locktime=, sequence=, fee= or script=, found 'speed=1'",
    );
    refused("block\ntx a: b:0", "line 2, column 10: the line ends where '->' is expected");
    refused("block\ntx a: b:0 -> A:1", "line 2, column 7: there is no 'b' before this");
    refused(&format!("{one}tx a: coinbase -> A:1"), "line 3, column 4: 'a' is there already");
    refused(
        &format!("{one}tx b: coinbase -> A:1"),
        "line 3, column 4: the block has a coinbase already",
    );
    refused(
        &format!("{one}block\ntx b: a:0 a:0 -> A:1"),
        "line 4, column 11: 'a:0' is not there to be spent on this branch",
    );
    refused(
        &format!("{one}block\ntx b: a:1 -> A:1"),
        "line 4, column 7: 'a:1' is not there to be spent on this branch",
    );
    refused("block on nowhere", "line 1, column 10: there is no 'nowhere' before this");
    refused("block x\nblock x", "line 2, column 7: 'x' is there already");
    refused("blocks 10000", "line 1, column 8: more than 5000 blocks");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(crate::cases(256)))]
    /// Words of the language in any order, and noise: an error at worst.
    #[test]
    fn no_text_panics(text in "((block|blocks 3|tx|x|a:|a|->|coinbase|a:0|A:1|A:\\*|data:\"x\"|[|]|on|\\n|\\PC) ?){0,40}") {
        let _ = Chain::parse(&text);
    }
}
