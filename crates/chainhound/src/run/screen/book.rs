//! The book of known addresses, from files of one address a line.

use std::{fs::File, path::PathBuf};

use chain::{Network, script};
use intel::lookalike::{Book, Shape};

use crate::{failure::Failure, lines::Lines, say::Say};

/// Most bytes of a line: an address, and a word about it.
const MOST_LINE: usize = 4096;

/// A book, and what the provenance says of it.
pub(super) struct Shelf {
    /// `None` where no file was given, or no file has a good address.
    pub(super) book: Option<Book>,
    /// Hash of the addresses, in the order of the files.
    pub(super) digest: Option<String>,
}

/// Reads a book. In a line, what follows a comma, a semicolon or a space after the address does not
/// matter; `#` begins a comment. Every line that is no address of the network is named.
pub(super) fn read(paths: &[PathBuf], network: Network, say: &Say) -> Result<Shelf, Failure> {
    if paths.is_empty() {
        return Ok(Shelf { book: None, digest: None });
    }
    let mut addresses: Vec<String> = Vec::new();
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        let failed = |error| Failure::file(path, error);
        let mut lines = Lines::new(File::open(path).map_err(failed)?, MOST_LINE);
        while let Some(line) = lines.next().map_err(failed)? {
            let wrong = match line.text {
                Err(why) => why,
                Ok(text) => {
                    let text = text.split('#').next().unwrap_or_default().trim();
                    let word = text.split([',', ';', ' ', '\t']).next().unwrap_or_default();
                    if word.is_empty() {
                        continue;
                    }
                    match script::parse(word, network) {
                        Ok(_) if Shape::of(word).is_some() => {
                            hasher.update(word.as_bytes()).update(b"\n");
                            addresses.push(word.to_owned());
                            continue;
                        }
                        Ok(_) => format!("'{word}' has no text that could be resembled"),
                        Err(error) => error.to_string(),
                    }
                }
            };
            say.warning(format_args!(
                "left out of the book: {}:{}: {wrong}",
                path.display(),
                line.number
            ));
        }
    }
    let (book, _) = Book::new(addresses);
    if book.is_empty() {
        say.warning("the book has no address of this network: no look-alike can be found");
        return Ok(Shelf { book: None, digest: None });
    }
    Ok(Shelf { book: Some(book), digest: Some(hasher.finalize().to_string()) })
}
