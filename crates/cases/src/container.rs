//! The outermost form of a bundle: a zip with one way to be written.
//!
//! Files are stored as they are, sorted by name, all of one time, without any of the fields that zip
//! leaves open. So the same files give the same bytes with every program and every version of it, a
//! small bundle cannot unpack to a large one, and a reader can compare every byte of the container
//! with the only one that may stand there. Any zip program unpacks it (APPNOTE.TXT 6.3.10).

use std::fmt::Write;

use crate::{Error, Result};

/// More bytes than these have no place in a bundle: offsets of a plain zip have 32 bits, and a reader
/// holds the bundle in memory.
pub const MAX_BYTES: u64 = 2 << 30;
/// More files than these have no place in a bundle.
pub const MAX_FILES: usize = 64;
/// Longer names have no place in a bundle.
const MAX_NAME: usize = 100;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 1.0: stored files and nothing else.
const VERSION: u16 = 10;
/// 1 January 1980, the first day that the format knows.
const DATE: u16 = 0x0021;

/// A file of a container, where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where they start in the container.
    pub offset: usize,
    /// Whether their CRC-32 is the one that is written beside them.
    pub intact: bool,
}

/// Why bytes are no container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {detail}")]
pub struct ContainerError {
    /// Where.
    pub offset: usize,
    /// What is wrong there, and of which file.
    pub detail: String,
}

/// Packs files, which must be sorted by name.
///
/// # Errors
/// [`Error::TooLarge`], and [`Error::Question`] for names that no bundle has.
pub fn write(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let sum: u64 = files.iter().map(|(_, bytes)| bytes.len() as u64 + 512).sum();
    if sum > MAX_BYTES {
        return Err(Error::TooLarge { what: "the bundle".into(), bytes: sum, most: MAX_BYTES });
    }
    let mut out = Vec::with_capacity(sum as usize);
    let mut central = Vec::new();
    let mut before = "";
    for (name, bytes) in files {
        if let Some(fault) = bad_name(name, before) {
            return Err(Error::Question(fault));
        }
        before = name;
        let record = Record::of(name, bytes, out.len());
        central.extend(record.central());
        out.extend(record.local());
        out.extend_from_slice(bytes);
    }
    let end = end(files.len(), central.len(), out.len());
    out.extend(central);
    out.extend(end);
    Ok(out)
}

/// Finds the files of a container; every byte outside of them is compared.
///
/// # Errors
/// [`ContainerError`] for the first byte that cannot stand where it does. A file whose bytes do not
/// have their checksum is no error here: [`Entry::intact`].
pub fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>, ContainerError> {
    if bytes.len() as u64 > MAX_BYTES {
        let detail = format!("{} bytes, and a bundle has at most {MAX_BYTES}", bytes.len());
        return Err(ContainerError { offset: 0, detail });
    }
    let mut reading = Reading { bytes, at: 0 };
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut central = Vec::new();
    while reading.peek_u32() == Some(LOCAL) {
        if entries.len() == MAX_FILES {
            return Err(reading.fault(format!("more than {MAX_FILES} files")));
        }
        let before = entries.last().map_or("", |entry| entry.name);
        let (entry, record) = reading.entry(before)?;
        entries.push(entry);
        central.push(record);
    }
    if entries.is_empty() {
        return Err(reading.fault("no zip file starts here".to_owned()));
    }
    let start = reading.at;
    for record in &central {
        let what = format!("{}: its entry in the zip's directory", record.name);
        reading.expect(&record.central(), &what)?;
    }
    let end = end(entries.len(), reading.at - start, start);
    reading.expect(&end, "the end of the zip's directory")?;
    if reading.at != bytes.len() {
        let detail = format!("{} bytes follow after the end", bytes.len() - reading.at);
        return Err(reading.fault(detail));
    }
    Ok(entries)
}

/// What the headers say about a file.
struct Record<'a> {
    name: &'a str,
    len: u32,
    crc: u32,
    offset: u32,
}

impl<'a> Record<'a> {
    fn of(name: &'a str, bytes: &[u8], offset: usize) -> Self {
        // Both fit: the sum of all is below MAX_BYTES.
        Self { name, len: bytes.len() as u32, crc: crc32fast::hash(bytes), offset: offset as u32 }
    }

    /// What both headers have.
    fn middle(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(26);
        for word in [VERSION, 0, 0, 0, DATE] {
            out.extend(word.to_le_bytes());
        }
        for word in [self.crc, self.len, self.len] {
            out.extend(word.to_le_bytes());
        }
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        out
    }

    fn local(&self) -> Vec<u8> {
        [&LOCAL.to_le_bytes()[..], &self.middle(), self.name.as_bytes()].concat()
    }

    fn central(&self) -> Vec<u8> {
        let version = VERSION.to_le_bytes();
        let (middle, offset) = (self.middle(), self.offset.to_le_bytes());
        // Comment, disk, attributes: none.
        let nothing = [0; 10];
        [&CENTRAL.to_le_bytes()[..], &version, &middle, &nothing, &offset, self.name.as_bytes()]
            .concat()
    }
}

fn end(files: usize, central: usize, start: usize) -> Vec<u8> {
    let files = (files as u16).to_le_bytes();
    let (central, start) = ((central as u32).to_le_bytes(), (start as u32).to_le_bytes());
    [&END.to_le_bytes()[..], &[0; 4], &files, &files, &central, &start, &[0; 2]].concat()
}

