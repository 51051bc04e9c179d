//! Speed and size, measured against the project's targets; and the writer of large chains.
//!
//! Started by `cargo xtask bench` and `cargo xtask chain`, always in release mode.

// A command-line tool talks on its standard streams.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod all;
mod append;
mod clock;
mod clustering;
mod figures;
mod generate;
mod graph;
mod hash_pass;
mod indexing;
mod lookups;
mod machine;
mod peers;
mod process;
mod screening;
mod sweeps;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use analyze::trace::Policy;
use anyhow::Context as _;
use chain::TxNum;
use clap::{Parser, Subcommand};
use store::Store;

use crate::{figures::Figures, indexing::Product, machine::Machine};

/// Speed and size against the project's targets.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench", arg_required_else_help = true)]
struct Args {
    /// Write the figures as JSON, too
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the table into this Markdown file, too
    #[arg(long, global = true, value_name = "FILE")]
    write: Option<PathBuf>,

    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Measure everything, on chains of three sizes
    ///
    /// Takes about a quarter of an hour with ten million transactions on two cores.
    All(all::Options),

    /// Read the block files of a folder and hash every transaction, on one thread
    ///
    /// The floor under every indexer: what reading and hashing alone costs. Prints JSON.
    HashPass {
        /// Folder with blk*.dat
        blocks: PathBuf,
    },

    /// Index block files in a process of its own: time, processor, memory, disk
    Index {
        /// Folder with blk*.dat of regtest
        blocks: PathBuf,
        /// Where the store goes; what is there is removed
        datadir: PathBuf,
        /// Leave the second run, with --memory 1GiB, out
        #[arg(long)]
        no_limit: bool,
    },

    /// Trace whole chains under every policy
    Trace {
        /// A store, or a datadir of regtest
        store: PathBuf,
    },

    /// One whole-chain trace in this process; prints JSON
    #[command(hide = true)]
    Sweep {
        /// A store, or a datadir of regtest
        store: PathBuf,
        /// How taint passes a transaction
        policy: Policy,
    },

    /// Write a large synthetic chain (`cargo xtask chain`)
    #[command(hide = true)]
    Chain {
        /// How many transactions, about
        #[arg(long)]
        txs: u64,
        /// Folder for blocks/ and truth/
        #[arg(long)]
        out: PathBuf,
        /// The same seed gives the same chain
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },

    /// Take the last blocks off a store and put them back one by one
    Append {
        /// Folder with blk*.dat from which the store was made
        blocks: PathBuf,
        /// A store, or a datadir of regtest
        store: PathBuf,
    },

    /// Look up transactions and histories in a store
    Lookups {
        /// A store, or a datadir of regtest
        store: PathBuf,
    },

    /// Screen addresses of a store against made-up labels and a book
    Screening {
        /// A store, or a datadir of regtest
        store: PathBuf,
    },

    /// How far twenty hops reach, by a poison trace and by a plain walk
    Reach {
        /// A store, or a datadir of regtest
        store: PathBuf,
        /// Start at this transaction, by number, instead of looking for one that reaches a tenth of all
        #[arg(long, value_name = "NUMBER")]
        from: Option<u32>,
    },

    /// Whole processes: a small trace, `status`
    Commands {
        /// A datadir of regtest
        datadir: PathBuf,
    },

    /// Write the graph of a store for the peers
    DumpEdges {
        /// A store, or a datadir of regtest
        store: PathBuf,
        /// File to write
        out: PathBuf,
        /// How far the question to the peers goes
        #[arg(long, default_value_t = 20, value_name = "N")]
        hops: u32,
    },

    /// Cluster the addresses of a store, and let GraphSense's package do the same
    ///
    /// The package and what it needs: bench/peers/cluster-requirements.txt.
    Clustering(clustering::ClusteringOptions),

    /// Measure other programs on a graph written by `dump-edges`
    ///
    /// Makes a Python environment of its own with igraph and DuckDB, and uses graph-tool where the
    /// system has it (Debian: python3-graph-tool).
    Peers {
        /// File written by `dump-edges`
        edges: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let machine = Machine::here();
    let figures = match &args.job {
        Job::HashPass { blocks } => {
            println!("{}", hash_pass::run(blocks)?.to_json());
            return Ok(());
        }
        Job::DumpEdges { store, out, hops } => {
            let store = open_store(store)?;
            let question = graph::question(&store, *hops)?;
            let edges = graph::dump(&store, question, out)?;
            println!("{edges} edges; {question:?}");
            return Ok(());
        }
        Job::Chain { txs, out, seed } => {
            let summary = generate::run(*txs, out, *seed)?;
            println!("{}", serde_json::to_string_pretty(&summary)?);
            return Ok(());
        }
        Job::Sweep { store, policy } => {
            println!("{}", sweeps::sweep_whole(&open_store(store)?, *policy, SWEEPING)?);
            return Ok(());
        }
        Job::All(options) => all::measure(options)?,
        Job::Trace { store } => sweeps::measure(&open_store(store)?, store, true)?,
        Job::Index { blocks, datadir, no_limit } => {
            indexing::measure(&Product::build()?, blocks, datadir, true, !no_limit)?
        }
        Job::Append { blocks, store } => append::figures(&[append::measure(blocks, store)?]),
        Job::Lookups { store } => lookups::measure(&open_store(store)?)?,
        Job::Screening { store } => screening::measure(&open_store(store)?)?,
        Job::Clustering(options) => clustering::measure(&open_store(&options.store)?, options)?,
        Job::Reach { store, from } => {
            let store = open_store(store)?;
            let question = match from {
                Some(root) => graph::question_from(&store, TxNum(*root), 20)?,
                None => graph::question(&store, 20)?,
            };
            sweeps::reach(&store, question)?.0
        }
        Job::Commands { datadir } => {
            sweeps::small(&open_store(datadir)?, &Product::build()?, datadir)?
        }
        Job::Peers { edges } => peers::measure(edges, None)?,
    };
    publish(args, &machine, &figures)
}

/// The folder of a store, given by itself or by the datadir around it.
fn find_store(path: &Path) -> anyhow::Result<PathBuf> {
    let inside = ["", "regtest/graph"];
    let found = inside.iter().map(|part| path.join(part)).find(|dir| dir.join("meta").exists());
    found.with_context(|| format!("{}: no store here", path.display()))
}

fn open_store(path: &Path) -> anyhow::Result<Store> {
    let found = find_store(path)?;
    Store::open(&found).with_context(|| found.display().to_string())
}

/// Prints the figures, and writes them where that was asked for.
fn publish(args: &Args, machine: &Machine, figures: &Figures) -> anyhow::Result<()> {
    let text = format!("{}\n\n{}", machine.line(), figures.table());
    println!("{text}");
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&figures.to_json(machine))?;
        fs::write(path, json + "\n").with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.write {
        let page = format!("# Performance\n\n{INTRODUCTION}\n\nMachine: {text}");
        fs::write(path, page).with_context(|| path.display().to_string())?;
    }
    match figures.missed() {
        0 => println!("all targets met"),
        missed => println!("{missed} targets missed"),
    }
    Ok(())
}

/// How long a whole-chain trace is repeated, so that small chains can be timed.
const SWEEPING: Duration = Duration::from_secs(1);

const INTRODUCTION: &str = "\
Written by `cargo xtask bench --write docs/performance.md`. All figures are of one run on one machine, on synthetic chains that
`cargo xtask chain` writes. Machines are noisy: trust the ratios more than the seconds. In the last column 1 is
the target and less is better.";
