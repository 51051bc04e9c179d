//! YAML and JSON as a tree with places, within limits that a hostile file cannot lift.
//!
//! JSON is read as the part of YAML that it is, so that its values too know their lines. Scalars
//! stay text: what is a number or a date is the reader's business, and `007` a good label.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle};
use rustc_hash::FxHashMap;

use crate::IntelError;

/// Most bytes of a document. The largest public pack has 4·10⁶.
pub(crate) const MOST_BYTES: u64 = 1 << 28;
/// Most values of a document, keys included; the largest public pack has 3·10⁵.
const MOST_NODES: u64 = 1 << 24;
/// Most values that aliases may add. Each one costs a copy, and aliases of aliases multiply.
const MOST_ALIASED: u64 = 100_000;
/// Deepest nesting; packs need 4.
const DEEPEST: usize = 32;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    /// Counted from 1.
    pub(crate) line: u64,
    pub(crate) value: Value<'a>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// Text, and whether it stood there without quotes.
    Scalar(Cow<'a, str>, bool),
    List(Vec<Node<'a>>),
    Map(Vec<(Node<'a>, Node<'a>)>),
}

/// The tree of a document; `None` for an empty one.
pub(crate) fn parse<'a>(name: &str, text: &'a str) -> Result<Option<Node<'a>>, IntelError> {
    let options = granit_parser::options! { emit_comments: false };
    let mut reader = Reader {
        name,
        events: Parser::new_from_str_with_options(text, options),
        anchors: FxHashMap::default(),
        nodes: 0,
        aliased: 0,
    };
    let mut root = None;
    while let Some((event, line, column)) = reader.next()? {
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                return Err(reader.syntax(line, column, "a second document in the file"));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => root = Some(reader.node(event, line, column, 0)?),
        }
    }
    Ok(root)
}

struct Reader<'n, 'a> {
    name: &'n str,
    events: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: FxHashMap<usize, Node<'a>>,
    nodes: u64,
    aliased: u64,
}

impl<'a> Reader<'_, 'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, u64, u64)>, IntelError> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let (line, column) = place(&span.start);
                Ok(Some((event, line, column)))
            }
            Some(Err(error)) => {
                let (line, column) = place(error.marker());
                Err(self.syntax(line, column, &error.info()))
            }
        }
    }

    fn syntax(&self, line: u64, column: u64, detail: &str) -> IntelError {
        IntelError::Syntax { name: self.name.to_owned(), line, column, detail: detail.to_owned() }
    }

    fn too_large(&self, what: &'static str, limit: u64) -> IntelError {
        IntelError::TooLarge { name: self.name.to_owned(), what, limit }
    }

    /// The value that starts with this event.
    fn node(
        &mut self,
        event: Event<'a>,
        line: u64,
        column: u64,
        depth: usize,
    ) -> Result<Node<'a>, IntelError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(self.too_large("values", MOST_NODES));
        }
        if depth > DEEPEST {
            return Err(self.syntax(line, column, "nested too deeply"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => {
                (anchor, Value::Scalar(text, style == ScalarStyle::Plain))
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.inside(line, column)? {
                        (Event::SequenceEnd, ..) => break,
                        (event, line, column) => {
                            items.push(self.node(event, line, column, depth + 1)?);
                        }
                    }
                }
                items.shrink_to_fit();
                (anchor, Value::List(items))
            }
            Event::MappingStart(_, anchor, _) => {
                let mut entries = Vec::new();
                loop {
                    let key = match self.inside(line, column)? {
                        (Event::MappingEnd, ..) => break,
                        (event, line, column) => self.node(event, line, column, depth + 1)?,
                    };
                    let (event, line, column) = self.inside(line, column)?;
                    let value = self.node(event, line, column, depth + 1)?;
                    entries.push((key, value));
                }
                entries.shrink_to_fit();
                (anchor, Value::Map(merged(entries)))
            }
            Event::Alias(id) => return self.alias(id, line, column),
            _ => return Err(self.syntax(line, column, "a value is missing here")),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.charge(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn inside(&mut self, line: u64, column: u64) -> Result<(Event<'a>, u64, u64), IntelError> {
        match self.next()? {
            Some(found) => Ok(found),
            None => Err(self.syntax(line, column, "what starts here does not end")),
        }
    }

    fn alias(&mut self, id: usize, line: u64, column: u64) -> Result<Node<'a>, IntelError> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(self.syntax(line, column, "an alias of what it stands in"));
        };
        self.charge(&node)?;
        Ok(Node { line, value: node.value })
    }

    /// Copies are paid for, because aliases of aliases multiply (the "billion laughs").
    fn charge(&mut self, node: &Node<'_>) -> Result<(), IntelError> {
        self.aliased += node.size();
        if self.aliased > MOST_ALIASED {
            return Err(self.too_large("values repeated by aliases", MOST_ALIASED));
        }
        Ok(())
    }
}

