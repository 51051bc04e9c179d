//! Text for people: where the money is, then the outputs where it lies, largest first.
//!
//! Plain rows of Unicode text without colours or frames; addresses in full, to be copied.

use std::{cmp::Reverse, io::Write};

use crate::{
    Result, escape,
    model::{Amount, Booking, Leaf, TraceDocument},
    words,
};

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// At most this many leaves; what is left out is said.
    pub leaves: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { leaves: 40 }
    }
}

/// Writes the text.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, options: &Options, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}", headline(document))?;
    writeln!(out, "{}", extent(document))?;
    writeln!(out)?;
    bookings(document).write(out)?;
    if !document.leaves.is_empty() {
        writeln!(out)?;
        leaves(document, options, out)?;
    }
    if document.provenance.parameters.policy == "poison" {
        writeln!(out)?;
        writeln!(
            out,
            "Poison marks whole outputs: the sums say how far taint reached, not how much was taken."
        )?;
    }
    Ok(())
}

fn headline(document: &TraceDocument) -> String {
    let parameters = &document.provenance.parameters;
    let tip =
        document.provenance.tip.map_or_else(String::new, |tip| format!(", tip {}", tip.height));
    let roots = words::count(document.roots.len() as u64, "output", "outputs");
    format!(
        "{} trace of {} BTC from {roots}, {} ({}{tip})",
        parameters.policy,
        words::btc(document.totals.root_sat),
        parameters.direction,
        document.provenance.network,
    )
}

fn extent(document: &TraceDocument) -> String {
    let reach = &document.reach;
    format!(
        "passed {}, reached {}, at most {}",
        words::count(reach.transactions, "transaction", "transactions"),
        words::count(reach.outputs, "output", "outputs"),
        words::count(reach.max_hops.into(), "hop", "hops"),
    )
}

fn bookings(document: &TraceDocument) -> Grid {
    let totals = &document.totals;
    let bounds = document.provenance.parameters.policy == "bounds";
    let mut grid = Grid::new(if bounds {
        &[("where it is", false), ("at least BTC", true), ("at most BTC", true), ("outputs", true)]
    } else {
        &[("where it is", false), ("BTC", true), ("share", true), ("outputs", true)]
    });
    for booking in &document.bookings {
        grid.row(booking_cells(booking, totals.booked_sat));
    }
    let all = document.bookings.iter().map(|booking| booking.count).sum();
    let count = words::thousands(all);
    let booked = words::btc_full(totals.booked_sat);
    match (totals.booked_lower_sat, totals.equal) {
        (Some(lower), _) => grid.row(vec!["sum".into(), words::btc_full(lower), booked, count]),
        (None, equal) => {
            let check = match equal {
                Some(true) => "= taken",
                Some(false) => "NOT what was taken",
                None => "",
            };
            grid.row(vec!["sum".into(), booked, check.into(), count]);
        }
    }
    grid
}

fn booking_cells(booking: &Booking, whole: u64) -> Vec<String> {
    let what = match booking.basis.name() {
        "fact" => words::booking(booking),
        basis => format!("{} ({basis})", words::booking(booking)),
    };
    let count = words::thousands(booking.count);
    match booking.amount {
        Amount::Between { lower_sat, upper_sat } => {
            vec![what, words::btc_full(lower_sat), words::btc_full(upper_sat), count]
        }
        amount => {
            let share = words::percent(amount.upper(), whole);
            vec![what, words::btc_full(amount.upper()), share, count]
        }
    }
}

fn leaves(document: &TraceDocument, options: &Options, out: &mut dyn Write) -> Result<()> {
    let bounds = document.provenance.parameters.policy == "bounds";
    let mut grid = Grid::new(if bounds {
        &[
            ("at least BTC", true),
            ("at most BTC", true),
            ("hops", true),
            ("time", false),
            ("what", false),
            ("address", false),
        ]
    } else {
        &[("BTC", true), ("hops", true), ("time", false), ("what", false), ("address", false)]
    });
    let mut order: Vec<&Leaf> = document.leaves.iter().collect();
    order.sort_by_key(|leaf| Reverse((leaf.amount.upper(), leaf.amount.lower())));
    for leaf in order.iter().take(options.leaves) {
        let mut cells = match leaf.amount {
            Amount::Between { lower_sat, upper_sat } => {
                vec![words::btc_full(lower_sat), words::btc_full(upper_sat)]
            }
            amount => vec![words::btc_full(amount.upper())],
        };
        let what = match &leaf.entity {
            Some(entity) => format!("{entity}, {}", words::reason(&leaf.stop_reason)),
            None => words::reason(&leaf.stop_reason),
        };
        let time = leaf.mined.time.map_or_else(String::new, |time| time.to_string());
        cells.extend([leaf.hops.to_string(), time, what, words::whereabouts(leaf)]);
        grid.row(cells);
    }
    grid.write(out)?;
    let hidden = order.len().saturating_sub(options.leaves) as u64;
    if hidden > 0 {
        writeln!(out, "… and {}", words::count(hidden, "smaller output", "smaller outputs"))?;
    }
    if document.leaves_truncated {
        writeln!(out, "… and more than the limit of this trace records")?;
    }
    Ok(())
}

/// Columns that line up.
struct Grid {
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    fn new(columns: &[(&str, bool)]) -> Self {
        let heads = columns.iter().map(|(head, _)| head.to_uppercase()).collect();
        Self { right: columns.iter().map(|(_, right)| *right).collect(), rows: vec![heads] }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| escape::plain(cell)).collect());
    }

    fn write(&self, out: &mut dyn Write) -> Result<()> {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> =
            (0..self.right.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), right) in row.iter().zip(&widths).zip(&self.right) {
                let cell =
                    if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
                line.push_str(&cell);
                line.push_str("  ");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
