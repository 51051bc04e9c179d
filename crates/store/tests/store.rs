//! Stores of every released format must still open, and the format must not change unnoticed.
//!
//! `compat/v1.tar.gz` is a store as its release wrote it. `CHAINHOUND_WRITE_COMPAT=1` has this test
//! write the file of the current format anew: before the first release of a format, never after.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use bitcoin::{Block, OutPoint, consensus::serialize, hashes::Hash};
use chain::{
    Flags, Height, Ledger, MemoryLedger, Network, OutNum, Sats, Spend, StoredClass, TxNum,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use store::{Batch, FORMAT_VERSION, Options, Store, StoreError, Writer};
use tempfile::TempDir;
use testkit::{Chain, compare::differences};

/// Every kind of script, large values, data, twin coinbases, more than 64 transactions.
const CHAIN: &str = r#"
unchecked
block
tx a: coinbase -> p2pk/A:50 p2pk65/B:1 p2pkh/C:10995.11627775 p2sh/D:10995.11627776 p2wpkh/E:3 | script=0101
block
tx b: coinbase -> p2wsh/F:1000000 p2tr/G:2 p2a/H:0 multisig/I:0.5 script/:1 script/51:1 data:"memo" | script=0102
tx c: a:0 -> C:30 D:19.9 data:0x00
tx d: c:0 c:1 a:2 -> C:* | version=1 locktime=3 sequence=5,0xfffffffd,0xfffffffe
block
tx a2: coinbase -> p2pk/A:50 p2pk65/B:1 p2pkh/C:10995.11627775 p2sh/D:10995.11627776 p2wpkh/E:3 | script=0101
block
tx e: a2:0 b:1 -> C:1 C:2 C:3 C:4
blocks 70
block
tx f: b:0 d:0 -> G:* data:"" data:"end"
"#;

/// Who gave the classes; what they mean is not the store's business.
const RULES: u32 = 3;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("compat/v{FORMAT_VERSION}.tar.gz"))
}

fn unpack(archive: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    tar::Archive::new(GzDecoder::new(File::open(archive).unwrap())).unpack(dir.path()).unwrap();
    dir
}

/// A new store with these blocks, cut to what counts.
fn written(blocks: &[Block]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let open = || Writer::open(dir.path(), Network::Regtest, Options::default()).unwrap();
    let mut writer = open();
    writer.append(&batch(blocks)).unwrap();
    let classes: Vec<u8> = (0..writer.counts().transactions).map(|tx| tx as u8 % 9).collect();
    writer.push_classes(RULES, &classes).unwrap();
    writer.commit().unwrap();
    drop(writer);
    drop(open());
    dir
}

fn batch(blocks: &[Block]) -> Batch {
    let mut batch = Batch::default();
    for (block, height) in blocks.iter().zip(0..) {
        let mut header = [0; 80];
        header.copy_from_slice(&serialize(&block.header));
        batch.block(header, block.block_hash());
        for tx in &block.txdata {
            batch.tx(tx.compute_txid().to_byte_array(), Flags::of(tx, Some(Height(height))));
            let prevouts = tx.input.iter().map(|input| input.previous_output);
            for OutPoint { txid, vout } in prevouts.filter(|prevout| !prevout.is_null()) {
                batch.input(txid.to_byte_array(), vout);
            }
            for output in &tx.output {
                batch.output(output.value.to_sat(), output.script_pubkey.as_bytes());
            }
        }
    }
    batch
}

