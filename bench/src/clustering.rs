//! Clustering a whole store, one block more and one block less; and GraphSense's own package on the
//! same inputs: `bench/peers/cluster.py`.

use std::{
    env, fs,
    fs::File,
    io::{BufWriter, Write as _},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use analyze::{
    cluster::{
        AllInputs, Clustering, CoinJoinsApart, Guard, Live, Options, Rule, Stage, build,
        build_observed, score,
    },
    coinjoin::{Class, Detector, ShapeBuf},
};
use anyhow::Context as _;
use chain::{AddressNum, InputAddresses, Ledger, TxNum};
use serde_json::Value;
use store::Store;
use testkit::generate::SideFiles;

use crate::{
    clock::{Clock, Passed, median},
    figures::{Figures, Target},
};

/// Times of which the median counts.
const REPEATS: usize = 5;
/// Blocks at the tip that are taken off and put back.
const BLOCKS: u32 = 50;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusteringOptions {
    /// A store, or a datadir of regtest
    pub(crate) store: PathBuf,
    /// The generated chain that the store was made of: says how right the clusters are
    #[arg(long, value_name = "DIR")]
    chain: Option<PathBuf>,
    /// A Python that has what bench/peers/cluster-requirements.txt lists
    #[arg(long, default_value = "python3", value_name = "FILE")]
    python: PathBuf,
    /// How many threads
    #[arg(long, default_value = "2", value_name = "N")]
    threads: NonZeroUsize,
}

/// Clusters the store under several rules, follows its tip, and runs the peer on the same inputs.
pub(crate) fn measure(store: &Store, options: &ClusteringOptions) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    let count = store.tx_count();
    let peer = peer(store, options)?;
    let union = peer["union_cpu_s"].as_f64();

    figures.group("Recognising CoinJoins again, one thread");
    recognise(store, &mut figures)?;
    figures.group(format!("Clustering {count} transactions, warm, {} threads", options.threads));
    let without = Options { threads: options.threads, guard: None };
    let guarded = Options { guard: Some(Guard::default()), ..without };

    // Processor time is compared, as far as others may be working at the same time.
    let mut add = |what: &str, passed: Passed, target: Target| {
        figures.add(what, passed.cpu.as_secs_f64(), "CPU s", target);
        figures.add("… on the wall", passed.wall.as_secs_f64(), "s", Target::None);
    };
    let (all, _, passed) = repeat(store, &AllInputs, &without)?;
    add("nothing kept out: table, union, ids", passed, Target::None);
    let (kept, joined, passed) = repeat(store, &CoinJoinsApart, &without)?;
    let target = |most: Option<f64>| most.map_or(Target::None, Target::AtMost);
    add("CoinJoins kept out, by the classes in the store: table, union", joined, target(union));
    let whole = ["table_cpu_s", "union_cpu_s", "mapping_cpu_s"].map(|step| peer[step].as_f64());
    add("… and ids", passed, target(whole.into_iter().sum()));
    let (reviewed, _, passed) = repeat(store, &CoinJoinsApart, &guarded)?;
    add("… and the supercluster guard", passed, Target::None);
    anyhow::ensure!(kept.ids().eq(reviewed.ids()), "the guard changed the clusters");

    let clusters = |clustering: &Clustering| {
        let largest = clustering.largest(1).first().map_or(1, |(_, size)| *size);
        format!("{} clusters, the largest of {largest} addresses", clustering.clusters())
    };
    figures.note(format!("nothing kept out: {}", clusters(&all)));
    figures.note(format!("CoinJoins kept out: {}", clusters(&kept)));
    figures.note(format!("merges that the guard reports: {}", reviewed.findings().len()));
    if let Some(chain) = &options.chain {
        let truth = SideFiles::read(chain).with_context(|| chain.display().to_string())?;
        let owners = owners(store, &truth)?;
        for (name, clustering) in [("nothing kept out", &all), ("CoinJoins kept out", &kept)] {
            let owner = |address: AddressNum| owners.get(address.index()).copied().flatten();
            let score = score(clustering, owner);
            figures.note(format!(
                "{name}: pairs {} right, {} of all that are true; addresses {} pure, {} complete; \
                 {} clusters with several owners, one with {}",
                score.precision(),
                score.recall(),
                score.purity(),
                score.completeness(),
                score.mixed,
                score.most_owners,
            ));
        }
    }

    figures.group("GraphSense's graphsense-clustering on the same inputs, nothing kept out");
    match union {
        Some(union) => {
            let number = |key: &str| peer[key].as_f64().unwrap_or(f64::NAN);
            figures.add("table", number("table_cpu_s"), "CPU s", Target::None);
            figures.add("union", union, "CPU s", Target::None);
            figures.add("… on the wall", number("union_s"), "s", Target::None);
            figures.add("mapping", number("mapping_cpu_s"), "CPU s", Target::None);
            figures.add("… on the wall", number("mapping_s"), "s", Target::None);
            let agrees = peer["clusters"].as_u64() == Some(all.clusters().into());
            let verdict = if agrees { "as many as ours" } else { "NOT as many as ours" };
            figures.note(format!("{} clusters, {verdict}", peer["clusters"]));
        }
        None => figures.note(format!("not measured: {}", peer["skipped"])),
    }
    follow(store, CoinJoinsApart, guarded, &mut figures)?;
    Ok(figures)
}

