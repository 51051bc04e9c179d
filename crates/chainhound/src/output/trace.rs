//! Tables of traces: one, or the same under several policies side by side.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    io::Write,
};

use chain::Sats;
use report::{
    export::table,
    model::{Amount, Booking, Leaf, TraceDocument},
};

use super::Rows;
use crate::failure::Failure;

/// Outputs that tables of traces list; the rest is counted.
pub(crate) const LISTED: usize = 40;

/// A trace without its steps, and with few of its leaves.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The sums are those of all leaves; flows are missing.
    pub(crate) document: TraceDocument,
    /// How many outputs the trace ended in.
    pub(crate) leaves: u64,
}

impl Survey {
    /// The table, and how much it leaves out.
    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<(), Failure> {
        table::write(&self.document, &table::Options { leaves: LISTED }, out)?;
        match self.leaves.saturating_sub(self.document.leaves.len() as u64) {
            0 => {}
            1 => writeln!(out, "… and 1 smaller output")?,
            more => writeln!(out, "… and {more} smaller outputs: --format csv --part leaves")?,
        }
        Ok(())
    }
}

/// Two tables: the sums by destination, and the outputs where the trace ended. One column a
/// policy; all documents answer the same question otherwise.
pub(crate) fn side_by_side(surveys: &[Survey], colour: bool) -> String {
    let documents: Vec<&TraceDocument> = surveys.iter().map(|survey| &survey.document).collect();
    let Some(first) = documents.first() else { return String::new() };
    let policies = || documents.iter().map(|document| document.provenance.parameters.policy);
    let heads: Vec<String> = policies().map(|policy| format!(">{policy}")).collect();
    let heads = || heads.iter().map(String::as_str);

    let mut sums = Rows::new(&std::iter::once("BTC").chain(heads()).collect::<Vec<_>>(), colour);
    for end in ends(&documents) {
        let of = |document: &&TraceDocument| {
            let booking = document.bookings.iter().find(|booking| booking.end() == end.end());
            shown(booking.map(|booking| booking.amount))
        };
        sums.push(std::iter::once(end_name(end)).chain(documents.iter().map(of)));
    }
    sums.push(
        std::iter::once("sum".to_owned()).chain(documents.iter().map(|document| total(document))),
    );

    let columns = ["time", "why it ended", "output, address"];
    let names: Vec<&str> = heads().chain(columns).collect();
    let mut rows = Rows::new(&names, colour);
    let leaves = leaves(&documents);
    for found in leaves.iter().take(LISTED) {
        let Some(leaf) = found.iter().flatten().next() else { continue };
        let amounts = found.iter().map(|leaf| shown(leaf.map(|leaf| leaf.amount)));
        let output = format!("{}:{}", leaf.output.txid, leaf.output.vout);
        let place = match &leaf.output.address {
            Some(address) => format!("{output} {address}"),
            None => output,
        };
        let time = leaf.mined.time.map_or_else(String::new, |time| time.to_string());
        rows.push(amounts.chain([time, leaf.stop_reason.replace('_', " "), place]));
    }

    let mut text = format!(
        "{} BTC from {} {}, {}, under {}\n\n{}",
        Sats(first.totals.root_sat),
        first.roots.len(),
        if first.roots.len() == 1 { "output" } else { "outputs" },
        first.provenance.parameters.direction,
        policies().collect::<Vec<_>>().join(", "),
        sums.to_text()
    );
    if policies().any(|policy| policy == "poison") {
        text.push_str("poison marks whole outputs: its column says how far taint reached\n");
    }
    if !leaves.is_empty() {
        text.push_str(&format!("\n{}", rows.to_text()));
    }
    let most = surveys.iter().map(|survey| survey.leaves).max().unwrap_or(0);
    if most > LISTED as u64 {
        text.push_str(&format!("and up to {} more outputs\n", most - LISTED as u64));
    }
    text
}

/// In the order of the first document that has each.
fn ends<'a>(documents: &[&'a TraceDocument]) -> Vec<&'a Booking> {
    let mut ends: Vec<&Booking> = Vec::new();
    for booking in documents.iter().flat_map(|document| &document.bookings) {
        if !ends.iter().any(|known| known.end() == booking.end()) {
            ends.push(booking);
        }
    }
    ends
}

fn end_name(booking: &Booking) -> String {
    let (reason, entity, _, protocol) = booking.end();
    let words = [entity, Some(&reason.replace('_', " ")), protocol];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Each output where any of the traces ended, with the leaf of each document; what the first
/// document takes for most comes first.
fn leaves<'a>(documents: &[&'a TraceDocument]) -> Vec<Vec<Option<&'a Leaf>>> {
    let mut found: HashMap<(chain::Txid, u32), Vec<Option<&Leaf>>> = HashMap::new();
    for (at, document) in documents.iter().enumerate() {
        for leaf in &document.leaves {
            let row = found.entry((leaf.output.txid, leaf.output.vout));
            let row = row.or_insert_with(|| vec![None; documents.len()]);
            if let Some(cell) = row.get_mut(at) {
                *cell = Some(leaf);
            }
        }
    }
    let key = |row: &[Option<&Leaf>]| -> Vec<Reverse<u64>> {
        row.iter().map(|leaf| Reverse(leaf.map_or(0, |leaf| leaf.amount.upper()))).collect()
    };
    let sorted: BTreeMap<_, _> =
        found.into_iter().map(|(outpoint, row)| ((key(&row), outpoint), row)).collect();
    sorted.into_values().collect()
}

fn total(document: &TraceDocument) -> String {
    let totals = &document.totals;
    shown(Some(match totals.booked_lower_sat {
        Some(lower_sat) => Amount::Between { lower_sat, upper_sat: totals.booked_sat },
        None => Amount::Exact { tainted_sat: totals.booked_sat },
    }))
}

fn shown(amount: Option<Amount>) -> String {
    match amount {
        None | Some(Amount::Unmeasured {}) => "-".to_owned(),
        Some(Amount::Exact { tainted_sat }) => Sats(tainted_sat).to_string(),
        Some(Amount::Between { lower_sat, upper_sat }) if lower_sat == upper_sat => {
            Sats(upper_sat).to_string()
        }
        Some(Amount::Between { lower_sat, upper_sat }) => {
            format!("{}..{}", Sats(lower_sat), Sats(upper_sat))
        }
    }
}