/// Line and column of a mark, both counted from 1.
fn place(mark: &granit_parser::Marker) -> (u64, u64) {
    (mark.line() as u64, mark.col() as u64 + 1)
}

/// YAML 1.1's merge keys: `<<: *defaults` adds the entries that the map does not have itself.
fn merged<'a>(entries: Vec<(Node<'a>, Node<'a>)>) -> Vec<(Node<'a>, Node<'a>)> {
    let is_merge =
        |node: &Node<'_>| matches!(&node.value, Value::Scalar(text, true) if text == "<<");
    if !entries.iter().any(|(key, _)| is_merge(key)) {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| is_merge(key));
    for (_, node) in merges {
        let maps = match node.value {
            Value::List(items) => items,
            value => vec![Node { line: node.line, value }],
        };
        for map in maps {
            let Value::Map(added) = map.value else { continue };
            for (key, value) in added {
                if !own.iter().any(|(known, _)| known.text() == key.text()) {
                    own.push((key, value));
                }
            }
        }
    }
    own
}

impl<'a> Node<'a> {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether it says "nothing": `null`, `~` or an empty place.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, true)
            if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The items of a list; nothing for anything else.
    pub(crate) fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; nothing for anything else.
    pub(crate) fn entries(&self) -> &[(Node<'a>, Node<'a>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        let found = self.entries().iter().find(|(known, _)| known.text() == Some(key));
        found.map(|(_, value)| value)
    }

    /// The value as compact JSON; scalars as strings.
    pub(crate) fn json(&self) -> String {
        match &self.value {
            Value::Scalar(_, true) if self.is_null() => "null".to_owned(),
            Value::Scalar(text, _) => quoted(text),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Node::json).collect();
                format!("[{}]", items.join(","))
            }
            Value::Map(entries) => {
                let entry = |(key, value): &(Node<'_>, Node<'_>)| {
                    format!("{}:{}", quoted(key.text().unwrap_or("")), value.json())
                };
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    fn size(&self) -> u64 {
        1 + match &self.value {
            Value::Scalar(..) => 0,
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|(k, v)| k.size() + v.size()).sum(),
        }
    }
}

/// Text in double quotes, readable as JSON and as YAML.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Control characters, and those that YAML counts as line breaks or forbids.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse("f.yaml", text) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(node)) => node.json(),
            Err(error) => error.to_string(),
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn trees() {
        check("", "nothing");
        check("a: 007\nb: [x, 'y z', ~]", r#"{"a":"007","b":["x","y z",null]}"#);
        check(r#"{"a": "q\"\u00e9", "b": []}"#, r#"{"a":"q\"é","b":[]}"#);
        check("x: &d {a: 1}\ny: {<<: *d, b: 2}", r#"{"x":{"a":"1"},"y":{"b":"2","a":"1"}}"#);
    }

    #[test]
    fn broken_text_names_line_and_column() {
        check("a: 1\nb: [1, 2\nc: 3\n", "f.yaml: line 3, column");
        check("a: *x", "f.yaml: line 1, column 4:");
        check("a: 1\n--- \nb: 2", "f.yaml: line 2, column 1: a second document");
        check(&"- ".repeat(100), "f.yaml: line 1, column 67: nested too deeply");
        check(&"[".repeat(300), "f.yaml: line 1");
        check("a: \"\u{1}", "f.yaml: line 1");
    }

    #[test]
    fn lines_count_from_one() {
        let text = "a: 1\nlist:\n- x\n- y\n";
        let root = parse("f", text).unwrap().unwrap();
        let lines: Vec<u64> = root.get("list").unwrap().items().iter().map(|n| n.line).collect();
        assert_eq!(lines, [3, 4]);
    }

    #[test]
    fn bombs_are_bounded() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let items = vec![format!("*a{}", n - 1); 10].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{items}]\n"));
        }
        check(&text, "f.yaml: more than 100000 values repeated by aliases");
        check("a: &x [*x]", "f.yaml: line 1, column 8:");
    }
}
