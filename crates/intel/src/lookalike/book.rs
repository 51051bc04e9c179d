//! A book of known addresses, and the search in it for the one that an address resembles.

use std::{cmp::Ordering, ops::Range};

use super::{
    ALARM, MilliBits, Shape,
    bits::{log2_ceil, log2_floor},
};

/// Entries looked at for one question, at most. Chance brings some dozens; a book that needs more
/// was made to.
const MOST_CANDIDATES: usize = 20_000;

/// From how many other entries on a beginning counts as a common one. Fewer share it by chance.
const FEWEST_COMMON: usize = 8;

/// Known addresses: an allow-list, a history, the addresses of a tag set.
pub struct Book {
    /// The texts as they are compared, in order, one after the other.
    text: String,
    ends: Vec<u32>,
    /// Numbers of the entries in the order of their reversed texts.
    backward: Vec<u32>,
}

/// What a book says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check<'a> {
    /// Whether the very address is in the book. It may still resemble another one.
    pub known: bool,
    /// The other address that it resembles most, as far as any comes near an alarm.
    pub nearest: Option<Match<'a>>,
    /// Bits that chance needs to explain away: log₂ of the number of entries, rounded up.
    pub book: MilliBits,
}

/// An address of the book that another one resembles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The address of the book.
    pub address: &'a str,
    /// Characters that both begin with.
    pub prefix: usize,
    /// Characters that both end with.
    pub suffix: usize,
    /// What the beginning says. Less where much of the book begins like that: services make
    /// addresses with their name in front.
    pub prefix_bits: MilliBits,
    /// What the end says.
    pub suffix_bits: MilliBits,
}

impl Match<'_> {
    /// Beginning and end together.
    pub fn bits(&self) -> MilliBits {
        self.prefix_bits.plus(self.suffix_bits)
    }
}

impl Check<'_> {
    /// How far the resemblance goes beyond what chance gives with a book of this size.
    pub fn margin(&self) -> MilliBits {
        self.nearest.map_or(MilliBits(0), |nearest| nearest.bits().minus(self.book))
    }

    /// Whether the address is made to resemble another one: bits − log₂(entries) ≥ [`ALARM`].
    pub fn is_alarm(&self) -> bool {
        self.margin() >= ALARM
    }
}

impl Book {
    /// A book of addresses as texts. What is no address, or of a kind that is not scored, is left
    /// out: the second value counts it.
    pub fn new<T: AsRef<str>>(addresses: impl IntoIterator<Item = T>) -> (Self, usize) {
        let mut left_out = 0;
        let shaped = addresses.into_iter().filter_map(|text| {
            let shape = Shape::of(text.as_ref());
            left_out += usize::from(shape.is_none());
            shape.map(|(_, text)| text)
        });
        let texts: Vec<String> = shaped.collect();
        (Self::of_texts(texts), left_out)
    }

    /// A book of the own network's addresses in a tag set.
    pub fn of_set(set: &crate::TagSet) -> Self {
        let network = set.network();
        let texts = set.scripts().filter_map(|script| chain::script::address(script, network));
        Self::of_texts(texts.collect())
    }

    fn of_texts(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        let mut book = Self { text: String::new(), ends: Vec::new(), backward: Vec::new() };
        for text in texts {
            // 4·10⁹ bytes are 10⁸ addresses; what is beyond is not looked for.
            let Ok(end) = u32::try_from(book.text.len() + text.len()) else { break };
            book.text.push_str(&text);
            book.ends.push(end);
        }
        // The last 16 characters decide nearly always, and compare as one number.
        let mut keyed: Vec<(u128, u32)> =
            (0..book.len() as u32).map(|entry| (tail(book.entry(entry)), entry)).collect();
        keyed.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| backward(book.entry(a.1), book.entry(b.1)))
        });
        book.backward = keyed.into_iter().map(|(_, entry)| entry).collect();
        book
    }

    /// How many addresses it holds.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What the book says about an address; `None` where the text is no address, or of a kind that
    /// is not scored.
    pub fn check(&self, address: &str) -> Option<Check<'_>> {
        let (shape, text) = Shape::of(address)?;
        Some(Search::new(self, shape, &text).run())
    }

    fn entry(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(number).copied().unwrap_or_default();
        self.text.get(start.unwrap_or(0) as usize..end as usize).unwrap_or_default()
    }

    fn entry_from_behind(&self, place: usize) -> &str {
        self.backward.get(place).map_or("", |entry| self.entry(*entry))
    }

    /// The entries of a part of the book that begin with a text.
    fn beginning_with(&self, prefix: &str, part: Range<usize>) -> Range<usize> {
        let before = |number: usize| self.entry(number as u32) < prefix;
        let start = first_not(part.clone(), before);
        let within = |number: usize| self.entry(number as u32).starts_with(prefix);
        start..first_not(start..part.end, within)
    }

    /// The places of [`Self::backward`] whose entries end with a text.
    fn ending_with(&self, suffix: &str) -> Range<usize> {
        let before = |place| backward(self.entry_from_behind(place), suffix) == Ordering::Less;
        let start = first_not(0..self.len(), before);
        let within = |place| self.entry_from_behind(place).ends_with(suffix);
        start..first_not(start..self.len(), within)
    }
}