/// Every file of a store by name.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for folder in ["", "sums/"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_file() {
                all.insert(format!("{folder}{name}"), fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// The same store gives the same archive.
fn pack(dir: &Path, archive: &Path) {
    let gzip = GzEncoder::new(File::create(archive).unwrap(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (name, bytes) in bytes(dir) {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn the_format_is_what_it_was() {
    let chain = Chain::parse(CHAIN).unwrap();
    let written = written(chain.blocks());
    if std::env::var_os("CHAINHOUND_WRITE_COMPAT").is_some() {
        pack(written.path(), &fixture());
    }
    let kept = unpack(&fixture());
    let (kept, written) = (bytes(kept.path()), bytes(written.path()));
    assert!(kept.keys().eq(written.keys()), "{:?} or {:?}", kept.keys(), written.keys());
    for (name, bytes) in &kept {
        let other = bytes.iter().zip(&written[name]).position(|(kept, written)| kept != written);
        let same = bytes == &written[name];
        assert!(same, "{name}, byte {other:?}: other bytes need another FORMAT_VERSION");
    }
}

/// Of each released format: the store opens, is good, and answers as it did.
#[test]
fn stores_of_every_format_open() {
    let chain = Chain::parse(CHAIN).unwrap();
    let truth = MemoryLedger::from_blocks(Network::Regtest, chain.blocks()).unwrap();
    for version in 1..=FORMAT_VERSION {
        let archive = fixture().with_file_name(format!("v{version}.tar.gz"));
        let dir = unpack(&archive);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(differences(&store, &truth), None);
        assert!(store::check(dir.path(), |_| ()).unwrap().is_good());
        facts(&store, &chain);
        drop(store);
        // And it goes on.
        let mut writer = Writer::open(dir.path(), Network::Regtest, Options::default()).unwrap();
        writer.rollback(Some(Height(2))).unwrap();
        drop(writer);
        let again = written(&chain.blocks()[..3]);
        let (mut one, mut other) = (bytes(dir.path()), bytes(again.path()));
        for lock in ["lock", "readers"] {
            one.remove(lock);
            other.remove(lock);
        }
        assert!(one == other, "after a rollback");
    }
}

/// What a person can work out from the text, whatever the code thinks today.
fn facts(store: &Store, chain: &Chain) {
    let counts = store.counts();
    assert_eq!((counts.blocks, counts.transactions), (76, 80));
    assert_eq!((counts.inputs, counts.outputs), (8, 104));
    let tx = |name: &str| store.find_tx(&chain.txid(name).unwrap()).unwrap().unwrap();
    // The twin took over the id; the first one's coins that were not spent are lost.
    assert_eq!((tx("a"), tx("a2")), (TxNum(5), TxNum(5)));
    assert_eq!(store.output(OutNum(1)).unwrap().spend, Spend::By(TxNum(3)));
    assert_eq!(store.output(OutNum(2)).unwrap().spend, Spend::Unspent);
    let mut inputs = Vec::new();
    store.inputs(tx("d"), &mut inputs).unwrap();
    let values: Vec<_> = inputs.iter().map(|input| input.value).collect();
    // 2^40 - 1 satoshis, the mark of values that stand elsewhere, and both sides of it.
    assert_eq!(values, [Sats(3_000_000_000), Sats(1_990_000_000), Sats((1 << 40) - 1)]);
    let large = store.output_at(tx("a"), 3).unwrap().unwrap();
    assert_eq!(store.output(large).unwrap().value, Sats(1 << 40));
    let data = store.output_at(tx("f"), 2).unwrap().unwrap();
    assert_eq!(store.output_script(data).unwrap().as_bytes(), b"\x6a\x03end");
    assert_eq!(store.class(TxNum(12)).unwrap(), Some(StoredClass { rules: RULES, byte: 3 }));
    let flags = store.flags(tx("d")).unwrap();
    assert!(flags.has(Flags::VERSION_1) && flags.has(Flags::LOCKTIME) && flags.has(Flags::RBF));
}

/// The column may end early, never late, and is emptied for the rules of another release.
#[test]
fn classes_follow_and_are_replaced() {
    let chain = Chain::parse(CHAIN).unwrap();
    let dir = written(chain.blocks());
    let class = |tx: u32| {
        let class = Store::open(dir.path()).unwrap().class(TxNum(tx)).unwrap();
        class.map(|class| (class.rules, class.byte))
    };
    let mut writer = Writer::open(dir.path(), Network::Regtest, Options::default()).unwrap();
    assert_eq!((writer.classified(RULES), writer.classified(RULES + 1)), (80, 0));
    assert!(matches!(writer.push_classes(RULES, &[1]), Err(StoreError::Full { .. })));
    assert_eq!(class(79), Some((RULES, 7)));
    let reader = Store::open(dir.path()).unwrap();
    writer.push_classes(RULES + 1, &[5, 6]).unwrap();
    assert!(matches!(reader.ensure_current(), Err(StoreError::Reorganised)));
    writer.commit().unwrap();
    assert_eq!(writer.classified(RULES + 1), 2);
    assert_eq!((class(1), class(2)), (Some((RULES + 1, 6)), None));
    drop((reader, writer));
    assert!(store::check(dir.path(), |_| ()).unwrap().is_good());
}

#[test]
fn the_archive_is_small() {
    let mut bytes = Vec::new();
    File::open(fixture()).unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() < 20_000, "{}", bytes.len());
}
