//! How wide a text is, in tenths of a pixel, without asking any font.
//!
//! The advance widths are those of DejaVu Sans, the widest of the usual sans-serif fonts: in
//! Verdana, Helvetica, Arial, Segoe or Roboto the same text is as wide or narrower, so what fits
//! here fits everywhere.

use crate::escape;

/// Advance widths of U+0020 to U+007E in thousandths of the font's size, rounded up.
#[rustfmt::skip]
const NORMAL: [i64; 95] = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637,
    637, 637, 637, 637, 637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632,
    576, 775, 752, 295, 295, 656, 558, 863, 749, 788, 604, 788, 695, 635, 611, 732, 685, 989, 686,
    611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635, 616, 353, 635, 634, 278, 278, 580,
    278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637, 337, 637, 838,
];

/// The same in bold.
#[rustfmt::skip]
const BOLD: [i64; 95] = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831, 684,
    684, 821, 837, 373, 373, 775, 638, 996, 837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771,
    725, 726, 458, 366, 458, 838, 500, 500, 675, 716, 593, 716, 679, 436, 716, 712, 343, 343, 666,
    343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 366, 712, 838,
];

/// A way to write text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// In pixels.
    pub(super) size: i64,
    pub(super) bold: bool,
}

impl Style {
    pub(super) const fn new(size: i64) -> Self {
        Self { size, bold: false }
    }

    pub(super) const fn bold(size: i64) -> Self {
        Self { size, bold: true }
    }

    /// The width of a text made by [`safe`], in tenths of a pixel, rounded up.
    pub(super) fn width(self, text: &str) -> i64 {
        let thousandths: i64 = text.chars().map(|c| self.advance(c)).sum();
        (thousandths * self.size + 99) / 100
    }

    fn advance(self, c: char) -> i64 {
        let ascii = u32::from(c).checked_sub(0x20).and_then(|i| usize::try_from(i).ok());
        let table = if self.bold { &BOLD } else { &NORMAL };
        match (ascii.and_then(|i| table.get(i)), c) {
            (Some(&width), _) => width,
            (None, '·') => 380,
            (None, '\u{a0}'..='\u{2af}') => 1600,
            (None, '\u{370}'..='\u{52f}') => 1450,
            (None, _) => 1100,
        }
    }

    /// The text if it fits, else as much of its beginning as does, and an ellipsis.
    pub(super) fn fit(self, text: &str, width: i64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let mut cut: Vec<char> = text.chars().collect();
        while cut.pop().is_some() {
            let shorter: String = cut.iter().chain(&['…']).collect();
            if self.width(&shorter) <= width {
                return shorter;
            }
        }
        String::new()
    }

    /// The text in lines that are not wider than this; a longer word is cut.
    pub(super) fn wrap(self, text: &str, width: i64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ') {
            let longer = lines.last().map(|line| format!("{line} {word}"));
            match (lines.last_mut(), longer) {
                (Some(line), Some(longer)) if self.width(&longer) <= width => *line = longer,
                _ => lines.push(self.fit(word, width)),
            }
        }
        lines
    }
}

/// A text whose letters have known widths: others become U+FFFD, marks that stack above and below
/// included. The full text belongs in a tooltip.
pub(super) fn safe(text: &str) -> String {
    let known = |c: char| {
        matches!(c, ' '..='~' | '\u{a0}'..='\u{2af}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}')
            || matches!(c, '–' | '—' | '…' | '→' | '≥' | '≤' | '₿')
            // Kana, ideographs, Hangul, and their punctuation: one em each.
            || matches!(c, '\u{3000}'..='\u{3029}' | '\u{3030}'..='\u{3096}' | '\u{309b}'..='\u{30ff}')
            || matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}')
    };
    escape::plain(text).chars().map(|c| if known(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        assert_eq!(Style::new(10).width("i"), 28);
        assert_eq!(Style::new(10).width(""), 0);
        assert!(Style::bold(10).width("BTC") > Style::new(10).width("BTC"));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let style = Style::new(10);
        assert_eq!(style.fit("short", 1000), "short");
        let cut = style.fit("a long text that does not fit", 500);
        assert!(cut.ends_with('…') && style.width(&cut) <= 500, "{cut}");
        assert_eq!(style.fit("x", 0), "");
        assert!(style.wrap("some words in a row", 500).iter().all(|line| style.width(line) <= 500));
        assert_eq!(style.wrap("some words in a row", 500).join(" "), "some words in a row");
    }

    #[test]
    fn strange_letters_are_replaced() {
        assert_eq!(safe("a\u{0301}\u{fdfd}取引所"), "a\u{fffd}\u{fffd}取引所");
    }
}