/// What is wrong with a name, which comes after another.
fn bad_name(name: &str, before: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    let shown: String = name.chars().take(MAX_NAME).flat_map(char::escape_default).collect();
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(good) {
        return Some(format!("'{shown}' is no name of a file in a bundle"));
    }
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Some(format!("'{shown}': the name leads out of the bundle"));
    }
    if name == before {
        return Some(format!("'{shown}' is there twice"));
    }
    (name < before).then(|| format!("'{shown}' comes after '{before}': files are sorted by name"))
}

struct Reading<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reading<'a> {
    fn fault(&self, detail: String) -> ContainerError {
        ContainerError { offset: self.at, detail }
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }

    fn peek_u32(&self) -> Option<u32> {
        let bytes = self.bytes.get(self.at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// The next file, with its header as it must be.
    fn entry(&mut self, before: &str) -> Result<(Entry<'a>, Record<'a>), ContainerError> {
        let start = self.at;
        let cut = |reading: &Self| reading.fault("the zip ends inside of a file".to_owned());
        let header = self.take(30).ok_or_else(|| cut(self))?;
        let half =
            |at: usize| header.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        let name = self.take(half(26).into()).ok_or_else(|| cut(self))?;
        let at_start = |detail: String| ContainerError { offset: start, detail };
        let name = std::str::from_utf8(name)
            .map_err(|_| at_start("the name of a file is not text".to_owned()))?;
        if let Some(fault) = bad_name(name, before) {
            return Err(at_start(fault));
        }
        if half(8) != 0 {
            return Err(at_start(format!(
                "{name}: is compressed (method {}): the files of a bundle are stored as they are",
                half(8)
            )));
        }
        if half(28) != 0 {
            return Err(at_start(format!("{name}: has extra fields")));
        }
        let (offset, len) = (self.at, word(18));
        let bytes = self.take(len as usize).ok_or_else(|| {
            at_start(format!("{name}: {len} bytes are announced, and the zip ends before"))
        })?;
        let mut record = Record::of(name, bytes, start);
        let intact = record.crc == word(14);
        // The wrong one is told once, and the directory must repeat it.
        record.crc = word(14);
        let expected = record.local();
        if self.bytes.get(start..start + expected.len()) != Some(&expected[..]) {
            return Err(at_start(format!(
                "{name}: its zip header has other fields than a bundle's"
            )));
        }
        Ok((Entry { name, bytes, offset, intact }, record))
    }

    fn expect(&mut self, expected: &[u8], what: &str) -> Result<(), ContainerError> {
        let found = self.bytes.get(self.at..).unwrap_or_default();
        let same = found.iter().zip(expected).take_while(|(one, other)| one == other).count();
        if same == expected.len() {
            self.at += expected.len();
            return Ok(());
        }
        let mut detail = format!("{what} is not what it must be");
        match (found.get(same), expected.get(same)) {
            (Some(found), Some(expected)) => {
                let _ = write!(detail, ": {found:#04x} instead of {expected:#04x}");
            }
            _ => detail.push_str(": the zip ends before"),
        }
        Err(ContainerError { offset: self.at + same, detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(String, Vec<u8>)> {
        [("a.txt", "one"), ("results/x.jsonl", ""), ("results/y.jsonl", "{}\n")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .to_vec()
    }

    #[test]
    fn what_is_packed_comes_out() {
        let packed = write(&files()).unwrap();
        let read = read(&packed).unwrap();
        let found: Vec<_> =
            read.iter().map(|entry| (entry.name.to_owned(), entry.bytes.to_vec())).collect();
        assert_eq!(found, files());
        assert!(read.iter().all(|entry| entry.intact));
        assert_eq!(&packed[read[0].offset..][..3], b"one");
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_noticed() {
        let packed = write(&files()).unwrap();
        for bit in 0..packed.len() * 8 {
            let mut flipped = packed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let found = read(&flipped);
            assert!(found.is_err() || found.unwrap().iter().any(|e| !e.intact), "bit {bit}");
        }
        for len in 0..packed.len() {
            assert!(read(&packed[..len]).is_err(), "{len} bytes");
        }
        assert!(read(&[&packed[..], b"x"].concat()).is_err());
    }

    #[track_caller]
    fn refused(files: &[(&str, &str)], words: &str) {
        // Written without the checks on names.
        let (mut out, mut central) = (Vec::new(), Vec::new());
        for (name, text) in files {
            let record = Record::of(name, text.as_bytes(), out.len());
            central.extend(record.central());
            out.extend(record.local());
            out.extend(text.as_bytes());
        }
        let end = end(files.len(), central.len(), out.len());
        let error = read(&[out, central, end].concat()).unwrap_err();
        assert!(error.detail.contains(words), "{error}");
    }

    #[test]
    fn names_that_no_bundle_has_are_refused() {
        refused(&[("../x", "")], "leads out");
        refused(&[("/etc/x", "")], "leads out");
        refused(&[("a/./b", "")], "leads out");
        refused(&[("a\\b", "")], "no name");
        refused(&[("", "")], "no name");
        refused(&[("é", "")], "no name");
        refused(&[("a", ""), ("a", "")], "twice");
        refused(&[("b", ""), ("a", "")], "sorted");
        let many: Vec<String> = (0..65).map(|n| format!("{n:03}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
        refused(&many, "more than 64 files");
    }

    #[test]
    fn a_compressed_file_is_refused_unread() {
        let mut packed = write(&files()).unwrap();
        packed[8] = 8;
        assert!(read(&packed).unwrap_err().detail.contains("is compressed (method 8)"));
    }
}
