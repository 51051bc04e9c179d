//! Block files into the store, by the real binary in a process of its own, beside the pass that
//! only reads and hashes the same files.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    figures::{Figures, Target},
    process::{self, Usage},
};

/// The release binary of the product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    exe: PathBuf,
}

impl Product {
    /// Built anew if need be, beside our own binary.
    pub(crate) fn build() -> anyhow::Result<Self> {
        let own = env::current_exe()?;
        let folder = own.parent().context("a binary lies in a folder")?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--quiet", "--package", "chainhound"]);
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        let status = cargo.status().context("cannot start cargo")?;
        anyhow::ensure!(status.success(), "building chainhound ended with {status}");
        let exe = folder.join(format!("chainhound{}", env::consts::EXE_SUFFIX));
        anyhow::ensure!(exe.exists(), "{}: not built there", exe.display());
        Ok(Self { exe })
    }

    /// `chainhound VERB … --datadir DATADIR --network regtest`
    pub(crate) fn run(
        &self,
        verb: &str,
        datadir: &Path,
        args: &[impl AsRef<OsStr>],
    ) -> anyhow::Result<Usage> {
        let mut command = Command::new(&self.exe);
        command.arg(verb).arg("--datadir").arg(datadir).args(["--network", "regtest"]).args(args);
        process::measure(&mut command)
    }
}

/// What reading and hashing alone cost, in a process of its own.
pub(crate) fn hash_pass(blocks: &Path) -> anyhow::Result<(Usage, Value)> {
    let mut command = Command::new(env::current_exe()?);
    let usage = process::measure(command.arg("hash-pass").arg(blocks))?;
    let seen = serde_json::from_str(&usage.stdout)?;
    Ok((usage, seen))
}

/// Indexes a chain into `datadir` (emptied first), as fast as it goes and then with a memory limit.
/// Leaves the store of the first run. Targets are for the `yardstick`.
pub(crate) fn measure(
    product: &Product,
    blocks: &Path,
    datadir: &Path,
    yardstick: bool,
    limited: bool,
) -> anyhow::Result<Figures> {
    let only = |target| if yardstick { target } else { Target::None };
    let mut figures = Figures::default();
    // Once to have the files in the system's cache for everybody.
    hash_pass(blocks)?;
    let (floor, seen) = hash_pass(blocks)?;
    let transactions = seen["transactions"].as_f64().context("the pass counts transactions")?;
    figures.group(format!("Indexing, {} transactions, {} bytes", transactions, seen["bytes"]));
    let floor_cpu = floor.cpu.as_secs_f64();
    figures.add("reading and hashing only, one thread", floor_cpu, "CPU s", Target::None);

    let index = |datadir: &Path, more: &[&str]| {
        let _ = fs::remove_dir_all(datadir);
        let folder = blocks.as_os_str();
        let mut args = vec![OsStr::new("--blocks-dir"), folder];
        args.extend(more.iter().map(OsStr::new));
        product.run("index", datadir, &args)
    };
    let full = index(datadir, &[])?;
    let speed = transactions / full.wall.as_secs_f64();
    let cpu = full.cpu.as_secs_f64();
    figures.add("everything indexed", full.wall.as_secs_f64(), "s", Target::None);
    figures.add("… speed", speed, "tx/s", only(Target::AtLeast(250_000.0)));
    figures.add("… processor time", cpu, "CPU s", Target::None);
    figures.add("… of the hash pass's", cpu / floor_cpu, "×", only(Target::AtMost(10.0)));
    memory(&mut figures, &full, Target::None);

    let status = product.run("status", datadir, &["--format", "json"])?;
    let status: Value = serde_json::from_str(&status.stdout).context("`status` prints JSON")?;
    let bytes = status["bytes"].as_f64().context("`status` tells bytes")?;
    let indexed = status["transactions"].as_f64().context("`status` tells transactions")?;
    figures.add("disk", bytes / indexed, "bytes/tx", only(Target::AtMost(220.0)));
    if indexed != transactions {
        figures.note(format!(
            "of {transactions} transactions in the files {indexed} are on the best chain"
        ));
    }

    if limited {
        let second = datadir.with_extension("limited");
        let less = index(&second, &["--memory", "1GiB"]);
        let _ = fs::remove_dir_all(&second);
        let less = less?;
        let slower = transactions / less.wall.as_secs_f64();
        figures.add("with --memory 1GiB, speed", slower, "tx/s", Target::AtLeast(speed / 2.0));
        memory(&mut figures, &less, Target::AtMost(GIB));
    }
    Ok(figures)
}

/// In GB, as the figures are.
const GIB: f64 = (1u64 << 30) as f64 / 1e9;

fn memory(figures: &mut Figures, usage: &Usage, most: Target) {
    figures.add("… memory of its own", usage.own as f64 / 1e9, "GB", Target::None);
    figures.add("… resident, mapped files too", usage.resident as f64 / 1e9, "GB", most);
}
