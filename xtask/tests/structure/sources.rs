//! Source files: their size, their names, and what pure crates may mention.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// More lines than this are two concerns in one file.
const MOST_LINES: usize = 600;
/// Above this a file is worth a look.
const USUAL_LINES: usize = 400;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc"];

/// Crates that see the chain only through `trait Ledger`: same input, same bytes.
const PURE: &[&str] = &["crates/chain/", "crates/analyze/", "crates/intel/", "crates/screen/"];
/// What they would need to do otherwise.
const OUTSIDE_WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::",
    "File::open",
    "rand::",
];

/// Amounts are whole satoshis wherever they are shared out or judged.
const WITHOUT_FLOATS: &[&str] =
    &["crates/analyze/src/trace", "crates/chain/", "crates/screen/", "crates/guard/"];

/// Every Rust file below a folder, in order.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file is longer than most.
pub(crate) fn is_long(lines: usize) -> bool {
    lines > USUAL_LINES
}

/// What to say about a file of this many lines.
pub(crate) fn size_complaint(path: &str, lines: usize) -> Option<String> {
    (lines > MOST_LINES)
        .then(|| format!("{path} has {lines} lines: split it ({MOST_LINES} at most)"))
}

/// What to say about a file of this name.
pub(crate) fn name_complaint(path: &str) -> Option<String> {
    path.split(['/', '\\'])
        .map(|part| part.trim_end_matches(".rs"))
        .find(|part| EMPTY_NAMES.contains(part))
        .map(|part| format!("{path}: `{part}` says nothing about what is inside"))
}

/// Where a file of a pure crate reaches outside, or money meets a float.
pub(crate) fn purity_complaints(path: &str, text: &str) -> Vec<String> {
    let path = &path.replace('\\', "/");
    let is_in = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let (pure, exact) = (is_in(PURE), is_in(WITHOUT_FLOATS));
    let mut found = Vec::new();
    for (number, line) in (1..).zip(code(text)) {
        if pure && let Some(word) = OUTSIDE_WORLD.iter().find(|word| line.contains(**word)) {
            found
                .push(format!("{path}:{number}: `{word}` in a crate without I/O, clock or chance"));
        }
        if exact && let Some(word) = ["f32", "f64"].iter().find(|word| has_word(line, word)) {
            found.push(format!("{path}:{number}: `{word}` where amounts are whole satoshis"));
        }
    }
    found
}

/// The lines of a file up to its tests, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(|line| line.split("//").next().unwrap_or(""))
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| {
        part == word
            || part
                .strip_suffix(word)
                .is_some_and(|n| n.ends_with(|c: char| c.is_ascii_digit() || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::{name_complaint, purity_complaints, size_complaint};

    #[test]
    fn long_files_are_reported() {
        assert_eq!(size_complaint("a.rs", 600), None);
        assert!(size_complaint("a.rs", 601).is_some());
    }

    #[test]
    fn empty_names_are_reported() {
        assert_eq!(name_complaint("crates/store/src/columns.rs"), None);
        assert!(name_complaint("crates/store/src/utils.rs").is_some());
        assert!(name_complaint("crates/store/tests/common/mod.rs").is_some());
    }

    #[track_caller]
    fn check(path: &str, text: &str, complaints: usize) {
        assert_eq!(purity_complaints(path, text).len(), complaints, "{path}: {text}");
    }

    #[test]
    fn the_outside_world_is_reported_in_pure_crates() {
        check("crates/analyze/src/lib.rs", "let x = std::fs::read(p);", 1);
        check("crates/analyze/src/lib.rs", "// std::fs is not for us", 0);
        check("crates/analyze/src/lib.rs", "#[cfg(test)]\nuse std::fs;", 0);
        check("crates/store/src/lib.rs", "let x = std::fs::read(p);", 0);
    }

    #[test]
    fn floats_are_reported_where_money_is_shared_out() {
        check("crates/analyze/src/trace/haircut.rs", "let share = value as f64;", 1);
        check("crates/analyze/src/trace/haircut.rs", "let share = 0.5_f64;", 1);
        check("crates/analyze/src/trace/haircut.rs", "let buf64 = 1;", 0);
        check("crates/report/src/svg.rs", "let x: f64 = 1.0;", 0);
    }
}
