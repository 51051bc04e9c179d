//! Measured figures beside their targets: as a table for people, as JSON for machines.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::machine::Machine;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Shown for comparison.
    None,
}

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    target: Target,
}

/// All figures of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    groups: Vec<(String, Vec<Figure>)>,
    notes: Vec<String>,
}

impl Figures {
    /// Figures from here on belong to this group.
    pub(crate) fn group(&mut self, title: impl Into<String>) {
        self.groups.push((title.into(), Vec::new()));
    }

    /// Adds a figure to the last group.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: Target,
    ) {
        if self.groups.is_empty() {
            self.group("");
        }
        if let Some((_, figures)) = self.groups.last_mut() {
            figures.push(Figure { what: what.into(), value, unit, target });
        }
    }

    /// Adds something that a reader of the figures must know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Takes over another run's figures.
    pub(crate) fn append(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.notes.extend(other.notes);
    }

    /// How many figures miss their target.
    pub(crate) fn missed(&self) -> usize {
        self.groups.iter().flat_map(|(_, figures)| figures).filter(|f| !f.holds()).count()
    }

    /// A table, which is Markdown too.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (title, figures) in &self.groups {
            let mut table = Table::new();
            table.load_style(presets::ASCII_MARKDOWN);
            table.set_header(["what", "measured", "target", "", "ratio"]);
            for column in [1, 2, 4] {
                if let Some(column) = table.column_mut(column) {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
            for figure in figures {
                table.add_row(figure.row());
            }
            text.push_str(&format!("### {title}\n\n{table}\n\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("* {note}\n"));
        }
        text
    }

    /// One JSON document.
    pub(crate) fn to_json(&self, machine: &Machine) -> Value {
        let figures: Vec<Value> = self
            .groups
            .iter()
            .flat_map(|(title, figures)| figures.iter().map(move |figure| figure.to_json(title)))
            .collect();
        json!({
            "schema": "chainhound.bench.v1",
            "machine": machine.to_json(),
            "figures": figures,
            "notes": self.notes,
            "missed": self.missed(),
        })
    }
}

impl Figure {
    fn holds(&self) -> bool {
        match self.target {
            Target::AtMost(most) => self.value <= most,
            Target::AtLeast(least) => self.value >= least,
            Target::None => true,
        }
    }

    /// Measured to target, so that at or below 1 is good for both kinds of target.
    fn ratio(&self) -> Option<f64> {
        match self.target {
            Target::AtMost(most) => Some(self.value / most),
            Target::AtLeast(least) => Some(least / self.value),
            Target::None => None,
        }
    }

    fn row(&self) -> [String; 5] {
        let show = |value| format!("{} {}", rounded(value), self.unit);
        let (target, verdict) = match self.target {
            Target::AtMost(most) => (format!("≤ {}", show(most)), self.holds()),
            Target::AtLeast(least) => (format!("≥ {}", show(least)), self.holds()),
            Target::None => (String::new(), true),
        };
        let verdict = match (self.target, verdict) {
            (Target::None, _) => "",
            (_, true) => "met",
            (_, false) => "MISSED",
        };
        [
            self.what.clone(),
            show(self.value),
            target,
            verdict.to_owned(),
            self.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        ]
    }

    fn to_json(&self, group: &str) -> Value {
        let mut json = json!({
            "group": group,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "met": self.holds(),
        });
        match self.target {
            Target::AtMost(most) => json["at_most"] = most.into(),
            Target::AtLeast(least) => json["at_least"] = least.into(),
            Target::None => {}
        }
        json
    }
}

/// Three significant digits, thousands grouped: what a measurement on a busy machine is worth.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if value.abs() < 100.0 {
        let decimals = match value.abs() {
            small if small < 0.1 => 4,
            small if small < 1.0 => 3,
            small if small < 10.0 => 2,
            _ => 1,
        };
        return format!("{value:.decimals$}");
    }
    let digits = format!("{:.0}", value.abs());
    let grouped: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| str::from_utf8(part).ok()).collect();
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", grouped.join(","))
}

#[cfg(test)]
mod tests {
    use super::{Figures, Target, rounded};

    #[test]
    fn numbers_are_readable() {
        let check = |value, text: &str| assert_eq!(rounded(value), text);
        check(0.0, "0");
        check(0.01234, "0.0123");
        check(3.21987, "3.22");
        check(219.6, "220");
        check(1_234_567.8, "1,234,568");
        check(100.0, "100");
    }

    #[test]
    fn targets_hold_or_are_missed() {
        let mut figures = Figures::default();
        figures.group("x");
        figures.add("small enough", 9.0, "s", Target::AtMost(10.0));
        figures.add("too slow", 9.0, "tx/s", Target::AtLeast(10.0));
        figures.add("just so", 9.0, "s", Target::None);
        assert_eq!(figures.missed(), 1);
        let table = figures.table();
        assert!(table.contains("≤ 10.0 s") && table.contains("MISSED"), "{table}");
    }
}
