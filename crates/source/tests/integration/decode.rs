//! Random blocks, and random damage to them, against the `bitcoin` crate.

use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
    absolute::LockTime, consensus::serialize, hashes::Hash, transaction::Version,
};
use proptest::prelude::*;
use source::BlockFault;
use testkit::mine;

use crate::{
    made::cases,
    oracle::{compare, repair_root},
};

/// Heights beside lock times make the flag that compares the two say both things.
const HEIGHT: u32 = 1000;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn script() -> impl Strategy<Value = ScriptBuf> {
    prop_oneof![
        4 => bytes(40).prop_map(ScriptBuf::from),
        1 => bytes(40).prop_map(|data| ScriptBuf::from([vec![0x6a], data].concat())),
        1 => (252_usize..260).prop_map(|len| ScriptBuf::from(vec![0x51; len])),
    ]
}

fn input() -> impl Strategy<Value = TxIn> {
    let sequence = prop_oneof![Just(u32::MAX), Just(u32::MAX - 1), any::<u32>()];
    let witness = prop::collection::vec(bytes(30), 0..3);
    let txid = prop_oneof![Just([0; 32]), any::<[u8; 32]>()];
    (txid, 0_u32..9, script(), sequence, prop_oneof![Just(Vec::new()), witness]).prop_map(
        |(txid, vout, script_sig, sequence, witness)| TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array(txid), vout),
            script_sig,
            sequence: Sequence(sequence),
            witness: Witness::from_slice(&witness),
        },
    )
}

fn output() -> impl Strategy<Value = TxOut> {
    (0_u64..500_000_000_000, script())
        .prop_map(|(sats, script_pubkey)| TxOut { value: Amount::from_sat(sats), script_pubkey })
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let version = prop_oneof![Just(1), Just(2), any::<i32>()];
    let locktime = prop_oneof![Just(0), HEIGHT - 120..HEIGHT + 20, any::<u32>()];
    let (inputs, outputs) =
        (prop::collection::vec(input(), 1..5), prop::collection::vec(output(), 1..5));
    (version, locktime, inputs, outputs).prop_map(|(version, locktime, input, output)| {
        let lock_time = LockTime::from_consensus(locktime);
        Transaction { version: Version(version), lock_time, input, output }
    })
}

fn block() -> impl Strategy<Value = Block> {
    let txs = prop_oneof![
        9 => prop::collection::vec(transaction(), 0..12),
        1 => prop::collection::vec(transaction(), 250..260),
    ];
    (txs, output()).prop_map(|(txs, reward)| {
        let coinbase = mine::coinbase(mine::coinbase_script(HEIGHT, 0), vec![reward]);
        let parent = mine::genesis().block_hash();
        mine::block(mine::Place { parent, time: 1 }, [vec![coinbase], txs].concat())
    })
}

/// What is done to the bytes of a good block.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Overwrite(prop::sample::Index, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    let lengths = prop_oneof![
        Just(vec![0xff; 9]),
        Just(vec![0xfe, 0xff, 0xff, 0xff, 0xff]),
        Just(vec![0xfd, 0x01, 0x00]),
        Just(vec![0; 4]),
        bytes(8),
    ];
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        at().prop_map(Damage::Cut),
        (at(), lengths.clone()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), lengths).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
    ]
}

