//! JSON: the document, each element of a list on a line of its own, so that files can be compared
//! line by line and searched with grep.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::Result;

/// Writes a document (any of them: the layout only looks at depth) and a line feed.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write<T: Serialize>(document: &T, out: &mut dyn Write) -> Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Lines::default());
    document.serialize(&mut serializer).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Breaks lines before the keys of the outermost object and before the elements of its lists.
#[derive(Default)]
struct Lines {
    depth: usize,
    filled: bool,
}

impl Lines {
    fn line<W: ?Sized + Write>(&mut self, first: bool, out: &mut W) -> io::Result<()> {
        self.filled = true;
        out.write_all(if first { b"\n" } else { b",\n" })?;
        (0..self.depth).try_for_each(|_| out.write_all(b" "))
    }

    fn separate<W: ?Sized + Write>(first: bool, out: &mut W) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn open<W: ?Sized + Write>(&mut self, bracket: &[u8], out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(
        &mut self,
        at: usize,
        bracket: &[u8],
        out: &mut W,
    ) -> io::Result<()> {
        let broken = self.depth == at && self.filled;
        self.depth = self.depth.saturating_sub(1);
        self.filled = true;
        if broken {
            out.write_all(b"\n")?;
            (0..self.depth).try_for_each(|_| out.write_all(b" "))?;
        }
        out.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(b"[", out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(2, b"]", out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if self.depth == 2 { self.line(first, out) } else { Self::separate(first, out) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(b"{", out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(1, b"}", out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if self.depth == 1 { self.line(first, out) } else { Self::separate(first, out) }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: serde_json::Value, expected: &str) {
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn lists_are_one_element_a_line() {
        use serde_json::json;
        check(json!({}), "{}\n");
        check(json!([]), "[]\n");
        check(
            json!({"a": {"b": 1, "c": []}, "d": [], "e": [{"f": [1, 2]}, {}]}),
            "{\n \"a\": {\"b\": 1, \"c\": []},\n \"d\": [],\n \"e\": [\n  {\"f\": [1, 2]},\n  {}\n ]\n}\n",
        );
    }
}
