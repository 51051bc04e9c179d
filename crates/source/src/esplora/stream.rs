//! JSON documents out of a stream, one at a time, with their lines and within a limit.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    path::Path,
};

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

use super::document::Document;
use crate::SourceError;

/// Called with the line that a document starts in, and the document.
pub(super) type Each<'a> = dyn FnMut(u64, Document) -> Result<(), SourceError> + 'a;

/// Reads all documents of a stream: objects, or arrays of objects, with white space between.
pub(super) fn documents(
    name: &Path,
    input: impl BufRead,
    most: u64,
    each: &mut Each<'_>,
) -> Result<(), SourceError> {
    let meter = Meter { line: Cell::new(1), spent: Cell::new(0) };
    let metered = Metered { input, meter: &meter, most };
    let mut json = serde_json::Deserializer::from_reader(metered);
    loop {
        meter.spent.set(0);
        if json.end().is_ok() {
            return Ok(());
        }
        let mut refused = None;
        let top = Top { meter: &meter, each, refused: &mut refused };
        if let Err(error) = top.deserialize(&mut json) {
            return Err(refused.unwrap_or_else(|| {
                let (path, line) = (name.to_owned(), meter.line.get());
                // `detail at line 3 column 14`
                let detail = error.to_string();
                let detail = match detail.rsplit_once(" at line ") {
                    Some((what, _)) => format!("column {}: {what}", error.column()),
                    None => detail,
                };
                SourceError::Text { path, line, detail }
            }));
        }
    }
}

/// How far the stream has been read.
struct Meter {
    line: Cell<u64>,
    /// Bytes of the current document.
    spent: Cell<u64>,
}

/// A stream that counts lines, and that ends with an error when one document goes on too long.
struct Metered<'a, R> {
    input: R,
    meter: &'a Meter,
    most: u64,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        let lines = into[..count].iter().filter(|&&byte| byte == b'\n').count();
        self.meter.line.set(self.meter.line.get() + lines as u64);
        self.meter.spent.set(self.meter.spent.get() + count as u64);
        if self.meter.spent.get() > self.most {
            let limit = self.most >> 20;
            return Err(io::Error::other(format!("more than {limit} MiB in one transaction")));
        }
        Ok(count)
    }
}

/// One value of the stream: a document, or an array of them.
struct Top<'a, 'e> {
    meter: &'a Meter,
    each: &'a mut Each<'e>,
    refused: &'a mut Option<SourceError>,
}

impl Top<'_, '_> {
    fn hand_on<E: Error>(&mut self, line: u64, document: Document) -> Result<(), E> {
        (self.each)(line, document).map_err(|error| {
            *self.refused = Some(error);
            E::custom("refused")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transaction, or an array of transactions")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let line = self.meter.line.get();
        let document = Document::deserialize(MapAccessDeserializer::new(map))?;
        self.hand_on(line, document)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        loop {
            self.meter.spent.set(0);
            let Some((line, document)) = seq.next_element_seed(Element(self.meter))? else {
                return Ok(());
            };
            self.hand_on(line, document)?;
        }
    }
}

/// An element of an array, with its line.
struct Element<'a>(&'a Meter);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (u64, Document);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let line = self.0.line.get();
        Ok((line, Document::deserialize(from)?))
    }
}