/// The first number of a range for which a condition does not hold, where it holds for all before.
fn first_not(range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// The last 16 bytes, the last one first.
fn tail(text: &str) -> u128 {
    let bytes = text.bytes().rev().chain(std::iter::repeat(0));
    bytes.take(16).fold(0, |key, byte| (key << 8) | u128::from(byte))
}

/// The order of two texts read from behind.
fn backward(a: &str, b: &str) -> Ordering {
    a.bytes().rev().cmp(b.bytes().rev())
}

fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

fn shared_suffix(a: &str, b: &str) -> usize {
    a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count()
}

/// One question to a book.
///
/// An alarm needs that beginning and end together reach a sum, so one of them reaches half of it.
/// Few entries share so much of the beginning, and few so much of the end: only those are looked at.
struct Search<'b, 't> {
    book: &'b Book,
    shape: Shape,
    text: &'t str,
    /// Number of the entry that the text is, or would stand before.
    place: usize,
    known: bool,
    /// Half of what an alarm needs.
    half: MilliBits,
    /// For each length of beginning, how many bits less it says because much of the book begins
    /// like that; the last one holds for all longer ones.
    common: Vec<MilliBits>,
    best: Option<Match<'b>>,
    candidates: usize,
}

impl<'b, 't> Search<'b, 't> {
    fn new(book: &'b Book, shape: Shape, text: &'t str) -> Self {
        let place = first_not(0..book.len(), |number| book.entry(number as u32) < text);
        let known = book.entry(place as u32) == text && place < book.len();
        let need = log2_ceil(book.len() as u64).plus(ALARM);
        Self {
            book,
            shape,
            text,
            place,
            known,
            half: MilliBits(need.0 / 2),
            common: common(book, shape, text, known),
            best: None,
            candidates: 0,
        }
    }

    fn run(mut self) -> Check<'b> {
        self.compare_beginnings();
        self.compare_ends();
        let book = log2_ceil(self.book.len() as u64);
        Check { known: self.known, nearest: self.best, book }
    }

    /// Entries by the length of the beginning that they share, the longest first.
    fn compare_beginnings(&mut self) {
        // The entries that share most stand beside the place where the text would stand.
        let beside = self.place.saturating_sub(1)..self.book.len().min(self.place + 2);
        let others = beside.map(|number| self.book.entry(number as u32));
        let shared =
            others.filter(|entry| *entry != self.text).map(|e| shared_prefix(e, self.text));
        let longest = shared.max().unwrap_or(0);
        let mut seen = 0..0;
        for len in (1..=longest).rev() {
            if self.prefix_bits(len) < self.half {
                break;
            }
            let Some(prefix) = self.text.get(..len) else { continue };
            let range = self.book.beginning_with(prefix, 0..self.book.len());
            for number in range.clone().filter(|number| !seen.contains(number)) {
                self.look_at(self.book.entry(number as u32));
            }
            seen = range;
        }
    }

    /// Entries by the length of the end that they share, the longest first.
    fn compare_ends(&mut self) {
        let before =
            |place| backward(self.book.entry_from_behind(place), self.text) == Ordering::Less;
        let place = first_not(0..self.book.len(), before);
        let beside = place.saturating_sub(1)..self.book.len().min(place + 2);
        let others = beside.map(|place| self.book.entry_from_behind(place));
        let shared =
            others.filter(|entry| *entry != self.text).map(|e| shared_suffix(e, self.text));
        let longest = shared.max().unwrap_or(0);
        let mut seen = 0..0;
        for len in (1..=longest).rev() {
            if self.shape.suffix_bits(len) < self.half {
                break;
            }
            let Some(suffix) = self.text.get(self.text.len() - len..) else { continue };
            let range = self.book.ending_with(suffix);
            for place in range.clone().filter(|place| !seen.contains(place)) {
                self.look_at(self.book.entry_from_behind(place));
            }
            seen = range;
        }
    }

    fn look_at(&mut self, entry: &'b str) {
        self.candidates += 1;
        if entry == self.text || self.candidates > MOST_CANDIDATES {
            return;
        }
        let prefix = shared_prefix(entry, self.text);
        let longest = entry.len().min(self.text.len()) - prefix;
        let suffix = shared_suffix(entry, self.text).min(longest);
        let found = Match {
            address: entry,
            prefix,
            suffix,
            prefix_bits: self.prefix_bits(prefix),
            suffix_bits: self.shape.suffix_bits(suffix),
        };
        if self.best.is_none_or(|best| best.bits() < found.bits()) {
            self.best = Some(found);
        }
    }

    /// What a shared beginning of this length says.
    fn prefix_bits(&self, len: usize) -> MilliBits {
        let by_alphabet = self.shape.prefix_bits(self.text.get(..len).unwrap_or_default());
        let common = self.common.get(len).or(self.common.last()).copied().unwrap_or_default();
        by_alphabet.minus(common)
    }
}

