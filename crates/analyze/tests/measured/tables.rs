//! Figures as the method pages show them.

/// A part of a whole with one decimal, cut off; `-` of nothing.
pub(crate) fn percent(part: usize, whole: usize) -> String {
    match (part * 1000).checked_div(whole) {
        Some(share) => format!("{}.{} %", share / 10, share % 10),
        None => "-".to_owned(),
    }
}
