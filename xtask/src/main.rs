//! The project's own chores, as `cargo xtask <chore>`.
//!
//! `test` installs what the tests need and runs all of them, `node` installs a real node,
//! `chain` writes a large synthetic chain, `bench` measures. `cargo xtask help` says the rest.

// A command-line tool talks on its standard streams.
#![allow(clippy::print_stderr)]

mod cargo;
mod nextest;
mod node;
mod suite;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// The project's own chores.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what the tests need, then run all of them
    ///
    /// Installs the test runner (cargo-nextest) and a real node where they are missing, both into
    /// private folders, then runs the documentation tests and every other test of the workspace.
    Test(suite::Suite),

    /// Install a real bitcoind into a private folder
    ///
    /// Unpacks Debian's package bitcoin-knots and its libraries, without touching the system and
    /// without being root. Needs apt-get and dpkg-deb. Does nothing where the folder already holds
    /// a node that answers. Tests find the node through BITCOIND_EXE, which `cargo xtask test`
    /// sets; set it yourself to use a node of your own.
    Node(node::Prefix),

    /// Write a large synthetic chain as a node's blk*.dat files, with its truth beside it
    ///
    /// Valid regtest blocks: wallets that pay, consolidate and reuse addresses, exchanges that pay
    /// in batches, CoinJoins, peel chains and thefts. The same seed gives the same bytes. Ten million
    /// transactions take minutes and 5 GB.
    #[command(after_help = CHAIN_HELP)]
    Chain(Chain),

    /// Measure speed and size against the project's targets
    ///
    /// Without a sub-command everything, on chains of three sizes that are generated at the first run.
    #[command(after_help = BENCH_HELP)]
    Bench {
        /// What to measure and how: see below
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
}

#[derive(Debug, clap::Args)]
struct Chain {
    /// How many transactions, about (the last block is finished)
    #[arg(long, value_name = "N")]
    txs: u64,

    /// Folder that gets blocks/ and truth/; made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The same seed gives the same chain, byte for byte
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

const CHAIN_HELP: &str = "\
What is written:
  DIR/blocks/blk*.dat           the chain, for `chainhound index --blocks-dir DIR/blocks`
  DIR/truth/transactions.bin    four bytes a transaction: what it really is, and its change output
  DIR/truth/outputs.bin         four bytes an output: whose it is
  DIR/truth/entities.csv        who there is: number and role
  DIR/truth/summary.json        counts, seed and tip
crates/testkit/src/generate/truth.rs describes the files in truth/ byte for byte.

Example:
  cargo xtask chain --txs 100000 --out chain";

const BENCH_HELP: &str = "\
Examples:
  cargo xtask bench                        all figures, as a table beside the targets
  cargo xtask bench --txs 1000000          the same on a smaller chain
  cargo xtask bench hash-pass DIR          only read and hash the block files of DIR
  cargo xtask bench help                   all sub-commands
  cargo xtask bench help all               the flags of one";

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.chore {
        Chore::Test(options) => suite::run(&options),
        Chore::Node(prefix) => {
            let exe = node::install(&prefix.path())?;
            eprintln!("BITCOIND_EXE={}", exe.display());
            Ok(ExitCode::SUCCESS)
        }
        Chore::Chain(chain) => {
            let mut args: Vec<OsString> = vec!["chain".into()];
            args.extend(["--txs".into(), chain.txs.to_string().into()]);
            args.extend(["--out".into(), chain.out.into()]);
            args.extend(["--seed".into(), chain.seed.to_string().into()]);
            cargo::run_release("bench", &args)
        }
        Chore::Bench { mut args } => {
            let is_flag = |arg: &OsString| arg.to_string_lossy().starts_with('-');
            if args.first().is_none_or(is_flag) {
                args.insert(0, "all".into());
            }
            cargo::run_release("bench", &args)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Args, Chore};

    #[test]
    fn flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn bench_takes_what_follows_as_it_is() {
        let args = ["xtask", "bench", "all", "--txs", "5", "help"];
        match Args::try_parse_from(args).expect("these arguments are well formed").chore {
            Chore::Bench { args } => assert_eq!(args, ["all", "--txs", "5", "help"]),
            other => panic!("{other:?}"),
        }
    }
}
