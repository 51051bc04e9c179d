//! Other programs on the same graph: `bench/peers/run.py`, with a Python environment of its own.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;
use serde_json::Value;

use crate::figures::{Figures, Target};

/// Runs the peers on a file written by `dump-edges` and gives their figures, beside the seconds
/// that we took for the same question if they are known.
pub(crate) fn measure(edges: &Path, ours: Option<f64>) -> anyhow::Result<Figures> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let python = environment(&peers)?;
    let output = Command::new(python)
        .arg(peers.join("run.py"))
        .arg("--json")
        .arg(edges)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start the peers' Python")?;
    anyhow::ensure!(output.status.success(), "the peers ended with {}", output.status);
    let answer = serde_json::from_slice(&output.stdout);
    figures(&answer.context("the peers' answer is not JSON")?, ours)
}

/// A private Python environment with the peers in it, made at the first run.
fn environment(peers: &Path) -> anyhow::Result<PathBuf> {
    let target = env::current_exe()?.parent().and_then(Path::parent).map(Path::to_path_buf);
    let venv = target.unwrap_or_else(env::temp_dir).join("tools/peers");
    let python = venv.join("bin/python3");
    let ready = venv.join("ready");
    if !ready.exists() {
        eprintln!("peers: making a Python environment in {}", venv.display());
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run(pip.arg(peers.join("requirements.txt")))?;
        std::fs::write(&ready, "")?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot start {name}"))?;
    anyhow::ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// The figures in what `run.py --json` prints.
fn figures(answer: &Value, ours: Option<f64>) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    figures.group(format!("Peers: forward reach of {} hops", answer["hops"]));
    for peer in answer["peers"].as_array().context("the peers' answer lists no peers")? {
        let name = peer["name"].as_str().unwrap_or("?");
        let version = peer["version"].as_str().unwrap_or("");
        if let Some(skipped) = peer["skipped"].as_str() {
            figures.note(format!("{name}: not measured: {skipped}"));
            continue;
        }
        let number = |key: &str| peer[key].as_f64().unwrap_or(f64::NAN);
        figures.add(format!("{name} {version}"), number("query_s") * 1e3, "ms", Target::None);
        if let Some(ours) = ours {
            let ratio = ours / number("query_s");
            figures.add("… chainhound's time, of this", ratio, "×", Target::AtMost(1.0));
        }
        figures.add("… loading", number("load_s"), "s", Target::None);
        figures.add("… memory", number("memory_bytes") / 1e6, "MB", Target::None);
        if peer["reached"] != answer["expected"] {
            figures.note(format!(
                "{name} reached {} transactions, we {}",
                peer["reached"], answer["expected"]
            ));
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::figures;

    #[test]
    fn answers_become_figures_and_differences_notes() {
        let peer = json!({
            "name": "igraph", "version": "1.0", "query_s": 0.359, "load_s": 29.0,
            "memory_bytes": 5.4e9, "reached": 9,
        });
        let absent = json!({ "name": "graph-tool", "skipped": "not installed" });
        let answer = json!({ "hops": 20, "expected": 10, "peers": [peer, absent] });
        let table = figures(&answer, Some(0.0359)).unwrap().table();
        assert!(table.contains("359 ms") && table.contains("0.100 ×"), "{table}");
        assert!(table.contains("igraph reached 9 transactions, we 10"), "{table}");
        assert!(table.contains("graph-tool: not measured: not installed"), "{table}");
    }
}
