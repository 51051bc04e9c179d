//! From a line to words with their columns.

use super::error::{ParseError, Problem};

/// A word, or a part of one, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl<'a> Word<'a> {
    /// An error at this place.
    pub(super) fn error(self, problem: Problem) -> ParseError {
        ParseError { line: self.line, column: self.column, problem }
    }

    /// An error that says what would have been right at this place.
    pub(super) fn expected(self, expected: &'static str) -> ParseError {
        self.error(Problem::Expected { expected, found: self.text.to_owned() })
    }

    /// The parts before and after the first `separator`.
    pub(super) fn split(self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(separator)?;
        Some((self.slice_from(before), self.slice_from(after)))
    }

    /// The parts before and after the last `separator`.
    pub(super) fn split_last(self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.rsplit_once(separator)?;
        Some((self.slice_from(before), self.slice_from(after)))
    }

    /// What follows `prefix`.
    pub(super) fn after(self, prefix: &str) -> Option<Self> {
        self.text.strip_prefix(prefix).map(|rest| self.slice_from(rest))
    }

    /// The same place's text without its end.
    pub(super) fn before(self, suffix: &str) -> Option<Self> {
        self.text.strip_suffix(suffix).map(|rest| self.slice_from(rest))
    }

    /// All parts between `separator`s.
    pub(super) fn list(self, separator: char) -> impl Iterator<Item = Self> {
        self.text.split(separator).map(move |part| self.slice_from(part))
    }

    /// A slice of this word's text, with the column that it starts at.
    pub(super) fn slice_from(self, part: &'a str) -> Self {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let skipped = self.text.get(..offset).map_or(0, |text| text.chars().count());
        Self { text: part, line: self.line, column: self.column.saturating_add(count(skipped)) }
    }
}

/// The words of a line: divided by blanks, except between quotation marks; nothing from `#` on.
pub(super) fn words(line: &str, number: u32) -> Result<Vec<Word<'_>>, ParseError> {
    let mut words = Vec::new();
    let mut start: Option<(usize, u32)> = None;
    let mut quoted: Option<u32> = None;
    let mut escaped = false;
    let mut end = line.len();
    for (column, (at, c)) in (1_u32..).zip(line.char_indices()) {
        if quoted.is_some() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = None,
                _ => {}
            }
            continue;
        }
        if c == '#' {
            end = at;
            break;
        }
        if c.is_whitespace() {
            if let Some((from, column)) = start.take() {
                words.push(Word { text: &line[from..at], line: number, column });
            }
            continue;
        }
        if c == '"' {
            quoted = Some(column);
        }
        start.get_or_insert((at, column));
    }
    if let Some(column) = quoted {
        return Err(ParseError { line: number, column, problem: Problem::Quote });
    }
    if let Some((from, column)) = start {
        words.push(Word { text: &line[from..end], line: number, column });
    }
    Ok(words)
}

/// The place behind the last word, for errors about what is missing.
pub(super) fn end<'a>(words: &[Word<'a>], line: u32) -> Word<'a> {
    let column =
        words.last().map_or(1, |word| word.column.saturating_add(count(word.text.chars().count())));
    Word { text: "", line, column }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
