//! Speed and size, measured against the project's targets; and the writer of large chains.
//!
//! Started by `cargo xtask bench` and `cargo xtask chain`, always in release mode.

// A command-line tool talks on its standard streams.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod figures;
mod hash_pass;
mod machine;
mod peers;
mod process;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Speed and size against the project's targets.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench", arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Read the block files of a folder and hash every transaction, on one thread
    ///
    /// The floor under every indexer: what reading and hashing alone costs. Prints JSON.
    HashPass {
        /// Folder with blk*.dat
        dir: PathBuf,
    },

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
    match run(&Args::parse().job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: &Job) -> anyhow::Result<()> {
    match job {
        Job::HashPass { dir } => {
            println!("{}", hash_pass::run(dir)?.to_json());
        }
        Job::Peers { edges } => {
            let figures = peers::measure(edges)?;
            println!("{}", figures.table());
        }
    }
    Ok(())
}
