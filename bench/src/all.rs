//! Everything in one run: chains of three sizes, ours and the peers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::{
    append, figures::Figures, generate, graph, indexing, indexing::Product, lookups, open_store,
    peers, screening, sweeps,
};

/// What to leave out, and where things go.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Transactions of the largest chain; a tenth and a hundredth of it are measured too
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    txs: u64,

    /// Folder for chains and stores, about 8 GB. Chains found there are used again
    #[arg(long, default_value = "target/bench", value_name = "DIR")]
    chains: PathBuf,

    /// Leave the peers out
    #[arg(long)]
    no_peers: bool,

    /// Leave the run with --memory 1GiB out
    #[arg(long)]
    no_limit: bool,
}

/// Measures everything.
pub(crate) fn measure(options: &Options) -> anyhow::Result<Figures> {
    anyhow::ensure!(options.txs >= 10_000, "--txs: at least 10000, or there is nothing to measure");
    let product = Product::build()?;
    let mut figures = Figures::default();
    let mut costs = Vec::new();
    let sizes = [options.txs / 100, options.txs / 10, options.txs];
    for size in sizes {
        let largest = size == options.txs;
        let chain = chain(&options.chains, size)?;
        let datadir = options.chains.join(format!("store-{size}"));
        eprintln!("== {size} transactions");
        let limited = largest && !options.no_limit;
        figures.append(indexing::measure(&product, &chain, &datadir, largest, limited)?);
        let store = open_store(&datadir)?;
        figures.append(sweeps::measure(&store, &datadir, largest)?);
        if largest {
            figures.append(sweeps::small(&store, &product, &datadir)?);
            figures.append(lookups::measure(&store)?);
            figures.append(screening::measure(&store)?);
            let question = graph::question(&store, 20)?;
            let (reach, ours) = sweeps::reach(&store, question)?;
            figures.append(reach);
            if !options.no_peers {
                let edges = options.chains.join(format!("edges-{size}"));
                graph::dump(&store, question, &edges)?;
                figures.append(peers::measure(&edges, Some(ours))?);
                let _ = fs::remove_file(&edges);
            }
        }
        drop(store);
        costs.push(append::measure(&chain, &datadir)?);
    }
    figures.append(append::figures(&costs));
    Ok(figures)
}

/// The block files of a chain of this size, generated unless they are there.
fn chain(chains: &Path, size: u64) -> anyhow::Result<PathBuf> {
    let folder = chains.join(format!("chain-{size}"));
    let blocks = folder.join("blocks");
    if !blocks.join("blk00000.dat").exists() {
        // Under another name until it is whole.
        let partial = chains.join(format!("chain-{size}.partial"));
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial).with_context(|| partial.display().to_string())?;
        generate::run(size, &partial, 1)?;
        let _ = fs::remove_dir_all(&folder);
        fs::rename(&partial, &folder).with_context(|| folder.display().to_string())?;
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use analyze::trace::Policy;
    use source::BlockDir;
    use store::Writer;

    use super::chain;
    use crate::{append, graph, lookups, open_store, screening, sweeps};

    fn index(blocks: &Path, store: &Path) {
        let blocks = BlockDir::open(blocks, None).unwrap();
        let mut writer = Writer::open(store, blocks.network(), store::Options::default()).unwrap();
        ingest::index(&blocks, &mut writer, &ingest::Options::default(), |_| ()).unwrap();
    }

    /// What is measured works, and the trace reaches what a plain walk reaches.
    #[test]
    fn measures_a_small_chain() {
        let dir = tempfile::tempdir().unwrap();
        let (blocks, folder) = (chain(dir.path(), 3000).unwrap(), dir.path().join("store"));
        index(&blocks, &folder);
        let cost = append::measure(&blocks, &folder).unwrap();
        assert_eq!(append::figures(&[cost, cost]).missed(), 0);
        let store = open_store(&folder).unwrap();
        lookups::measure(&store).unwrap();
        screening::measure(&store).unwrap();
        for policy in Policy::ALL {
            let swept = sweeps::sweep_whole(&store, policy, Duration::ZERO).unwrap();
            assert!(swept["transactions"].as_u64() > Some(500), "{policy}: {swept}");
        }
        let question = graph::question(&store, 20).unwrap();
        let reach = sweeps::reach(&store, question).unwrap().0.table();
        assert!(!reach.contains("the walk reaches"), "{reach}");
        assert!(question.reached > 10, "{question:?}");
    }
}
