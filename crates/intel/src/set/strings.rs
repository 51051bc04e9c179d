//! The strings of a set while it is built: each once, numbered in their order.

use rustc_hash::FxHashMap;

use super::layout::NONE;
use crate::IntelError;

/// Collects strings, then numbers them.
#[derive(Default)]
pub(super) struct Strings<'a>(FxHashMap<&'a str, u32>);

impl<'a> Strings<'a> {
    pub(super) fn add(&mut self, text: &'a str) {
        self.0.entry(text).or_insert(NONE);
    }

    pub(super) fn add_all(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        texts.into_iter().for_each(|text| self.add(text));
    }

    /// Numbers them; gives their ends and their bytes as sections.
    pub(super) fn number(&mut self) -> Result<(Vec<u32>, Vec<u8>), IntelError> {
        let mut sorted: Vec<&str> = self.0.keys().copied().collect();
        sorted.sort_unstable();
        let (mut ends, mut bytes) = (Vec::with_capacity(sorted.len()), Vec::new());
        for (number, text) in (0..NONE).zip(sorted) {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(small(bytes.len(), "text")?);
            self.0.insert(text, number);
        }
        Ok((ends, bytes))
    }

    /// The number of a string that was added.
    pub(super) fn get(&self, text: &str) -> u32 {
        self.0.get(text).copied().unwrap_or(NONE)
    }

    pub(super) fn some(&self, text: Option<&str>) -> u32 {
        text.map_or(NONE, |text| self.get(text))
    }
}

/// A length or number as a word of the file.
pub(super) fn small(number: usize, what: &'static str) -> Result<u32, IntelError> {
    u32::try_from(number).ok().filter(|number| *number != NONE).ok_or(IntelError::Full(what))
}