/// Who owns each address; `None` for nobody.
fn owners(ledger: &impl Ledger, truth: &SideFiles) -> anyhow::Result<Vec<Option<u32>>> {
    let mut owners = vec![None; ledger.address_count() as usize];
    let mut outputs = Vec::new();
    for tx in (0..ledger.tx_count()).map(TxNum) {
        ledger.outputs(tx, &mut outputs)?;
        for output in &outputs {
            let place = output.address.and_then(|address| owners.get_mut(address.index()));
            let owner = truth.owner(output.num.index()).context("a truth of another chain")?;
            if let Some(place) = place.filter(|_| owner != 0) {
                *place = Some(owner);
            }
        }
    }
    Ok(owners)
}

/// Takes blocks off at the tip and puts them back.
fn follow<R: Rule<Store>>(
    store: &Store,
    rule: R,
    options: Options,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut live = Live::start(store, rule, options, BLOCKS)?;
    let whole = live.clustering::<Store>();
    let (mut folds, mut cpus, mut undos, mut txs) = (Vec::new(), Vec::new(), Vec::new(), 0);
    loop {
        let tip = live.tip();
        let clock = Clock::start();
        if !live.undo() {
            break;
        }
        undos.push(clock.passed().wall);
        let block = tip.map(|tip| store.block(tip.height)).transpose()?.flatten();
        txs = txs.max(block.map_or(0, |block| block.txs.len()));
    }
    loop {
        let clock = Clock::start();
        if !live.fold(store)? {
            break;
        }
        let passed = clock.passed();
        folds.push(passed.wall);
        cpus.push(passed.cpu);
    }
    anyhow::ensure!(live.clustering::<Store>() == whole, "undone and folded again: not the same");
    figures.group(format!("One block of up to {txs} transactions, classes known, guarded"));
    let slowest = cpus.iter().max().copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    figures.add("folded in, median", ms(median(cpus)), "CPU ms", Target::AtMost(5.0));
    figures.add(format!("… slowest of {BLOCKS}"), ms(slowest), "CPU ms", Target::None);
    figures.add("… median on the wall", ms(median(folds)), "ms", Target::None);
    figures.add("undone, median", ms(median(undos)), "ms", Target::None);
    Ok(())
}

/// Looks at every transaction and compares with what the store says. Those that cannot be a
/// CoinJoin by counts and values alone, and the others, each by themselves.
fn recognise(store: &Store, figures: &mut Figures) -> anyhow::Result<()> {
    let (mut detector, mut buffer) = (Detector::default(), ShapeBuf::default());
    let (mut cannot, mut may) = (Vec::new(), Vec::new());
    for tx in (0..store.tx_count()).map(TxNum) {
        let list = if buffer.load(store, tx)?.is_some() { &mut may } else { &mut cannot };
        list.push(tx);
    }
    let mut apart = 0;
    for (what, txs, least) in [("that cannot be one", &cannot, 2.0), ("that may be one", &may, 0.0)]
    {
        let clock = Clock::start();
        for &tx in txs {
            let shape = buffer.load(store, tx)?;
            let class = shape.map_or(Class::NONE, |shape| detector.class(&shape));
            let stored = store.class(tx)?.map(|stored| stored.byte);
            anyhow::ensure!(stored == Some(class.byte()), "transaction {tx}: another is stored");
            apart += u64::from(class.do_not_union());
        }
        let rate = txs.len() as f64 / clock.passed().cpu.as_secs_f64() / 1e6;
        let target = if least > 0.0 { Target::AtLeast(least) } else { Target::None };
        figures.add(format!("{} {what}", txs.len()), rate, "M tx/CPU s", target);
    }
    figures.note(format!("{apart} to keep apart"));
    Ok(())
}

