//! Tables for people: columns that line up, nothing cut off.
//!
//! Addresses and txids are always whole. Whoever compares only the ends of an address can be
//! fooled by a look-alike, and that is how the theft of the measuring case began.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

/// Rows below a header.
#[derive(Debug)]
pub(crate) struct Rows {
    table: Table,
}

impl Rows {
    /// Columns by their names; one that starts with `>` is aligned to the right, without the `>`.
    pub(crate) fn new(header: &[&str], colour: bool) -> Self {
        let mut table = plain(colour);
        table.set_header(header.iter().map(|name| {
            let cell = Cell::new(name.trim_start_matches('>'));
            if colour { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
        for (at, name) in header.iter().enumerate() {
            if name.starts_with('>')
                && let Some(column) = table.column_mut(at)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table }
    }

    /// One more.
    pub(crate) fn push<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.table.add_row(cells.into_iter().map(Into::<String>::into));
    }

    /// The lines, without spaces at their ends.
    pub(crate) fn to_text(&self) -> String {
        lines(&self.table)
    }
}

/// Names and what they are, one a line.
#[derive(Debug)]
pub(crate) struct Facts {
    table: Table,
    colour: bool,
}

impl Facts {
    /// None yet.
    pub(crate) fn new(colour: bool) -> Self {
        Self { table: plain(colour), colour }
    }

    /// One more.
    pub(crate) fn push(&mut self, name: &str, value: impl std::fmt::Display) {
        let name = Cell::new(name);
        let name = if self.colour { name.add_attribute(Attribute::Bold) } else { name };
        self.table.add_row([name, Cell::new(value)]);
    }

    /// One more, if there is something.
    pub(crate) fn push_some(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// The lines, without spaces at their ends.
    pub(crate) fn to_text(&self) -> String {
        lines(&self.table)
    }
}

fn plain(colour: bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    // Our own decision, made from the flag and the environment, not from what stdout is.
    if colour {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    table
}

fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        // The preset leaves a space where a border would be.
        text.push_str(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut rows = Rows::new(&["name", ">sat"], false);
        rows.push(["a", "1"]);
        rows.push(["long name", "12345"]);
        assert_eq!(rows.to_text(), "name         sat\na              1\nlong name  12345\n");
        let mut facts = Facts::new(false);
        facts.push("height", 7);
        facts.push_some("memo", None::<u8>);
        assert_eq!(facts.to_text(), "height  7\n");
    }
}