fn apply(raw: &mut Vec<u8>, damage: Damage) {
    if raw.is_empty() {
        return;
    }
    match damage {
        Damage::Flip(at, bit) => {
            let at = at.index(raw.len());
            raw[at] ^= 1 << bit;
        }
        Damage::Cut(at) => raw.truncate(at.index(raw.len())),
        Damage::Insert(at, bytes) => {
            let at = at.index(raw.len());
            raw.splice(at..at, bytes);
        }
        Damage::Overwrite(at, bytes) => {
            let at = at.index(raw.len());
            let end = raw.len().min(at + bytes.len());
            raw.splice(at..end, bytes);
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn good_blocks_decode_alike(block in block()) {
        prop_assert_eq!(compare(&serialize(&block), HEIGHT), Ok(()));
    }

    #[test]
    fn damaged_blocks_are_refused_alike(
        block in block(),
        damages in prop::collection::vec(damage(), 1..4),
        repaired in any::<bool>(),
    ) {
        let mut raw = serialize(&block);
        for damage in damages {
            apply(&mut raw, damage);
        }
        if repaired {
            repair_root(&mut raw);
        }
        let _ = compare(&raw, HEIGHT);
    }

    #[test]
    fn arbitrary_bytes_are_refused_alike(raw in bytes(400)) {
        let _ = compare(&raw, HEIGHT);
    }
}

/// A block of these transactions is refused for this.
#[track_caller]
fn check(txs: Vec<Transaction>, expected: BlockFault) {
    let parent = mine::genesis().block_hash();
    let mut block = mine::block(mine::Place { parent, time: 1 }, txs);
    if let Some(root) = block.compute_merkle_root() {
        block.header.merkle_root = root;
    }
    assert_eq!(compare(&serialize(&block), HEIGHT), Err(expected));
}

fn coinbase() -> Transaction {
    mine::coinbase(mine::coinbase_script(HEIGHT, 0), vec![pay(1)])
}

fn pay(sats: u64) -> TxOut {
    TxOut { value: Amount::from_sat(sats), script_pubkey: ScriptBuf::new() }
}

fn spend(tags: &[u8], output: Vec<TxOut>) -> Transaction {
    let input = |&tag: &u8| TxIn {
        previous_output: match tag {
            0 => OutPoint::null(),
            tag => OutPoint::new(Txid::from_byte_array([tag; 32]), 0),
        },
        ..TxIn::default()
    };
    let input = tags.iter().map(input).collect();
    Transaction { version: Version::ONE, lock_time: LockTime::ZERO, input, output }
}

#[test]
fn what_consensus_forbids_is_refused() {
    const ALL: u64 = 2_100_000_000_000_000;
    let one = || vec![pay(1)];
    check(vec![spend(&[1], one())], BlockFault::NoCoinbase);
    check(vec![coinbase(), spend(&[0], one())], BlockFault::NullPrevout(0));
    check(vec![coinbase(), spend(&[1, 0], one())], BlockFault::NullPrevout(1));
    check(vec![spend(&[0, 1], one())], BlockFault::NullPrevout(0));
    check(vec![coinbase(), spend(&[1], vec![])], BlockFault::NoOutputs);
    check(vec![coinbase(), spend(&[1], vec![pay(ALL + 1)])], BlockFault::Value(0));
    check(vec![coinbase(), spend(&[1], vec![pay(ALL), pay(1)])], BlockFault::Value(1));
    let wrap = vec![pay(ALL), pay(u64::MAX), pay(u64::MAX)];
    check(vec![coinbase(), spend(&[1], wrap)], BlockFault::Value(1));
    let twin = || spend(&[1], one());
    check(vec![coinbase(), spend(&[2], one()), twin(), twin()], BlockFault::RepeatedTransactions);
}

#[test]
fn hostile_lengths_cost_nothing() {
    let header = serialize(&mine::genesis().header);
    for count in [0xff_u8, 0xfe, 0xfd] {
        for tail in [vec![0xff; 8], vec![0xff; 200]] {
            let raw = [header.clone(), vec![count], tail].concat();
            assert!(compare(&raw, HEIGHT).is_err());
        }
    }
    let empty = [header, vec![0]].concat();
    assert_eq!(compare(&empty, HEIGHT), Err(BlockFault::Empty));
    let huge = vec![0; 4_000_001];
    assert_eq!(compare(&huge, HEIGHT), Err(BlockFault::TooLarge(4_000_001)));
    let block = serialize(&mine::genesis());
    assert_eq!(compare(&[block, vec![0; 3]].concat(), 0), Err(BlockFault::TrailingBytes(3)));
}
