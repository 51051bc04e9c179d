//! Lines of outside input: numbered, of bounded length.

use std::io::{self, BufRead, BufReader, Read};

/// Reads lines, and survives those that are too long or no text.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    most: usize,
    number: u64,
}

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Its text, or why there is none.
    pub(crate) text: Result<String, String>,
}

impl<R: Read> Lines<R> {
    /// Lines of at most so many bytes.
    pub(crate) fn new(reader: R, most: usize) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), most, number: 0 }
    }

    /// Whether the next line has to be waited for.
    pub(crate) fn must_wait(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    /// The next line; `None` at the end. What is longer than allowed is passed over, not kept.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut kept: Vec<u8> = Vec::new();
        let (mut length, mut any) = (0_u64, false);
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            length += part.len() as u64;
            if length <= self.most as u64 {
                kept.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        let text = if length > self.most as u64 {
            Err(format!("a line of {length} bytes, and at most {} are read", self.most))
        } else {
            String::from_utf8(kept).map_err(|_| "not UTF-8".to_owned())
        };
        Ok(Some(Line { number: self.number, text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], most: usize) -> Vec<Line> {
        let mut lines = Lines::new(bytes, most);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn lines_are_numbered_and_bounded() {
        let line = |number, text: Result<&str, &str>| Line {
            number,
            text: text.map(str::to_owned).map_err(str::to_owned),
        };
        assert_eq!(all(b"", 9), []);
        assert_eq!(all(b"a\r\n\nb", 9), [line(1, Ok("a\r")), line(2, Ok("")), line(3, Ok("b"))]);
        let long = [&[b'x'; 200_000][..], b"\nshort\n\xff\n"].concat();
        let expected = [
            line(1, Err("a line of 200000 bytes, and at most 10 are read")),
            line(2, Ok("short")),
            line(3, Err("not UTF-8")),
        ];
        assert_eq!(all(&long, 10), expected);
    }
}
