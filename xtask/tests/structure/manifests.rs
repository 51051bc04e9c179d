//! Manifests: what every crate inherits, and who may write `unsafe`.

use std::collections::BTreeSet;

/// The only crate with `unsafe`: it maps files into memory.
const MAY_BE_UNSAFE: &str = "store";

/// Keys of `[package]` that come from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// What is wrong with a crate's manifest.
pub(crate) fn complaints(name: &str, manifest: &str, workspace: &str) -> Vec<String> {
    let package = section(manifest, "package");
    let mut found: Vec<String> = INHERITED
        .iter()
        .filter(|key| !package.contains(&*format!("{key}.workspace = true")))
        .map(|key| format!("`{name}`: [package] lacks `{key}.workspace = true`"))
        .collect();
    if !package.iter().any(|line| line.starts_with("description = ")) {
        found.push(format!("`{name}`: [package] lacks a description"));
    }
    if name != MAY_BE_UNSAFE {
        if !section(manifest, "lints").contains("workspace = true") {
            found.push(format!("`{name}`: lacks `[lints] workspace = true`"));
        }
        return found;
    }
    // A crate cannot soften one inherited lint, so this one repeats them all, but for one.
    for table in ["lints.rust", "lints.clippy"] {
        let mut expected = section(workspace, &format!("workspace.{table}"));
        if expected.remove(r#"unsafe_code = "forbid""#) {
            expected.insert(r#"unsafe_code = "deny""#);
        }
        let own = section(manifest, table);
        for line in expected.symmetric_difference(&own) {
            let verb = if expected.contains(line) { "lacks" } else { "has its own" };
            found.push(format!("`{name}`: [{table}] {verb} `{line}`"));
        }
    }
    found
}

/// What is wrong with the workspace's manifest.
pub(crate) fn workspace_complaints(workspace: &str) -> Vec<String> {
    let lints = section(workspace, "workspace.lints.rust");
    let forbidden = lints.contains(r#"unsafe_code = "forbid""#);
    (!forbidden)
        .then(|| "the workspace's lints must have `unsafe_code = \"forbid\"`".to_owned())
        .into_iter()
        .collect()
}

/// The lines of a table, without comments and blank lines.
fn section<'a>(manifest: &'a str, table: &str) -> BTreeSet<&'a str> {
    let header = format!("[{table}]");
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{complaints, workspace_complaints};

    const WORKSPACE: &str = r#"
[workspace.lints.rust]
unsafe_code = "forbid"
missing_docs = "warn"
[workspace.lints.clippy]
panic = "warn"
"#;

    const PACKAGE: &str = r#"
[package]
name = "x"
description = "What it does"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true
"#;

    #[track_caller]
    fn check(name: &str, manifest: &str, expected: &[&str]) {
        assert_eq!(complaints(name, manifest, WORKSPACE), expected);
    }

    #[test]
    fn inheriting_everything_passes() {
        check("x", &format!("{PACKAGE}[lints]\nworkspace = true\n"), &[]);
    }

    #[test]
    fn a_licence_of_its_own_is_reported() {
        let manifest = PACKAGE.replace("license.workspace = true", r#"license = "GPL-3.0""#);
        check(
            "x",
            &format!("{manifest}[lints]\nworkspace = true\n"),
            &["`x`: [package] lacks `license.workspace = true`"],
        );
    }

    #[test]
    fn lints_of_its_own_are_reported() {
        let own = format!("{PACKAGE}[lints.rust]\nunsafe_code = \"allow\"\n");
        check("x", &own, &["`x`: lacks `[lints] workspace = true`"]);
    }

    #[test]
    fn the_store_differs_in_one_lint_only() {
        let good = format!(
            "{PACKAGE}[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = \"warn\"\n\
             [lints.clippy]\npanic = \"warn\"\n"
        );
        check("store", &good, &[]);
        let bad = good.replace("panic = \"warn\"", "panic = \"allow\"");
        check(
            "store",
            &bad,
            &[
                r#"`store`: [lints.clippy] has its own `panic = "allow"`"#,
                r#"`store`: [lints.clippy] lacks `panic = "warn"`"#,
            ],
        );
    }

    #[test]
    fn softer_workspace_lints_are_reported() {
        assert_eq!(workspace_complaints(WORKSPACE), Vec::<String>::new());
        assert_eq!(workspace_complaints(&WORKSPACE.replace("forbid", "warn")).len(), 1);
    }
}
