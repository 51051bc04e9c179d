//! The workspace's packages, as cargo tells them.

use std::{env, path::PathBuf, process::Command};

use serde_json::Value;

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the crate itself.
    Normal,
    /// In its build script.
    Build,
    /// In its tests.
    Dev,
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) dependencies: Vec<(String, Kind)>,
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in a folder").into()
}

/// All packages of this workspace.
pub(crate) fn packages() -> Vec<Package> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8(output.stdout).expect("cargo prints UTF-8"))
}

/// Reads what `cargo metadata` prints.
pub(crate) fn parse(json: &str) -> Vec<Package> {
    let json: Value = serde_json::from_str(json).expect("cargo prints JSON");
    array(&json["packages"]).iter().map(package).collect()
}

fn package(json: &Value) -> Package {
    Package {
        name: text(&json["name"]),
        dir: PathBuf::from(text(&json["manifest_path"])).parent().expect("a file").into(),
        dependencies: array(&json["dependencies"])
            .iter()
            .map(|dependency| {
                let kind = match dependency["kind"].as_str() {
                    None => Kind::Normal,
                    Some("build") => Kind::Build,
                    Some("dev") => Kind::Dev,
                    Some(other) => panic!("cargo names a new kind of dependency: {other}"),
                };
                (text(&dependency["name"]), kind)
            })
            .collect(),
    }
}

fn array(json: &Value) -> &[Value] {
    json.as_array().expect("an array")
}

fn text(json: &Value) -> String {
    json.as_str().expect("a string").to_owned()
}