/// For each length of beginning, the bits that it says less than the alphabet gives it.
///
/// Services make addresses with their name in front, thousands of them. Where `n` of `N` entries
/// begin like that, the beginning says log₂(N/n) bits, and what follows says what the alphabet
/// gives it. So a beginning's loss is what the book takes from it or from any shorter one.
fn common(book: &Book, shape: Shape, text: &str, known: bool) -> Vec<MilliBits> {
    let entries = log2_floor(book.len() as u64);
    let (mut range, mut loss) = (0..book.len(), MilliBits(0));
    let mut losses = vec![loss];
    for len in 1..=text.len() {
        let Some(prefix) = text.get(..len) else { break };
        range = book.beginning_with(prefix, range);
        // Neither the address itself counts, nor the one entry that it may be made to resemble.
        let others = range.len().saturating_sub(1 + usize::from(known));
        if others < FEWEST_COMMON {
            break;
        }
        let by_book = entries.minus(log2_ceil(others as u64));
        loss = loss.max(shape.prefix_bits(prefix).minus(by_book));
        losses.push(loss);
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENUINE: &str = "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P";
    const THIEFS: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";

    #[test]
    fn the_pair_of_the_theft_is_caught() {
        let (book, left_out) = Book::new([GENUINE, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "junk"]);
        assert_eq!((book.len(), left_out), (2, 1));
        let check = book.check(THIEFS).unwrap();
        let nearest = check.nearest.unwrap();
        assert_eq!((nearest.address, nearest.prefix, nearest.suffix), (GENUINE, 5, 2));
        assert_eq!(
            (nearest.bits().to_string(), check.margin().to_string()),
            ("33.8".into(), "32.8".into())
        );
        assert!(check.is_alarm() && !check.known);
    }

    #[test]
    fn the_known_address_itself_is_no_alarm() {
        let (book, _) = Book::new([GENUINE]);
        let check = book.check(GENUINE).unwrap();
        assert!(check.known && !check.is_alarm() && check.nearest.is_none());
        // But where both are known, each still resembles the other.
        let (book, _) = Book::new([GENUINE, THIEFS]);
        let check = book.check(GENUINE).unwrap();
        assert!(check.known && check.is_alarm());
    }

    #[test]
    fn empty_books_and_other_texts() {
        let (book, _) = Book::new(Vec::<String>::new());
        assert!(!book.check(GENUINE).unwrap().is_alarm());
        assert!(book.check("not an address").is_none());
        assert!(book.is_empty());
    }
}
