//! `cargo xtask test`: what the tests need, then the tests.

use std::{env, ffi::OsString, path::PathBuf, process::ExitCode};

use crate::{cargo, nextest, node};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask test                         everything
  cargo xtask test -- -p store             the tests of one crate
  cargo xtask test -- trace::fifo          the tests whose path contains these words
  cargo xtask test --no-node -- -E 'not test(real_node)'

Environment:
  BITCOIND_EXE           a node of your own, used instead of installing one
  CHAINHOUND_TEST_DATA   folder of real chain data [default: ../shared/data beside the checkout]
  CHAINHOUND_STRESS      so many times as many random cases [default: 1]")]
pub(crate) struct Suite {
    #[command(flatten)]
    node: node::Prefix,

    /// Install no node; tests that need one say so and pass
    #[arg(long)]
    no_node: bool,

    /// Leave the documentation's examples out
    #[arg(long)]
    no_doc: bool,

    /// The profile of .config/nextest.toml [default: ci where CI is set, else default]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Passed on to `cargo nextest run`: filters, -p CRATE, --no-capture …
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<OsString>,
}

pub(crate) fn run(options: &Suite) -> anyhow::Result<ExitCode> {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| cargo::workspace().join("target"), PathBuf::from);
    let mut runner = nextest::command(&target.join("tools/nextest"))?;
    let node = if options.no_node { None } else { find_node(options)? };

    // A filter is about the other tests: examples in the documentation are run only with all.
    if !options.no_doc && options.rest.is_empty() {
        eprintln!("== examples in the documentation");
        cargo::succeed(cargo::command().args(["test", "--quiet", "--doc", "--workspace"]))?;
    }

    eprintln!("== tests");
    let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let profile = options.profile.as_deref().unwrap_or(if ci { "ci" } else { "default" });
    runner.args(["nextest", "run", "--profile", profile]);
    if !names_a_package(&options.rest) {
        runner.arg("--workspace");
    }
    runner.args(&options.rest);
    if let Some(exe) = node {
        runner.env(node::BITCOIND_EXE, exe);
    }
    // Last, so that the runner's closing line, with its counts, is the last thing on the screen.
    let status = cargo::status(&mut runner)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the user chose crates; `--workspace` would overrule the choice.
fn names_a_package(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        arg.starts_with("-p") || arg.starts_with("--package") || arg == "--workspace"
    })
}

fn find_node(options: &Suite) -> anyhow::Result<Option<PathBuf>> {
    let node = node::find_or_install(&options.node.path())?;
    match &node {
        Some(exe) => eprintln!("real node: {}", exe.display()),
        None => eprintln!(
            "real node: none, and no apt-get to install one. The tests that need one are skipped; \
             set BITCOIND_EXE to run them"
        ),
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::names_a_package;

    #[test]
    fn a_choice_of_crates_is_noticed() {
        let check = |args: &[&str]| {
            names_a_package(&args.iter().copied().map(Into::into).collect::<Vec<_>>())
        };
        assert!(check(&["-p", "store"]));
        assert!(check(&["fifo", "--package=store"]));
        assert!(!check(&["fifo", "-E", "not test(real_node)"]));
    }
}
