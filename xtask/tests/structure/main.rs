//! What must hold of the workspace as a whole: who may depend on whom, which manifests say what,
//! how large and how named the source files are. `cargo xtask test` runs it with the other tests.
//!
//! Each rule is a function from plain data to a list of complaints, so that it is tested itself
//! on made-up data that breaks it.

// Tests may fail loudly; the lints' own exception sees only functions marked `#[test]`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod floors;
mod manifests;
mod metadata;
mod sources;

use std::{fs, path::Path};

use metadata::{packages, root};

/// Fails with the complaints, one a line.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

#[test]
fn every_crate_uses_only_lower_floors() {
    none(&floors::violations(&packages()));
}

#[test]
fn every_manifest_inherits_the_workspace() {
    let workspace = read(&root().join("Cargo.toml"));
    let mut complaints = manifests::workspace_complaints(&workspace);
    for package in packages() {
        let text = read(&package.dir.join("Cargo.toml"));
        complaints.extend(manifests::complaints(&package.name, &text, &workspace));
    }
    none(&complaints);
}

#[test]
fn architecture_names_every_crate() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let missing: Vec<String> = packages()
        .iter()
        .map(|package| &package.name)
        .filter(|name| !text.contains(&format!("`{name}`")))
        .map(|name| format!("ARCHITECTURE.md has no paragraph about `{name}`"))
        .collect();
    none(&missing);
}

#[test]
fn source_files_are_small_and_named_after_what_they_do() {
    let mut complaints = Vec::new();
    for package in packages() {
        for path in sources::rust_files(&package.dir) {
            let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            complaints.extend(sources::name_complaint(&shown));
            if !path.starts_with(package.dir.join("src")) {
                continue;
            }
            let lines = read(&path).lines().count();
            complaints.extend(sources::size_complaint(&shown, lines));
            if sources::is_long(lines) {
                println!("long: {shown} has {lines} lines; most files have 100 to 400");
            }
        }
    }
    none(&complaints);
}

#[test]
fn pure_crates_touch_no_outside_world() {
    let mut complaints = Vec::new();
    for package in packages() {
        for path in sources::rust_files(&package.dir.join("src")) {
            let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            complaints.extend(sources::purity_complaints(&shown, &read(&path)));
        }
    }
    none(&complaints);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
