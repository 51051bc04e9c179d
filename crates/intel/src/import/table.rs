//! Tables with a header line (RFC 4180), read so that one broken row costs one row.
//!
//! Columns are the fields of a TagPack by their names, in any order; `concepts` are separated by
//! `;`. A table of incidents has the columns `incident`, `date`, `attribution`, `chain`, `address`,
//! `role`, `confidence` and `public_source` instead, see [`incident`].

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{
    Collector, Format, Import, NoteKind, Reason, Settings,
    fields::{Field, Fields, Header, split_concepts},
    has_end, text,
};
use crate::{IntelError, builtin, yaml::quoted};

/// Lines that one quoted cell may span. Beyond that the quote is an accident, and the row that
/// opened it is rejected instead of everything after it.
const MOST_LINES_OF_A_ROW: u64 = 64;

/// Reads a table.
pub(super) fn read(name: &str, bytes: &[u8], settings: &Settings) -> Result<Import, IntelError> {
    let mut into = Collector::new(name, Format::Csv, settings.network);
    let mut rows = Rows { rest: bytes, line: 1 };
    let Some(first) = rows.next() else { return Ok(into.finish()) };
    let structure =
        |detail: String| IntelError::Structure { name: name.to_owned(), line: 1, detail };
    let names = match first.cells {
        Ok(cells) => cells,
        Err(Reason::NotText) => {
            return Err(text(name, bytes).err().unwrap_or(structure(String::new())));
        }
        Err(reason) => return Err(structure(format!("header: {reason}"))),
    };
    let columns = Columns::of(&names, &mut into).map_err(structure)?;
    let mut defaults = settings.defaults.clone();
    if defaults.title.is_none() {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = if has_end(file, ".csv") { file.get(..file.len() - 4) } else { Some(file) };
        defaults.title = stem.map(str::to_owned);
    }
    let mut header = Header::new(Fields::default(), Fields::of_defaults(&defaults));
    for row in rows {
        match row.cells.and_then(|cells| columns.fields(cells)) {
            Ok(fields) => header.take(&fields, row.line, &mut into),
            Err(reason) => {
                into.report.rows += 1;
                into.reject(row.line, reason);
            }
        }
    }
    Ok(into.finish())
}

/// What the columns of a table mean.
enum Columns {
    /// A field each, or nothing.
    Tags(Vec<Column>),
    /// The columns of [`INCIDENT`], by place in the row.
    Incidents { width: usize, places: [usize; INCIDENT.len()] },
}

#[derive(Clone, Copy)]
enum Column {
    Field(Field),
    Concepts,
    Unknown,
}

const INCIDENT: [&str; 8] =
    ["incident", "date", "attribution", "chain", "address", "role", "confidence", "public_source"];

impl Columns {
    fn of(names: &[Cow<'_, str>], into: &mut Collector) -> Result<Self, String> {
        let names: Vec<String> =
            names.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let mut places = [0; INCIDENT.len()];
        let all = INCIDENT.iter().zip(&mut places).all(|(wanted, place)| {
            let found = names.iter().position(|name| name == wanted);
            *place = found.unwrap_or_default();
            found.is_some()
        });
        if all {
            return Ok(Self::Incidents { width: names.len(), places });
        }
        let column = |name: &String| match (Field::by_name(name), name.as_str()) {
            (Some(field), _) => Column::Field(field),
            (None, "concepts") => Column::Concepts,
            (None, _) => {
                into.note(NoteKind::UnknownField(name.clone()), 1);
                Column::Unknown
            }
        };
        let columns: Vec<Column> = names.iter().map(column).collect();
        let subject = |column: &Column| {
            matches!(column, Column::Field(Field::Address | Field::TxHash | Field::CoinbaseText))
        };
        if !columns.iter().any(subject) {
            return Err("the first line must name the columns, 'address' or 'tx_hash' among them"
                .to_owned());
        }
        Ok(Self::Tags(columns))
    }

    fn fields<'a>(&self, cells: Vec<Cow<'a, str>>) -> Result<Fields<'a>, Reason> {
        let expected = match self {
            Self::Tags(columns) => columns.len(),
            Self::Incidents { width, .. } => *width,
        };
        if cells.len() != expected {
            return Err(Reason::Width { found: cells.len(), expected });
        }
        match self {
            Self::Tags(columns) => {
                let mut fields = Fields::default();
                for (column, cell) in columns.iter().zip(cells) {
                    match column {
                        Column::Field(field) => fields.set(*field, cell)?,
                        Column::Concepts if !cell.trim().is_empty() => {
                            fields.concepts = Some(split_concepts(&cell));
                        }
                        Column::Concepts | Column::Unknown => {}
                    }
                }
                Ok(fields)
            }
            Self::Incidents { places, .. } => {
                incident(places.map(|place| cells.get(place).cloned().unwrap_or_default()))
            }
        }
    }
}

