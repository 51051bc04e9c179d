//! A real bitcoind for the tests, in a private folder.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::cargo;

/// The variable through which tests find the node.
pub(crate) const BITCOIND_EXE: &str = "BITCOIND_EXE";

const SCRIPT: &str = "xtask/scripts/install-node.sh";

#[derive(Debug, clap::Args)]
pub(crate) struct Prefix {
    /// Where to unpack it [default: .node in the workspace's root]
    #[arg(long, env = "CHAINHOUND_NODE_DIR", value_name = "DIR")]
    pub prefix: Option<PathBuf>,
}

impl Prefix {
    /// The folder asked for, or the default.
    pub(crate) fn path(&self) -> PathBuf {
        self.prefix.clone().unwrap_or_else(|| cargo::workspace().join(".node"))
    }
}

/// The node that the tests are to use, installed where that is possible.
///
/// `None` on a system without Debian's tools and without a node of the user's own.
pub(crate) fn find_or_install(prefix: &Path) -> anyhow::Result<Option<PathBuf>> {
    if let Some(exe) = env::var_os(BITCOIND_EXE).map(PathBuf::from) {
        anyhow::ensure!(
            answers(&exe),
            "{BITCOIND_EXE} is set to {}, which does not answer to --version: \
             correct it, or unset it to have a node installed",
            exe.display()
        );
        return Ok(Some(exe));
    }
    if !has_apt() && !answers(&bitcoind(prefix)) {
        return Ok(None);
    }
    install(prefix).map(Some)
}

/// Unpacks a node below `prefix` unless one is there already, and gives its path.
pub(crate) fn install(prefix: &Path) -> anyhow::Result<PathBuf> {
    let exe = bitcoind(prefix);
    if answers(&exe) {
        return Ok(exe);
    }
    anyhow::ensure!(
        has_apt(),
        "a node is installed from Debian's package bitcoin-knots, and this system has no apt-get \
         and dpkg-deb: install Bitcoin Core or Knots yourself and set {BITCOIND_EXE} to its bitcoind"
    );
    let mut script = Command::new("bash");
    script.arg(cargo::workspace().join(SCRIPT)).arg(prefix);
    cargo::succeed(&mut script).with_context(|| {
        format!("no node in {}: set {BITCOIND_EXE} to use one of your own", prefix.display())
    })?;
    anyhow::ensure!(
        answers(&exe),
        "{} was unpacked and does not answer to --version: remove {} and try again",
        exe.display(),
        prefix.display()
    );
    Ok(exe)
}

fn bitcoind(prefix: &Path) -> PathBuf {
    // Absolute, because tests run in their own folders.
    let prefix = std::path::absolute(prefix).unwrap_or_else(|_| prefix.to_path_buf());
    prefix.join("bin/bitcoind")
}

fn answers(exe: &Path) -> bool {
    quiet(Command::new(exe).arg("--version"))
}

fn has_apt() -> bool {
    quiet(Command::new("apt-get").arg("--version"))
        && quiet(Command::new("dpkg-deb").arg("--version"))
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
