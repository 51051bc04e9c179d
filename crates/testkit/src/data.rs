//! What tests learn from their surroundings: real chain data beside the checkout, where it is present,
//! and how thorough to be.

use std::path::{Path, PathBuf};

/// The folder with real chain data: `CHAINHOUND_TEST_DATA` where set, otherwise `../shared/data`
/// beside the workspace. `None`, after a line on standard error that says so, where it is absent:
/// the test then has nothing to do.
pub fn data_dir() -> Option<PathBuf> {
    let path = match std::env::var_os("CHAINHOUND_TEST_DATA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    if path.is_dir() {
        return Some(path);
    }
    skipped("no data set");
    None
}

/// How many cases a property test shall try: the usual number, times `CHAINHOUND_STRESS` where that
/// is set.
pub fn cases(usual: u32) -> u32 {
    let stress = std::env::var("CHAINHOUND_STRESS").ok().and_then(|text| text.parse().ok());
    usual.saturating_mul(stress.unwrap_or(1))
}

/// Says on standard error that a test could not do its work.
#[allow(clippy::print_stderr, reason = "a test's word to the person who runs it")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