/// A row of a table of incidents as a tag. The label is the incident; what the row says about
/// attribution and role is kept word for word in the context. The role's first word chooses the
/// concept, and the attribution's beginning the actor, where the built-in actors know one.
fn incident(cells: [Cow<'_, str>; INCIDENT.len()]) -> Result<Fields<'_>, Reason> {
    let [incident, date, attribution, chain, address, role, confidence, source] = cells;
    let mut fields = Fields::default();
    let context = format!(
        "{{\"attribution\":{},\"role\":{}}}",
        quoted(attribution.trim()),
        quoted(role.trim())
    );
    let word = role.split([' ', '(']).next().unwrap_or("");
    let concept = match word {
        "exploiter" => Some("perpetrator"),
        "laundering" | "cashout" => Some("money_laundering"),
        "victim" => Some("victim"),
        _ => None,
    };
    fields.concepts = concept.map(|concept| vec![concept.to_owned()]);
    if concept != Some("victim") {
        fields.set(Field::Abuse, Cow::Borrowed("hacking"))?;
    }
    if let Some(actor) = builtin::actor_named_at_start_of(&attribution) {
        fields.set(Field::Actor, Cow::Owned(actor))?;
    }
    fields.set(Field::Context, Cow::Owned(context))?;
    fields.set(Field::Label, incident)?;
    fields.set(Field::Lastmod, date)?;
    fields.set(Field::Currency, chain)?;
    fields.set(Field::Address, address)?;
    fields.set(Field::Confidence, confidence)?;
    fields.set(Field::Source, source)?;
    Ok(fields)
}

/// The rows of a table, blank lines left out.
struct Rows<'a> {
    rest: &'a [u8],
    line: u64,
}

/// A row and the line where it starts.
struct Row<'a> {
    line: u64,
    cells: Result<Vec<Cow<'a, str>>, Reason>,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        loop {
            let bytes = self.rest;
            if bytes.is_empty() {
                return None;
            }
            let line = self.line;
            let (cells, used, lines) = match row(bytes) {
                Ok((cells, used, lines)) => (Ok(cells), used, lines),
                // Go on behind the line where the broken row starts.
                Err(reason) => (Err(reason), line_length(bytes), 1),
            };
            self.rest = bytes.get(used..).unwrap_or_default();
            self.line += lines;
            if !matches!(&cells, Ok(cells) if cells.iter().all(|cell| cell.trim().is_empty())) {
                return Some(Row { line, cells });
            }
        }
    }
}

/// Bytes of the first line, its end included.
fn line_length(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

/// The cells of the first row, its bytes, and the lines it spans.
#[allow(clippy::type_complexity)]
fn row(bytes: &[u8]) -> Result<(Vec<Cow<'_, str>>, usize, u64), Reason> {
    let (mut cells, mut at, mut lines) = (Vec::new(), 0, 1);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (cell, used) = if rest.first() == Some(&b'"') {
            let (cell, used, breaks) = quoted_cell(rest)?;
            lines += breaks;
            (cell, used)
        } else {
            let used = memchr2(b',', b'\n', rest).unwrap_or(rest.len());
            let cell = rest.get(..used).unwrap_or_default();
            let ends = rest.get(used) != Some(&b',');
            (Cow::Borrowed(utf8(if ends { trim_return(cell) } else { cell })?), used)
        };
        cells.push(cell);
        at += used;
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => return Ok((cells, at + 2, lines)),
            Some(b'\n') => return Ok((cells, at + 1, lines)),
            None => return Ok((cells, at, lines)),
            Some(_) => return Err(Reason::OpenQuote),
        }
    }
}

/// A cell in quotes, its bytes with the quotes, and the line breaks in it.
fn quoted_cell(bytes: &[u8]) -> Result<(Cow<'_, str>, usize, u64), Reason> {
    let (mut at, mut breaks, mut doubled) = (1, 0, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let step = memchr2(b'"', b'\n', rest).ok_or(Reason::OpenQuote)?;
        at += step + 1;
        if rest.get(step) == Some(&b'\n') {
            breaks += 1;
            if breaks >= MOST_LINES_OF_A_ROW {
                return Err(Reason::OpenQuote);
            }
        } else if bytes.get(at) == Some(&b'"') {
            doubled = true;
            at += 1;
        } else {
            break;
        }
    }
    let cell = utf8(bytes.get(1..at - 1).unwrap_or_default())?;
    let cell = if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) };
    Ok((cell, at, breaks))
}

fn trim_return(cell: &[u8]) -> &[u8] {
    cell.strip_suffix(b"\r").unwrap_or(cell)
}

fn utf8(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: &[&str]) {
        let rows = Rows { rest: text, line: 1 };
        let found: Vec<String> = rows
            .map(|row| match row.cells {
                Ok(cells) => format!("{}: {}", row.line, cells.join("|")),
                Err(reason) => format!("{}: {reason}", row.line),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn cells_and_lines() {
        check(b"a,b\r\n1,2\r\n", &["1: a|b", "2: 1|2"]);
        check(
            b"a,b\n\n\"x, \"\"y\"\"\",\"two\nlines\"\n3,",
            &["1: a|b", "3: x, \"y\"|two\nlines", "5: 3|"],
        );
        check(b"", &[]);
        check(b",,\n", &[]);
    }

    #[test]
    fn a_broken_row_costs_one_row() {
        check(b"a\n\"open\nb\nc\n", &["1: a", "2: a quote that does not end", "3: b", "4: c"]);
        check(b"\"x\"y,z\nb\n", &["1: a quote that does not end", "2: b"]);
        check(b"a\xff\nb\n", &["1: not UTF-8", "2: b"]);
    }
}
