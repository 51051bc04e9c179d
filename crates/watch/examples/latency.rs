//! From a new tip to the delivered alert: 10,000 watched outputs, blocks of 4 MB, replayed at full speed.
//!
//! `cargo run --release -p watch --example latency [BLOCKS] [DIR]`: 144 blocks are a day, and 600 MB in a
//! temporary directory. Each block spends 70 of the watched outputs, and 7,900 others. Prints percentiles of the time
//! between the store's commit and the last alert's arrival at a sink, and resident memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for us")]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use analyze::trace::RootSpec;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute::LockTime,
    consensus::serialize, hashes::Hash, transaction::Version,
};
use chain::{Height, Network};
use store::{Store, Writer};
use testkit::{blkfile, mine};
use watch::{
    Bare, Delivery, Engine, Message, NewWatch, Question, Sink, SinkError, State, TraceQuestion,
};

const WATCHED: usize = 10_000;
const MOVED: usize = 70;
const OTHERS: usize = 7_900;
/// Of a witness, so that a block has 4 MB.
const PADDING: usize = 395;
/// Blocks before the first move.
const BEFORE: u32 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let blocks: u32 = arguments.next().map_or(24, |text| text.parse().unwrap());
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments.next().map_or(temporary.path().to_owned(), PathBuf::from);
    let (theft, largest) = generate(&dir.join("blocks"), blocks);
    println!("{blocks} blocks, the largest of {largest} bytes");

    let state = Arc::new(State::open(&dir.join("watch.sqlite")).unwrap());
    let question = Question::Trace(TraceQuestion::new(vec![RootSpec::Transaction(theft)]));
    let question = question.to_json(Network::Regtest);
    let anchor = Some(Height(BEFORE));
    state.add(&NewWatch { name: "theft".into(), question, anchor }).unwrap();
    state.register_sinks(&["measure"]).unwrap();
    let (sender, arrived) = mpsc::channel();
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Arrivals(sender))];
    let delivery = Delivery::start(&state, sinks, Duration::from_secs(1), Arc::new(|_, _| {}));
    let mut engine = Engine::new(&state);

    let files = source::BlockDir::open(dir.join("blocks"), Some(Network::Regtest)).unwrap();
    let graph = dir.join("graph");
    let mut writer = Writer::open(&graph, Network::Regtest, store::Options::default()).unwrap();
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for height in BEFORE..=BEFORE + blocks {
        let until = Some(Height(height));
        let options = ingest::Options { until, ..ingest::Options::default() };
        ingest::index(&files, &mut writer, &options, |_| {}).unwrap();
        let start = Instant::now();
        let store = Store::open(&graph).unwrap();
        let outcome = engine.step(&store, &Bare).unwrap();
        delivery.wake();
        for _ in 0..outcome.alerts {
            arrived.recv().unwrap();
        }
        if height > BEFORE {
            assert_eq!(outcome.alerts, MOVED);
            times.push(start.elapsed());
            memory.push(resident());
        }
    }
    delivery.stop().unwrap();
    let watched = state.frontier(1).unwrap().len();
    times.sort();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!("{watched} outputs watched, {MOVED} of them moved by each block");
    println!("commit to last alert: p50 {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
    let after = |percent: usize| memory[(memory.len() - 1) * percent / 100] >> 20;
    println!(
        "resident memory after a tenth, half and all of the blocks: {}, {}, {} MiB",
        after(10),
        after(50),
        after(100)
    );
}

struct Arrivals(mpsc::Sender<()>);

impl Sink for Arrivals {
    fn name(&self) -> &str {
        "measure"
    }

    fn deliver(&mut self, _: &Message<'_>) -> Result<(), SinkError> {
        self.0.send(()).map_err(|_| SinkError::new("gone"))
    }
}

/// Bytes; Linux only, 0 elsewhere.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib << 10)
}

/// Writes the blocks; gives the theft's id and the largest block's size.
fn generate(dir: &Path, blocks: u32) -> (bitcoin::Txid, usize) {
    let mut files = blkfile::BlockFiles::create(dir, blkfile::Layout::default()).unwrap();
    let (mut parent, mut height, mut largest, mut script) = (mine::genesis(), 0u32, 0, 0u64);
    files.write(&serialize(&parent)).unwrap();
    let mut fresh = || {
        script += 1;
        let mut hash = [0; 20];
        hash[..8].copy_from_slice(&script.to_le_bytes());
        ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array(hash))
    };
    let mut add = |txs: Vec<Transaction>, reward: ScriptBuf| {
        height += 1;
        let output = TxOut { value: Amount::from_sat(5_000_000_000), script_pubkey: reward };
        let mut all = vec![mine::coinbase(mine::coinbase_script(height, 0), vec![output])];
        all.extend(txs);
        let place = mine::Place { parent: parent.block_hash(), time: 1_600_000_000 + height * 600 };
        let block = mine::block(place, all);
        let bytes = serialize(&block);
        largest = largest.max(bytes.len());
        files.write(&bytes).unwrap();
        let coinbase = OutPoint { txid: block.txdata[0].compute_txid(), vout: 0 };
        parent = block;
        coinbase
    };
    let (one, two) = (add(Vec::new(), fresh()), add(Vec::new(), fresh()));
    let theft = spend(one, 5_000_000_000, WATCHED, &mut fresh);
    let others = spend(two, 5_000_000_000, OTHERS, &mut fresh);
    let mut watched = outputs(&theft);
    let mut rest = outputs(&others);
    let id = theft.compute_txid();
    add(vec![theft, others], fresh());
    for n in 0..blocks as usize {
        let mut txs = Vec::with_capacity(MOVED + OTHERS);
        for k in 0..MOVED {
            let at = (n * MOVED + k) % WATCHED;
            let (coin, value) = watched[at];
            let tx = spend(coin, value, 1, &mut fresh);
            watched[at] = outputs(&tx)[0];
            txs.push(tx);
        }
        for coin in &mut rest {
            let tx = spend(coin.0, coin.1, 1, &mut fresh);
            *coin = outputs(&tx)[0];
            txs.push(tx);
        }
        add(txs, fresh());
    }
    files.finish().unwrap();
    (id, largest)
}

/// To so many equal outputs, for a fee of about 100 satoshis.
fn spend(
    coin: OutPoint,
    value: u64,
    outputs: usize,
    fresh: &mut impl FnMut() -> ScriptBuf,
) -> Transaction {
    let each = Amount::from_sat((value - 100) / outputs as u64);
    let output = (0..outputs).map(|_| TxOut { value: each, script_pubkey: fresh() }).collect();
    let input = TxIn {
        previous_output: coin,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[[0u8; PADDING]]),
    };
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output }
}

fn outputs(tx: &Transaction) -> Vec<(OutPoint, u64)> {
    let txid = tx.compute_txid();
    let one = |(vout, output): (u32, &TxOut)| (OutPoint { txid, vout }, output.value.to_sat());
    (0..).zip(&tx.output).map(one).collect()
}
