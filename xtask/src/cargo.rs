//! Running cargo, and finding the workspace that it works on.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::Context as _;

/// The workspace's root folder.
pub(crate) fn workspace() -> PathBuf {
    // xtask's own folder lies directly below the root. The variable is set by `cargo run`, and
    // follows a checkout that was moved after the build.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// The cargo that started us.
fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Cargo, to be run in the workspace's root.
pub(crate) fn command() -> Command {
    let mut command = Command::new(program());
    command.current_dir(workspace());
    command
}

/// Builds a binary of the workspace with optimisations and hands our standard streams to it.
///
/// It runs in the folder where the user stands, so that relative paths mean what they look like.
pub(crate) fn run_release(package: &str, args: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut run = Command::new(program());
    run.args(["run", "--release", "--quiet", "--manifest-path"])
        .arg(workspace().join("Cargo.toml"))
        .args(["--package", package, "--"])
        .args(args);
    let status = status(&mut run)?;
    // No code means that a signal ended it; the shell's convention for that is above 128.
    Ok(status
        .code()
        .map_or(ExitCode::from(130), |code| ExitCode::from(u8::try_from(code).unwrap_or(1))))
}

/// Runs a command to its end and fails with a readable line unless it succeeds.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    anyhow::ensure!(status.success(), "`{}` ended with {status}", line(command));
    Ok(())
}

/// Runs a command to its end.
pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command.status().with_context(|| format!("cannot start `{}`", line(command)))
}

/// A command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