/// The clustering, and the median times after one run to warm up: until all have joined, and in all.
fn repeat<R: Rule<Store>>(
    store: &Store,
    rule: &R,
    options: &Options,
) -> anyhow::Result<(Clustering, Passed, Passed)> {
    let first = build(store, rule, options)?;
    let (mut joined, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let clock = Clock::start();
        build_observed(store, rule, options, &mut |stage| {
            if stage == Stage::Joined {
                joined.push(clock.passed());
            }
        })?;
        whole.push(clock.passed());
    }
    let middle = |times: Vec<Passed>| Passed {
        wall: median(times.iter().map(|passed| passed.wall).collect()),
        cpu: median(times.iter().map(|passed| passed.cpu).collect()),
    };
    Ok((first, middle(joined), middle(whole)))
}

/// The answer of `cluster.py` about the inputs of a store: times and the number of clusters, or why
/// there are none.
fn peer(store: &Store, options: &ClusteringOptions) -> anyhow::Result<Value> {
    let file = env::temp_dir().join(format!("chainhound-inputs-{}", std::process::id()));
    dump(store, &file)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cluster.py");
    let output = Command::new(&options.python)
        .arg(script)
        .arg("--json")
        .arg(&file)
        .env("RAYON_NUM_THREADS", options.threads.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    fs::remove_file(&file).with_context(|| file.display().to_string())?;
    let output = output.with_context(|| format!("cannot start {}", options.python.display()))?;
    anyhow::ensure!(output.status.success(), "the peer ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("the peer's answer is not JSON")
}

/// Writes the addresses of all inputs, as `bench/peers/cluster.py` reads it: little-endian magic,
/// addresses (u32), transactions (u32), inputs (u64); then where each transaction's inputs start, and
/// the end of the last one's (u32); then the addresses of the inputs (u32).
pub(crate) fn dump(ledger: &impl Ledger, path: &Path) -> anyhow::Result<()> {
    const CHUNK: u32 = 1 << 16;
    let (mut starts, mut addresses) = (vec![0u32], Vec::new());
    let mut inputs = InputAddresses::default();
    let count = ledger.tx_count();
    for start in (0..count).step_by(CHUNK as usize) {
        ledger.input_addresses(start..start.saturating_add(CHUNK).min(count), &mut inputs)?;
        for tx in inputs.iter() {
            addresses.extend(tx.iter().map(|address| address.0));
            starts.push(u32::try_from(addresses.len()).context("too many inputs for the peer")?);
        }
    }
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(b"CHINPUT1")?;
    file.write_all(&ledger.address_count().to_le_bytes())?;
    file.write_all(&count.to_le_bytes())?;
    file.write_all(&(addresses.len() as u64).to_le_bytes())?;
    for number in starts.iter().chain(&addresses) {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use chain::{MemoryLedger, Network};

    use super::*;

    #[test]
    fn the_dump_has_what_the_peer_reads() {
        let chain = testkit::Chain::parse(
            "block
             tx a: coinbase -> A:25 B:25
             block
             tx b: a:0 a:1 -> C:50",
        )
        .unwrap();
        let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
        let ledger = MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inputs");
        dump(&ledger, &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let (head, rest) = bytes.split_at(24);
        // Addresses: genesis, A, B, miner, C. Transactions: genesis, a, a coinbase, b.
        assert_eq!(head, b"CHINPUT1\x05\0\0\0\x04\0\0\0\x02\0\0\0\0\0\0\0");
        let numbers: Vec<u32> =
            rest.as_chunks::<4>().0.iter().map(|n| u32::from_le_bytes(*n)).collect();
        assert_eq!(numbers, [0, 0, 0, 0, 2, 1, 2]);
    }
}
